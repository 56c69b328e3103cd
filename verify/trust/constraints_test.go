package trust_test

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// upn is an otherName of a kind that nobody here compares.
func upn(s string) []byte {
	id := []byte{6, 10, 0x2b, 6, 1, 4, 1, 0x82, 0x37, 0x14, 2, 3}
	return testmail.Element(0xa0, append(id, testmail.Element(0xa0, testmail.Element(0x0c, []byte(s)))...))
}

// name returns a Name in DER: pairs of type and value, types from RFC 4519.
func name(t *testing.T, pairs ...string) []byte {
	t.Helper()
	types := map[string]asn1.ObjectIdentifier{"C": {2, 5, 4, 6}, "O": {2, 5, 4, 10}, "CN": {2, 5, 4, 3}, "mail": {1, 2, 840, 113549, 1, 9, 1}}
	var rdns pkix.RDNSequence
	for i := 0; i < len(pairs); i += 2 {
		var v any = pairs[i+1]
		if pairs[i] == "mail" {
			v = asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte(pairs[i+1])}
		}
		rdns = append(rdns, pkix.RelativeDistinguishedNameSET{{Type: types[pairs[i]], Value: v}})
	}
	der, err := asn1.Marshal(rdns)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

type constraintCase struct {
	permitted, excluded [][]byte
	leaf                testmail.Profile
	reason              string
}

func TestNameConstraints(t *testing.T) {
	w := newWorld()
	for title, c := range constraintCases(t) {
		t.Run(title, func(t *testing.T) {
			for _, optional := range []bool{false, true} {
				ch := constrainedChain(t, w, c, optional)
				p, r := trust.New(ch.anchors...).Path(ch.leaf.Cert, bagOf(ch.bag...), options())
				want(t, c.reason, p, r)
			}
		})
	}
}

// constrainedChain is a leaf under a CA with the constraints of the case.
func constrainedChain(t *testing.T, w world, c constraintCase, optional bool) chain {
	t.Helper()
	ca := w.root.Intermediate(testmail.Profile{Name: "Constrained CA", Kind: ec, ConstraintsOptional: optional,
		Constraints: testmail.NameConstraints(c.permitted, c.excluded)})
	if ca.Cert == nil {
		t.Fatal("the CA cannot be read")
	}
	leaf := ca.Issue(c.leaf)
	if leaf.Cert == nil {
		t.Fatal("the leaf cannot be read")
	}
	return chain{leaf, []*testmail.Identity{ca}, []*trust.Anchor{anchor(w.root)}}
}

