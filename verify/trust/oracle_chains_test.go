package trust_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// A mint makes chains for the comparison with OpenSSL, one root for most.
type mint struct {
	t *testing.T
	world
	all map[string]chain
}

// oracleChains are the generated chains that no other table has.
func oracleChains(t *testing.T) map[string]chain {
	t.Helper()
	m := &mint{t: t, world: newWorld(), all: map[string]chain{}}
	m.lengths()
	m.usages()
	m.times()
	m.signatures()
	m.crossings()
	m.versions()
	m.extensions()
	m.names()
	m.limits()
	m.leaves()
	return m.all
}

// ca is an intermediate below top; its name is the name of its key.
func ca(top *testmail.Identity, p testmail.Profile) *testmail.Identity {
	if p.Kind == "" && p.Key == nil {
		p.Kind = ec
	}
	return top.Intermediate(p)
}

// put adds a leaf under a CA, with all that stands above it in the bag.
func (m *mint) put(title string, top *testmail.Identity, p testmail.Profile) {
	l := top.Issue(p)
	m.add(title, chain{l, l.Above(), []*trust.Anchor{anchor(top.Root())}})
}

func (m *mint) add(title string, c chain) {
	m.t.Helper()
	if _, twice := m.all[title]; twice {
		m.t.Fatalf("two chains are called %s", title)
	}
	m.all[title] = c
}

func (m *mint) root1(p testmail.Profile) *testmail.Identity {
	if p.Kind == "" {
		p.Kind = ec
	}
	return m.keys.Root(p)
}

func like(change func(*testmail.Profile)) testmail.Profile { p := bob(); change(&p); return p }

// lengths: paths of all lengths, and path lengths at all places.
func (m *mint) lengths() {
	for n := range 6 {
		top := m.root
		for i := range n {
			top = ca(top, testmail.Profile{Name: fmt.Sprint("CA ", i)})
		}
		m.put(fmt.Sprint("lengths/", n, " intermediates"), top, bob())
	}
	for _, limit := range []int{testmail.ZeroPathLength, 1, 2} {
		for n := range 4 {
			title := fmt.Sprint(max(limit, 0), " above ", n)
			for place, top := range map[string]*testmail.Identity{
				"intermediate": ca(m.root, testmail.Profile{Name: "Limited", PathLength: limit}),
				"root":         m.root1(testmail.Profile{Name: "Limited root", PathLength: limit}),
			} {
				for i := range n {
					top = ca(top, testmail.Profile{Name: fmt.Sprint("Below ", i)})
				}
				m.put("lengths/"+place+", "+title, top, bob())
			}
		}
	}
	old := ca(m.root, testmail.Profile{Name: "Rolled", PathLength: testmail.ZeroPathLength})
	m.put("lengths/self-issued without key identifier", ca(old, testmail.Profile{Name: "Rolled", Kind: "p384"}), bob())
	m.put("lengths/self-issued with key identifier", ca(old, testmail.Profile{Name: "Rolled", Kind: "p384", Extra: issuedBy(old)}), bob())
}

