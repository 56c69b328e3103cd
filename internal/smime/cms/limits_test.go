package cms_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/smime/cms"
	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
)

func ecKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issuerAndSerialOf cuts the identifier out of the SignerInfo of a fixture.
func issuerAndSerialOf(t testing.TB, name string) []byte {
	t.Helper()
	s, err := cms.Parse(fixtureNamed(t, name).blob, cms.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	raw := s.Certificates[0].Raw
	at := bytes.Index(raw, []byte{0xa0, 3, 2, 1, 2}) + 5 // behind the version
	serial := raw[at : at+2+int(raw[at+1])]
	at += len(serial)
	at += 2 + int(raw[at+1]) // signature algorithm
	issuer := raw[at : at+2+int(raw[at+1])]
	return append(append([]byte{}, issuer...), serial...)
}

func TestLimits(t *testing.T) {
	blob := fixtureNamed(t, "openssl-chain").blob
	tests := map[string]struct {
		change func(*cms.Limits)
		holds  bool
		detail string
	}{
		"as it is":              {func(*cms.Limits) {}, true, ""},
		"bytes":                 {func(l *cms.Limits) { l.MetaBytes = len(blob) - 1 }, false, "take more than"},
		"just the bytes":        {func(l *cms.Limits) { l.MetaBytes = len(blob) }, true, ""},
		"certificates":          {func(l *cms.Limits) { l.Certificates = 2 }, false, "more than 2 certificates"},
		"just the certificates": {func(l *cms.Limits) { l.Certificates = 3 }, true, ""},
		"depth":                 {func(l *cms.Limits) { l.Depth = 6 }, false, "deeper than 6"},
	}
	for name, test := range tests {
		lim := cms.DefaultLimits()
		test.change(&lim)
		_, err := cms.Parse(blob, lim)
		if test.holds != (err == nil) || err != nil && !strings.Contains(err.Error(), test.detail) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The content of an opaque blob is bounded by the message, not by MetaBytes.
func TestContentDoesNotCount(t *testing.T) {
	lim := cms.DefaultLimits()
	lim.MetaBytes = 2000
	large := bytes.Repeat([]byte("content "), 1000)
	for _, econtent := range [][]byte{nil, cmstest.Chunks(large, 100), cmstest.Chunks(large, 1)} {
		g := cmstest.Signer{Key: ecKey(t), Certificate: parsed(t, "built-plain").Certificates[0].X509}
		blob, err := cmstest.Blob{Content: large, Opaque: true, EContent: econtent, Signers: []cmstest.Signer{g}}.Build()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cms.Parse(blob, lim); err != nil {
			t.Errorf("%d bytes: %v", len(blob), err)
		}
	}
}

func TestOversizeCertificateIsUnreadable(t *testing.T) {
	s := parsed(t, "key-certificate-over-64k")
	if c := s.Certificates[0]; c.X509 != nil || c.Err == nil || !strings.Contains(c.Err.Error(), "larger than 65536") {
		t.Errorf("%v", c.Err)
	}
}

// Depth counts the elements that one is inside of: 24 are read, 25 are not.
func TestDepth(t *testing.T) {
	depth := func(n int) error {
		b, err := cmstest.Blob{Opaque: true, EContent: cmstest.NestedChunks([]byte("x"), 1, n),
			Certificates: [][]byte{cmstest.Sequence()}}.Build()
		if err != nil {
			t.Fatal(err)
		}
		_, err = cms.Parse(b, cms.DefaultLimits())
		return err
	}
	// ContentInfo, its field, SignedData, the content, its field, the octets: 6.
	if err := depth(24 - 6); reason(err) != "smime-certificate" {
		t.Errorf("24 deep: %v", err)
	}
	if err := depth(25 - 6); reason(err) != "cms-malformed" || !strings.Contains(err.Error(), "deeper than 24") {
		t.Errorf("25 deep: %v", err)
	}
}

func TestOperationsAreCounted(t *testing.T) {
	detached := content(t)
	tests := []struct {
		name  string
		left  int
		after int
		want  string
	}{
		{"built-plain", 64, 63, ""},
		{"built-plain", 1, 0, ""},
		{"built-plain", 0, 0, "cms-malformed"},
		{"attr-unsorted-as-received", 8, 7, ""},
		{"attr-unsorted-signed-sorted", 8, 6, ""},
		{"attr-unsorted-signed-sorted", 1, 0, "cms-malformed"},
		{"bag-three-forged-first", 8, 4, ""},
		{"bag-four-forged-first", 8, 4, "cms-integrity"},
		{"bag-repeated", 8, 7, ""},
		{"attr-digest-of-other-content", 8, 8, "cms-integrity"},
		{"ess-v2-other", 8, 8, "cms-malformed"},
		{"key-exponent-1", 8, 8, "cert-key"},
		{"key-exponent-even", 8, 8, "cert-key"},
		{"key-8201-bits", 8, 8, "cert-key"},
		{"openssl-rsa768", 8, 8, "cert-weak"},
		{"alg-rsa-by-ec-key", 8, 8, "cms-algorithm"},
	}
	for _, test := range tests {
		s := parsed(t, test.name)
		ops := &cms.Operations{Left: test.left}
		got := ""
		if _, err := s.Verify(0, digests(s, detached)[s.Signers[0].Hash], ops); err != nil {
			got = reason(err)
		}
		if got != test.want || ops.Left != test.after {
			t.Errorf("%s with %d operations: %q and %d left, want %q and %d", test.name, test.left, got, ops.Left, test.want, test.after)
		}
	}
}

// Whatever the caller does wrong, nothing is verified.
func TestMisuseFailsClosed(t *testing.T) {
	s := parsed(t, "built-plain")
	digest := digests(s, content(t))[crypto.SHA256]
	for name, verify := range map[string]func() error{
		"no budget":    func() error { _, err := s.Verify(0, digest, nil); return err },
		"negative":     func() error { _, err := s.Verify(0, digest, &cms.Operations{Left: -1}); return err },
		"signer -1":    func() error { _, err := s.Verify(-1, digest, &cms.Operations{Left: 1}); return err },
		"signer 1":     func() error { _, err := s.Verify(1, digest, &cms.Operations{Left: 1}); return err },
		"no digest":    func() error { _, err := s.Verify(0, nil, &cms.Operations{Left: 1}); return err },
		"short digest": func() error { _, err := s.Verify(0, digest[:31], &cms.Operations{Left: 1}); return err },
		"unknown digest": func() error {
			s := parsed(t, "openssl-rsa2048-sha1")
			_, err := s.Verify(0, nil, &cms.Operations{Left: 1})
			return err
		},
		"zero value": func() error {
			_, err := (&cms.SignedData{Signers: make([]cms.Signer, 1)}).Verify(0, nil, &cms.Operations{Left: 1})
			return err
		},
	} {
		if err := verify(); err == nil {
			t.Errorf("%s: verified", name)
		} else if strings.HasPrefix(reason(err), "no") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
