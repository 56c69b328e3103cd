package trust_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// A chain is a leaf with what is in the bag and what is trusted.
type chain struct {
	leaf    *testmail.Identity
	bag     []*testmail.Identity
	anchors []*trust.Anchor
}

type pathCase struct {
	chain
	reason string
}

func TestPath(t *testing.T) {
	for name, c := range pathCases() {
		t.Run(name, func(t *testing.T) {
			if c.leaf.Cert == nil {
				t.Fatal("the leaf cannot be read")
			}
			p, r := trust.New(c.anchors...).Path(c.leaf.Cert, bagOf(c.bag...), options())
			want(t, c.reason, p, r)
			backwards := slices.Clone(c.bag)
			slices.Reverse(backwards)
			p, r = trust.New(c.anchors...).Path(c.leaf.Cert, bagOf(backwards...), options())
			want(t, c.reason, p, r)
		})
	}
}

func pathCases() map[string]pathCase {
	w := newWorld()
	k, now := w.keys, testmail.Instant()
	under := func(ca *testmail.Identity, p testmail.Profile) chain {
		l := ca.Issue(p)
		return chain{l, l.Above(), []*trust.Anchor{anchor(ca.Root())}}
	}
	ca := func(p testmail.Profile) *testmail.Identity {
		if p.Kind == "" {
			p.Kind = ec
		}
		return w.root.Intermediate(p)
	}
	root := func(p testmail.Profile) *testmail.Identity { p.Kind = ec; return k.Root(p) }
	with := func(change func(*testmail.Profile)) testmail.Profile { p := bob(); change(&p); return p }
	stranger := root(testmail.Profile{Name: "Stranger"})
	longPath := func(n int) *testmail.Identity {
		top := w.root
		for i := range n {
			top = top.Intermediate(testmail.Profile{Name: "CA " + string(rune('A'+i)), Kind: ec})
		}
		return top
	}
	notCA := w.inter.Issue(testmail.Profile{Name: "No CA", Kind: ec, Mailboxes: []string{"x@example.org"}})
	expiredInter := ca(testmail.Profile{Name: "Old CA", NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(-1, 0, 0)})
	oldTwin := w.root.Intermediate(testmail.Profile{Name: "Twin", Key: k.Key(ec, "twin"), NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(-1, 0, 0)})
	newTwin := w.root.Intermediate(testmail.Profile{Name: "Twin", Key: k.Key(ec, "twin"), Serial: oldTwin.Cert.SerialNumber})
	otherTwin := w.root.Intermediate(testmail.Profile{Name: "Twin", Key: k.Key(ec, "another twin")})
	crossRoot := root(testmail.Profile{Name: "Other root"})
	cross := crossRoot.Intermediate(testmail.Profile{Name: "Root", Organisation: "Example Trust", Key: w.root.Key})

	return map[string]pathCase{
		"leaf, intermediate, root":                          {under(w.inter, bob()), ""},
		"directly under the root":                           {under(w.root, bob()), ""},
		"RSA all the way":                                   {under(w.root.Intermediate(testmail.Profile{Name: "RSA CA"}), with(func(p *testmail.Profile) { p.Kind = "rsa2048" })), ""},
		"root in the bag does no harm":                      {chain{w.leaf, []*testmail.Identity{w.root, w.inter}, []*trust.Anchor{anchor(w.root)}}, ""},
		"bag in any order with surplus":                     {chain{w.leaf, []*testmail.Identity{stranger, notCA, w.leaf, w.inter, expiredInter}, []*trust.Anchor{anchor(w.root)}}, ""},
		"intermediate as anchor":                            {chain{w.leaf, nil, []*trust.Anchor{anchor(w.inter)}}, ""},
		"self-issued leaf":                                  {chain{k.SelfSigned(bob()), nil, []*trust.Anchor{anchor(w.root)}}, "cert-untrusted"},
		"stranger's root":                                   {chain{stranger.Issue(bob()), []*testmail.Identity{stranger}, []*trust.Anchor{anchor(w.root)}}, "cert-untrusted"},
		"stranger's root, not in the bag":                   {chain{stranger.Issue(bob()), nil, []*trust.Anchor{anchor(w.root)}}, "cert-untrusted"},
		"no anchors at all":                                 {chain{w.leaf, []*testmail.Identity{w.inter, w.root}, nil}, "cert-untrusted"},
		"root in the bag is no anchor":                      {chain{stranger.Issue(bob()), []*testmail.Identity{stranger, w.root}, []*trust.Anchor{anchor(w.root)}}, "cert-untrusted"},
		"intermediate missing":                              {chain{w.leaf, nil, []*trust.Anchor{anchor(w.root)}}, "cert-incomplete"},
		"upper intermediate missing":                        {chain{w.inter.Intermediate(testmail.Profile{Name: "Lower", Organisation: "Company", Kind: ec}).Issue(bob()), nil, []*trust.Anchor{anchor(w.root)}}, "cert-untrusted"},
		"upper missing, lower there":                        {missingUpper(w), "cert-incomplete"},
		"root of another key, same name, by key identifier": {chain{root(testmail.Profile{Name: "Root", Organisation: "Example Trust", Key: k.Key(ec, "forger")}).Issue(bob()), nil, []*trust.Anchor{anchor(w.root)}}, "cert-incomplete"},
		"root of another key, same name":                    {chain{root(testmail.Profile{Name: "Root", Organisation: "Example Trust", Key: k.Key(ec, "forger")}).Issue(with(func(p *testmail.Profile) { p.NoKeyID = true })), nil, []*trust.Anchor{anchor(w.root)}}, "cert-untrusted"},
		"expired, and of another key":                       {chain{root(testmail.Profile{Name: "Root", Organisation: "Example Trust", Key: k.Key(ec, "forger")}).Issue(with(func(p *testmail.Profile) { p.NoKeyID, p.NotAfter = true, now.Add(-time.Hour) })), nil, []*trust.Anchor{anchor(w.root)}}, "cert-untrusted"},
		"root of a known organisation":                      {ofKnownOrganisation(w), "cert-untrusted"},
		"intermediate forged under its name":                {forgedIntermediate(w), "cert-untrusted"},

		"leaf expired":                     {under(w.inter, with(func(p *testmail.Profile) { p.NotAfter = now.Add(-time.Second) })), "cert-expired"},
		"leaf valid for one more second":   {under(w.inter, with(func(p *testmail.Profile) { p.NotAfter = now.Add(time.Second) })), ""},
		"leaf not yet valid":               {under(w.inter, with(func(p *testmail.Profile) { p.NotBefore = now.Add(time.Hour) })), "cert-not-yet-valid"},
		"intermediate expired":             {under(expiredInter, bob()), "cert-expired"},
		"intermediate not yet valid":       {under(ca(testmail.Profile{Name: "New CA", NotBefore: now.Add(time.Hour)}), bob()), "cert-not-yet-valid"},
		"anchor expired":                   {under(root(testmail.Profile{Name: "Old root", NotBefore: now.AddDate(-9, 0, 0), NotAfter: now.AddDate(-1, 0, 0)}), bob()), "cert-untrusted"},
		"anchor not yet valid":             {under(root(testmail.Profile{Name: "New root", NotBefore: now.Add(time.Hour)}), bob()), "cert-untrusted"},
		"expired twin first, valid twin":   {chain{newTwin.Issue(bob()), []*testmail.Identity{oldTwin, otherTwin, newTwin}, []*trust.Anchor{anchor(w.root)}}, ""},
		"only the expired twin":            {chain{newTwin.Issue(bob()), []*testmail.Identity{oldTwin, otherTwin}, []*trust.Anchor{anchor(w.root)}}, "cert-expired"},
		"cross-certificate to the other":   {chain{w.leaf, []*testmail.Identity{w.inter, cross}, []*trust.Anchor{anchor(crossRoot)}}, ""},
		"two anchors, the first too tight": {chain{w.leaf, []*testmail.Identity{w.inter, cross}, []*trust.Anchor{{Certificate: w.root.Cert, Domains: []string{"other.example"}}, anchor(crossRoot)}}, ""},

		"leaf signed with SHA-1":           {under(w.root.Intermediate(testmail.Profile{Name: "SHA-1 leaf CA"}), with(func(p *testmail.Profile) { p.Algorithm = x509.SHA1WithRSA; p.Kind = "rsa2048" })), "cert-weak"},
		"leaf signed with MD5":             {under(w.root.Intermediate(testmail.Profile{Name: "SHA-1 leaf CA"}), with(func(p *testmail.Profile) { p.Algorithm = x509.MD5WithRSA; p.Kind = "rsa2048" })), "cert-weak"},
		"leaf signed with ECDSA and SHA-1": {under(w.inter, with(func(p *testmail.Profile) { p.Algorithm = x509.ECDSAWithSHA1 })), "cert-weak"},
		"intermediate signed with SHA-1":   {under(ca(testmail.Profile{Name: "SHA-1 CA", Algorithm: x509.ECDSAWithSHA1}), bob()), "cert-weak"},
		"anchor signed with SHA-1":         {under(root(testmail.Profile{Name: "SHA-1 root", Algorithm: x509.ECDSAWithSHA1}), bob()), ""},
		"intermediate of RSA 1024":         {under(ca(testmail.Profile{Name: "Small CA", Kind: "rsa1024"}), bob()), "cert-weak"},
		"anchor of RSA 1024":               {under(k.Root(testmail.Profile{Name: "Small root", Kind: "rsa1024"}), bob()), "cert-weak"},
		"intermediate of P-224":            {under(ca(testmail.Profile{Name: "P-224 CA", Kind: "p224"}), bob()), "cert-weak"},
		"intermediate of Ed25519":          {under(ca(testmail.Profile{Name: "Ed CA", Kind: "ed25519"}), bob()), ""},
		"intermediate of P-384 and P-521":  {under(ca(testmail.Profile{Name: "P-384", Kind: "p384"}).Intermediate(testmail.Profile{Name: "P-521", Kind: "p521"}), bob()), ""},

		"issuer is no CA":                      {under(notCA, bob()), "cert-untrusted"},
		"issuer may not sign certificates":     {under(ca(testmail.Profile{Name: "No cert sign", Usage: x509.KeyUsageCRLSign}), bob()), "cert-untrusted"},
		"issuer without key usage":             {under(ca(testmail.Profile{Name: "No usage", NoUsage: true}), bob()), ""},
		"path length 0 above a CA":             {under(ca(testmail.Profile{Name: "Zero", PathLength: testmail.ZeroPathLength}).Intermediate(testmail.Profile{Name: "Below zero", Kind: ec}), bob()), "cert-constraint"},
		"path length 0 above a leaf":           {under(ca(testmail.Profile{Name: "Zero", PathLength: testmail.ZeroPathLength}), bob()), ""},
		"path length 1 above one CA":           {under(ca(testmail.Profile{Name: "One", PathLength: 1}).Intermediate(testmail.Profile{Name: "Below one", Kind: ec}), bob()), ""},
		"path length 0 above a self-issued CA": {rolledOver(w).chain(0), ""},
		"path length 0 above one and another":  {rolledOver(w).chain(1), "cert-constraint"},
		"path of eight":                        {under(longPath(6), bob()), ""},
		"path of nine":                         {under(longPath(7), bob()), "cert-constraint"},
		"CA with serverAuth only":              {under(ca(testmail.Profile{Name: "TLS CA", EKU: []asn1.ObjectIdentifier{testmail.ServerAuth()}}), bob()), "cert-usage"},
		"CA with mail and more":                {under(ca(testmail.Profile{Name: "Both CA", EKU: []asn1.ObjectIdentifier{testmail.ClientAuth(), testmail.EmailProtection()}}), bob()), ""},
		"CA with any usage":                    {under(ca(testmail.Profile{Name: "Any CA", EKU: []asn1.ObjectIdentifier{testmail.AnyUsage()}}), bob()), ""},
		"leaf without usage is left to usage":  {under(w.inter, with(func(p *testmail.Profile) { p.NoEKU = true })), ""},
		"leaf for TLS is left to usage":        {under(w.inter, with(func(p *testmail.Profile) { p.EKU = []asn1.ObjectIdentifier{testmail.ServerAuth()} })), ""},

		"unknown critical extension, leaf":         {under(w.inter, with(func(p *testmail.Profile) { p.Extra = critical(1, 3, 6, 1, 4, 1, 99999, 1) })), "cert-constraint"},
		"unknown critical extension, intermediate": {under(ca(testmail.Profile{Name: "Odd CA", Extra: critical(1, 3, 6, 1, 4, 1, 99999, 1)}), bob()), "cert-constraint"},
		"critical qualified statements, leaf":      {under(w.inter, with(func(p *testmail.Profile) { p.Extra = critical(1, 3, 6, 1, 5, 5, 7, 1, 3) })), ""},
		"critical qualified statements, CA":        {under(ca(testmail.Profile{Name: "Odd CA", Extra: critical(1, 3, 6, 1, 5, 5, 7, 1, 3)}), bob()), "cert-constraint"},
		"critical SAN of SmtpUTF8Mailbox only":     {under(w.inter, testmail.Profile{Name: "Bob", Kind: ec, UTF8Mailboxes: []string{"büro@example.org"}, SANCritical: true}), ""},
		"policies required and absent":             {under(ca(testmail.Profile{Name: "Policy CA", Extra: policyRequired()}), bob()), "cert-constraint"},

		"the leaf is an anchor": {chain{w.inter, nil, []*trust.Anchor{anchor(w.inter), anchor(w.root)}}, "cert-usage"},
	}
}

