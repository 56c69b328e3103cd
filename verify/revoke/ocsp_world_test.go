package revoke

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify"
)

// An ocspWorld is a CA with a leaf, and those who may and may not speak for it.
type ocspWorld struct {
	keys                         *testmail.Keys
	ca, twin, stranger           *testmail.Identity // twin: the same name, another key
	leaf, sibling, delegate      *testmail.Identity
	leafProfile, delegateProfile testmail.Profile
}

func newOCSPWorld() *ocspWorld {
	k := testmail.NewKeys()
	w := &ocspWorld{keys: k}
	w.ca = k.Root(testmail.Profile{Name: "CA", Kind: "p256"})
	w.twin = k.Root(testmail.Profile{Name: "CA", Key: k.Key("p256", "twin")})
	w.stranger = k.Root(testmail.Profile{Name: "Stranger", Kind: "p256"})
	w.leafProfile = testmail.Profile{Name: "leaf", Kind: "p256", Mailboxes: []string{"leaf@example.org"}}
	w.leaf = w.ca.Issue(w.leafProfile)
	w.sibling = w.ca.Issue(testmail.Profile{Name: "sibling", Kind: "p256", Mailboxes: []string{"sibling@example.org"}})
	w.delegateProfile = testmail.Profile{Name: "responder", Kind: "p256", EKU: []asn1.ObjectIdentifier{testmail.OCSPSigning()},
		Usage: x509.KeyUsageDigitalSignature, Extra: []pkix.Extension{testmail.OCSPNoCheck()}}
	w.delegate = w.ca.Issue(w.delegateProfile)
	return w
}

// An ocspCase is a response and what becomes of it.
type ocspCase struct {
	der      []byte
	cert     *testmail.Identity // nil: the leaf
	want     string             // status, or a part of the error
	reason   int
	hash     string    // of the CertID, for OpenSSL
	next     time.Time // zero: not asked
	untimely bool      // only its times are wrong, which openssl ocsp compares with the machine's clock
}

// answered is a response about the leaf, signed by who embeds itself unless it is the CA.
func (w *ocspWorld) answered(by *testmail.Identity, change ...func(*testmail.OCSPResponse)) []byte {
	o := testmail.OCSPResponse{Responder: by, Answers: []testmail.OCSPAnswer{{Cert: w.leaf}}}
	if by != w.ca {
		o.Embedded = [][]byte{by.DER}
	}
	for _, c := range change {
		c(&o)
	}
	return o.DER()
}

// by is a response signed by a delegate that differs from the honest one.
func (w *ocspWorld) by(change func(*testmail.Profile), others ...func(*testmail.OCSPResponse)) ocspCase {
	p := w.delegateProfile
	change(&p)
	return ocspCase{der: w.answered(w.ca.Issue(p), others...)}
}

// isAnswer says whether a status is expected, not an error.
func (c ocspCase) isAnswer() bool {
	return slices.Contains([]string{verify.Good, verify.Revoked, verify.Hold, verify.Unknown}, c.want)
}

func (c ocspCase) gives(want string) ocspCase { c.want = want; return c }

// says is a response by the CA whose answer differs.
func (w *ocspWorld) says(want string, change func(*testmail.OCSPAnswer)) ocspCase {
	return ocspCase{want: want, der: w.answered(w.ca, func(o *testmail.OCSPResponse) { change(&o.Answers[0]) })}
}

// tampered changes the last byte: of a signature or a certificate.
func tampered(der []byte) []byte {
	out := bytes.Clone(der)
	out[len(out)-1] ^= 1
	return out
}

func withReason(c ocspCase, reason int) ocspCase { c.reason = reason; return c }

func withNext(c ocspCase, next time.Time) ocspCase { c.next = next; return c }

func (w *ocspWorld) cases() map[string]ocspCase {
	all := map[string]ocspCase{}
	for group, cases := range map[string]map[string]ocspCase{"answer": w.answerCases(), "responder": w.responderCases(), "shape": w.shapeCases()} {
		for name, c := range cases {
			if c.cert == nil {
				c.cert = w.leaf
			}
			all[group+"/"+name] = c
		}
	}
	return all
}
