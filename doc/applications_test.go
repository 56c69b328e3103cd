package doc_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/store"
)

// entity is what the programs of applications.md are given to encrypt.
const entity = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nGrüße, nur für dich.\n"

// snippets returns the programs of applications.md by the name after "try:".
func snippets(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	marked := regexp.MustCompile("(?s)<!-- try: (\\S+) -->\n```\\w+\n(.*?)```\n")
	for _, m := range marked.FindAllStringSubmatch(read(t, "applications.md"), -1) {
		out[m[1]] = m[2]
	}
	return out
}

// keptKeys makes a store with three certificates that have no near end, and
// returns the folder certs/. The keys stand beside as NAME.key in dir.
func keptKeys(t *testing.T, dir string) string {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	root := testmail.NewKeys().Root(testmail.Profile{Name: "Root", Kind: "p256"})
	kept, err := store.Open(filepath.Join(dir, "store"), store.Options{Group: -1})
	must(t, err)
	for name, key := range map[string]crypto.Signer{"alice": rsaKey, "erin": p256, "frank": p384} {
		address := name + "@example.org"
		leaf := root.Issue(testmail.Profile{Name: name, Key: key, Mailboxes: []string{address},
			NotAfter: time.Date(2150, 1, 1, 0, 0, 0, 0, time.UTC)})
		change, err := kept.Put(context.Background(), store.Entry{Address: address, Spelling: address, Certificate: leaf.DER,
			Chain: [][]byte{root.DER}, AnchorSource: "test", Bound: "domain", Chosen: "signer", Identity: [32]byte{name[0]},
			At: testmail.Instant(), SignedAt: testmail.Instant()})
		must(t, err)
		if change.Kind != store.Added {
			t.Fatalf("%s: %+v", address, change)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, name+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	}
	return filepath.Join(dir, "store", "certs")
}

// javaLibraries is where Debian puts Bouncy Castle.
const javaLibraries = "/usr/share/java/bcpkix.jar:/usr/share/java/bcutil.jar:/usr/share/java/bcprov.jar"

// interpreters say how each program is run, and with which ciphers.
func interpreters() map[string][]string {
	return map[string][]string{
		"encrypt.sh":   {"sh"},
		"encrypt.py":   {"python3"},
		"encrypt.php":  {"php"},
		"Encrypt.java": {"java", "-cp", javaLibraries},
		"encrypt.go":   {"go", "run"},
	}
}

// TestApplications runs the programs of applications.md. Those that need no
// more than the tests need anyway always run; with CERTINBOX_TEST_APPLICATIONS
// set, so do those in Python, PHP and Java, whose tools must be there then.
func TestApplications(t *testing.T) {
	dir := t.TempDir()
	certs := keptKeys(t, dir)
	programs := snippets(t)
	run := interpreters()
	if got, want := slices.Sorted(maps.Keys(programs)), slices.Sorted(maps.Keys(run)); !slices.Equal(got, want) {
		t.Fatalf("programs in applications.md: %v, want %v", got, want)
	}
	always := []string{"encrypt.sh", "encrypt.go"}
	for _, name := range slices.Sorted(maps.Keys(run)) {
		if os.Getenv("CERTINBOX_TEST_APPLICATIONS") == "" && !slices.Contains(always, name) {
			continue
		}
		file := filepath.Join(dir, name)
		must(t, os.WriteFile(file, []byte(programs[name]), 0o600))
		p := program{args: append(slices.Clone(run[name]), file), certs: certs, dir: dir}
		t.Run(name, func(t *testing.T) { p.try(t) })
		if name == "encrypt.sh" || name == "Encrypt.java" {
			p.cipher = "-aes-256-gcm"
			t.Run(name+" gcm", func(t *testing.T) { p.try(t) })
		}
	}
}

// A program of applications.md, ready to be run.
type program struct {
	args       []string
	certs, dir string
	cipher     string
}

func (p program) run(address string) ([]byte, error) {
	cmd := exec.Command(p.args[0], append(slices.Clone(p.args[1:]), address)...)
	cmd.Stdin = strings.NewReader(entity)
	cmd.Env = append(os.Environ(), "CERTS="+p.certs)
	if p.cipher != "" {
		cmd.Env = append(cmd.Env, "CIPHER="+p.cipher)
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		err = &failed{err, said.String()}
	}
	return out, err
}

type failed struct {
	error
	said string
}

func (f *failed) Error() string { return f.error.Error() + ": " + f.said }

func (p program) try(t *testing.T) {
	for _, name := range []string{"alice", "erin", "frank"} {
		message, err := p.run(strings.ToUpper(name[:1]) + name[1:] + "@Example.org")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		cmd := exec.Command("openssl", "cms", "-decrypt", "-inkey", filepath.Join(p.dir, name+".key"),
			"-recip", filepath.Join(p.certs, name+"@example.org.crt"))
		cmd.Stdin = bytes.NewReader(message)
		opened, err := cmd.Output()
		if err != nil || strings.ReplaceAll(string(opened), "\r\n", "\n") != entity {
			t.Errorf("%s: openssl opens %q, %v", name, opened, err)
		}
		if gcm := bytes.Contains(message, []byte("smime-type=authEnveloped-data")); gcm != (p.cipher != "") {
			t.Errorf("%s: authenticated encryption: %v", name, gcm)
		}
		for _, field := range []string{"From: office@example.com\n", "Subject: A message for you\n"} {
			if !strings.Contains(strings.ReplaceAll(string(message), "\r\n", "\n"), field) {
				t.Errorf("%s: the message has no %q", name, field)
			}
		}
	}
	for _, address := range []string{"nobody@example.org", "../alice@example.org", "alice@example.org\nBcc: eve@example.org", ""} {
		if message, err := p.run(address); err == nil || len(message) > 0 {
			t.Errorf("%q: encrypted, or something written: %q", address, message)
		}
	}
}

// TestSidecarFieldsAreDescribed: every field of certs/ADDRESS.json, and none else.
func TestSidecarFieldsAreDescribed(t *testing.T) {
	_, section, ok := strings.Cut(read(t, "applications.md"), "## The JSON beside it\n")
	if !ok {
		t.Fatal("applications.md has no section on the JSON")
	}
	section, _, _ = strings.Cut(section, "\n\nTimes are")
	var described []string
	for line := range strings.SplitSeq(section, "\n") {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			for _, m := range regexp.MustCompile("`([a-z0-9_]+)`").FindAllStringSubmatch(cells[1], -1) {
				described = append(described, m[1])
			}
		}
	}
	var fields []string
	for f := range reflect.TypeFor[store.Published]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields = append(fields, name)
	}
	slices.Sort(described)
	slices.Sort(fields)
	if !slices.Equal(described, fields) {
		t.Errorf("applications.md describes %v, the file has %v", described, fields)
	}
}