// usages: extended key usage and key usage of CAs.
func (m *mint) usages() {
	mail, tls, client, any := testmail.EmailProtection(), testmail.ServerAuth(), testmail.ClientAuth(), testmail.AnyUsage()
	for title, u := range map[string][2][]asn1.ObjectIdentifier{
		"both for mail":              {{mail}, {mail}},
		"upper for mail, lower open": {{mail}, nil},
		"upper open, lower for mail": {nil, {mail}},
		"upper for TLS":              {{tls, client}, nil},
		"lower for TLS":              {nil, {tls}},
		"upper for mail, lower TLS":  {{mail}, {tls}},
		"upper TLS, lower for mail":  {{tls}, {mail}},
		"mail among others":          {{client, mail}, {mail, tls}},
		"upper any":                  {{any}, {mail}},
		"lower any":                  {nil, {any}},
		"unknown usage only":         {nil, {{1, 2, 3, 4}}},
	} {
		m.put("usages/"+title, ca(ca(m.root, testmail.Profile{Name: "Upper", EKU: u[0]}), testmail.Profile{Name: "Lower", EKU: u[1]}), bob())
	}
	m.put("usages/root for TLS", m.root1(testmail.Profile{Name: "TLS root", EKU: []asn1.ObjectIdentifier{tls}}), bob())
	m.put("usages/root for mail", m.root1(testmail.Profile{Name: "Mail root", EKU: []asn1.ObjectIdentifier{mail}}), bob())
	m.put("usages/root that signs lists only", m.root1(testmail.Profile{Name: "List root", Usage: x509.KeyUsageCRLSign}), bob())
	m.put("usages/CA that signs lists only", ca(m.root, testmail.Profile{Name: "List CA", Usage: x509.KeyUsageCRLSign}), bob())
	m.put("usages/CA without key usage", ca(m.root, testmail.Profile{Name: "Quiet CA", NoUsage: true}), bob())
	m.put("usages/CA of all usages", ca(m.root, testmail.Profile{Name: "Busy CA", Usage: 0x1ff}), bob())
}

// times: too old, too young, at each place, and the bounds.
func (m *mint) times() {
	now := testmail.Instant()
	past := testmail.Profile{NotBefore: now.AddDate(-9, 0, 0), NotAfter: now.AddDate(0, -1, 0)}
	future := testmail.Profile{NotBefore: now.AddDate(0, 1, 0), NotAfter: now.AddDate(9, 0, 0)}
	for word, p := range map[string]testmail.Profile{"expired": past, "not yet": future} {
		for place := range 4 {
			at := func(i int, name string) testmail.Profile {
				q := testmail.Profile{Name: name, Kind: ec}
				if i == place {
					q.NotBefore, q.NotAfter = p.NotBefore, p.NotAfter
				}
				return q
			}
			leaf := at(0, "Bob")
			leaf.Mailboxes = bob().Mailboxes
			m.put(fmt.Sprint("times/", word, " at ", place), ca(ca(m.root1(at(3, "Dated root")), at(2, "Upper")), at(1, "Lower")), leaf)
		}
	}
	m.put("times/last second", m.inter, like(func(p *testmail.Profile) { p.NotAfter = now }))
	m.put("times/a second ago", m.inter, like(func(p *testmail.Profile) { p.NotAfter = now.Add(-time.Second) }))
	m.put("times/first second", m.inter, like(func(p *testmail.Profile) { p.NotBefore = now }))
	m.put("times/issuer younger than the leaf", ca(m.root, testmail.Profile{Name: "Young CA", NotBefore: now.AddDate(0, -1, 0)}), bob())
	m.put("times/leaf outlives its issuer", ca(m.root, testmail.Profile{Name: "Short CA", NotAfter: now.AddDate(0, 1, 0)}), bob())
}

// spoilt is the certificate with the last byte of its signature changed.
func spoilt(id *testmail.Identity) *testmail.Identity {
	c := *id
	c.DER = append([]byte(nil), id.DER...)
	c.DER[len(c.DER)-1] ^= 1
	c.Cert, _ = x509.ParseCertificate(c.DER)
	return &c
}

