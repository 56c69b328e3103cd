package testmail

import (
	"crypto/x509"
	"math/big"
	"testing"
)

func TestCRLIsReadByTheStandardLibrary(t *testing.T) {
	keys := NewKeys()
	for kind, algorithms := range map[string][]x509.SignatureAlgorithm{
		"rsa2048": {0, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS},
		"p256":    {0, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512},
		"ed25519": {0},
	} {
		root := keys.Root(Profile{Name: "List root " + kind, Kind: kind})
		for _, a := range algorithms {
			der := root.CRL(List{Algorithm: a, Number: big.NewInt(300), Points: []string{"http://a.example/l.crl"}, OnlyUser: true,
				Entries: []ListEntry{{Serial: big.NewInt(5), Reason: 1}, {Serial: big.NewInt(200)}}})
			l, err := x509.ParseRevocationList(der)
			if err != nil {
				t.Fatalf("%s %v: %v", kind, a, err)
			}
			if err := l.CheckSignatureFrom(root.Cert); err != nil {
				t.Errorf("%s %v: %v", kind, a, err)
			}
			if len(l.RevokedCertificateEntries) != 2 || l.RevokedCertificateEntries[0].ReasonCode != 1 || l.Number.Int64() != 300 {
				t.Errorf("%s %v: read %+v, number %v", kind, a, l.RevokedCertificateEntries, l.Number)
			}
		}
	}
}
