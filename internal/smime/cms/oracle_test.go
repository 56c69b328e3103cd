package cms_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/certinbox/certinbox/internal/smime/cms"
	"go.mozilla.org/pkcs7"
)

// The reasons for disagreeing with OpenSSL are those of this version; with
// another one, a listed disagreement may be gone. One that a later version brought
// begins with the other words.
const (
	opensslOfTable = "OpenSSL 3.0."
	opensslLater   = "later than 3.0: "
)

func TestOpenSSLAgrees(t *testing.T) {
	version, err := exec.Command("openssl", "version").Output()
	if err != nil {
		t.Fatalf("this test needs the openssl command: %v", err)
	}
	sameVersion := strings.HasPrefix(string(version), opensslOfTable)
	var wait sync.WaitGroup
	free := make(chan struct{}, 2)
	for _, f := range fixtures(t) {
		wait.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			accepts := opensslAccepts(f)
			compare(t, "openssl", f, accepts, f.openssl, sameVersion && !strings.HasPrefix(f.openssl, opensslLater))
		})
	}
	wait.Wait()
}

// opensslAccepts gives the content only to what has none inside, since the tool
// would take it in place of what is inside.
func opensslAccepts(f fixture) bool {
	args := []string{"cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-out", os.DevNull,
		"-in", filepath.Join("testdata", f.name+".cms")}
	s, err := cms.Parse(f.blob, cms.DefaultLimits())
	if err != nil || !s.Detached {
		said, err := exec.Command("openssl", args...).CombinedOutput()
		if err == nil || s != nil || !strings.Contains(string(said), "no content") {
			return err == nil
		}
	}
	return exec.Command("openssl", append(args, "-content", "testdata/content")...).Run() == nil
}

func TestPKCS7Agrees(t *testing.T) {
	detached := content(t)
	for _, f := range fixtures(t) {
		if f.hidden {
			continue
		}
		p, err := pkcs7.Parse(f.blob)
		if err == nil {
			if p.Content == nil {
				p.Content = detached
			}
			err = p.Verify()
		}
		compare(t, "pkcs7", f, err == nil, f.pkcs7, true)
	}
}

// compare fails on a disagreement that is not in the table, and on one in the
// table that is no more.
func compare(t *testing.T, oracle string, f fixture, accepts bool, why string, vanishes bool) {
	t.Helper()
	switch {
	case accepts != f.good() && why == "":
		t.Errorf("%s: %s accepts: %v, we say %s; testdata/table gives no reason", f.name, oracle, accepts, f.want)
	case accepts == f.good() && why != "" && vanishes:
		t.Errorf("%s: %s does not disagree any more (%s)", f.name, oracle, why)
	}
}
