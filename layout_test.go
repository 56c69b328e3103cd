// Package certinbox_test holds the rules of the house that no single room can
// hold: which way the arrows point, and which library lives in which room.
package certinbox_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const module = "github.com/certinbox/certinbox/"

type listed struct {
	ImportPath string
	Imports    []string
	Dir        string
	GoFiles    []string
	Doc        string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Dir,GoFiles,Doc", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// mayImport says which of our own packages a room may know. A room that is not
// listed may know any.
var mayImport = map[string][]string{
	"verify":             {"verify/trust", "internal/smime", "internal/smime/cms"},
	"verify/trust":       {"internal/smime", "internal/smime/cms"},
	"verify/revoke":      {"verify", "verify/trust"},
	"internal/smime":     {},
	"internal/smime/cms": {},
	"internal/dns":       {},
	"internal/admin":     {},
	"store":              {"internal/smime"},
	"milter":             {"internal/collect", "verify"},
	"milter/miltertest":  {},
	"webhook":            {"internal/collect", "verify"},
	"internal/collect":   {"verify", "verify/trust", "store", "internal/smime"},
	"internal/config":    {"verify", "verify/trust", "verify/revoke", "store", "internal/smime", "internal/smime/cms", "internal/collect"},
}

// rooms says where a library may be imported, and who may speak HTTP;
// internal/testmail may import any.
var rooms = map[string][]string{
	"github.com/d--j/go-milter":       {"milter"},
	"github.com/emersion/go-msgauth":  {}, // tests ask it for a second opinion
	"golang.org/x/net/publicsuffix":   {"verify"},
	"github.com/emersion/go-message":  {"internal/smime"},
	"go.mozilla.org/pkcs7":            {"internal/smime"},
	"github.com/miekg/dns":            {"internal/dns"},
	"go.yaml.in/yaml":                 {"internal/config"},
	"github.com/prometheus/":          {"internal/admin"},
	"net/http":                        {"verify/revoke", "internal/admin", "cmd/certinbox", "webhook"},
	"github.com/spf13/cobra":          {"cmd/certinbox"},
	"github.com/coreos/go-systemd":    {"cmd/certinbox"},
	"github.com/rogpeppe/go-internal": {"testdata"},
}

func TestArrowsPointAtVerify(t *testing.T) {
	for _, p := range packages(t) {
		room := strings.TrimPrefix(p.ImportPath, module)
		allowed, listed := mayImport[room]
		for _, imp := range p.Imports {
			if own, ok := strings.CutPrefix(imp, module); ok && listed && !contains(allowed, own) {
				t.Errorf("%s imports %s; it may know only %v", room, own, allowed)
			}
			if room == "verify" && (imp == "net/http" || imp == "os" || imp == "log") {
				t.Errorf("verify imports %s: it judges, it does not reach out", imp)
			}
			if imp == "unsafe" || imp == "C" {
				t.Errorf("%s imports %s", room, imp)
			}
		}
	}
}

func TestOneLibraryOneRoom(t *testing.T) {
	for _, p := range packages(t) {
		room := strings.TrimPrefix(p.ImportPath, module)
		if room == "internal/testmail" || strings.HasPrefix(room, "internal/testmail/") {
			continue
		}
		for _, imp := range p.Imports {
			for library, where := range rooms {
				if strings.HasPrefix(imp, library) && !contains(where, room) {
					t.Errorf("%s imports %s, which lives in %v", room, imp, where)
				}
			}
		}
	}
}

// TestNoInitNoClock: what the program does must be visible where it is called.
func TestNoInitNoClock(t *testing.T) {
	initFunc := regexp.MustCompile(`(?m)^func init\(\)`)
	clock := regexp.MustCompile(`\btime\.(Now|Since|Until)\(`)
	for _, p := range packages(t) {
		files, err := filepath.Glob(filepath.Join(p.Dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if initFunc.Match(b) {
				t.Errorf("%s has an init function", name)
			}
			if strings.HasPrefix(p.ImportPath, module+"verify") && clock.Match(b) {
				t.Errorf("%s reads a clock; the caller's clock is the only one", name)
			}
		}
	}
}

// TestEveryPackageSaysWhatItIs: a newcomer reads the package comment first.
func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		if p.Doc == "" && len(p.GoFiles) > 0 { // a package of tests alone is not listed with its comment
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
