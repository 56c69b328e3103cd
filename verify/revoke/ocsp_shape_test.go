package revoke

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify"
)

func (w *ocspWorld) shapeCases() map[string]ocspCase {
	good := w.answered(w.ca)
	algorithm := func(kind string, a x509.SignatureAlgorithm, want string) ocspCase {
		ca := w.keys.Root(testmail.Profile{Name: "CA of " + kind, Kind: kind})
		leaf := ca.Issue(w.leafProfile)
		return ocspCase{want: want, cert: leaf, der: testmail.OCSPResponse{Responder: ca, Algorithm: a,
			Answers: []testmail.OCSPAnswer{{Cert: leaf}}}.DER()}
	}
	edited := func(want string, edit func([]byte) []byte) ocspCase {
		return ocspCase{want: want, der: w.answered(w.ca, func(o *testmail.OCSPResponse) { o.Edit = edit })}
	}
	extension := func(want string, e pkix.Extension) ocspCase {
		return ocspCase{want: want, der: w.answered(w.ca, func(o *testmail.OCSPResponse) { o.Extensions = []pkix.Extension{e} })}
	}
	version := func(n byte) func([]byte) []byte {
		return func(data []byte) []byte {
			return testmail.Sequence(append([][]byte{testmail.Element(0xa0, []byte{0x02, 0x01, n})}, testmail.Children(data)...)...)
		}
	}
	produced := func(text string) func([]byte) []byte {
		return func(data []byte) []byte {
			return testmail.Replace(data, testmail.Children(data)[1], testmail.Element(0x18, []byte(text)))
		}
	}
	nonce := pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}, Value: []byte{4, 1, 7}}
	odd := pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}
	long := pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: make([]byte, maxOCSPExtensions)}
	many := func(n int) func(*testmail.OCSPResponse) {
		return func(o *testmail.OCSPResponse) {
			for len(o.Answers) < n {
				o.Answers = append(o.Answers, testmail.OCSPAnswer{Cert: w.sibling})
			}
		}
	}
	stuffed := func(n int) func(*testmail.OCSPResponse) {
		return func(o *testmail.OCSPResponse) {
			for len(o.Embedded) < n {
				o.Embedded = append(o.Embedded, w.sibling.DER)
			}
		}
	}
	return map[string]ocspCase{
		"malformedRequest":     {want: "malformedRequest", der: testmail.OCSPFailure(1)},
		"internalError":        {want: "internalError", der: testmail.OCSPFailure(2)},
		"tryLater":             {want: "tryLater", der: testmail.OCSPFailure(3)},
		"status 4":             {want: "no meaning", der: testmail.OCSPFailure(4)},
		"sigRequired":          {want: "sigRequired", der: testmail.OCSPFailure(5)},
		"unauthorized":         {want: "unauthorized", der: testmail.OCSPFailure(6)},
		"tryLater, with more":  {want: "tryLater", der: testmail.Replace(good, testmail.Children(good)[0], testmail.Element(0x0a, []byte{3}))},
		"successful, no bytes": {want: "cannot be read", der: testmail.OCSPFailure(0)},
		"nothing":              {want: "cannot be read", der: nil},
		"a page":               {want: "cannot be read", der: []byte("<html><body>404</body></html>")},
		"cut":                  {want: "cannot be read", der: good[:len(good)-1]},
		"one byte more":        {want: "cannot be read", der: append(bytes.Clone(good), 0)},
		"a line end more":      {want: "cannot be read", der: append(bytes.Clone(good), '\r', '\n')},
		"more inside":          {want: "cannot be read", der: testmail.Sequence(append(testmail.Children(good), []byte{5, 0})...)},
		"a length of BER":      {want: "cannot be read", der: append([]byte{0x30, 0x84, 0, 0, byte(len(good[4:]) >> 8), byte(len(good[4:]))}, good[4:]...)},
		"another type":         {want: "another type", der: bytes.Replace(good, []byte{0x30, 1, 1}, []byte{0x30, 1, 2}, 1)},
		"too long":             {want: "over 65536 bytes", der: make([]byte, maxOCSP+1)},

		"version 1 said": edited(verify.Good, version(0)),
		"version 2":      edited("another version", version(1)),
		"more in the data": edited("cannot be read", func(data []byte) []byte {
			return testmail.Sequence(append(testmail.Children(data), []byte{5, 0})...)
		}),
		"time with an offset":    edited("cannot be read", produced("20260302110000+0100")),
		"time with fractions":    edited("cannot be read", produced("20260302110000.5Z")),
		"time of no calendar":    edited("cannot be read", produced("20260230110000Z")),
		"nonce nobody asked for": extension(verify.Good, nonce),
		"critical extension":     extension("critical extension in the answer", odd),
		"extensions too long":    extension("bytes of extensions", long),
		"critical extension of one": w.says("critical extension in the answer", func(a *testmail.OCSPAnswer) {
			a.Extensions = []pkix.Extension{odd}
		}),
		"critical extension of another": {want: "critical extension in the answer", der: w.answered(w.ca, func(o *testmail.OCSPResponse) {
			o.Answers = append(o.Answers, testmail.OCSPAnswer{Cert: w.sibling, Extensions: []pkix.Extension{odd}})
		})},
		"extension of one": w.says(verify.Good, func(a *testmail.OCSPAnswer) { a.Extensions = []pkix.Extension{nonce} }),
		"16 answers":       {want: verify.Good, der: w.answered(w.ca, many(16))},
		"17 answers":       {want: "over 16 certificates", der: w.answered(w.ca, many(17))},
		"8 certificates":   {want: verify.Good, der: w.answered(w.ca, stuffed(8))},
		"9 certificates":   {want: "over 8 certificates", der: w.answered(w.ca, stuffed(9))},
		"name of a wrong kind": {want: "cannot be read", der: w.answered(w.ca, func(o *testmail.OCSPResponse) {
			o.ResponderID = testmail.Element(0xa3, w.ca.Cert.RawSubject)
		})},
		"key of a wrong length": {want: "cannot be read", der: w.answered(w.ca, func(o *testmail.OCSPResponse) {
			o.ResponderID = testmail.Element(0xa2, testmail.Element(0x04, []byte{1}))
		})},
		"RSA, SHA-256":   algorithm("rsa2048", x509.SHA256WithRSA, verify.Good),
		"RSA, SHA-384":   algorithm("rsa2048", x509.SHA384WithRSA, verify.Good),
		"RSA, SHA-512":   algorithm("rsa2048", x509.SHA512WithRSA, verify.Good),
		"RSA-PSS":        algorithm("rsa2048", x509.SHA256WithRSAPSS, verify.Good),
		"RSA, SHA-1":     algorithm("rsa2048", x509.SHA1WithRSA, "SHA-1 or MD5"),
		"RSA, MD5":       algorithm("rsa2048", x509.MD5WithRSA, "SHA-1 or MD5"),
		"RSA 1024":       algorithm("rsa1024", x509.SHA256WithRSA, "key: RSA of 1024 bits"),
		"P-384, SHA-384": algorithm("p384", x509.ECDSAWithSHA384, verify.Good),
		"P-521, SHA-512": algorithm("p521", x509.ECDSAWithSHA512, verify.Good),
		"P-256, SHA-1":   algorithm("p256", x509.ECDSAWithSHA1, "SHA-1 or MD5"),
		"P-224":          algorithm("p224", x509.ECDSAWithSHA256, "key: of a kind that is not accepted"),
		"Ed25519":        algorithm("ed25519", 0, verify.Good),
	}
}