func constraintCases(t *testing.T) map[string]constraintCase {
	t.Helper()
	// universal is the name of an organisation as UniversalString, four bytes a letter.
	universal := func(o string) []byte {
		var v []byte
		for _, c := range o {
			v = append(v, 0, 0, 0, byte(c))
		}
		id := []byte{0x06, 0x03, 0x55, 0x04, 0x0a}
		return testmail.DirectoryName(testmail.Sequence(testmail.Element(0x31, testmail.Sequence(id, testmail.Element(28, v)))))
	}
	box, utf, dn := testmail.RFC822Name, testmail.SmtpUTF8Mailbox, testmail.DirectoryName
	list := func(n ...[]byte) [][]byte { return n }
	acme := dn(name(t, "C", "DE", "O", "Acme"))
	san := func(n ...[]byte) testmail.Profile {
		return testmail.Profile{Name: "Bob", Kind: ec, SAN: testmail.Sequence(n...)}
	}
	subject := func(pairs ...string) testmail.Profile {
		p := bob()
		p.Subject = name(t, pairs...)
		return p
	}
	noMail := func(mail string) testmail.Profile { // only the subject names a mailbox
		return testmail.Profile{Name: "Bob", Kind: ec, SubjectMail: []string{mail}}
	}
	return map[string]constraintCase{
		"host itself":                        {list(box("example.org")), nil, bob(), ""},
		"host in another case":               {list(box("EXAMPLE.org")), nil, bob(), ""},
		"host means that host only":          {list(box("example.org")), nil, san(box("bob@mx.example.org")), "cert-constraint"},
		"domain means hosts below":           {list(box(".example.org")), nil, san(box("bob@mx.example.org")), ""},
		"domain, two below":                  {list(box(".example.org")), nil, san(box("bob@a.mx.example.org")), ""},
		"domain does not mean itself":        {list(box(".example.org")), nil, bob(), "cert-constraint"},
		"suffix without a dot":               {list(box(".example.org")), nil, san(box("bob@badexample.org")), "cert-constraint"},
		"host or domain":                     {list(box("example.org"), box(".example.org")), nil, san(box("bob@mx.example.org")), ""},
		"one label":                          {list(box(".org")), nil, bob(), ""},
		"another label":                      {list(box(".com")), nil, bob(), "cert-constraint"},
		"mailbox":                            {list(box("bob@example.org")), nil, bob(), ""},
		"mailbox, host in another case":      {list(box("bob@EXAMPLE.ORG")), nil, bob(), ""},
		"mailbox in another case":            {list(box("Bob@example.org")), nil, bob(), "cert-constraint"},
		"another mailbox":                    {list(box("alice@example.org")), nil, bob(), "cert-constraint"},
		"everything":                         {list(box("")), nil, bob(), ""},
		"every name must lie inside":         {list(box("example.org")), nil, san(box("bob@example.org"), box("bob@evil.example")), "cert-constraint"},
		"excluded host":                      {nil, list(box("example.org")), bob(), "cert-constraint"},
		"excluded host, mailbox below":       {nil, list(box("example.org")), san(box("bob@mx.example.org")), ""},
		"excluded domain":                    {nil, list(box(".example.org")), san(box("bob@mx.example.org")), "cert-constraint"},
		"excluded domain, mailbox above":     {nil, list(box(".example.org")), bob(), ""},
		"excluded mailbox":                   {nil, list(box("bob@example.org")), bob(), "cert-constraint"},
		"excluded mailbox in another case":   {nil, list(box("BOB@example.org")), bob(), "cert-constraint"},
		"excluded other mailbox":             {nil, list(box("alice@example.org")), bob(), ""},
		"excluded everything":                {nil, list(box("")), bob(), "cert-constraint"},
		"permitted, then excluded":           {list(box("example.org")), list(box("bob@example.org")), bob(), "cert-constraint"},
		"permitted, others excluded":         {list(box("example.org")), list(box("evil.example")), bob(), ""},
		"SmtpUTF8Mailbox inside":             {list(box("example.org")), nil, san(utf("büro@example.org")), ""},
		"SmtpUTF8Mailbox outside":            {list(box("example.org")), nil, san(utf("büro@evil.example")), "cert-constraint"},
		"ASCII SmtpUTF8Mailbox outside":      {list(box("example.org")), nil, san(utf("bob@evil.example")), "cert-constraint"},
		"SmtpUTF8Mailbox beside a good one":  {list(box("example.org")), nil, san(box("bob@example.org"), utf("büro@evil.example")), "cert-constraint"},
		"SmtpUTF8Mailbox, U-label host":      {list(box("xn--bcher-kva.example")), nil, san(utf("büro@bücher.example")), ""},
		"SmtpUTF8Mailbox excluded":           {nil, list(box("evil.example")), san(utf("büro@evil.example")), "cert-constraint"},
		"constraint in UTF-8, same kind":     {list(utf("büro@example.org")), nil, san(utf("büro@example.org")), ""},
		"constraint in UTF-8, outside":       {list(utf("büro@example.org")), nil, san(utf("büro@evil.example")), "cert-constraint"},
		"constraint in UTF-8 binds no ASCII": {list(utf("büro@example.org")), nil, bob(), ""},
		"subject address inside":             {list(box("example.org")), nil, noMail("bob@example.org"), ""},
		"subject address outside":            {list(box("example.org")), nil, noMail("bob@evil.example"), "cert-constraint"},
		"subject address beside the SAN":     {list(box("example.org")), nil, subject("CN", "Bob", "mail", "bob@evil.example"), "cert-constraint"},
		"malformed mailbox, constrained":     {list(box("example.org")), nil, san(box("bob@example.org "), box("bob@example.org")), "cert-no-address"},
		"two @, constrained":                 {list(box("example.org")), nil, san(box("bob@example.org@evil.example")), "cert-no-address"},

		"directory name inside":              {list(acme), nil, subject("C", "DE", "O", "Acme", "CN", "Bob"), ""},
		"directory name, case and blanks":    {list(acme), nil, subject("C", "de", "O", "  ACME ", "CN", "Bob"), ""},
		"directory name outside":             {list(acme), nil, subject("C", "DE", "O", "Evil", "CN", "Bob"), "cert-constraint"},
		"directory name in another order":    {list(acme), nil, subject("O", "Acme", "C", "DE", "CN", "Bob"), "cert-constraint"},
		"directory name, only the country":   {list(acme), nil, subject("C", "DE"), "cert-constraint"},
		"empty subject is no name":           {list(acme), nil, func() testmail.Profile { p := bob(); p.Subject = testmail.Sequence(); return p }(), ""},
		"directory name excluded":            {nil, list(acme), subject("C", "DE", "O", "Acme", "CN", "Bob"), "cert-constraint"},
		"directory name not excluded":        {nil, list(acme), subject("C", "DE", "O", "Other"), ""},
		"directory name in the SAN":          {list(acme), nil, testmail.Profile{Kind: ec, Subject: name(t, "C", "DE", "O", "Acme"), SAN: testmail.Sequence(box("bob@example.org"), dn(name(t, "O", "Evil")))}, "cert-constraint"},
		"directory name in UniversalString":  {nil, list(universal("Acme")), testmail.Profile{Kind: ec, SAN: testmail.Sequence(box("bob@example.org"), dn(name(t, "O", "Acme")))}, "cert-constraint"},
		"directory name and mailbox":         {list(acme, box("example.org")), nil, subject("C", "DE", "O", "Acme", "CN", "Bob"), ""},
		"directory name, mailbox outside":    {list(acme, box("other.example")), nil, subject("C", "DE", "O", "Acme", "CN", "Bob"), "cert-constraint"},
		"DNS constraint, no DNS name":        {list(testmail.DNSName("other.example")), nil, bob(), ""},
		"DNS constraint, DNS name inside":    {list(testmail.DNSName("example.org")), nil, san(box("bob@example.org"), testmail.DNSName("a.example.org")), ""},
		"DNS constraint, DNS name outside":   {list(testmail.DNSName("example.org")), nil, san(box("bob@example.org"), testmail.DNSName("evil.example")), "cert-constraint"},
		"IP constraint, no IP":               {list(testmail.Element(0x87, []byte{10, 0, 0, 0, 255, 0, 0, 0})), nil, bob(), ""},
		"IP constraint, IP outside":          {list(testmail.Element(0x87, []byte{10, 0, 0, 0, 255, 0, 0, 0})), nil, san(box("bob@example.org"), testmail.Element(0x87, []byte{192, 0, 2, 1})), "cert-constraint"},
		"URI constraint, URI outside":        {list(testmail.Element(0x86, []byte("example.org"))), nil, san(box("bob@example.org"), testmail.Element(0x86, []byte("http://evil.example/"))), "cert-constraint"},
		"a URI without a host, not bound":    {list(box("example.org")), nil, san(box("bob@example.org"), testmail.Element(0x86, []byte("urn:x:1"))), ""},
		"a URI without a host, bound":        {list(testmail.Element(0x86, []byte("example.org"))), nil, san(box("bob@example.org"), testmail.Element(0x86, []byte("urn:x:1"))), "cert-constraint"},
		"an odd DNS name, not bound":         {list(box("example.org")), nil, san(box("bob@example.org"), testmail.DNSName("a b")), ""},
		"an odd DNS name, bound":             {list(testmail.DNSName("example.org")), nil, san(box("bob@example.org"), testmail.DNSName("a b")), "cert-constraint"},
		"unknown kind, no such name":         {list(upn("x")), nil, bob(), ""},
		"unknown kind, such a name":          {list(upn("x")), nil, san(box("bob@example.org"), upn("x")), "cert-constraint"},
		"unknown kind excluded, such a name": {nil, list(upn("x")), san(upn("y"), box("bob@example.org")), "cert-constraint"},
		"unknown kind behind a damaged name": {list(upn("x")), nil, san(box("bob"), upn("x")), "cert-constraint"},
		"malformed mailbox, only directory names constrained": {list(acme), nil, func() testmail.Profile {
			p := subject("C", "DE", "O", "Acme")
			p.SAN = testmail.Sequence(box("bob@example.org "))
			return p
		}(), ""},
		"registered ID": {list(testmail.Element(0x88, []byte{0x2a})), nil, san(box("bob@example.org"), testmail.Element(0x88, []byte{0x2a})), "cert-constraint"},
	}
}

