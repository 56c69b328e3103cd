package revoke

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"math/big"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify"
)

func (w *ocspWorld) responderCases() map[string]ocspCase {
	at := testmail.Instant()
	same := func(*testmail.Profile) {}
	byName := func(o *testmail.OCSPResponse) { o.ByName = true }
	named := func(id *testmail.Identity) func(*testmail.OCSPResponse) {
		return func(o *testmail.OCSPResponse) {
			o.ResponderID = testmail.Element(0xa2, testmail.Element(0x04, id.KeyID()))
		}
	}
	embedding := func(der ...[]byte) func(*testmail.OCSPResponse) {
		return func(o *testmail.OCSPResponse) { o.Embedded = der }
	}
	revoked := func(o *testmail.OCSPResponse) { o.Answers[0].Status = "revoked" }
	usage := func(ids ...asn1.ObjectIdentifier) func(*testmail.Profile) {
		return func(p *testmail.Profile) { p.EKU = ids }
	}
	extra := func(e ...pkix.Extension) func(*testmail.Profile) {
		return func(p *testmail.Profile) { p.Extra = e }
	}
	odd := pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}
	critical := testmail.OCSPNoCheck()
	critical.Critical = true
	// others of the responder's name, each with a key of its own
	var crowd [][]byte
	for _, n := range []string{"1", "2", "3", "4", "5"} {
		p := w.delegateProfile
		p.Key = w.keys.Key("p256", "crowd "+n)
		crowd = append(crowd, w.ca.Issue(p).DER)
	}
	return map[string]ocspCase{
		"CA by name":                      {want: verify.Good, der: w.answered(w.ca, byName)},
		"CA that embeds itself":           {want: verify.Good, der: w.answered(w.ca, embedding(w.ca.DER))},
		"CA that embeds itself, by name":  {want: verify.Good, der: w.answered(w.ca, byName, embedding(w.ca.DER))},
		"CA, a broken signature":          {want: "signature of the issuer", der: tampered(w.answered(w.ca))},
		"another CA of the same name":     {want: "signature of the issuer", der: w.answered(w.twin, byName)},
		"another CA":                      {want: "of another issuer", der: w.answered(w.stranger)},
		"another CA, not embedded":        {want: "neither the issuer nor", der: w.answered(w.stranger, embedding())},
		"another CA under the CA's name":  {want: "signature of the issuer", der: w.answered(w.stranger, named(w.ca))},
		"delegate":                        w.by(same).gives(verify.Good),
		"delegate by name":                w.by(same, byName).gives(verify.Good),
		"delegate says revoked":           w.by(same, revoked).gives(verify.Revoked),
		"delegate not embedded":           w.by(same, embedding()).gives("neither the issuer nor"),
		"delegate after others":           w.by(same, embedding(w.ca.DER, w.sibling.DER, testmail.Sequence(), w.delegate.DER)).gives(verify.Good),
		"delegate after one of its name":  w.by(same, byName, embedding(crowd[0], crowd[1], w.delegate.DER)).gives(verify.Good),
		"delegate in a crowd of its name": w.by(same, byName, embedding(append(crowd[:5:5], w.delegate.DER)...)).gives("too many certificates"),
		"delegate under the CA's key":     w.by(same, named(w.ca)).gives("signature of the issuer"),
		"delegate under a sibling's key":  w.by(same, named(w.sibling), embedding(w.delegate.DER, w.sibling.DER)).gives("not made for OCSP"),
		"CA under the delegate's key":     {want: "signature of the responder", der: w.answered(w.ca, named(w.delegate), embedding(w.delegate.DER))},
		"delegate of the CA's name": w.by(func(p *testmail.Profile) {
			p.Name, p.Key = "CA", w.keys.Key("p256", "namesake")
		}, byName).gives(verify.Good),
		"delegate of a twin CA":  {want: "not signed by the issuer", der: w.answered(w.twin.Issue(w.delegateProfile))},
		"delegate of another CA": {want: "of another issuer", der: w.answered(w.stranger.Issue(w.delegateProfile))},

		"sibling leaf":          {want: "not made for OCSP", der: w.answered(w.sibling)},
		"sibling leaf, revoked": {want: "not made for OCSP", der: w.answered(w.sibling, revoked)},
		"leaf for itself":       {want: "not made for OCSP", der: w.answered(w.leaf)},
		"any extended usage":    w.by(usage(testmail.AnyUsage())).gives("not made for OCSP"),
		"no extended usage":     w.by(func(p *testmail.Profile) { p.NoEKU = true }).gives("not made for OCSP"),
		"mail and OCSP":         w.by(usage(testmail.EmailProtection(), testmail.OCSPSigning())).gives(verify.Good),
		"CA with OCSP": w.by(func(p *testmail.Profile) {
			p.CA, p.Usage = true, x509.KeyUsageDigitalSignature|x509.KeyUsageCertSign
		}).gives("a CA's"),
		"usage without signing":          w.by(func(p *testmail.Profile) { p.Usage = x509.KeyUsageKeyAgreement }).gives("not made for signing"),
		"no usage":                       w.by(func(p *testmail.Profile) { p.NoUsage = true }).gives(verify.Good),
		"critical extension":             w.by(extra(testmail.OCSPNoCheck(), odd)).gives("critical extension in the responder's"),
		"critical nocheck":               w.by(extra(critical)).gives(verify.Good),
		"without nocheck":                w.by(extra()).gives("no ocsp-nocheck"),
		"without nocheck, revoked":       w.by(extra(), revoked).gives(verify.Revoked),
		"delegate ended":                 w.by(func(p *testmail.Profile) { p.NotAfter = at.Add(-time.Minute) }).gives("ended at"),
		"delegate begins later":          w.by(func(p *testmail.Profile) { p.NotBefore = at.Add(time.Minute) }).gives("begins only"),
		"delegate ends before it":        withNext(w.by(func(p *testmail.Profile) { p.NotAfter = at.Add(time.Hour) }).gives(verify.Good), at.Add(time.Hour)),
		"delegate of RSA 1024":           w.by(func(p *testmail.Profile) { p.Kind = "rsa1024" }).gives("key: RSA of 1024 bits"),
		"delegate of P-224":              w.by(func(p *testmail.Profile) { p.Kind = "p224" }).gives("key: of a kind that is not accepted"),
		"delegate of RSA 2048":           w.by(func(p *testmail.Profile) { p.Kind = "rsa2048" }).gives(verify.Good),
		"delegate of P-521":              w.by(func(p *testmail.Profile) { p.Kind = "p521" }).gives(verify.Good),
		"delegate of Ed25519":            w.by(func(p *testmail.Profile) { p.Kind = "ed25519" }).gives(verify.Good),
		"delegate signed by SHA-1":       w.by(func(p *testmail.Profile) { p.Algorithm = x509.ECDSAWithSHA1 }).gives("not accepted"),
		"delegate with a huge key":       w.by(func(p *testmail.Profile) { p.Key = rsaStub(9000, 65537) }).gives("key: RSA of 9001 bits"),
		"delegate with a huge exponent":  w.by(func(p *testmail.Profile) { p.Key = rsaStub(2048, 1<<31-1) }).gives("exponent"),
		"delegate with an even exponent": w.by(func(p *testmail.Profile) { p.Key = rsaStub(2048, 4) }).gives("exponent"),
		"delegate, another's signature": {want: "signature of the responder", der: w.answered(w.delegate, func(o *testmail.OCSPResponse) {
			o.Responder = &testmail.Identity{Key: w.sibling.Key}
			o.ResponderID = testmail.Element(0xa1, w.delegate.Cert.RawSubject)
		})},
		"certificate made by nobody": {want: "not signed by the issuer", der: w.answered(w.delegate, embedding(tampered(w.delegate.DER)))},
	}
}

// An rsaKey claims to be one that nobody could make or use.
type rsaKey struct{ public rsa.PublicKey }

func rsaStub(bits uint, exponent int) crypto.Signer {
	n := new(big.Int).Lsh(big.NewInt(1), bits)
	return rsaKey{rsa.PublicKey{N: n.SetBit(n, 0, 1), E: exponent}}
}

func (k rsaKey) Public() crypto.PublicKey { return &k.public }

func (k rsaKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return []byte{1}, nil }