// grown appends a NULL inside the element at path, which counts children from
// the outermost element on.
func grown(der []byte, path ...int) []byte {
	children := testmail.Children(der)
	if len(path) == 0 {
		children = append(children, []byte{5, 0})
	} else {
		children[path[0]] = grown(children[path[0]], path[1:]...)
	}
	return testmail.Element(der[0], bytes.Join(children, nil))
}

// TestNothingTrails: no level of a response may have more than it should, in
// what is signed and around it.
func TestNothingTrails(t *testing.T) {
	w := newOCSPWorld()
	embedding := func(o *testmail.OCSPResponse) { o.Embedded = [][]byte{w.ca.DER} }
	whole := w.answered(w.ca, embedding)
	var all [][]byte
	for _, path := range [][]int{{}, {1}, {1, 0}, {1, 0, 1}, {1, 0, 1, 0}, {1, 0, 1, 0, 3}, {1, 0, 1, 0, 3, 0}} {
		all = append(all, grown(whole, path...))
	}
	for _, path := range [][]int{{}, {0}, {2}, {2, 0}, {2, 0, 0}, {2, 0, 1}, {2, 0, 3}} {
		all = append(all, w.answered(w.ca, func(o *testmail.OCSPResponse) {
			o.Edit = func(data []byte) []byte { return grown(data, path...) }
		}))
	}
	for i, der := range all {
		if r, err := readResponse(der, w.leaf.Cert, w.ca.Cert, testmail.Instant()); err == nil {
			t.Errorf("%d: %+v", i, r)
		}
	}
}