// signatures: wrong ones at each place, algorithms and sizes.
func (m *mint) signatures() {
	root := []*trust.Anchor{anchor(m.root)}
	m.add("signatures/leaf spoilt", chain{spoilt(m.leaf), []*testmail.Identity{m.inter}, root})
	m.add("signatures/intermediate spoilt", chain{m.leaf, []*testmail.Identity{spoilt(m.inter)}, root})
	m.add("signatures/anchor spoilt", chain{m.leaf, []*testmail.Identity{m.inter}, []*trust.Anchor{anchor(spoilt(m.root))}})
	m.add("signatures/spoilt one beside the good", chain{m.leaf, []*testmail.Identity{spoilt(m.inter), m.inter}, root})
	fake := m.root1(testmail.Profile{Name: "Mail CA", Organisation: "Example Trust", Kind: "p384"})
	m.add("signatures/by another key of the name", chain{fake.Issue(bob()), []*testmail.Identity{m.inter}, root})
	m.add("signatures/by another key, silent", chain{fake.Issue(like(func(p *testmail.Profile) { p.NoKeyID = true })), []*testmail.Identity{m.inter}, root})
	rsa := ca(m.root, testmail.Profile{Name: "RSA CA", Kind: "rsa2048"})
	for title, a := range map[string]x509.SignatureAlgorithm{"SHA-1": x509.SHA1WithRSA, "MD5": x509.MD5WithRSA, "SHA-512": x509.SHA512WithRSA,
		"PSS, SHA-256": x509.SHA256WithRSAPSS, "PSS, SHA-512": x509.SHA512WithRSAPSS} {
		m.put("signatures/leaf with "+title, rsa, like(func(p *testmail.Profile) { p.Algorithm = a }))
	}
	m.put("signatures/root with SHA-1", m.root1(testmail.Profile{Name: "Old root", Kind: "rsa2048", Algorithm: x509.SHA1WithRSA}), bob())
	for _, kind := range []string{"p224", "p384", "p521", "ed25519", "rsa1024", "rsa3072"} {
		m.put("signatures/intermediate of "+kind, ca(m.root, testmail.Profile{Name: "CA of " + kind, Kind: kind}), bob())
	}
	m.put("signatures/leaf of rsa1024", m.inter, like(func(p *testmail.Profile) { p.Kind = "rsa1024" }))
}

// crossings: several ways, circles and namesakes.
func (m *mint) crossings() {
	now := testmail.Instant()
	other := m.root1(testmail.Profile{Name: "Other root"})
	stale := testmail.Profile{Name: "Root", Organisation: "Example Trust", Key: m.root.Key, NotBefore: now.AddDate(-9, 0, 0), NotAfter: now.AddDate(-1, 0, 0)}
	cross, crossOld := ca(other, testmail.Profile{Name: "Root", Organisation: "Example Trust", Key: m.root.Key}), ca(other, stale)
	ids := func(c ...*testmail.Identity) []*testmail.Identity { return c }
	both, one, two := []*trust.Anchor{anchor(m.root), anchor(other)}, []*trust.Anchor{anchor(m.root)}, []*trust.Anchor{anchor(other)}
	m.add("crossings/one root", chain{m.leaf, ids(m.inter, cross), one})
	m.add("crossings/the other root", chain{m.leaf, ids(m.inter, cross), two})
	m.add("crossings/both roots", chain{m.leaf, ids(m.inter, cross), both})
	m.add("crossings/expired cross-certificate, own root", chain{m.leaf, ids(m.inter, crossOld), one})
	m.add("crossings/expired cross-certificate, other root", chain{m.leaf, ids(m.inter, crossOld), two})
	m.add("crossings/expired beside valid", chain{m.leaf, ids(m.inter, crossOld, cross), two})
	m.add("crossings/untrusted root in the bag", chain{m.leaf, ids(m.inter, m.root, cross), two})

	a, b := ca(m.root, testmail.Profile{Name: "A"}), ca(m.root, testmail.Profile{Name: "B"})
	ab, ba := ca(a, testmail.Profile{Name: "B"}), ca(b, testmail.Profile{Name: "A"})
	m.add("crossings/circle with a way out", chain{a.Issue(bob()), ids(ab, ba, b), one})
	m.add("crossings/circle", chain{a.Issue(bob()), ids(ab, ba), one})
	m.add("crossings/circle of one", chain{a.Issue(bob()), ids(ca(a, testmail.Profile{Name: "A", Key: a.Key})), one})

	var namesakes []*testmail.Identity
	for i := range 4 {
		namesakes = append(namesakes, ca(m.root, testmail.Profile{Name: "Namesake", NoKeyID: true, Key: m.keys.Key(ec, fmt.Sprint("namesake ", i))}))
	}
	silent := like(func(p *testmail.Profile) { p.NoKeyID = true })
	for i := range namesakes {
		m.add(fmt.Sprint("crossings/namesake ", i, " signed"), chain{namesakes[i].Issue(silent), namesakes, one})
	}
	aged := ca(m.root, testmail.Profile{Name: "Twin", Key: m.keys.Key(ec, "twin"), NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(-1, 0, 0)})
	fresh := ca(m.root, testmail.Profile{Name: "Twin", Key: aged.Key})
	tls := ca(m.root, testmail.Profile{Name: "Twin", Key: aged.Key, EKU: []asn1.ObjectIdentifier{testmail.ServerAuth()}})
	m.add("crossings/renewed, old first", chain{fresh.Issue(bob()), ids(aged, fresh), one})
	m.add("crossings/renewed, only the old", chain{fresh.Issue(bob()), ids(aged), one})
	m.add("crossings/for TLS first", chain{fresh.Issue(bob()), ids(tls, fresh), one})
	m.add("crossings/a root at a dead end first", chain{m.leaf, ids(m.inter), []*trust.Anchor{anchor(m.root1(stale)), anchor(m.root)}})
	m.add("crossings/no intermediate", chain{m.leaf, nil, one})
	m.add("crossings/intermediate as anchor", chain{m.leaf, nil, []*trust.Anchor{anchor(m.inter)}})
	m.add("crossings/leaf of itself", chain{m.keys.SelfSigned(bob()), nil, one})
}

