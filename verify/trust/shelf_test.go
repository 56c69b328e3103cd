package trust_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// learntFrom is a shelf that has learnt from the path of a leaf.
func learntFrom(t *testing.T, leaf *testmail.Identity, at time.Time) *trust.Shelf {
	t.Helper()
	s := trust.NewShelf(nil)
	p, r := trust.New(anchor(leaf.Root())).Path(leaf.Cert, bagOf(leaf.Above()...), options())
	want(t, "", p, r)
	s.Learn(p, at)
	return s
}

func TestShelfHelpsMailWithoutIntermediates(t *testing.T) {
	w := newWorld()
	now := testmail.Instant()
	lower := w.inter.Intermediate(testmail.Profile{Name: "Lower", Organisation: "Company", Kind: ec})
	deep := lower.Issue(bob())
	old := w.root.Intermediate(testmail.Profile{Name: "Old CA", Organisation: "Company", Kind: ec, NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(-1, 0, 0)})
	forged := w.keys.Root(testmail.Profile{Name: "Mail CA", Organisation: "Example Trust", Kind: ec, Key: w.keys.Key(ec, "forger"), NoKeyID: true})
	quiet := bob()
	quiet.NoKeyID = true
	for title, c := range map[string]struct {
		shelf  *trust.Shelf
		leaf   *testmail.Identity
		bag    []*testmail.Identity
		reason string
	}{
		"none":                             {nil, w.leaf, nil, "cert-incomplete"},
		"empty":                            {trust.NewShelf(nil), w.leaf, nil, "cert-incomplete"},
		"the operator's":                   {trust.NewShelf(bagOf(w.inter)), w.leaf, nil, ""},
		"learnt":                           {learntFrom(t, w.leaf, now), w.leaf, nil, ""},
		"learnt, two levels":               {learntFrom(t, deep, now), deep, nil, ""},
		"the lower in the mail":            {trust.NewShelf(bagOf(w.inter)), deep, []*testmail.Identity{lower}, ""},
		"the upper in the mail":            {trust.NewShelf(bagOf(lower)), deep, []*testmail.Identity{w.inter}, ""},
		"both in the mail and on it":       {trust.NewShelf(bagOf(w.inter)), w.leaf, []*testmail.Identity{w.inter}, ""},
		"others' only":                     {trust.NewShelf(bagOf(lower)), w.leaf, nil, "cert-incomplete"},
		"expired is missing":               {trust.NewShelf(bagOf(old)), old.Issue(bob()), nil, "cert-incomplete"},
		"expired in the mail is expired":   {trust.NewShelf(bagOf(old)), old.Issue(bob()), []*testmail.Identity{old}, "cert-expired"},
		"on the shelf is not trusted":      {trust.NewShelf(bagOf(forged)), forged.Issue(bob()), nil, "cert-incomplete"},
		"the true one beside a forged one": {trust.NewShelf(bagOf(forged, w.inter)), w.leaf, nil, ""},
		"forged in the mail, true on it":   {trust.NewShelf(bagOf(w.inter)), w.leaf, []*testmail.Identity{forged}, ""},
		"a leaf that it did not sign":      {trust.NewShelf(bagOf(w.inter)), forged.Issue(quiet), nil, "cert-untrusted"},
		"an anchor on it":                  {trust.NewShelf(bagOf(w.root, w.inter)), w.leaf, nil, ""},
		"the leaf on it":                   {trust.NewShelf(bagOf(w.leaf)), w.leaf, nil, "cert-incomplete"},
	} {
		t.Run(title, func(t *testing.T) {
			p, r := trust.New(anchor(w.root)).With(c.shelf, nil).Path(c.leaf.Cert, bagOf(c.bag...), options())
			want(t, c.reason, p, r)
		})
	}
}

func TestShelfKnowsNamesOfOthers(t *testing.T) {
	w := newWorld()
	stranger := w.keys.Root(testmail.Profile{Name: "Elsewhere", Kind: ec})
	ca := stranger.Intermediate(testmail.Profile{Name: "Elsewhere CA", Kind: ec})
	leaf := ca.Issue(bob())
	p, r := trust.New(anchor(w.root)).With(trust.NewShelf(bagOf(ca)), nil).Path(leaf.Cert, nil, options())
	want(t, "cert-incomplete", p, r)
	p, r = trust.New(anchor(w.root)).Path(leaf.Cert, nil, options())
	want(t, "cert-untrusted", p, r)
}

