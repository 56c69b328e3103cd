package trust_test

import (
	"crypto/x509"
	"slices"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// blocking is a block list of these certificates.
func blocking(ids ...*testmail.Identity) func(*x509.Certificate) bool {
	list := bagOf(ids...)
	return func(c *x509.Certificate) bool { return slices.ContainsFunc(list, c.Equal) }
}

func TestBlockedCAs(t *testing.T) {
	w := newWorld()
	other := w.keys.Root(testmail.Profile{Name: "Other root", Kind: ec})
	cross := other.Intermediate(testmail.Profile{Name: "Root", Organisation: "Example Trust", Key: w.root.Key})
	late := bob()
	late.NotAfter = testmail.Instant().AddDate(0, 0, -1)
	expired := w.inter.Issue(late)
	forged := w.keys.Root(testmail.Profile{Name: "Mail CA", Organisation: "Example Trust", Kind: ec, Key: w.keys.Key(ec, "forger"), NoKeyID: true})
	quiet := bob()
	quiet.NoKeyID = true
	anchors := trust.New(anchor(w.root), anchor(other))
	for title, c := range map[string]struct {
		leaf    *testmail.Identity
		bag     []*x509.Certificate
		blocked func(*x509.Certificate) bool
		reason  string
		where   int
	}{
		"nobody":                            {w.leaf, bagOf(w.inter), blocking(), "", 0},
		"somebody else":                     {w.leaf, bagOf(w.inter), blocking(other), "", 0},
		"the intermediate":                  {w.leaf, bagOf(w.inter), blocking(w.inter), "cert-blocked", 1},
		"the anchor":                        {w.leaf, bagOf(w.inter), blocking(w.root), "cert-blocked", 2},
		"both":                              {w.leaf, bagOf(w.inter), blocking(w.root, w.inter), "cert-blocked", 1},
		"the leaf is the store's part":      {w.leaf, bagOf(w.inter), blocking(w.leaf), "", 0},
		"the anchor, with another way":      {w.leaf, bagOf(w.inter, cross), blocking(w.root), "", 0},
		"the anchor, and on the other way":  {w.leaf, bagOf(w.inter, cross), blocking(w.root, cross), "cert-blocked", 2},
		"the intermediate, on both ways":    {w.leaf, bagOf(w.inter, cross), blocking(w.inter), "cert-blocked", 1},
		"an expired leaf under it":          {expired, bagOf(w.inter), blocking(w.inter), "cert-blocked", 1},
		"an expired leaf, another way":      {expired, bagOf(w.inter, cross), blocking(w.root), "cert-expired", 0},
		"a leaf that it did not sign":       {forged.Issue(quiet), bagOf(w.inter), blocking(w.inter), "cert-untrusted", 0},
		"a CA above that leads to nowhere":  {w.leaf, nil, blocking(w.inter), "cert-incomplete", 0},
		"an anchor that is used as nothing": {w.leaf, bagOf(w.inter, other), blocking(other), "", 0},
	} {
		t.Run(title, func(t *testing.T) {
			set := anchors.With(nil, c.blocked)
			p, r := set.Path(c.leaf.Cert, c.bag, options())
			want(t, c.reason, p, r)
			if r != nil && r.Where != c.where {
				t.Errorf("refused at %d, want %d", r.Where, c.where)
			}
			for i, x := range p.Chain {
				if i > 0 && c.blocked(x) {
					t.Error("a blocked certificate stands on the path")
				}
			}
		})
	}
	p, r := anchors.Path(w.leaf.Cert, bagOf(w.inter), options())
	want(t, "", p, r) // With changes nothing of what it was called on
	p, r = anchors.With(trust.NewShelf(bagOf(w.inter)), blocking(w.inter)).Path(w.leaf.Cert, nil, options())
	want(t, "cert-blocked", p, r)
}

// TestBlockedCAsDoNotUseUpTheSearch: they are looked at last.
func TestBlockedCAsDoNotUseUpTheSearch(t *testing.T) {
	w := newWorld()
	fake := flood(w, 24)
	leaf := w.inter.Issue(testmail.Profile{Name: "Bob", Kind: ec, NoKeyID: true, Mailboxes: []string{"bob@example.org"}})
	blocked := func(c *x509.Certificate) bool { return slices.ContainsFunc(fake, c.Equal) }
	p, r := trust.New(anchor(w.root)).With(nil, blocked).Path(leaf.Cert, append(fake, w.inter.Cert), options())
	want(t, "", p, r)
}

func TestExclusiveAnchors(t *testing.T) {
	w := newWorld()
	company := w.keys.Root(testmail.Profile{Name: "Company root", Kind: ec})
	second := w.keys.Root(testmail.Profile{Name: "Second root", Kind: ec})
	cross := company.Intermediate(testmail.Profile{Name: "Root", Organisation: "Example Trust", Key: w.root.Key})
	public := trust.Anchor{Certificate: w.root.Cert}
	owner := func(domains ...string) *trust.Anchor {
		return &trust.Anchor{Certificate: company.Cert, Domains: domains, Exclusive: true}
	}
	leaf := func(ca *testmail.Identity, p testmail.Profile) *testmail.Identity {
		p.Name, p.Kind = "Bob", ec
		return ca.Issue(p)
	}
	boxes := func(s ...string) testmail.Profile { return testmail.Profile{Mailboxes: s} }
	utf := testmail.Profile{UTF8Mailboxes: []string{"büro@bücher.example"}}
	subject := testmail.Profile{SubjectMail: []string{"bob@example.org"}}
	lenient := public
	lenient.AllowSubjectAddress = true
	for title, c := range map[string]struct {
		leaf    *testmail.Identity
		bag     []*testmail.Identity
		anchors []*trust.Anchor
		reason  string
	}{
		"another domain":                         {leaf(w.root, boxes("bob@other.example")), nil, []*trust.Anchor{&public, owner("example.org")}, ""},
		"the domain, by another":                 {leaf(w.root, boxes("bob@example.org")), nil, []*trust.Anchor{&public, owner("example.org")}, "cert-constraint"},
		"the domain, by its own":                 {leaf(company, boxes("bob@example.org")), nil, []*trust.Anchor{&public, owner("example.org")}, ""},
		"a host below is not meant":              {leaf(w.root, boxes("bob@mx.example.org")), nil, []*trust.Anchor{&public, owner("example.org")}, ""},
		"a host below is meant":                  {leaf(w.root, boxes("bob@mx.example.org")), nil, []*trust.Anchor{&public, owner(".example.org")}, "cert-constraint"},
		"one of two mailboxes":                   {leaf(w.root, boxes("bob@other.example", "bob@example.org")), nil, []*trust.Anchor{&public, owner("example.org")}, "cert-constraint"},
		"in another case":                        {leaf(w.root, boxes("bob@EXAMPLE.org")), nil, []*trust.Anchor{&public, owner("example.org")}, "cert-constraint"},
		"SmtpUTF8Mailbox, U-labels":              {leaf(w.root, utf), nil, []*trust.Anchor{&public, owner("xn--bcher-kva.example")}, "cert-constraint"},
		"domain in U-labels":                     {leaf(w.root, boxes("bob@xn--bcher-kva.example")), nil, []*trust.Anchor{&public, owner("bücher.example")}, "cert-constraint"},
		"the subject, where it counts":           {leaf(w.root, subject), nil, []*trust.Anchor{&lenient, owner("example.org")}, "cert-constraint"},
		"the subject, where it does not":         {leaf(w.root, subject), nil, []*trust.Anchor{&public, owner("example.org")}, ""},
		"a malformed mailbox":                    {leaf(w.root, boxes("bob @example.org")), nil, []*trust.Anchor{&public, owner("example.org")}, "cert-no-address"},
		"another that names it without being so": {leaf(w.root, boxes("bob@example.org")), nil, []*trust.Anchor{{Certificate: w.root.Cert, Domains: []string{"example.org"}}, owner("example.org")}, "cert-constraint"},
		"two exclusive ones":                     {leaf(second, boxes("bob@example.org")), nil, []*trust.Anchor{owner("example.org"), {Certificate: second.Cert, Domains: []string{"example.org"}, Exclusive: true}}, ""},
		"an exclusive one of another domain":     {leaf(second, boxes("bob@example.org")), nil, []*trust.Anchor{owner("example.org"), {Certificate: second.Cert, Domains: []string{"other.example"}, Exclusive: true}}, "cert-constraint"},
		"exclusive for all, by another":          {leaf(w.root, boxes("bob@example.org")), nil, []*trust.Anchor{&public, {Certificate: company.Cert, Exclusive: true}}, "cert-constraint"},
		"exclusive for all, by itself":           {leaf(company, boxes("bob@example.org")), nil, []*trust.Anchor{&public, {Certificate: company.Cert, Exclusive: true}}, ""},
		"exclusive for all does not name it":     {leaf(second, boxes("bob@example.org")), nil, []*trust.Anchor{owner("example.org"), {Certificate: second.Cert, Exclusive: true}}, "cert-constraint"},
		"exclusive for none":                     {leaf(w.root, boxes("bob@example.org")), nil, []*trust.Anchor{&public, {Certificate: company.Cert, Domains: []string{}, Exclusive: true}}, ""},
		"by a cross-certificate of its own":      {leaf(w.root, boxes("bob@example.org")), []*testmail.Identity{cross}, []*trust.Anchor{&public, owner("example.org")}, ""},
		"expired, it still keeps others out": {leaf(w.root, boxes("bob@example.org")), nil, []*trust.Anchor{&public, {Domains: []string{"example.org"}, Exclusive: true,
			Certificate: w.keys.Root(testmail.Profile{Name: "Gone", Kind: ec, NotAfter: testmail.Instant().AddDate(-1, 0, 0)}).Cert}}, "cert-constraint"},
	} {
		t.Run(title, func(t *testing.T) {
			p, r := trust.New(c.anchors...).Path(c.leaf.Cert, bagOf(c.bag...), options())
			want(t, c.reason, p, r)
		})
	}
	set := trust.New(&public, owner("example.org")).With(nil, blocking(company))
	p, r := set.Path(leaf(w.root, boxes("bob@example.org")).Cert, nil, options())
	want(t, "cert-constraint", p, r) // blocked, it still keeps others out
}