// edited changes the fields of a TBSCertificate.
func edited(change func(fields [][]byte) [][]byte) func([]byte) []byte {
	return func(tbs []byte) []byte {
		s, list := cryptobyte.String(tbs), cryptobyte.String(nil)
		if !s.ReadASN1(&list, tag.SEQUENCE) {
			panic("no TBSCertificate")
		}
		return testmail.Sequence(change(elements(list))...)
	}
}

func elements(s cryptobyte.String) (out [][]byte) {
	for !s.Empty() {
		var e cryptobyte.String
		var t tag.Tag
		if !s.ReadAnyASN1Element(&e, &t) {
			panic("no DER")
		}
		out = append(out, e)
	}
	return out
}

// firstVersion takes version and extensions away.
func firstVersion(fields [][]byte) (out [][]byte) {
	for _, f := range fields {
		if f[0] != 0xa0 && f[0] != 0xa3 {
			out = append(out, f)
		}
	}
	return out
}

// without takes an extension 2.5.29.n away.
func without(n byte) func([]byte) []byte {
	return edited(func(fields [][]byte) [][]byte {
		last := cryptobyte.String(fields[len(fields)-1])
		var list cryptobyte.String
		last.ReadASN1(&last, tag.Tag(3).ContextSpecific().Constructed())
		last.ReadASN1(&list, tag.SEQUENCE)
		var keep [][]byte
		for _, e := range elements(list) {
			s := cryptobyte.String(e)
			var id asn1.ObjectIdentifier
			s.ReadASN1(&s, tag.SEQUENCE)
			s.ReadASN1ObjectIdentifier(&id)
			if !id.Equal(asn1.ObjectIdentifier{2, 5, 29, int(n)}) {
				keep = append(keep, e)
			}
		}
		fields[len(fields)-1] = testmail.Element(0xa3, testmail.Sequence(keep...))
		return fields
	})
}

// versions: old certificates, and CAs that do not say so.
func (m *mint) versions() {
	old := edited(firstVersion)
	m.put("versions/leaf of version 1", m.inter, like(func(p *testmail.Profile) { p.Edit = old }))
	m.put("versions/intermediate of version 1", ca(m.root, testmail.Profile{Name: "Old CA", Edit: old}), bob())
	m.put("versions/root of version 1", m.root1(testmail.Profile{Name: "Old root", Edit: old}), bob())
	m.put("versions/self-issued intermediate of version 1", ca(m.root, testmail.Profile{Name: "Root", Organisation: "Example Trust", Key: m.keys.Key(ec, "next"), Edit: old}), bob())
	m.put("versions/no basic constraints, key usage", ca(m.root, testmail.Profile{Name: "Plain CA", Edit: without(19)}), bob())
	m.put("versions/no basic constraints, no key usage", ca(m.root, testmail.Profile{Name: "Plain CA", NoUsage: true, Edit: without(19)}), bob())
	m.put("versions/root without basic constraints", m.root1(testmail.Profile{Name: "Plain root", Edit: without(19)}), bob())
	m.put("versions/issuer is no CA", m.inter.Issue(testmail.Profile{Name: "No CA", Kind: ec}), bob())
	m.put("versions/issuer is no CA, may sign certificates", m.inter.Issue(testmail.Profile{Name: "No CA", Kind: ec, Usage: x509.KeyUsageCertSign}), bob())
}