// TestBagBeforeShelf: of two that serve equally the mail's own stands on the path.
func TestBagBeforeShelf(t *testing.T) {
	w := newWorld()
	again := w.root.Intermediate(testmail.Profile{Name: "Mail CA", Organisation: "Example Trust", Kind: ec, Serial: w.leaf.Cert.SerialNumber})
	for _, c := range []struct{ bag, operators, learnt *testmail.Identity }{{again, w.inter, nil}, {w.inter, again, nil}, {nil, again, w.inter}} {
		s := trust.NewShelf(bagOf(c.operators))
		first := c.bag
		if c.learnt != nil {
			s.Learn(trust.Path{Chain: []*x509.Certificate{w.leaf.Cert, c.learnt.Cert, w.root.Cert}, Anchor: anchor(w.root)}, testmail.Instant())
			first = c.operators
		}
		var bag []*x509.Certificate
		if c.bag != nil {
			bag = bagOf(c.bag)
		}
		p, r := trust.New(anchor(w.root)).With(s, nil).Path(w.leaf.Cert, bag, options())
		want(t, "", p, r)
		if p.Chain[1] != first.Cert {
			t.Error("another certificate stands on the path")
		}
	}
}

func TestLearn(t *testing.T) {
	w := newWorld()
	now := testmail.Instant()
	later := now.AddDate(20, 0, 0)
	notCA := w.inter.Issue(testmail.Profile{Name: "No CA", Kind: ec})
	path := func(between ...*testmail.Identity) trust.Path {
		return trust.Path{Chain: append(append(bagOf(w.leaf), bagOf(between...)...), w.root.Cert), Anchor: anchor(w.root)}
	}
	for title, c := range map[string]struct {
		shelf *trust.Shelf
		path  trust.Path
		at    time.Time
		fresh int
	}{
		"one":                         {trust.NewShelf(nil), path(w.inter), now, 1},
		"the operator has it":         {trust.NewShelf(bagOf(w.inter)), path(w.inter), now, 0},
		"no intermediate":             {trust.NewShelf(nil), path(), now, 0},
		"no path":                     {trust.NewShelf(nil), trust.Path{}, now, 0},
		"what is no CA":               {trust.NewShelf(nil), path(notCA), now, 0},
		"what has expired":            {trust.NewShelf(nil), path(w.inter), later, 0},
		"the anchor, as intermediate": {trust.NewShelf(nil), path(w.root), now, 0},
		"twice the same":              {trust.NewShelf(nil), path(w.inter, w.inter), now, 1},
		"no shelf":                    {nil, path(w.inter), now, 0},
	} {
		t.Run(title, func(t *testing.T) {
			if got := c.shelf.Learn(c.path, c.at); len(got) != c.fresh {
				t.Errorf("%d are new, want %d", len(got), c.fresh)
			}
			if got := c.shelf.Learn(c.path, c.at); len(got) != 0 {
				t.Error("learnt again")
			}
			if got := c.shelf.Learnt(); len(got) != c.fresh {
				t.Errorf("%d stand on it", len(got))
			}
		})
	}
}

func TestLearningIsBounded(t *testing.T) {
	w := newWorld()
	now := testmail.Instant()
	s := trust.NewShelf(nil)
	ca := func(root *testmail.Identity, i int, until time.Time) trust.Path {
		c := root.Intermediate(testmail.Profile{Name: fmt.Sprint("CA ", i), Key: w.inter.Key, NotAfter: until})
		return trust.Path{Chain: []*x509.Certificate{w.leaf.Cert, c.Cert, root.Cert}, Anchor: anchor(root)}
	}
	learn := func(root *testmail.Identity, n int, at time.Time) (fresh int) {
		for i := range n {
			fresh += len(s.Learn(ca(root, i, now.AddDate(1, 0, i)), at))
		}
		return fresh
	}
	if got := learn(w.root, 40, now); got != 32 {
		t.Fatalf("%d learnt under one anchor, want 32", got)
	}
	if got := learn(w.root, 40, now.AddDate(1, 0, 9)); got != 8 {
		t.Errorf("%d learnt when some had expired, want 8", got)
	}
	for i := range 70 {
		learn(w.keys.Root(testmail.Profile{Name: fmt.Sprint("Root ", i), Key: w.root.Key}), 32, now)
	}
	if got := len(s.Learnt()); got != 2000 {
		t.Errorf("%d learnt in all, want 2000", got)
	}
	within(t, func() {
		o, left := options(), 64
		o.Operations = &left
		p, r := trust.New(anchor(w.root)).With(s, nil).Path(w.leaf.Cert, nil, o)
		want(t, "cert-incomplete", p, r)
	})
}

