package trust_test

import (
	"encoding/asn1"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// names: constraints of all kinds at several places; constraintCases has those
// of one critical CA.
func (m *mint) names() {
	t := m.t
	box, dns, dn := testmail.RFC822Name, testmail.DNSName, testmail.DirectoryName
	uri := func(s string) []byte { return testmail.Element(0x86, []byte(s)) }
	ip := func(b ...byte) []byte { return testmail.Element(0x87, b) }
	list := func(n ...[]byte) [][]byte { return n }
	limits := func(top *testmail.Identity, name string, permitted, excluded [][]byte) *testmail.Identity {
		return ca(top, testmail.Profile{Name: name, Constraints: testmail.NameConstraints(permitted, excluded)})
	}
	san := func(n ...[]byte) testmail.Profile {
		return testmail.Profile{Name: "Bob", Kind: ec, SAN: testmail.Sequence(append(list(box("bob@example.org")), n...)...)}
	}
	subject := func(pairs ...string) testmail.Profile {
		return like(func(p *testmail.Profile) { p.Subject = name(t, pairs...) })
	}
	for title, c := range map[string]constraintCase{
		"DNS, wildcard inside":        {list(dns("example.org")), nil, san(dns("*.example.org")), ""},
		"DNS, with a leading dot":     {list(dns(".example.org")), nil, san(dns("a.example.org")), ""},
		"DNS, leading dot, itself":    {list(dns(".example.org")), nil, san(dns("example.org")), ""},
		"DNS, another case":           {list(dns("EXAMPLE.org")), nil, san(dns("a.Example.ORG")), ""},
		"DNS, suffix without a dot":   {list(dns("example.org")), nil, san(dns("badexample.org")), ""},
		"DNS excluded":                {nil, list(dns("example.org")), san(dns("a.example.org")), ""},
		"DNS excluded, another":       {nil, list(dns("example.org")), san(dns("a.other.example")), ""},
		"DNS, host as common name":    {list(dns("example.org")), nil, like(func(p *testmail.Profile) { p.Name = "www.evil.example" }), ""},
		"DNS, everything":             {list(dns("")), nil, san(dns("a.example")), ""},
		"URI inside":                  {list(uri("example.org")), nil, san(uri("https://example.org/x")), ""},
		"URI below a host":            {list(uri("example.org")), nil, san(uri("https://www.example.org/x")), ""},
		"URI below a domain":          {list(uri(".example.org")), nil, san(uri("https://www.example.org/x")), ""},
		"URI, with a port":            {list(uri("example.org")), nil, san(uri("https://example.org:8443/x")), ""},
		"URI excluded":                {nil, list(uri("example.org")), san(uri("https://example.org/")), ""},
		"URI excluded, below":         {nil, list(uri("example.org")), san(uri("https://www.example.org/")), ""},
		"IP inside":                   {list(ip(10, 0, 0, 0, 255, 0, 0, 0)), nil, san(ip(10, 1, 2, 3)), ""},
		"IP excluded":                 {nil, list(ip(10, 0, 0, 0, 255, 0, 0, 0)), san(ip(10, 1, 2, 3)), ""},
		"IPv6 under IPv4":             {list(ip(10, 0, 0, 0, 255, 0, 0, 0)), nil, san(ip(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)), ""},
		"several kinds, all inside":   {list(box("example.org"), dns("example.org"), dn(name(t, "O", "Acme"))), nil, subject("O", "Acme", "CN", "Bob"), ""},
		"several kinds, one outside":  {list(box("example.org"), dn(name(t, "O", "Acme"))), nil, subject("O", "Other", "CN", "Bob"), ""},
		"directory, UTF-8 case":       {list(dn(name(t, "O", "Müller"))), nil, subject("O", "MÜLLER", "CN", "Bob"), ""},
		"directory, excluded country": {nil, list(dn(name(t, "C", "DE"))), subject("C", "DE", "O", "Acme"), ""},
		"directory, empty permitted":  {list(dn(testmail.Sequence())), nil, subject("C", "DE"), ""},
		"directory, empty excluded":   {nil, list(dn(testmail.Sequence())), subject("C", "DE"), ""},
		"three mailboxes inside":      {list(box("example.org"), box("a.example")), nil, san(box("bob@a.example"), box("b@example.org")), ""},
		"three mailboxes, one not":    {list(box("example.org"), box("a.example")), nil, san(box("bob@a.example"), box("b@b.example")), ""},
		"mailbox without a domain":    {list(box("example.org")), nil, san(box("bob")), ""},
	} {
		for word, optional := range map[string]bool{"": false, ", not critical": true} {
			top := ca(m.root, testmail.Profile{Name: "Limited", ConstraintsOptional: optional, Constraints: testmail.NameConstraints(c.permitted, c.excluded)})
			m.put("names/"+title+word, top, c.leaf)
		}
	}
	here, there := list(box("example.org")), list(box("other.example"))
	m.put("names/upper wider than lower", limits(limits(m.root, "Upper", list(box("example.org"), box("other.example")), nil), "Lower", here, nil), bob())
	m.put("names/upper narrower than lower", limits(limits(m.root, "Upper", there, nil), "Lower", list(box("example.org"), box("other.example")), nil), bob())
	m.put("names/permitted above, excluded below", limits(limits(m.root, "Upper", here, nil), "Lower", nil, here), bob())
	m.put("names/root limited, inside", m.root1(testmail.Profile{Name: "Limited root", PermittedMail: []string{"example.org"}}), bob())
	m.put("names/root limited, outside", m.root1(testmail.Profile{Name: "Limited root", PermittedMail: []string{"other.example"}}), bob())
	elsewhere := limits(m.root, "Rolled", there, nil)
	for word, extra := range map[string]testmail.Profile{"without": {}, "with": {Extra: issuedBy(elsewhere)}} {
		p := extra
		p.Name, p.Kind, p.Mailboxes = "Rolled", "p384", []string{"ca@evil.example"}
		rolled := ca(elsewhere, p)
		m.put("names/self-issued CA is not bound, "+word+" key identifier", rolled, like(func(p *testmail.Profile) { p.Mailboxes = []string{"bob@other.example"} }))
		m.put("names/leaf under it is, "+word+" key identifier", rolled, bob())
	}
	m.put("names/address of a CA outside", ca(limits(m.root, "Limited", here, nil), testmail.Profile{Name: "Lower", SubjectMail: []string{"ca@evil.example"}}), bob())
	m.put("names/name of a CA outside", ca(limits(m.root, "Limited", list(dn(name(t, "O", "Acme"))), nil), testmail.Profile{Name: "Lower"}), subject("O", "Acme"))
}

// limits: name constraints that are damaged or odd.
func (m *mint) limits() {
	tree := testmail.Sequence(testmail.RFC822Name("example.org"))
	for title, value := range map[string][]byte{
		"empty":             testmail.Sequence(),
		"empty permitted":   testmail.Sequence(testmail.Element(0xa0, nil)),
		"minimum 1":         testmail.Sequence(testmail.Element(0xa0, testmail.Sequence(testmail.RFC822Name("example.org"), []byte{0x80, 1, 1}))),
		"maximum 9":         testmail.Sequence(testmail.Element(0xa0, testmail.Sequence(testmail.RFC822Name("example.org"), []byte{0x81, 1, 9}))),
		"behind the end":    append(testmail.Sequence(testmail.Element(0xa0, tree)), 0),
		"no sequence":       testmail.Element(0x31, testmail.Element(0xa0, tree)),
		"unknown form":      testmail.NameConstraints([][]byte{testmail.Element(0x8a, nil)}, nil),
		"IP of seven bytes": testmail.NameConstraints([][]byte{testmail.Element(0x87, []byte{1, 2, 3, 4, 5, 6, 7})}, nil),
	} {
		if top := ca(m.root, testmail.Profile{Name: "Odd CA", Constraints: value}); top.Cert != nil {
			m.put("limits/"+title, top, bob())
		} else {
			m.unreadable("limits/"+title, top)
		}
	}
}

// unreadable adds a chain under a CA that crypto/x509 cannot read: the leaf is
// issued by a readable twin.
func (m *mint) unreadable(title string, top *testmail.Identity) {
	twin := m.root.Intermediate(testmail.Profile{Name: "Odd CA", Key: top.Key})
	m.add(title, chain{twin.Issue(bob()), []*testmail.Identity{top}, []*trust.Anchor{anchor(m.root)}})
}

// leaves: names and usages of leaves.
func (m *mint) leaves() {
	box, utf := testmail.RFC822Name, testmail.SmtpUTF8Mailbox
	san := func(n ...[]byte) testmail.Profile {
		return testmail.Profile{Name: "Bob", Kind: ec, SAN: testmail.Sequence(n...)}
	}
	eku := func(ids ...asn1.ObjectIdentifier) testmail.Profile {
		return like(func(p *testmail.Profile) { p.EKU = ids })
	}
	for title, p := range map[string]testmail.Profile{
		"SmtpUTF8Mailbox":                 san(utf("büro@bücher.example")),
		"both kinds of mailbox":           san(box("bob@example.org"), utf("büro@example.org")),
		"five mailboxes":                  san(box("a@example.org"), box("b@example.org"), box("c@example.org"), box("d@example.org"), box("e@example.org")),
		"critical names":                  {Kind: ec, Subject: testmail.Sequence(), SAN: testmail.Sequence(box("bob@example.org")), SANCritical: true},
		"critical SmtpUTF8Mailbox":        {Kind: ec, Subject: testmail.Sequence(), SAN: testmail.Sequence(utf("büro@example.org")), SANCritical: true},
		"no mailbox":                      {Name: "Bob", Kind: ec},
		"mailbox with NUL":                san(box("bob@example.org\x00.evil.example")),
		"mailbox in UTF-8":                san(box("büro@example.org")),
		"mailbox with two @":              san(box("bob@example.org@evil.example")),
		"empty list of names":             san(),
		"names of an unknown form":        san(testmail.Element(0x8a, nil)),
		"names cut short":                 {Name: "Bob", Kind: ec, SAN: []byte{0x30, 5, 0x81, 1}},
		"for mail and TLS":                eku(testmail.EmailProtection(), testmail.ServerAuth()),
		"for TLS":                         eku(testmail.ServerAuth()),
		"for any use":                     eku(testmail.AnyUsage()),
		"no extended key usage":           like(func(p *testmail.Profile) { p.NoEKU = true }),
		"key usage: encryption only":      like(func(p *testmail.Profile) { p.Usage = 1 << 4 }),
		"key usage: non-repudiation only": like(func(p *testmail.Profile) { p.Usage = 1 << 1 }),
		"no key usage":                    like(func(p *testmail.Profile) { p.NoUsage = true }),
		"is a CA":                         like(func(p *testmail.Profile) { p.CA = true; p.EKU = []asn1.ObjectIdentifier{testmail.EmailProtection()} }),
	} {
		m.put("leaves/"+title, m.inter, p)
	}
}
