package revoke

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
)

// TestSignatureAlgorithms: lists and responses are read by one table.
func TestSignatureAlgorithms(t *testing.T) {
	rsaID := func(last byte) []byte {
		return testmail.Element(0x06, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, last})
	}
	ecdsaID := func(last byte) []byte {
		return testmail.Element(0x06, []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, last})
	}
	edID := testmail.Element(0x06, []byte{0x2b, 0x65, 0x70})
	null := []byte{5, 0}
	join := func(a, b []byte) []byte { return append(append([]byte{}, a...), b...) }
	for title, c := range map[string]struct {
		der  []byte
		want x509.SignatureAlgorithm
		err  error
	}{
		"RSA":                     {join(rsaID(11), null), x509.SHA256WithRSA, nil},
		"RSA, nothing":            {rsaID(12), x509.SHA384WithRSA, nil},
		"RSA, something":          {join(rsaID(13), []byte{2, 1, 1}), 0, errAlgorithmUnknown},
		"RSA, SHA-224":            {join(rsaID(14), null), 0, errAlgorithmUnknown},
		"RSA, SHA-1":              {join(rsaID(5), null), 0, errAlgorithmBroken},
		"RSA, MD5":                {join(rsaID(4), null), 0, errAlgorithmBroken},
		"PSS, SHA-1 by default":   {join(rsaID(10), testmail.Sequence()), 0, errAlgorithmUnknown},
		"PSS, nothing":            {rsaID(10), 0, errAlgorithmUnknown},
		"ECDSA":                   {ecdsaID(4), x509.ECDSAWithSHA512, nil},
		"ECDSA, NULL":             {join(ecdsaID(2), null), 0, errAlgorithmUnknown},
		"ECDSA, SHA-224":          {ecdsaID(1), 0, errAlgorithmUnknown},
		"ECDSA, SHA-1":            {testmail.Element(0x06, []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1}), 0, errAlgorithmBroken},
		"Ed25519":                 {edID, x509.PureEd25519, nil},
		"Ed25519, NULL":           {join(edID, null), 0, errAlgorithmUnknown},
		"no identifier":           {null, 0, errAlgorithmGarbled},
		"an empty one":            {[]byte{6, 0}, 0, errAlgorithmGarbled},
		"nothing":                 {nil, 0, errAlgorithmGarbled},
		"an arc in a longer form": {[]byte{6, 4, 0x2b, 0x80, 0x65, 0x70}, 0, errAlgorithmGarbled},
	} {
		t.Run(title, func(t *testing.T) {
			a, err := readSignatureAlgorithm(c.der)
			if a.name != c.want || !errors.Is(err, c.err) {
				t.Errorf("%v, %v", a, err)
			}
		})
	}
	for _, a := range signatureAlgorithms() {
		fitting := 0
		for _, key := range []any{&rsa.PublicKey{}, &ecdsa.PublicKey{}, ed25519.PublicKey{}, nil} {
			if a.fits(key) {
				fitting++
			}
		}
		if fitting != 1 || !acceptedAlgorithm(a.name) {
			t.Errorf("%v fits %d kinds of keys", a.name, fitting)
		}
	}
	for _, a := range []x509.SignatureAlgorithm{0, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.MD5WithRSA, x509.DSAWithSHA256} {
		if acceptedAlgorithm(a) {
			t.Errorf("%v is accepted", a)
		}
	}
}
