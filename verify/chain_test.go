package verify

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/smime"
	"github.com/certinbox/certinbox/internal/smime/cms"
	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// A pki is a root and a CA below it.
type pki struct {
	keys     *testmail.Keys
	root, ca *testmail.Identity
}

func newPKI() pki {
	k := testmail.NewKeys()
	root := k.Root(testmail.Profile{Name: "Root", Kind: "p256", Organisation: "Example Trust"})
	return pki{k, root, root.Intermediate(testmail.Profile{Name: "Mail CA", Kind: "p256", Organisation: "Example Trust"})}
}

// leaf issues a certificate for bob@example.org, changed as told.
func (p pki) leaf(name string, change func(q *testmail.Profile)) *testmail.Identity {
	q := testmail.Profile{Name: name, Kind: "p256", Mailboxes: []string{"bob@example.org"}}
	if change != nil {
		change(&q)
	}
	return p.ca.Issue(q)
}

func (p pki) anchors() *trust.Anchors {
	return trust.New(&trust.Anchor{Certificate: p.root.Cert, Source: "test"})
}

// factsOf are those of a message by bob@example.org whose signature by signer
// holds, with a bag and signed attributes.
func factsOf(t *testing.T, anchors *trust.Anchors, signer *testmail.Identity, bag []*testmail.Identity, attributes ...[]byte) *facts {
	t.Helper()
	var ders [][]byte
	for _, b := range bag {
		ders = append(ders, b.DER)
	}
	content := []byte("Content-Type: text/plain\r\n\r\nhello\r\n")
	blob, err := cmstest.Blob{Content: content, Certificates: ders,
		Signers: []cmstest.Signer{{Key: signer.Key, Certificate: signer.Cert, Extra: attributes}}}.Build()
	if err != nil {
		t.Fatal(err)
	}
	v := &Verifier{Policy: DefaultPolicy(), Anchors: anchors, Now: testmail.Instant}
	f := newFacts(v.Begin(Envelope{}))
	f.author = &smime.Address{Local: "bob", Domain: "example.org"}
	if f.signed, err = cms.Parse(blob, v.Policy.Limits.CMS); err != nil {
		t.Fatal(err)
	}
	verified, err := f.signed.Verify(0, cmstest.Sum(f.signed.Signers[0].Hash, content), &f.ops)
	if err != nil {
		t.Fatal(err)
	}
	f.signer, f.verified = &f.signed.Signers[0], &verified
	for _, c := range f.signed.Certificates {
		if c.X509 != nil {
			f.bag = append(f.bag, c.X509)
		}
	}
	return f
}

// certificateRows asks the rows about certificates and returns the first that
// does not hold, or the last.
func certificateRows(f *facts) Result {
	var last Result
	for _, ask := range []func(context.Context, *facts) Result{checkChain, checkUsage, checkAddress, checkRevocation} {
		if last = ask(context.Background(), f); !last.Status.holds() {
			break
		}
	}
	return last
}

func wantRow(t *testing.T, r Result, reason string) {
	t.Helper()
	if r.Reason != reason || r.Status.holds() != (reason == "") || r.Detail == "" {
		t.Fatalf("%+v, want the reason %q", r, reason)
	}
}