// rolledOver is a CA of path length 0 that has gone over to another key.
func rolledOver(w world) rollover {
	old := w.root.Intermediate(testmail.Profile{Name: "Rolled", Kind: ec, PathLength: testmail.ZeroPathLength})
	return rollover{w, old.Intermediate(testmail.Profile{Name: "Rolled", Kind: "p384", Extra: issuedBy(old)})}
}

// issuedBy is the authority key identifier that names a CA. crypto/x509 makes
// none for a self-issued certificate.
func issuedBy(ca *testmail.Identity) []pkix.Extension {
	return []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 35}, Value: testmail.Sequence(testmail.Element(0x80, ca.KeyID()))}}
}

type rollover struct {
	world
	ca *testmail.Identity
}

// chain has a leaf with n CAs between it and the new key.
func (r rollover) chain(n int) chain {
	ca := r.ca
	for range n {
		ca = ca.Intermediate(testmail.Profile{Name: "Below", Kind: ec})
	}
	l := ca.Issue(bob())
	return chain{l, l.Above(), []*trust.Anchor{anchor(r.root)}}
}

func missingUpper(w world) chain {
	lower := w.inter.Intermediate(testmail.Profile{Name: "Lower", Organisation: "Company", Kind: ec})
	return chain{lower.Issue(bob()), []*testmail.Identity{lower}, []*trust.Anchor{anchor(w.root)}}
}

func ofKnownOrganisation(w world) chain {
	retired := w.keys.Root(testmail.Profile{Name: "Retired root", Organisation: "Example Trust", Kind: ec})
	return chain{retired.Issue(bob()), []*testmail.Identity{retired}, []*trust.Anchor{anchor(w.root)}}
}

func forgedIntermediate(w world) chain {
	fake := w.keys.Root(testmail.Profile{Name: "Root", Organisation: "Example Trust", Kind: ec, Key: w.keys.Key(ec, "forger"), NoKeyID: true})
	inter := fake.Intermediate(testmail.Profile{Name: "Mail CA", Organisation: "Example Trust", Kind: ec, Key: w.keys.Key(ec, "forger 2"), NoKeyID: true})
	return chain{inter.Issue(bob()), []*testmail.Identity{inter, fake}, []*trust.Anchor{anchor(w.root)}}
}

// policyRequired demands an explicit policy, which the leaf lacks.
func policyRequired() []pkix.Extension {
	return []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 36}, Critical: true, Value: testmail.Sequence([]byte{0x80, 1, 0})}}
}
