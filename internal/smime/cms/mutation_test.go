package cms_test

import (
	"crypto/x509"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/smime/cms"
)

// mutate changes a blob as somebody would who knows BER.
func mutate(random *rand.Rand, blob, other []byte) []byte {
	b := slices.Clone(blob)
	at := random.IntN(len(b))
	n := min(1+random.IntN(40), len(b)-at)
	switch random.IntN(8) {
	case 0:
		b[at] ^= 1 << random.IntN(8)
	case 1:
		b[at] = byte(random.Uint32())
	case 2:
		return slices.Delete(b, at, at+n)
	case 3:
		return slices.Insert(b, at, b[at:at+n]...)
	case 4: // an element becomes indefinite
		if at+1 < len(b) {
			b[at+1] = 0x80
		}
		return slices.Insert(b, min(at+n, len(b)), 0, 0)
	case 5: // an element is wrapped
		return slices.Insert(slices.Insert(b, at+n, 0, 0), at, 0x24|b[at]&0xe0, 0x80)
	case 6:
		from := random.IntN(len(other))
		copy(b[at:], other[from:min(from+n, len(other))])
	default:
		return b[:at]
	}
	return b
}

// Two million random changes were made once; this is a sample. Whatever is still
// verified is verified by the key, and with the signing time, of before.
func TestMutations(t *testing.T) {
	random := rand.New(rand.NewPCG(20260302, 1))
	detached := content(t)
	var good []fixture
	for _, f := range fixtures(t) {
		if f.good() && len(f.blob) < 4000 {
			good = append(good, f)
		}
	}
	keys, times := signedBefore(t, good)
	verified := 0
	for range 8000 {
		f := good[random.IntN(len(good))]
		blob := f.blob
		for range 1 + random.IntN(3) {
			if len(blob) > 0 {
				blob = mutate(random, blob, good[random.IntN(len(good))].blob)
			}
		}
		steps, err := cms.Count(blob)
		if steps > len(blob) {
			t.Errorf("%d steps for %d bytes: % x", steps, len(blob), blob)
		}
		if err != nil {
			continue
		}
		s, said := judge(blob, detached)
		if said != f.want {
			continue
		}
		for i := range s.Signers {
			v, err := s.Verify(i, digests(s, detached)[s.Signers[i].Hash], &cms.Operations{Left: 8})
			if err != nil {
				t.Fatal(err)
			}
			verified++
			if !keys[publicKey(t, v.Certificate)] || !times[at(s.Signers[i])] {
				t.Errorf("%s is verified with another key or time: % x", f.name, blob)
			}
		}
	}
	if verified == 0 {
		t.Error("no change left a signature whole: nothing was tested")
	}
}

// publicKey is the key itself: a damaged certificate may still hold it.
func publicKey(t *testing.T, c *x509.Certificate) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(c.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(der)
}

func at(g cms.Signer) string {
	if g.SigningTime == nil {
		return ""
	}
	return g.SigningTime.Format(time.RFC3339)
}

func signedBefore(t *testing.T, list []fixture) (keys, times map[string]bool) {
	t.Helper()
	keys, times = map[string]bool{}, map[string]bool{}
	for _, f := range list {
		s, err := cms.Parse(f.blob, cms.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range s.Certificates {
			if c.X509 != nil && c.X509.PublicKey != nil && !strings.Contains(f.name, "forged") {
				keys[publicKey(t, c.X509)] = true
			}
		}
		for _, g := range s.Signers {
			times[at(g)] = true
		}
	}
	return keys, times
}
