package store

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"
)

// noon is the day of these tests; nothing depends on the clock.
func noon() time.Time { return time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC) }

// A maker issues certificates for tests.
type maker struct {
	serial int64
	keys   map[string]*ecdsa.PrivateKey
}

func newMaker() *maker { return &maker{keys: map[string]*ecdsa.PrivateKey{}} }

func (m *maker) key(tb testing.TB, name string) *ecdsa.PrivateKey {
	if m.keys[name] == nil {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			tb.Fatal(err)
		}
		m.keys[name] = k
	}
	return m.keys[name]
}

// issue makes a certificate of the named key, by an issuer of the named
// organisation.
func (m *maker) issue(tb testing.TB, key, organisation string, notBefore, notAfter time.Time) []byte {
	tb.Helper()
	ca := m.key(tb, "ca "+organisation)
	m.serial++
	parent := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA", Organization: []string{organisation}}}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(m.serial + 1000), Subject: pkix.Name{CommonName: key},
		NotBefore: notBefore, NotAfter: notAfter, EmailAddresses: []string{"alice@example.com"},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, parent, m.key(tb, key).Public(), ca)
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

// year issues one that is good for a year around noon.
func (m *maker) year(tb testing.TB, key, organisation string) []byte {
	return m.issue(tb, key, organisation, noon().AddDate(0, -6, 0), noon().AddDate(0, 6, 0))
}

// mail makes an acceptance; the reference names the message.
func mail(address string, certificate []byte, at time.Time, reference string) Entry {
	return Entry{
		Address: address, Spelling: strings.ToUpper(address[:1]) + address[1:],
		Certificate: certificate, Chain: [][]byte{certificate},
		AnchorSource: "anchors/test.pem", At: at, SignedAt: at.Add(-time.Minute),
		Identity: sha256.Sum256([]byte(reference)), Bound: "domain", Chosen: "signer",
		Capabilities: []string{"aes256-GCM"}, Via: "milter", Reference: reference,
		Evidence: []Document{{Name: "signed-header", Bytes: []byte("From: " + address + "\r\n")}, {Name: CMSDocument, Bytes: []byte("cms of " + reference)}},
		Report:   fmt.Appendf(nil, `{"author":%q,"ref":%q}`, address, reference),
	}
}

func describe(tb testing.TB, der []byte) Facts {
	tb.Helper()
	f, err := Describe(der)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// tempDir is t.TempDir in memory where there is such a thing: the tests sync
// thousands of files, and a killed process loses nothing that memory holds.
func tempDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "certinbox-store-")
	if err != nil {
		return tb.TempDir()
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o700); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func openTest(tb testing.TB, dir string, o Options) *Directory {
	tb.Helper()
	if o.Now == nil {
		o.Now = noon
	}
	d, err := Open(dir, o)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func put(tb testing.TB, d *Directory, e Entry) Change {
	tb.Helper()
	c, err := d.Put(tb.Context(), e)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}
