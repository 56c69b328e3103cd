package verify_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/certinbox/certinbox/internal/smime"
	"github.com/certinbox/certinbox/internal/smime/cms"
	"github.com/certinbox/certinbox/internal/testmail/cases"
	"github.com/certinbox/certinbox/verify"
)

// TestEvidenceKeepsNoContent: of no accepted message, opaque ones included, does
// the evidence hold what was signed; yet openssl verifies it over that.
func TestEvidenceKeepsNoContent(t *testing.T) {
	all, err := cases.All()
	if err != nil {
		t.Fatal(err)
	}
	opaque := 0
	for _, c := range all {
		if c.Verdict != verify.Accept {
			continue
		}
		v, err := c.Verifier()
		if err != nil {
			t.Fatal(err)
		}
		evidence := c.Report(t.Context(), v).Evidence.CMS
		if bytes.Contains(evidence, []byte("Please keep my certificate")) {
			t.Errorf("%s: the evidence holds what was written", c.Name)
		}
		if kept, err := cms.Parse(evidence, cms.DefaultLimits()); err != nil || !kept.Detached {
			t.Errorf("%s: the evidence is no detached signature: %v", c.Name, err)
			continue
		}
		if content, ok := opaqueContent(c.Message); ok {
			opaque++
			opensslVerifies(t, c.Name, evidence, content)
		}
	}
	if opaque < 5 {
		t.Errorf("only %d opaque cases are accepted", opaque)
	}
}

// opaqueContent returns what an opaque message holds inside its blob.
func opaqueContent(message []byte) ([]byte, bool) {
	header, body, err := smime.ScanHeader(message, smime.DefaultHeaderLimits())
	if err != nil {
		return nil, false
	}
	entity := smime.Open(header, body, smime.DefaultLimits())
	signed, err := cms.Parse(entity.CMS, cms.DefaultLimits())
	if err != nil || signed.Detached {
		return nil, false
	}
	return bytes.Join(signed.Content, nil), true
}

func opensslVerifies(t *testing.T, name string, blob, content []byte) {
	t.Helper()
	dir := t.TempDir()
	for file, b := range map[string][]byte{"cms.der": blob, "content": content} {
		if err := os.WriteFile(filepath.Join(dir, file), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("openssl", "cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-in", filepath.Join(dir, "cms.der"),
		"-content", filepath.Join(dir, "content"), "-out", os.DevNull).CombinedOutput()
	if err != nil {
		t.Errorf("%s: openssl: %v\n%s", name, err, out)
	}
}
