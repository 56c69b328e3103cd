package cms_test

import (
	"crypto"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/smime/cms"
)

// guard is far above what any input of the fuzzer's size takes.
const guard = 10 * time.Second

func seed(f *testing.F) {
	for _, x := range fixtures(f) {
		if len(x.blob) < 3000 {
			f.Add(x.blob)
		}
	}
	f.Add([]byte{0x1f, 0x80})
	f.Add([]byte{0x30, 0x81})
}

// FuzzParse: any bytes are read within linear work, and a refusal has a reason.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, blob []byte) {
		start := time.Now()
		steps, err := cms.Count(blob)
		if took := time.Since(start); took > guard {
			t.Errorf("%v for %d bytes", took, len(blob))
		}
		if steps > len(blob) {
			t.Errorf("%d steps for %d bytes", steps, len(blob))
		}
		if err != nil {
			known(t, err)
			return
		}
		s, err := cms.Parse(blob, cms.DefaultLimits())
		if err != nil || len(s.Signers) == 0 || len(s.Signers) > 4 || len(s.Certificates) > 32 {
			t.Errorf("%v, a blob within no limits", err)
		}
		size := 0
		for _, piece := range s.Content {
			size += len(piece)
		}
		if size > len(blob) || s.Detached && size > 0 {
			t.Errorf("content of %d octets in %d bytes", size, len(blob))
		}
	})
}

// FuzzVerify: whatever is changed in a blob, only a signature over the content
// by a key of the bag is verified, within the budget.
func FuzzVerify(f *testing.F) {
	seed(f)
	detached := content(f)
	f.Fuzz(func(t *testing.T, blob []byte) {
		start := time.Now()
		s, err := cms.Parse(blob, cms.DefaultLimits())
		if err != nil {
			return
		}
		sums, ops := digests(s, detached), &cms.Operations{Left: 16}
		for i, g := range s.Signers {
			v, err := s.Verify(i, sums[g.Hash], ops)
			if err != nil {
				known(t, err)
			} else if v.Certificate == nil || v.DigestAlgorithm == "" || v.SignatureAlgorithm == "" {
				t.Errorf("verified without a certificate: %+v", v)
			}
			if _, err := s.Verify(i, make([]byte, 32), &cms.Operations{Left: 16}); err == nil && g.Hash != crypto.Hash(0) {
				t.Error("a digest of zeros holds")
			}
			s.Named(g.Preference)
		}
		if ops.Left < 0 {
			t.Errorf("%d operations left", ops.Left)
		}
		if took := time.Since(start); took > guard {
			t.Errorf("%v for %d bytes", took, len(blob))
		}
	})
}

func known(t *testing.T, err error) {
	t.Helper()
	switch reason(err) {
	case "cms-malformed", "cms-algorithm", "cms-integrity", "cms-no-certificate",
		"cert-key", "cert-weak", "smime-encrypted", "smime-certificate":
	default:
		t.Errorf("refused for an unknown reason: %v", err)
	}
}