// TestNamesakesUnderAnotherAnchor: whoever runs a CA under one anchor cannot use up
// the search for the CA of another by intermediates that bear its name and key
// identifier, and does not keep it from being learnt.
func TestNamesakesUnderAnotherAnchor(t *testing.T) {
	w := newWorld()
	partner := w.keys.Root(testmail.Profile{Name: "Partner", Kind: ec})
	hostile := partner.Intermediate(testmail.Profile{Name: "Partner CA", Kind: ec})
	limited := &trust.Anchor{Certificate: partner.Cert, Domains: []string{"example.org"}}
	shelf := trust.NewShelf(nil)
	set := trust.New(limited, anchor(w.root)).With(shelf, nil)
	learn := func(leaf *testmail.Identity) {
		p, r := set.Path(leaf.Cert, bagOf(leaf.Above()...), options())
		want(t, "", p, r)
		shelf.Learn(p, testmail.Instant())
	}
	keyID := pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 14}, Value: testmail.Element(4, w.inter.Cert.SubjectKeyId)}
	for i := range 20 {
		learn(hostile.Intermediate(testmail.Profile{Name: "Mail CA", Organisation: "Example Trust",
			Key: w.keys.Key(ec, fmt.Sprint("namesake ", i)), Extra: []pkix.Extension{keyID}}).Issue(bob()))
	}
	learn(w.leaf)
	o, left := options(), 64
	o.Operations = &left
	for range 2 { // the signer's certificate and the one to keep
		p, r := set.Path(w.leaf.Cert, nil, o)
		want(t, "", p, r)
	}
}

// TestFloodOnTheShelf: what an operator has under one name is not all tried.
func TestFloodOnTheShelf(t *testing.T) {
	w := newWorld()
	leaf := w.keys.Root(testmail.Profile{Name: "Root", Organisation: "Example Trust", Kind: ec,
		Key: w.keys.Key(ec, "unrelated"), NoKeyID: true}).Issue(bob())
	o, left := options(), 64
	o.Operations = &left
	within(t, func() {
		p, r := trust.New(anchor(w.root)).With(trust.NewShelf(flood(w, 200)), nil).Path(leaf.Cert, flood(w, 200), o)
		want(t, "cert-untrusted", p, r)
	})
	if left < 0 {
		t.Errorf("%d operations more than allowed", -left)
	}
}

func TestShelfServesManyAtOnce(t *testing.T) {
	w := newWorld()
	p, r := trust.New(anchor(w.root)).Path(w.leaf.Cert, bagOf(w.inter), options())
	want(t, "", p, r)
	for range 20 {
		s := trust.NewShelf(nil)
		anchors := trust.New(anchor(w.root)).With(s, nil)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				s.Learn(p, testmail.Instant())
				if _, r := anchors.Path(w.leaf.Cert, nil, options()); r != nil {
					t.Error(r)
				}
			})
		}
		all.Wait()
		if n := len(s.Learnt()); n != 1 {
			t.Errorf("learnt %d times", n)
		}
	}
}

// TestIncompleteUnderThePublicRoots: with all of them loaded a missing
// intermediate of one of their organisations is still told from a stranger's CA.
func TestIncompleteUnderThePublicRoots(t *testing.T) {
	b, _, err := trust.ReadBundle("embedded", trust.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	var anchors []*trust.Anchor
	for _, r := range b.Roots {
		anchors = append(anchors, &trust.Anchor{Certificate: r.Certificate, Public: true})
	}
	set := trust.New(anchors...)
	own := trust.New(append(anchors, anchor(newWorld().root))...)
	k := testmail.NewKeys()
	for organisation, reason := range map[string]string{
		b.Roots[0].Certificate.Subject.Organization[0]: "cert-incomplete", "Example GmbH": "cert-untrusted", "Example Trust": "cert-untrusted", "": "cert-untrusted",
	} {
		leaf := k.Root(testmail.Profile{Name: "Some CA", Organisation: organisation, Kind: ec}).Issue(bob())
		p, r := set.Path(leaf.Cert, nil, options())
		want(t, reason, p, r)
		if organisation == "Example Trust" {
			p, r = own.Path(leaf.Cert, nil, options())
			want(t, "cert-incomplete", p, r)
		}
	}
}
