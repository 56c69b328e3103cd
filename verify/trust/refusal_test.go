package trust_test

import (
	"encoding/asn1"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

type refusalCase struct {
	chain
	reason     string
	length     int // of the path shown, 0: none
	where      int
	constraint string
}

func TestRefusalsShowThePath(t *testing.T) {
	for title, c := range refusalCases(t) {
		t.Run(title, func(t *testing.T) {
			p, r := trust.New(c.anchors...).Path(c.leaf.Cert, bagOf(c.bag...), options())
			want(t, c.reason, p, r)
			if len(r.Chain) != c.length || r.Where != c.where || r.Constraint != c.constraint {
				t.Fatalf("%d certificates, at %d, %q; want %d, at %d, %q", len(r.Chain), r.Where, r.Constraint, c.length, c.where, c.constraint)
			}
			if c.length > 0 && (r.Chain[0] != c.leaf.Cert || r.Where >= len(r.Chain)) {
				t.Error("the path does not begin at the leaf, or ends before the place")
			}
		})
	}
}

func refusalCases(t *testing.T) map[string]refusalCase {
	t.Helper()
	w := newWorld()
	now := testmail.Instant()
	under := func(ca *testmail.Identity, p testmail.Profile) chain {
		l := ca.Issue(p)
		return chain{l, l.Above(), []*trust.Anchor{anchor(ca.Root())}}
	}
	ca := func(p testmail.Profile) *testmail.Identity {
		p.Kind = ec
		return w.root.Intermediate(p)
	}
	limits := func(permitted, excluded [][]byte, p testmail.Profile) chain {
		return under(ca(testmail.Profile{Name: "Limited", Constraints: testmail.NameConstraints(permitted, excluded)}).
			Intermediate(testmail.Profile{Name: "Lower", Kind: ec}), p)
	}
	list := func(n ...[]byte) [][]byte { return n }
	san := func(n ...[]byte) testmail.Profile {
		return testmail.Profile{Name: "Bob", Kind: ec, SAN: testmail.Sequence(append(n, testmail.RFC822Name("bob@example.org"))...)}
	}
	with := func(change func(*testmail.Profile)) testmail.Profile { p := bob(); change(&p); return p }
	settings := func(change func(*trust.Anchor)) chain {
		a := anchor(w.root)
		change(a)
		return chain{w.leaf, []*testmail.Identity{w.inter}, []*trust.Anchor{a}}
	}
	box, utf, dn := testmail.RFC822Name, testmail.SmtpUTF8Mailbox, testmail.DirectoryName
	private := testmail.Element(0x87, []byte{10, 0, 0, 0, 255, 0, 0, 0})
	uri := func(s string) []byte { return testmail.Element(0x86, []byte(s)) }
	quiet := with(func(p *testmail.Profile) { p.NoKeyID = true })
	forged := w.keys.Root(testmail.Profile{Name: "Mail CA", Organisation: "Example Trust", Kind: ec, Key: w.keys.Key(ec, "forger")}).Issue(quiet)
	long := w.root
	for i := range 7 {
		long = long.Intermediate(testmail.Profile{Name: fmt.Sprint("CA ", i), Kind: ec})
	}
	// a forged way beside the one that is too long
	aside := w.keys.Root(testmail.Profile{Name: "Root", Organisation: "Example Trust", Kind: ec, Key: w.keys.Key(ec, "forger")}).
		Intermediate(testmail.Profile{Name: "CA 6", Key: long.Key})
	both := under(long, bob())
	both.bag = append(both.bag, aside)
	owner := w.keys.Root(testmail.Profile{Name: "Owner", Kind: ec})
	oddDN := dn(testmail.Sequence(testmail.Element(0x31, testmail.Sequence([]byte{6, 3, 0x2a, 3, 4}, testmail.Element(0x0c, []byte("Evil\r\nname"))))))
	odd := with(func(p *testmail.Profile) {
		p.SAN = testmail.Sequence(box("bob@example.org"), oddDN)
	})
	return map[string]refusalCase{
		"leaf expired":         {under(w.inter, with(func(p *testmail.Profile) { p.NotAfter = now.Add(-time.Second) })), "cert-expired", 3, 0, ""},
		"intermediate expired": {under(ca(testmail.Profile{Name: "Old", NotAfter: now.Add(-time.Second)}), bob()), "cert-expired", 3, 1, ""},
		"no CA":                {under(w.inter.Issue(testmail.Profile{Name: "No CA", Kind: ec}), bob()), "cert-untrusted", 4, 1, ""},
		"path length": {under(ca(testmail.Profile{Name: "Zero", PathLength: testmail.ZeroPathLength}).Intermediate(testmail.Profile{Name: "Below", Kind: ec}), bob()),
			"cert-constraint", 4, 2, "pathlen:0"},
		"usage of a CA": {under(ca(testmail.Profile{Name: "TLS", EKU: []asn1.ObjectIdentifier{testmail.ServerAuth(), {1, 2, 3}}}), bob()),
			"cert-usage", 3, 1, "extendedKeyUsage:serverAuth,1.2.3"},
		"critical extension": {under(w.inter, with(func(p *testmail.Profile) { p.Extra = critical(1, 3, 6, 1, 4, 1, 99999, 1) })),
			"cert-constraint", 3, 0, "critical 1.3.6.1.4.1.99999.1"},
		"SHA-1":               {under(w.root.Intermediate(testmail.Profile{Name: "RSA"}), with(func(p *testmail.Profile) { p.Kind = "rsa2048"; p.Algorithm = 3 })), "cert-weak", 3, 0, ""},
		"permitted mailboxes": {limits(list(box("a.example"), box(".b.example")), nil, bob()), "cert-constraint", 4, 2, "permitted email:a.example, email:.b.example"},
		"excluded mailbox":    {limits(nil, list(box("a.example"), box("example.org")), bob()), "cert-constraint", 4, 2, "excluded email:example.org"},
		"permitted UTF-8":     {limits(list(utf("büro@example.org")), nil, san(utf("büro@evil.example"))), "cert-constraint", 4, 2, "permitted otherName:SmtpUTF8Mailbox:büro@example.org"},
		"permitted directory": {limits(list(dn(name(t, "C", "DE", "O", "Acme"))), nil, bob()), "cert-constraint", 4, 2, "permitted dirName:C=DE, O=Acme"},
		"excluded directory":  {limits(nil, list(dn(name(t, "CN", "Bob"))), bob()), "cert-constraint", 4, 2, "excluded dirName:CN=Bob"},
		"odd directory":       {limits(nil, list(oddDN), odd), "cert-constraint", 4, 2, "excluded dirName:1.2.3.4=Evil??name"},
		"permitted DNS":       {limits(list(testmail.DNSName("a.example"), testmail.DNSName("b.example")), nil, san(testmail.DNSName("evil.example"))), "cert-constraint", 4, 2, "permitted DNS:a.example, DNS:b.example"},
		"excluded DNS":        {limits(nil, list(testmail.DNSName("evil.example")), san(testmail.DNSName("x.evil.example"))), "cert-constraint", 4, 2, "excluded DNS:evil.example"},
		"DNS that is none":    {limits(nil, list(testmail.DNSName("evil.example")), san(testmail.DNSName("a b"))), "cert-constraint", 4, 2, "excluded DNS:evil.example"},
		"permitted URI":       {limits(list(uri("example.org")), nil, san(uri("http://evil.example/"))), "cert-constraint", 4, 2, "permitted URI:example.org"},
		"URI without a host":  {limits(list(uri("example.org")), nil, san(uri("urn:x:1"))), "cert-constraint", 4, 2, "permitted URI:example.org"},
		"permitted IP":        {limits(list(private), nil, san(testmail.Element(0x87, []byte{192, 0, 2, 1}))), "cert-constraint", 4, 2, "permitted IP:10.0.0.0/8"},
		"other name":          {limits(list(upn("x")), nil, san(upn("x"))), "cert-constraint", 4, 2, "permitted otherName:1.3.6.1.4.1.311.20.2.3"},
		"registered ID":       {limits(nil, list(testmail.Element(0x88, []byte{0x2a})), san(testmail.Element(0x88, []byte{0x2a}))), "cert-constraint", 4, 2, "excluded RID:1.2"},
		"malformed mailbox":   {limits(list(box("example.org")), nil, san(box("bob@"))), "cert-no-address", 4, 0, ""},
		"unreadable":          {under(ca(testmail.Profile{Name: "Odd", Constraints: testmail.NameConstraints(list(testmail.Element(0x8a, nil)), nil)}), bob()), "cert-constraint", 3, 1, "nameConstraints: unknown form of name"},
		"policies":            {under(ca(testmail.Profile{Name: "Policy CA", Extra: policyRequired()}), bob()), "cert-constraint", 3, 0, ""},
		"anchor domains":      {settings(func(a *trust.Anchor) { a.Domains = []string{".example.org", "a.example"} }), "cert-constraint", 3, 2, "anchor domains: .example.org, a.example"},
		"no domains":          {settings(func(a *trust.Anchor) { a.Domains = []string{} }), "cert-constraint", 3, 2, "anchor domains: "},
		"distrust": {settings(func(a *trust.Anchor) { a.DistrustAfter = time.Date(2024, 6, 30, 0, 0, 0, 0, time.UTC) }),
			"cert-distrusted", 3, 2, "distrust after 2024-06-30"},
		"exclusive": {chain{w.leaf, []*testmail.Identity{w.inter}, []*trust.Anchor{anchor(w.root), {Certificate: owner.Cert, Domains: []string{"example.org"}, Exclusive: true}}},
			"cert-constraint", 3, 2, "exclusive domains: example.org"},
		"too long":                     {under(long, bob()), "cert-constraint", 9, 8, ""},
		"too long beside a forged one": {both, "cert-constraint", 9, 8, ""},
		"not signed":                   {chain{forged, []*testmail.Identity{w.inter}, []*trust.Anchor{anchor(w.root)}}, "cert-untrusted", 3, 0, ""},
		"nothing by name":              {chain{w.leaf, nil, []*trust.Anchor{anchor(w.root)}}, "cert-incomplete", 1, 0, ""},
	}
}

func TestConstraintIsBoundedAndPrintable(t *testing.T) {
	w := newWorld()
	many := boxes(2000)[1:]
	long := testmail.DirectoryName(name(t, "CN", strings.Repeat("ü", 500)))
	lone := testmail.DirectoryName(name(t, "O", "\x1b[31m\u202ered"))
	acme := bob()
	acme.SAN = testmail.Sequence(testmail.RFC822Name("bob@example.org"), long, lone)
	for title, constraints := range map[string][]byte{
		"many":    testmail.NameConstraints(many, nil),
		"long":    testmail.NameConstraints(nil, [][]byte{long}),
		"escapes": testmail.NameConstraints(nil, [][]byte{lone}),
	} {
		t.Run(title, func(t *testing.T) {
			ca := w.root.Intermediate(testmail.Profile{Name: "Limited", Kind: ec, Constraints: constraints})
			_, r := trust.New(anchor(w.root)).Path(ca.Issue(acme).Cert, bagOf(ca), options())
			if r == nil || r.Constraint == "" {
				t.Fatalf("%+v", r)
			}
			if n := utf8.RuneCountInString(r.Constraint); n > 128 {
				t.Errorf("%d characters", n)
			}
			if i := strings.IndexFunc(r.Constraint, func(c rune) bool { return !unicode.IsPrint(c) }); i >= 0 {
				t.Errorf("%q is not printable", r.Constraint)
			}
		})
	}
}