func TestWithoutSignerNothingIsSaid(t *testing.T) {
	v := &Verifier{Policy: DefaultPolicy(), Now: testmail.Instant}
	for name, ask := range map[string]func(context.Context, *facts) Result{"chain": checkChain, "usage": checkUsage, "address": checkAddress} {
		if r := ask(context.Background(), newFacts(v.Begin(Envelope{}))); r.Status != None || r.Detail != "no verified signer" {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestWhichCertificateIsKept(t *testing.T) {
	p := newPKI()
	both := p.leaf("Both", nil)
	sign := p.leaf("Sign", func(q *testmail.Profile) { q.Usage = x509.KeyUsageDigitalSignature })
	enc := p.leaf("Encrypt", func(q *testmail.Profile) { q.Usage = x509.KeyUsageKeyAgreement })
	ed := p.leaf("Ed", func(q *testmail.Profile) { q.Kind = "ed25519" })
	forged := testmail.NewKeys().Root(testmail.Profile{Name: "Mail CA", Kind: "p256", Organisation: "Example Trust", Key: p.keys.Key("p256", "forger")}).
		Issue(testmail.Profile{Name: "Forged", Kind: "p256", Mailboxes: []string{"bob@example.org"}, Serial: enc.Cert.SerialNumber})
	old := p.leaf("Encrypt", func(q *testmail.Profile) {
		q.Key, q.NotBefore, q.NotAfter = enc.Key, testmail.Instant().AddDate(-2, 0, 0), testmail.Instant().AddDate(-1, 0, 0)
		q.Usage = x509.KeyUsageKeyAgreement
	})
	expired := p.leaf("Expired", func(q *testmail.Profile) { q.NotAfter = testmail.Instant().Add(-time.Hour) })
	stranger := testmail.NewKeys().Root(testmail.Profile{Name: "Other CA", Kind: "p256"}).Issue(testmail.Profile{Name: "S", Kind: "p256", Mailboxes: []string{"bob@example.org"}})
	alice := p.leaf("Alice", func(q *testmail.Profile) { q.Mailboxes = []string{"alice@example.org"} })
	signAsAlice := p.leaf("Alice signs", func(q *testmail.Profile) { q.Mailboxes = []string{"alice@example.org"} })
	unreadable := p.leaf("Unreadable", func(q *testmail.Profile) { q.Edit = negativeSerial })
	if unreadable.Cert != nil {
		t.Fatal("crypto/x509 reads the unreadable certificate")
	}
	expiredSigner := p.leaf("Expired signer", func(q *testmail.Profile) { q.NotAfter = testmail.Instant().Add(-time.Hour) })
	tls := p.leaf("For TLS", func(q *testmail.Profile) { q.EKU = []asn1.ObjectIdentifier{testmail.ServerAuth()} })
	names := cmstest.Preference

	for title, c := range map[string]struct {
		signer     *testmail.Identity
		bag        []*testmail.Identity
		attributes [][]byte
		reason     string
		kept       *testmail.Identity
		chosen     string
		second     bool // the refusal is about the second certificate
	}{
		"one certificate":                {both, []*testmail.Identity{both, p.ca}, nil, "", both, "signer", false},
		"another in the bag":             {both, []*testmail.Identity{enc, both, p.ca}, nil, "", both, "signer", false},
		"signing only":                   {sign, []*testmail.Identity{sign, enc, p.ca}, nil, "cert-usage", sign, "signer", false},
		"signing only, other named":      {sign, []*testmail.Identity{sign, enc, p.ca}, [][]byte{names(enc.Cert)}, "", enc, "preference", false},
		"itself named":                   {both, []*testmail.Identity{both, p.ca}, [][]byte{names(both.Cert)}, "", both, "preference", false},
		"named by key":                   {sign, []*testmail.Identity{sign, enc, p.ca}, [][]byte{cmstest.PreferenceByKey(enc.KeyID())}, "", enc, "preference", false},
		"named by key, renewed":          {sign, []*testmail.Identity{sign, old, enc, p.ca}, [][]byte{cmstest.PreferenceByKey(enc.KeyID())}, "", enc, "preference", false},
		"named, a forged twin first":     {sign, []*testmail.Identity{sign, forged, enc, p.ca}, [][]byte{names(enc.Cert)}, "", enc, "preference", false},
		"named, only the forged twin":    {sign, []*testmail.Identity{sign, forged, p.ca}, [][]byte{names(enc.Cert)}, "cert-incomplete", forged, "preference", true},
		"named and missing":              {both, []*testmail.Identity{both, p.ca}, [][]byte{names(enc.Cert)}, "", both, "signer", false},
		"signing only, named missing":    {sign, []*testmail.Identity{sign, p.ca}, [][]byte{names(enc.Cert)}, "cert-usage", sign, "signer", false},
		"named and expired":              {both, []*testmail.Identity{both, expired, p.ca}, [][]byte{names(expired.Cert)}, "cert-expired", expired, "preference", true},
		"named of a stranger's CA":       {both, []*testmail.Identity{both, stranger, p.ca}, [][]byte{names(stranger.Cert)}, "cert-untrusted", stranger, "preference", true},
		"named for another address":      {both, []*testmail.Identity{both, alice, p.ca}, [][]byte{names(alice.Cert)}, "cert-address", alice, "preference", true},
		"named and signing only":         {both, []*testmail.Identity{both, sign, p.ca}, [][]byte{names(sign.Cert)}, "cert-usage", sign, "preference", true},
		"named and unreadable":           {both, []*testmail.Identity{both, unreadable, p.ca}, [][]byte{byKeyOf(unreadable)}, "cert-key", both, "signer", true},
		"Ed25519 signer":                 {ed, []*testmail.Identity{ed, p.ca}, nil, "cert-key", ed, "signer", false},
		"Ed25519 signer, other named":    {ed, []*testmail.Identity{ed, enc, p.ca}, [][]byte{names(enc.Cert)}, "", enc, "preference", false},
		"signer is somebody else":        {signAsAlice, []*testmail.Identity{signAsAlice, enc, p.ca}, [][]byte{names(enc.Cert)}, "cert-address", enc, "preference", false},
		"signer expired, other named":    {expiredSigner, []*testmail.Identity{expiredSigner, enc, p.ca}, [][]byte{names(enc.Cert)}, "cert-expired", expiredSigner, "signer", false},
		"signer is for TLS, other named": {tls, []*testmail.Identity{tls, enc, p.ca}, [][]byte{names(enc.Cert)}, "cert-usage", enc, "preference", false},
		"signer encrypts, other named":   {enc, []*testmail.Identity{enc, both, p.ca}, [][]byte{names(both.Cert)}, "cert-usage", both, "preference", false},
		"intermediate is not in the bag": {both, []*testmail.Identity{both}, nil, "cert-incomplete", both, "signer", false},
	} {
		t.Run(title, func(t *testing.T) {
			f := factsOf(t, p.anchors(), c.signer, c.bag, c.attributes...)
			row := certificateRows(f)
			wantRow(t, row, c.reason)
			if !f.report.Encryption.Equal(c.kept.Cert) || f.report.Chosen != c.chosen {
				t.Errorf("kept %v by %q", f.report.Encryption.Subject, f.report.Chosen)
			}
			if got := strings.HasPrefix(row.Detail, preferred); got != c.second {
				t.Errorf("detail %q", row.Detail)
			}
			if c.reason == "" && !f.report.Path.Chain[0].Equal(c.kept.Cert) {
				t.Error("the path is not that of the certificate to keep")
			}
		})
	}
}

// negativeSerial makes the serial number of a TBSCertificate negative, which
// crypto/x509 does not read.
func negativeSerial(tbs []byte) []byte {
	i := strings.Index(string(tbs), "\xa0\x03\x02\x01\x02\x02") + 7
	tbs[i] |= 0x80
	return tbs
}

// byKeyOf names the certificate by its subject key identifier.
func byKeyOf(id *testmail.Identity) []byte { return cmstest.PreferenceByKey(id.KeyID()) }

func TestTwinOfTheSignerIsTried(t *testing.T) {
	p := newPKI()
	good := p.leaf("Bob", nil)
	fake := testmail.NewKeys().Root(testmail.Profile{Name: "Mail CA", Kind: "p256", Organisation: "Example Trust", Key: p.keys.Key("p256", "forger")}).
		Issue(testmail.Profile{Name: "Bob", Key: good.Key, Mailboxes: []string{"evil@example.org"}, Serial: good.Cert.SerialNumber})
	f := factsOf(t, p.anchors(), good, []*testmail.Identity{fake, good, p.ca})
	if f.verified.Certificate.Equal(good.Cert) {
		t.Fatal("the twin is not tried first: this test says nothing")
	}
	wantRow(t, certificateRows(f), "")
	if !f.report.Signer.Equal(good.Cert) || !f.report.Encryption.Equal(good.Cert) {
		t.Errorf("signer %v", f.report.Signer.Subject)
	}
}

// TestTwinThatNamesTheAuthorIsPreferred: two certificates of one key, as after
// a change of name, both of which lead to an anchor.
func TestTwinThatNamesTheAuthorIsPreferred(t *testing.T) {
	p := newPKI()
	now := p.leaf("Bob", nil)
	before := p.leaf("Robert", func(q *testmail.Profile) {
		q.Key, q.Mailboxes, q.Serial = now.Key, []string{"robert@example.org"}, now.Cert.SerialNumber
	})
	f := factsOf(t, p.anchors(), now, []*testmail.Identity{before, now, p.ca})
	wantRow(t, certificateRows(f), "")
	if !f.report.Signer.Equal(now.Cert) || !f.report.Encryption.Equal(now.Cert) {
		t.Errorf("signer %v", f.report.Signer.Subject)
	}
	sign := p.leaf("Sign", func(q *testmail.Profile) { q.Usage = x509.KeyUsageDigitalSignature })
	f = factsOf(t, p.anchors(), sign, []*testmail.Identity{sign, before, now, p.ca}, byKeyOf(now))
	wantRow(t, certificateRows(f), "")
	if !f.report.Encryption.Equal(now.Cert) {
		t.Errorf("kept %v", f.report.Encryption.Subject)
	}
}

func TestChainRowSaysWho(t *testing.T) {
	p := newPKI()
	leaf := testmail.NewKeys().Root(testmail.Profile{Name: "Evil\r\nCA <x>", Kind: "p256"}).Issue(testmail.Profile{Name: "Bob", Kind: "p256"})
	r := checkChain(context.Background(), factsOf(t, p.anchors(), leaf, []*testmail.Identity{leaf}))
	wantRow(t, r, "cert-untrusted")
	if r.Detail != "the issuer is not trusted here: Evil??CA ?x?" || r.Plain != "the issuer is not trusted here" {
		t.Errorf("%q, %q", r.Detail, r.Plain)
	}
	if len(r.Props) != 2 || r.Props[0].Name != "body.smime-serial" || r.Props[1].Name != "body.smime-issuer" || strings.ContainsAny(r.Props[1].Value, "\r\n") {
		t.Errorf("%q", r.Props)
	}
	r = checkChain(context.Background(), factsOf(t, nil, leaf, []*testmail.Identity{leaf}))
	wantRow(t, r, "cert-untrusted")
}

func TestChainStaysWithinTheOperations(t *testing.T) {
	p := newPKI()
	leaf := p.leaf("Bob", nil)
	f := factsOf(t, p.anchors(), leaf, []*testmail.Identity{leaf, p.ca})
	f.ops.Left = 1
	wantRow(t, checkChain(context.Background(), f), "cert-untrusted")
	if f.ops.Left < 0 {
		t.Errorf("%d operations left", f.ops.Left)
	}
}
