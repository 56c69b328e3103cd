package cms_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"testing"

	"github.com/certinbox/certinbox/internal/smime/cms"
)

// BenchmarkVerify is the whole work on a detached blob, without the hash of the
// content; BenchmarkBare is what of it is certificates and RSA.
func BenchmarkVerify(b *testing.B) {
	blob := fixtureNamed(b, "openssl-chain").blob
	s, err := cms.Parse(blob, cms.DefaultLimits())
	if err != nil {
		b.Fatal(err)
	}
	digest := digests(s, content(b))[crypto.SHA256]
	b.ReportAllocs()
	for b.Loop() {
		s, err := cms.Parse(blob, cms.DefaultLimits())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Verify(0, digest, &cms.Operations{Left: 1}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBare(b *testing.B) {
	s, err := cms.Parse(fixtureNamed(b, "openssl-chain").blob, cms.DefaultLimits())
	if err != nil {
		b.Fatal(err)
	}
	digest := digests(s, content(b))[crypto.SHA256]
	for b.Loop() {
		var key *rsa.PublicKey
		for _, c := range s.Certificates {
			parsed, err := x509.ParseCertificate(c.Raw)
			if err != nil {
				b.Fatal(err)
			}
			if k, ok := parsed.PublicKey.(*rsa.PublicKey); ok {
				key = k
			}
		}
		if rsa.VerifyPKCS1v15(key, crypto.SHA256, digest, s.Signers[0].Signature) == nil {
			b.Fatal("the signature is over the attributes, not over the content")
		}
	}
}