func TestConstraintsOfEveryCA(t *testing.T) {
	w := newWorld()
	limits := func(host string) testmail.Profile {
		return testmail.Profile{Name: "Limited to " + host, Kind: ec, PermittedMail: []string{host}}
	}
	good, bad := w.root.Intermediate(limits("example.org")), w.root.Intermediate(limits("other.example"))
	between := func(ca *testmail.Identity, p testmail.Profile) *testmail.Identity {
		p.Name, p.Kind = "Between", ec
		return ca.Intermediate(p)
	}
	selfIssued := bad.Intermediate(testmail.Profile{Name: "Limited to other.example", Kind: "p384", Mailboxes: []string{"ca@evil.example"}})
	selfIssuedTLS := w.root.Intermediate(testmail.Profile{Name: "Limited to DNS", Kind: ec,
		Constraints: testmail.NameConstraints([][]byte{testmail.DNSName("example.org")}, nil)}).
		Intermediate(testmail.Profile{Name: "Limited to DNS", Kind: "p384", DNSNames: []string{"evil.example"}})
	directories := w.root.Intermediate(testmail.Profile{Name: "Limited to Acme", Kind: ec,
		Constraints: testmail.NameConstraints([][]byte{testmail.DirectoryName(name(t, "O", "Acme"))}, nil)}).
		Intermediate(testmail.Profile{Kind: ec, Subject: name(t, "O", "Acme", "mail", "no address")})
	acme := bob()
	acme.Subject = name(t, "O", "Acme", "CN", "Bob")
	constrainedRoot := w.keys.Root(limits("other.example"))
	for title, c := range map[string]struct {
		leaf   *testmail.Identity
		reason string
	}{
		"upper CA permits":            {between(good, testmail.Profile{}).Issue(bob()), ""},
		"upper CA does not":           {between(bad, testmail.Profile{}).Issue(bob()), "cert-constraint"},
		"a CA below cannot widen":     {between(bad, testmail.Profile{PermittedMail: []string{"example.org"}}).Issue(bob()), "cert-constraint"},
		"the anchor's own":            {constrainedRoot.Issue(bob()), "cert-constraint"},
		"a CA's own address is bound": {between(good, testmail.Profile{SubjectMail: []string{"ca@evil.example"}}).Issue(bob()), "cert-constraint"},
		"nor by DNS names":            {selfIssuedTLS.Issue(bob()), ""},
		"a CA's odd address beside limits on directory names": {directories.Issue(acme), ""},
		"a self-issued CA is not bound":                       {selfIssued.Issue(testmail.Profile{Name: "Bob", Kind: ec, Mailboxes: []string{"bob@other.example"}}), ""},
		"a self-issued leaf is":                               {bad.Issue(testmail.Profile{Name: "Limited to other.example", Key: w.keys.Key(ec, "own"), Mailboxes: []string{"bob@example.org"}}), "cert-constraint"},
		"a leaf below a self-issued CA is":                    {selfIssued.Issue(bob()), "cert-constraint"},
	} {
		t.Run(title, func(t *testing.T) {
			p, r := trust.New(anchor(c.leaf.Root())).Path(c.leaf.Cert, bagOf(c.leaf.Above()...), options())
			want(t, c.reason, p, r)
		})
	}
}

