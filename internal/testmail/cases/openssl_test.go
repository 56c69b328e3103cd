package cases

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/verify"
)

// opensslRefuses lists the accepted cases that OpenSSL refuses, each with why
// we accept it all the same.
func opensslRefuses() map[string]string {
	return map[string]string{
		"chain-expires-now":              "notAfter is the last second that is valid (RFC 5280 section 4.1.2.5)",
		"honest-boundary-look-alikes":    "its MIME reader takes any line that begins like a delimiter for one",
		"honest-forged-twin-first":       "it tries only the first certificate of an issuer and serial number",
		"honest-many-certificates":       "one unreadable certificate in the bag spoils the blob for it",
		"honest-no-closing-delimiter":    "its MIME reader wants the closing delimiter",
		"honest-opaque-octet-stream":     "it goes by the media type, not by the file name",
		"honest-opaque-quoted-printable": "it knows no transfer encoding but base64",
		"honest-unreadable-in-bag":       "one unreadable certificate in the bag spoils the blob for it",
		"usage-any-allowed":              "an operator's anchor may allow what its purpose forbids",
		"usage-preference-ed25519":       "OpenSSL 3.0 does not verify Ed25519 in CMS",
	}
}

// TestHonestCasesHoldForOpenSSL asks a second opinion about the signature and
// chain of every accepted case, so that our builder and our reader cannot share
// a misunderstanding. A disagreement that is not listed fails, and so does one
// that is listed and no longer there.
func TestHonestCasesHoldForOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatal("openssl is needed as an oracle; install the package openssl")
	}
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	version, err := exec.Command(openssl, "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	old := strings.HasPrefix(string(version), "OpenSSL 3.0.")
	listed := opensslRefuses()
	for _, c := range all {
		if c.Verdict != verify.Accept {
			continue
		}
		dir := t.TempDir()
		mail, anchors := filepath.Join(dir, "mail"), filepath.Join(dir, "anchors")
		for file, data := range map[string][]byte{mail: c.Message, anchors: c.Anchors} {
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.Command(openssl, "cms", "-verify", "-in", mail, "-CAfile", anchors, "-purpose", "smimesign",
			"-attime", strconv.FormatInt(c.At.Unix(), 10), "-out", os.DevNull).CombinedOutput()
		switch why := listed[c.Name]; {
		case err != nil && why == "":
			t.Errorf("%s: OpenSSL refuses what we accept: %v\n%s", c.Name, err, out)
		case err == nil && why != "" && (old || !strings.Contains(why, "OpenSSL 3.0")):
			t.Errorf("%s: OpenSSL accepts it now; take it off the list", c.Name)
		}
	}
}
