package trust_test

import (
	"crypto/sha256"
	"encoding/pem"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// builtinsLibrary finds NSS's roots: CERTINBOX_NSSCKBI names another library
// than the one of this system.
func builtinsLibrary(t *testing.T) string {
	t.Helper()
	if named := os.Getenv("CERTINBOX_NSSCKBI"); named != "" {
		return named
	}
	for _, pattern := range []string{"/usr/lib/*/libnssckbi.so", "/usr/lib/*/nss/libnssckbi.so", "/usr/lib64/libnssckbi.so"} {
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			return found[0]
		}
	}
	missing(t, "libnssckbi.so", "libnss3")
	return ""
}

// missing skips a test for which a package is to be installed; where all are
// meant to be there it fails.
func missing(t *testing.T, what, pkg string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not there; install %s", what, pkg)
	}
	t.Skipf("%s is not there; install %s", what, pkg)
}

func output(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return out
}

// flagged is what certutil says of one certificate: its flags for TLS and mail.
type flagged struct{ tls, mail bool }

// certutilRoots asks certutil for the flags of every certificate of a library,
// by nickname, and for the certificates.
func certutilRoots(t *testing.T, library string) (flags map[string][]flagged, certificates func(nickname string) [][]byte) {
	t.Helper()
	db := "sql:" + t.TempDir()
	output(t, "certutil", "-N", "-d", db, "--empty-password")
	output(t, "modutil", "-dbdir", db, "-add", "builtins", "-libfile", library, "-force")
	flags = map[string][]flagged{}
	for line := range strings.Lines(string(output(t, "certutil", "-L", "-d", db, "-h", "Builtin Object Token"))) {
		line = strings.TrimSpace(line)
		i := strings.LastIndex(line, " ")
		if !strings.HasPrefix(line, "Builtin Object Token:") || i < 0 {
			continue
		}
		f := strings.Split(line[i+1:], ",")
		if len(f) != 3 {
			t.Fatalf("certutil: %q", line)
		}
		name := strings.TrimSpace(line[:i])
		flags[name] = append(flags[name], flagged{strings.Contains(f[0], "C"), strings.Contains(f[1], "C")})
	}
	return flags, func(nickname string) [][]byte {
		var all [][]byte
		for rest := output(t, "certutil", "-L", "-d", db, "-n", nickname, "-a"); ; {
			var b *pem.Block
			if b, rest = pem.Decode(rest); b == nil {
				return all
			}
			all = append(all, b.Bytes)
		}
	}
}

// TestRootsAgainstCertutil reads the installed library of NSS by our own way,
// the program in contrib/roots and ReadBundle, and by NSS's own certutil: the
// same roots must be trusted for mail. Where the library is of the version that
// is embedded, the embedded bundle must hold the same.
func TestRootsAgainstCertutil(t *testing.T) {
	library := builtinsLibrary(t)
	for tool, pkg := range map[string]string{"gcc": "gcc", "certutil": "libnss3-tools", "modutil": "libnss3-tools"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, tool, pkg)
		}
	}
	program := filepath.Join(t.TempDir(), "certdata")
	output(t, "gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", program, "../../contrib/roots/certdata.c", "-ldl")
	dump := output(t, program, library)
	bundle, problems, err := trust.ReadBundle("certdata.txt", dump)
	if err != nil || len(problems) != 0 || !strings.HasPrefix(bundle.Version, "NSS builtins ") {
		t.Fatal(bundle.Version, problems, err)
	}
	ours := map[[sha256.Size]byte]bool{}
	for _, r := range bundle.Roots {
		ours[sha256.Sum256(r.Certificate.Raw)] = true
	}

	flags, certificates := certutilRoots(t, library)
	theirs := map[[sha256.Size]byte]bool{}
	var forTLS strings.Builder
	mail := 0
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		list := flags[name]
		if slices.ContainsFunc(list, func(f flagged) bool { return f != list[0] }) {
			t.Fatalf("%q stands for certificates with other flags", name)
		}
		if !list[0].mail && !list[0].tls {
			continue
		}
		ders := certificates(name)
		if len(ders) != len(list) {
			t.Fatalf("%q: %d certificates, listed %d times", name, len(ders), len(list))
		}
		for _, der := range ders {
			if list[0].mail {
				mail++
				theirs[sha256.Sum256(der)] = true
			}
			if list[0].tls {
				forTLS.WriteString(block("CERTIFICATE", der))
			}
		}
	}
	t.Logf("%s, %s: %d roots for mail", library, bundle.Version, mail)
	if mail < 50 || mail != len(bundle.Roots) || !maps.Equal(ours, theirs) {
		t.Errorf("certutil has %d roots for mail, we have %d; the same: %v", mail, len(bundle.Roots), maps.Equal(ours, theirs))
	}

	own, _, err := trust.ReadBundle("embedded", trust.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	if bundle.Version == own.Version {
		own.Date = bundle.Date
		if !sameBundle(own, bundle) {
			t.Errorf("the embedded bundle of %s differs from this library's", own.Version)
		}
	}
	tls, _, err := trust.ReadBundle("tls", []byte(forTLS.String()))
	if err != nil || !trust.LooksLikeTLS(tls) || trust.LooksLikeTLS(bundle) {
		t.Errorf("of this library %d roots for TLS look like it: %v, %d for mail: %v; %v",
			len(tls.Roots), trust.LooksLikeTLS(tls), len(bundle.Roots), trust.LooksLikeTLS(bundle), err)
	}
	if _, _, err := trust.Load([]trust.Source{{File: "dump", Public: true, Contents: dump}}, testmail.Instant()); err != nil {
		t.Error(err)
	}
}