func optional(value []byte, oid ...int) []pkix.Extension {
	return []pkix.Extension{{Id: asn1.ObjectIdentifier(oid), Value: value}}
}

// extensions: unknown ones, policies, identifiers.
func (m *mint) extensions() {
	odd := critical(1, 3, 6, 1, 4, 1, 99999, 1)
	m.put("extensions/critical, leaf", m.inter, like(func(p *testmail.Profile) { p.Extra = odd }))
	m.put("extensions/critical, intermediate", ca(m.root, testmail.Profile{Name: "Odd CA", Extra: odd}), bob())
	m.put("extensions/critical, root", m.root1(testmail.Profile{Name: "Odd root", Extra: odd}), bob())
	m.put("extensions/unknown, not critical", m.inter, like(func(p *testmail.Profile) { p.Extra = optional([]byte{5, 0}, 1, 3, 6, 1, 4, 1, 99999, 1) }))
	m.put("extensions/proxy certificate", m.inter, like(func(p *testmail.Profile) {
		p.Extra = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 14}, Critical: true,
			Value: testmail.Sequence(testmail.Sequence([]byte{6, 8, 0x2b, 6, 1, 5, 5, 7, 21, 1}))}}
	}))
	policy := optional(testmail.Sequence(testmail.Sequence([]byte{6, 3, 0x2a, 3, 4})), 2, 5, 29, 32)
	m.put("extensions/policy required, there", ca(m.root, testmail.Profile{Name: "Policy CA", Extra: append(policyRequired(), policy...)}),
		like(func(p *testmail.Profile) { p.Extra = policy }))
	m.put("extensions/policy required, absent in the leaf", ca(m.root, testmail.Profile{Name: "Policy CA", Extra: append(policyRequired(), policy...)}), bob())
	wrong := optional(testmail.Sequence(testmail.Element(0x80, []byte("not the key of the issuer"))), 2, 5, 29, 35)
	m.put("extensions/wrong authority key identifier", m.inter, like(func(p *testmail.Profile) { p.Extra = wrong }))
	m.put("extensions/no identifiers", ca(m.root, testmail.Profile{Name: "Bare CA", NoKeyID: true}), like(func(p *testmail.Profile) { p.NoKeyID = true }))
	m.put("extensions/negative serial number", m.inter, like(func(p *testmail.Profile) {
		p.Edit = edited(func(f [][]byte) [][]byte { f[1] = []byte{2, 1, 0xff}; return f })
	}))
	m.put("extensions/serial number 0", m.inter, like(func(p *testmail.Profile) {
		p.Edit = edited(func(f [][]byte) [][]byte { f[1] = []byte{2, 1, 0}; return f })
	}))
	m.put("extensions/issuer in another kind of string", m.inter, like(func(p *testmail.Profile) {
		p.Edit = edited(func(f [][]byte) [][]byte { f[3] = utf8Name(f[3]); return f })
	}))
}

// utf8Name makes every PrintableString of a name a UTF8String.
func utf8Name(der []byte) []byte {
	out := append([]byte(nil), der...)
	for i := 0; i+1 < len(out); i++ {
		if out[i] == 0x13 && i >= 5 && out[i-5] == 6 && out[i-4] == 3 {
			out[i] = 0x0c
		}
	}
	return out
}