// boxes are n constraints on hosts, the first on example.org.
func boxes(n int) [][]byte {
	out := [][]byte{testmail.RFC822Name("example.org")}
	for i := 1; i < n; i++ {
		out = append(out, testmail.RFC822Name(fmt.Sprintf("h%d.example", i)))
	}
	return out
}

func TestConstraintsThatCannotBeRead(t *testing.T) {
	w := newWorld()
	tree := func(rest ...[]byte) []byte {
		parts := append([][]byte{testmail.RFC822Name("example.org")}, rest...)
		return testmail.Sequence(testmail.Element(0xa0, testmail.Sequence(parts...)))
	}
	for title, c := range map[string]struct {
		value  []byte
		reason string
	}{
		"minimum 0":             {tree([]byte{0x80, 1, 0}), ""},
		"minimum 1":             {tree([]byte{0x80, 1, 1}), "cert-constraint"},
		"maximum":               {tree([]byte{0x81, 1, 9}), "cert-constraint"},
		"directory name broken": {testmail.NameConstraints([][]byte{testmail.DirectoryName([]byte{0x31, 0})}, nil), "cert-constraint"},
		"UTF-8 mailbox broken":  {testmail.NameConstraints([][]byte{testmail.SmtpUTF8Mailbox("a b@example.org")}, nil), "cert-constraint"},
		"as many as are read":   {testmail.NameConstraints(boxes(2048), nil), ""},
		"more":                  {testmail.NameConstraints(boxes(2049), nil), "cert-constraint"},
		"unknown form":          {testmail.NameConstraints([][]byte{testmail.Element(0x8a, nil)}, nil), "cert-constraint"},
	} {
		t.Run(title, func(t *testing.T) {
			ca := w.root.Intermediate(testmail.Profile{Name: "Odd CA", Kind: ec, Constraints: c.value})
			if ca.Cert == nil {
				t.Fatal("the CA cannot be read")
			}
			p, r := trust.New(anchor(w.root)).Path(ca.Issue(bob()).Cert, bagOf(ca), options())
			want(t, c.reason, p, r)
		})
	}
}

