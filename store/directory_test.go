package store

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAddedIsReadableWithoutUs(t *testing.T) {
	dir := filepath.Join(tempDir(t), "a", "data")
	d := openTest(t, dir, Options{Group: readers(t)})
	der := newMaker().year(t, "alice", "Org")
	c := put(t, d, mail("alice@example.com", der, noon(), "Q1"))
	if c.Kind != Added || c.Reason != "" || len(c.Files) != 3 {
		t.Fatalf("change %+v", c)
	}
	path, err := d.Path("alice@example.com")
	if err != nil || path != filepath.Join(dir, "certs", "alice@example.com.crt") || c.Files[2] != path {
		t.Fatalf("path %q, %v, files %q", path, err, c.Files)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"alice@example.com", "2026-06-15T12:00:00Z", "Q1", "domain", "Test CA"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the comment lacks %q:\n%s", want, text)
		}
	}
	block, rest := pem.Decode(text)
	if block == nil || !bytes.Equal(block.Bytes, der) || len(rest) != 0 {
		t.Fatalf("PEM is not the one leaf")
	}
	out, err := exec.Command("openssl", "x509", "-noout", "-subject", "-in", path).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "alice") {
		t.Fatalf("openssl: %v: %s", err, out)
	}
	b, err := os.ReadFile(strings.TrimSuffix(path, ".crt") + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var p Published
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatal(err)
	}
	if p.Fingerprint != describe(t, der).Fingerprint || p.Bound != "domain" || p.Unbound || p.Spelling != "Alice@example.com" || len(p.Capabilities) != 1 {
		t.Fatalf("sidecar %+v", p)
	}
	if chain, err := os.ReadFile(filepath.Join(dir, "certs", p.ChainFile)); err != nil || !bytes.HasPrefix(chain, []byte("-----BEGIN")) {
		t.Fatalf("chain: %v", err)
	}
}

// readers is a group that files can be given to: any for root, one of their own
// for other people.
func readers(t *testing.T) int {
	t.Helper()
	if os.Getuid() == 0 {
		return 4
	}
	groups, err := os.Getgroups()
	if err != nil || len(groups) == 0 {
		t.Fatalf("groups: %v, %v", groups, err)
	}
	return groups[len(groups)-1]
}

func published(rel string) bool { return strings.HasPrefix(rel, "certs") }

