package trust_test

import (
	"crypto/x509"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// BenchmarkPath measures a path of three RSA certificates, new and found before,
// beside crypto/x509 alone and the two signatures alone. Of a new leaf, "parent" is
// what the CA part of its path costs: the most that remembering it could save.
func BenchmarkPath(b *testing.B) {
	k := testmail.NewKeys()
	root := k.Root(testmail.Profile{Name: "Root"})
	ca := root.Intermediate(testmail.Profile{Name: "CA"})
	leaf := ca.Issue(testmail.Profile{Name: "Bob", Mailboxes: []string{"bob@example.org"}})
	anchors := trust.New(anchor(root))
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			anchors.Forget()
			if _, r := anchors.Path(leaf.Cert, bagOf(ca), options()); r != nil {
				b.Fatal(r)
			}
		}
	})
	b.Run("found before", func(b *testing.B) {
		for b.Loop() {
			if _, r := anchors.Path(leaf.Cert, bagOf(ca), options()); r != nil {
				b.Fatal(r)
			}
		}
	})
	b.Run("parent", func(b *testing.B) {
		for b.Loop() {
			if ca.Cert.CheckSignatureFrom(root.Cert) != nil {
				b.Fatal("a signature fails")
			}
		}
	})
	b.Run("crypto-x509", func(b *testing.B) {
		roots, between := x509.NewCertPool(), x509.NewCertPool()
		roots.AddCert(root.Cert)
		between.AddCert(ca.Cert)
		for b.Loop() {
			if _, err := leaf.Cert.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: testmail.Instant(),
				KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("signatures", func(b *testing.B) {
		for b.Loop() {
			if leaf.Cert.CheckSignatureFrom(ca.Cert) != nil || ca.Cert.CheckSignatureFrom(root.Cert) != nil {
				b.Fatal("a signature fails")
			}
		}
	})
}