func TestDomainsAndDistrustOfAnAnchor(t *testing.T) {
	w := newWorld()
	leaf := func(boxes ...string) *testmail.Identity {
		return w.inter.Issue(testmail.Profile{Name: "Bob", Kind: ec, Mailboxes: boxes})
	}
	before := w.leaf.Cert.NotBefore
	utf := w.inter.Issue(testmail.Profile{Name: "Bob", Kind: ec, UTF8Mailboxes: []string{"büro@evil.example"}})
	subject := w.inter.Issue(testmail.Profile{Name: "Bob", Kind: ec, SubjectMail: []string{"bob@evil.example"}})
	for title, c := range map[string]struct {
		anchor trust.Anchor
		leaf   *testmail.Identity
		reason string
	}{
		"any":                          {trust.Anchor{}, w.leaf, ""},
		"none":                         {trust.Anchor{Domains: []string{}}, w.leaf, "cert-constraint"},
		"the domain":                   {trust.Anchor{Domains: []string{"other.example", "example.org"}}, w.leaf, ""},
		"another":                      {trust.Anchor{Domains: []string{"other.example"}}, w.leaf, "cert-constraint"},
		"not the hosts below":          {trust.Anchor{Domains: []string{"example.org"}}, leaf("bob@mx.example.org"), "cert-constraint"},
		"the hosts below":              {trust.Anchor{Domains: []string{".example.org"}}, leaf("bob@mx.example.org"), ""},
		"the hosts below, not itself":  {trust.Anchor{Domains: []string{".example.org"}}, w.leaf, "cert-constraint"},
		"one of two outside":           {trust.Anchor{Domains: []string{"example.org"}}, leaf("bob@example.org", "bob@evil.example"), "cert-constraint"},
		"U-labels":                     {trust.Anchor{Domains: []string{"bücher.example"}}, leaf("bob@xn--bcher-kva.example"), ""},
		"SmtpUTF8Mailbox outside":      {trust.Anchor{Domains: []string{"example.org"}}, utf, "cert-constraint"},
		"malformed mailbox":            {trust.Anchor{Domains: []string{"example.org"}}, leaf("bob @example.org"), "cert-no-address"},
		"subject does not count":       {trust.Anchor{Domains: []string{"example.org"}}, subject, ""},
		"subject counts where allowed": {trust.Anchor{Domains: []string{"example.org"}, AllowSubjectAddress: true}, subject, "cert-constraint"},
		"an empty entry holds nothing": {trust.Anchor{Domains: []string{"", ".", "bob@example.org"}}, w.leaf, "cert-constraint"},
		"issued before the date":       {trust.Anchor{DistrustAfter: before.Add(time.Second)}, w.leaf, ""},
		"issued on the date":           {trust.Anchor{DistrustAfter: before}, w.leaf, ""},
		"issued after the date":        {trust.Anchor{DistrustAfter: before.Add(-time.Second)}, w.leaf, "cert-distrusted"},
	} {
		t.Run(title, func(t *testing.T) {
			c.anchor.Certificate = w.root.Cert
			p, r := trust.New(&c.anchor).Path(c.leaf.Cert, bagOf(w.inter), options())
			want(t, c.reason, p, r)
		})
	}
}
