package cms_test

import (
	"crypto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/smime/cms"
	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
)

func parsed(t *testing.T, name string) *cms.SignedData {
	t.Helper()
	s, err := cms.Parse(fixtureNamed(t, name).blob, cms.DefaultLimits())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

func TestSigningTime(t *testing.T) {
	for name, want := range map[string]string{
		"built-plain":       "2026-03-02T12:00:00Z",
		"built-time-1999":   "1999-02-03T04:05:06Z",
		"built-time-2051":   "2051-02-03T04:05:06Z",
		"attr-time-general": "2026-03-02T12:00:00Z",
		"attr-minimal":      "",
		"nss-p256-sha512":   "",
	} {
		got := ""
		if at := parsed(t, name).Signers[0].SigningTime; at != nil {
			got = at.Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%s: signed at %q, want %q", name, got, want)
		}
	}
}

func TestCapabilities(t *testing.T) {
	for name, want := range map[string]string{
		"attr-capabilities":               "aes256-cbc aes128-cbc 1.2.3.4",
		"attr-capabilities-garbage":       "",
		"attr-minimal":                    "",
		"openssl-nosmimecap":              "",
		"openssl-rsa2048-sha256-detached": "aes256-cbc",
		"nss-rsa2048-detached":            "aes",
		"gpgsm-rsa2048-detached":          "aes",
	} {
		got := strings.Join(parsed(t, name).Signers[0].Capabilities, " ")
		if got != want && (want == "" || !strings.Contains(got, want)) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestPreference(t *testing.T) {
	for name, want := range map[string]string{
		"pref-issuer-serial":            "encrypt",
		"pref-microsoft":                "encrypt",
		"pref-both":                     "encrypt", // the Microsoft one names the signer
		"pref-key":                      "encrypt",
		"pref-recipient":                "encrypt",
		"pref-absent-certificate":       "nobody",
		"pref-garbage":                  "nobody",
		"pref-garbage-beside-microsoft": "nobody",
		"nss-rsa2048-preference":        "encrypt",
		"nss-p256-preference":           "encrypt",
		"built-plain":                   "absent",
	} {
		s := parsed(t, name)
		p, got := s.Signers[0].Preference, "absent"
		if p != nil {
			got = "nobody"
		}
		if c := s.Named(p); c != nil {
			got = c.Subject.CommonName
		}
		if got != want {
			t.Errorf("%s names %s, want %s", name, got, want)
		}
		if all := s.NamedAll(p); len(all) > 1 || len(all) == 0 && want == "encrypt" {
			t.Errorf("%s names %d certificates", name, len(all))
		}
	}
}

// A named certificate that cannot be read is told from one that is absent.
func TestPreferenceForUnreadable(t *testing.T) {
	key := parsed(t, "built-plain").Certificates[0].X509
	strange := parsed(t, "openssl-brainpool").Certificates[0]
	if strange.X509 != nil || strange.Err == nil {
		t.Fatal("crypto/x509 reads brainpool certificates")
	}
	id := parsed(t, "openssl-brainpool").NamedAll(nil)
	if id != nil {
		t.Errorf("no preference names %d certificates", len(id))
	}
	g := cmstest.Signer{Key: ecKey(t), Certificate: key, Extra: [][]byte{cmstest.Attribute("1.2.840.113549.1.9.16.2.11",
		cmstest.Context(0, issuerAndSerialOf(t, "openssl-brainpool")))}}
	blob, err := cmstest.Blob{Signers: []cmstest.Signer{g}, Extra: [][]byte{strange.Raw}}.Build()
	if err != nil {
		t.Fatal(err)
	}
	s, err := cms.Parse(blob, cms.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	p := s.Signers[0].Preference
	if all := s.NamedAll(p); len(all) != 1 || all[0].Err == nil || s.Named(p) != nil {
		t.Errorf("%d certificates named, readable: %v", len(all), s.Named(p) != nil)
	}
}

func TestTwins(t *testing.T) {
	detached := content(t)
	for name, want := range map[string]int{
		"built-plain": 0, "bag-forged-first": 0, "bag-repeated": 0,
		"bag-forged-same-key": 1, "bag-forged-same-key-bound": 0,
	} {
		s := parsed(t, name)
		v, err := s.Verify(0, digests(s, detached)[s.Signers[0].Hash], &cms.Operations{Left: 8})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if len(v.Twins) != want {
			t.Errorf("%s: %d twins, want %d", name, len(v.Twins), want)
		}
	}
}

func TestHashesOnceEach(t *testing.T) {
	s := parsed(t, "built-four-signers")
	if h := s.Hashes(); !slices.Equal(h, []crypto.Hash{crypto.SHA256, crypto.SHA512}) && !slices.Equal(h, []crypto.Hash{crypto.SHA512, crypto.SHA256}) {
		t.Errorf("digests %v", h)
	}
	if h := parsed(t, "openssl-rsa2048-sha1").Hashes(); len(h) != 0 {
		t.Errorf("digests %v for SHA-1", h)
	}
}
