package cms_test

import (
	"bytes"
	"testing"

	"github.com/certinbox/certinbox/internal/smime/cms"
)

// TestWithoutContent: what is left of a blob that we accept holds no content,
// is accepted over the same content, and refused over another.
func TestWithoutContent(t *testing.T) {
	opaque := 0
	for _, f := range fixtures(t) {
		if !f.good() {
			continue
		}
		s, err := cms.Parse(f.blob, cms.DefaultLimits())
		if err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		signed := content(t)
		if !s.Detached {
			signed = bytes.Join(s.Content, nil)
			opaque++
		}
		bare, err := s.WithoutContent()
		if err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		if len(signed) > 8 && bytes.Contains(bare, signed) {
			t.Errorf("%s: the content is still there", f.name)
		}
		d, err := cms.Parse(bare, cms.DefaultLimits())
		if err != nil || !d.Detached || len(d.Signers) != len(s.Signers) || len(d.Certificates) != len(s.Certificates) {
			t.Errorf("%s: read again: %v, %+v", f.name, err, d)
			continue
		}
		if _, why := judge(bare, signed); why != f.want {
			t.Errorf("%s: without its content it is %s, want %s", f.name, why, f.want)
		}
		if _, why := judge(bare, append([]byte("x"), signed...)); why != "cms-integrity" {
			t.Errorf("%s: over another content it is %s", f.name, why)
		}
	}
	if opaque < 10 {
		t.Errorf("only %d opaque fixtures", opaque)
	}
}