func TestModes(t *testing.T) {
	dir := tempDir(t)
	d := openTest(t, dir, Options{Group: readers(t)})
	put(t, d, mail("alice@example.com", newMaker().year(t, "alice", "Org"), noon(), "Q1"))
	if err := d.Block(t.Context(), BlockAddress, "mallory@example.com"); err != nil {
		t.Fatal(err)
	}
	err := filepath.Walk(dir, func(path string, fi os.FileInfo, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		want := os.FileMode(0o600)
		switch {
		case fi.IsDir() && published(rel):
			want = 0o750
		case fi.IsDir():
			want = 0o700
		case published(rel):
			want = 0o640
		}
		if fi.Mode().Perm() != want {
			t.Errorf("%s: mode %o, want %o", rel, fi.Mode().Perm(), want)
		}
		if gid := fi.Sys().(*syscall.Stat_t).Gid; published(rel) && int(gid) != readers(t) {
			t.Errorf("%s: of group %d", rel, gid)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSeenRewritesNothingPublished(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	der := newMaker().year(t, "alice", "Org")
	put(t, d, mail("alice@example.com", der, noon(), "Q1"))
	before := snapshot(t, d.path("certs"))
	for i := range 3 {
		c := put(t, d, mail("alice@example.com", der, noon().Add(time.Duration(i+1)*time.Hour), fmt.Sprint("S", i)))
		if c.Kind != Seen || len(c.Files) != 0 {
			t.Fatalf("change %+v", c)
		}
	}
	if after := snapshot(t, d.path("certs")); after != before {
		t.Errorf("certs/ changed:\n%s\n%s", before, after)
	}
	a, err := d.Show("alice@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Records) != 1 || len(a.Records[0].Journal) != 4 {
		t.Fatalf("history %+v", a.Records)
	}
	first, newest, err := d.Evidence("alice@example.com", a.Records[0].Fingerprint)
	if err != nil || len(first) != 3 || len(newest) != 3 || string(first[2].Bytes) != "cms of Q1" || string(newest[2].Bytes) != "cms of S2" {
		t.Fatalf("evidence %q, %q, %v", first, newest, err)
	}
	names, err := os.ReadDir(filepath.Join(a.Folder, a.Records[0].Fingerprint))
	if err != nil || len(names) != 4 { // certificate, chain, first, newest
		t.Errorf("%d files of the certificate, %v", len(names), err)
	}
}

// snapshot describes files with what tells that they were written again.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	names, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, n := range names {
		fi, err := n.Info()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, n.Name(), fi.ModTime().UnixNano(), inode(fi), fi.Size())
	}
	return b.String()
}

func TestRepeatedChangesNothing(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	e := mail("alice@example.com", newMaker().year(t, "alice", "Org"), noon(), "Q1")
	put(t, d, e)
	before := snapshot(t, d.entry("alice@example.com"))
	e.Reference = "Q2" // the MTA's queue id differs, the message is the same
	if c := put(t, d, e); c.Kind != Repeated || c.Reason != "" {
		t.Fatalf("change %+v", c)
	}
	if after := snapshot(t, d.entry("alice@example.com")); after != before {
		t.Errorf("the entry changed:\n%s\n%s", before, after)
	}
}

func TestKeyChangePublishesTheNewOne(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	m := newMaker()
	put(t, d, mail("alice@example.com", m.year(t, "old", "Org"), noon(), "Q1"))
	second := m.year(t, "new", "Org")
	c := put(t, d, mail("alice@example.com", second, noon().Add(time.Hour), "Q2"))
	if c.Kind != Changed || len(c.Events) != 1 || len(c.Files) != 3 {
		t.Fatalf("change %+v", c)
	}
	text, err := os.ReadFile(d.path("certs", "alice@example.com.crt"))
	if err != nil {
		t.Fatal(err)
	}
	if block, _ := pem.Decode(text); !bytes.Equal(block.Bytes, second) {
		t.Error("the former certificate is still published")
	}
}

func TestUnusableEntries(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	good := mail("alice@example.com", newMaker().year(t, "alice", "Org"), noon(), "Q1")
	for name, spoil := range map[string]func(*Entry){
		"no address":      func(e *Entry) { e.Address = "" },
		"long address":    func(e *Entry) { e.Address = strings.Repeat("a", 255) },
		"no time":         func(e *Entry) { e.At = time.Time{} },
		"no signing time": func(e *Entry) { e.SignedAt = time.Time{} },
		"no certificate":  func(e *Entry) { e.Certificate = nil },
		"odd certificate": func(e *Entry) { e.Certificate = []byte("x") },
		"long chain":      func(e *Entry) { e.Chain = make([][]byte, MaxChain+1) },
		"big in chain":    func(e *Entry) { e.Chain = [][]byte{make([]byte, MaxCertificate+1)} },
		"document name":   func(e *Entry) { e.Evidence = []Document{{Name: "../x"}} },
		"many documents":  func(e *Entry) { e.Evidence = make([]Document, MaxDocuments+1) },
		"no UTF-8":        func(e *Entry) { e.Address = "\xff@example.com" },
		"long reference":  func(e *Entry) { e.Reference = strings.Repeat("r", maxWord+1) },
	} {
		e := good
		spoil(&e)
		if c, err := d.Put(t.Context(), e); err == nil {
			t.Errorf("%s: no error, %+v", name, c)
		} else if errors.Is(err, ErrFull) {
			t.Errorf("%s: said to be full: %v", name, err)
		}
	}
	if names, _ := os.ReadDir(d.path("certs")); len(names) != 0 {
		t.Errorf("something was published: %v", names)
	}
}

func TestWhatASenderMakesLongIsCut(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	der := newMaker().year(t, "alice", "Org")
	e := mail("alice@example.com", der, noon(), "Q1")
	e.Report, e.Spelling, e.Capabilities = make([]byte, MaxReport+1), strings.Repeat("s", 5000), make([]string, 500)
	e.Capabilities[0] = strings.Repeat("c", maxWord+1)
	e.Evidence = []Document{{Name: "header", Bytes: make([]byte, MaxDocument+1)}, {Name: CMSDocument, Bytes: make([]byte, MaxDocument+1)}}
	put(t, d, e)
	first, _, err := d.Evidence(e.Address, describe(t, der).Fingerprint)
	if err != nil || len(first) != 3 {
		t.Fatalf("%v, %d documents", err, len(first))
	}
	if a, err := d.Show(e.Address); err != nil || len(a.Records[0].Capabilities) != MaxCapabilities || len(a.Records[0].Spelling) != maxWord {
		t.Errorf("kept %+v, %v", a.Records, err)
	}
	if first[0].Name != "report.json.cut" || len(first[0].Bytes) != MaxReport {
		t.Errorf("report: %s %d", first[0].Name, len(first[0].Bytes))
	}
	if first[1].Name != "header.cut" || len(first[1].Bytes) != MaxDocument || first[2].Name != CMSDocument || len(first[2].Bytes) != MaxDocument+1 {
		t.Errorf("kept %s %d, %s %d", first[1].Name, len(first[1].Bytes), first[2].Name, len(first[2].Bytes))
	}
}

func TestOddAddresses(t *testing.T) {
	d := openTest(t, filepath.Join(tempDir(t), "data"), Options{})
	der := newMaker().year(t, "alice", "Org")
	odd := []string{
		"../../../../escape@example.com", ".hidden@example.com", "-rf@example.com", "a/b@example.com", "nul\x00@example.com",
		"line\nbreak@example.com", "müller@example.com", "%2E@example.com", "x.crt@example.com", "..", "*?[]{}@example.com",
		strings.Repeat("ä", 121) + "@example.com", strings.Repeat("a", 254-12) + "@example.com",
	}
	for i, address := range odd {
		if c := put(t, d, mail(address, der, noon(), fmt.Sprint("Q", i))); c.Kind != Added {
			t.Fatalf("%q: %+v", address, c)
		}
		path, err := d.Path(address)
		if err != nil || filepath.Dir(path) != d.path("certs") {
			t.Errorf("%q: %q, %v", address, path, err)
		}
		text, err := os.ReadFile(path)
		if err != nil || bytes.Count(text, []byte("\n# ")) != 7 || bytes.ContainsRune(text, 0) {
			t.Errorf("%q: odd comment: %v\n%s", address, err, text)
		}
	}
	intact(t, d, true)
	names, err := os.ReadDir(filepath.Dir(d.root))
	if err != nil || len(names) != 1 {
		t.Errorf("something left the directory: %v, %v", names, err)
	}
	found := map[string]bool{}
	for h, err := range d.List(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		found[h.Address] = true
	}
	for _, address := range odd {
		if !found[strings.ToValidUTF8(address, "\ufffd")] {
			t.Errorf("%q is not listed", address)
		}
		if _, err := d.Delete(t.Context(), address, false); err != nil {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, sub := range []string{"certs", "entries", "locks"} {
		_ = eachName(d.path(sub), func(name string) error {
			t.Errorf("%s/%s is left", sub, name)
			return nil
		})
	}
}

// A meddler does something at the moment a state file takes effect.
type meddler struct {
	realDisk
	meddle func()
}

func (m meddler) rename(from, to string) error {
	err := m.realDisk.rename(from, to)
	if filepath.Base(to) == stateFile && m.meddle != nil {
		m.meddle()
	}
	return err
}

func TestBlockedAtThisMoment(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	list := d.path("blocked")
	d.disk = meddler{meddle: func() {
		if err := os.WriteFile(list, []byte("address alice@example.com\n"), 0o600); err != nil {
			t.Error(err)
		}
	}}
	c := put(t, d, mail("alice@example.com", newMaker().year(t, "alice", "Org"), noon(), "Q1"))
	if c.Kind != Blocked || c.Reason != ReasonBlocked {
		t.Errorf("change %+v", c)
	}
	if _, err := d.Path("alice@example.com"); !errors.Is(err, ErrNotFound) {
		t.Errorf("published: %v", err)
	}
}
