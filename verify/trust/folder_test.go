package trust_test

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// A company's hierarchy: a root, an issuing CA and a holder.
type company struct{ root, ca, leaf *testmail.Identity }

func newCompany(keys *testmail.Keys, name, domain string) company {
	var c company
	c.root = keys.Root(testmail.Profile{Name: name + " Root", Kind: "p256"})
	c.ca = c.root.Intermediate(testmail.Profile{Name: name + " CA", Kind: "p256"})
	c.leaf = c.ca.Issue(testmail.Profile{Name: name + " Holder", Kind: "p256", Mailboxes: []string{"holder@" + domain}})
	return c
}

func openFolder(t *testing.T) *trust.Folder {
	t.Helper()
	f, err := trust.OpenFolder(filepath.Join(t.TempDir(), "trust"), false)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// loaded puts together what a folder says.
func loaded(t *testing.T, f *trust.Folder) *trust.Anchors {
	t.Helper()
	sources, problems, err := f.Sources()
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	anchors, _, err := trust.Load(sources, testmail.Instant())
	if err != nil {
		t.Fatal(err)
	}
	shelf, problems, err := f.Shelf(anchors, testmail.Instant())
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	return anchors.With(shelf, nil)
}

func folderOptions() trust.Options {
	return trust.Options{At: testmail.Instant(), MaxChain: 8, MaxSANs: 100, RSABits: 8192}
}

func TestFolderKeepsAnchorsWithTheirLimits(t *testing.T) {
	c := newCompany(testmail.NewKeys(), "Maker", "maker.example")
	f := openFolder(t)
	want := trust.Source{File: "dir/\"maker\".cer", Domains: []string{"maker.example", ".maker.example"}, Exclusive: true, AllowMissingEKU: true}
	if err := f.AddAnchor(c.root.Cert, want, testmail.Instant()); err != nil {
		t.Fatal(err)
	}
	if err := f.AddIntermediate(c.ca.Cert, "ca.cer", testmail.Instant()); err != nil {
		t.Fatal(err)
	}
	anchors := loaded(t, f)
	a := anchors.List()[0]
	if !a.Exclusive || !a.AllowMissingEKU || a.AllowSubjectAddress || !slices.Equal(a.Domains, []string{".maker.example", "maker.example"}) {
		t.Errorf("anchor %+v", a)
	}
	// The issuing CA is not in the message: it stands on the shelf.
	if p, r := anchors.Path(c.leaf.Cert, nil, folderOptions()); r != nil || len(p.Chain) != 3 {
		t.Errorf("path %v, %v", p, r)
	}
	// What the operator's file was called is no reason to take its copy for a bundle.
	want.File = "email-distrust-after.cer"
	if err := f.AddAnchor(c.root.Cert, want, testmail.Instant()); err != nil {
		t.Fatal(err)
	}
	if a := loaded(t, f).List()[0]; !a.Exclusive {
		t.Errorf("anchor %+v", a)
	}
	stranger := c.ca.Issue(testmail.Profile{Name: "Stranger", Kind: "p256", Mailboxes: []string{"x@other.example"}})
	if _, r := anchors.Path(stranger.Cert, nil, folderOptions()); r == nil || r.Reason != "cert-constraint" {
		t.Errorf("for another domain: %v", r)
	}
	for _, dir := range []string{"", "anchors", "intermediates", "learnt"} {
		if fi, err := os.Stat(filepath.Join(f.Path(), dir)); err != nil || fi.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", dir, fi.Mode(), err)
		}
	}
	files, _ := filepath.Glob(filepath.Join(f.Path(), "anchors", "*"))
	for _, file := range files {
		if fi, err := os.Stat(file); err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, fi.Mode(), err)
		}
	}
	// Added again: the new limits hold.
	if err := f.AddAnchor(c.root.Cert, trust.Source{}, testmail.Instant()); err != nil {
		t.Fatal(err)
	}
	if a := loaded(t, f).List(); len(a) != 1 || a[0].Domains != nil || a[0].Exclusive {
		t.Errorf("added again: %+v", a[0])
	}
	removed, err := f.Remove(trust.Fingerprint(c.root.Cert))
	if err != nil || len(removed) != 1 {
		t.Error(removed, err)
	}
	if _, err := f.Remove(trust.Fingerprint(c.root.Cert)); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := f.Remove("../../x"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestFolderRefusesLimitsThatMeanNothing(t *testing.T) {
	c := newCompany(testmail.NewKeys(), "Maker", "maker.example")
	f := openFolder(t)
	for _, s := range []trust.Source{{Domains: []string{}}, {Domains: []string{"a b"}}, {Domains: []string{"a..b"}}, {Exclusive: true}} {
		if err := f.AddAnchor(c.root.Cert, s, testmail.Instant()); err == nil {
			t.Errorf("%+v was taken", s)
		}
	}
}

// TestFolderDamage: whatever happens to the file of an anchor, it is never an
// anchor with wider limits.
func TestFolderDamage(t *testing.T) {
	keys := testmail.NewKeys()
	c, other := newCompany(keys, "Maker", "maker.example"), newCompany(keys, "Other", "other.example")
	f := openFolder(t)
	if err := f.AddAnchor(c.root.Cert, trust.Source{File: "x", Domains: []string{"maker.example"}, Exclusive: true}, testmail.Instant()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(f.Path(), "anchors", trust.Fingerprint(c.root.Cert)+".pem")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	replaced := func(old, new string) string {
		s := strings.Replace(string(good), old, new, 1)
		if s == string(good) {
			t.Fatalf("%q is not in the file", old)
		}
		return s
	}
	for name, text := range map[string]string{
		"empty":               "",
		"only the block":      string(good)[strings.Index(string(good), "-----BEGIN"):],
		"no domains":          replaced("# domains: maker.example\n", ""),
		"empty domains":       replaced("domains: maker.example", "domains: "),
		"no colon":            replaced("# domains: ", "# domains "),
		"no hash":             replaced("# domains: ", "domains: "),
		"domains twice":       replaced("# domains: maker.example\n", "# domains: maker.example\n# domains: any\n"),
		"any among others":    replaced("domains: maker.example", "domains: maker.example any"),
		"any and exclusive":   replaced("domains: maker.example", "domains: any"),
		"no domain":           replaced("domains: maker.example", "domains: maker..example"),
		"two blanks":          replaced("domains: maker.example", "domains: maker.example  b.example"),
		"no exclusive":        replaced("# exclusive: true\n", ""),
		"exclusive no word":   replaced("exclusive: true", "exclusive: yes"),
		"unknown setting":     replaced("# exclusive: true\n", "# exclusive: true\n# only_on: mondays\n"),
		"cut":                 string(good[:len(good)/2]),
		"without END":         strings.TrimSuffix(string(good), "-----END CERTIFICATE-----\n"),
		"text behind":         string(good) + "x",
		"second block":        string(good) + string(other.root.PEM()),
		"other certificate":   string(good)[:strings.Index(string(good), "-----BEGIN")] + string(other.root.PEM()),
		"carriage returns":    strings.ReplaceAll(string(good), "\n", "\r\n"),
		"damaged certificate": replaced("MII", "AII"),
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		sources, problems, err := f.Sources()
		if err != nil || len(sources) != 0 || len(problems) != 1 || problems[0].Warning || problems[0].File != file {
			t.Errorf("%s: %d sources, %v, %v", name, len(sources), problems, err)
		}
	}
	os.Remove(file)
	if err := os.Symlink("/etc/passwd", file); err != nil {
		t.Fatal(err)
	}
	if sources, problems, _ := f.Sources(); len(sources) != 0 || len(problems) != 1 {
		t.Errorf("a link: %v, %v", sources, problems)
	}
	if _, err := f.Remove(trust.Fingerprint(c.root.Cert)); err != nil {
		t.Errorf("a damaged file cannot be removed: %v", err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "notes.txt"), good, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, problems, _ := f.Sources(); len(problems) != 1 || !strings.Contains(problems[0].Text, "move it away") {
		t.Errorf("what trust remove cannot name: %v", problems)
	}
}

func TestFolderLearns(t *testing.T) {
	keys := testmail.NewKeys()
	c := newCompany(keys, "Maker", "maker.example")
	f := openFolder(t)
	if err := f.AddAnchor(c.root.Cert, trust.Source{File: "x"}, testmail.Instant()); err != nil {
		t.Fatal(err)
	}
	anchors := loaded(t, f)
	if _, r := anchors.Path(c.leaf.Cert, nil, folderOptions()); r == nil {
		t.Fatal("a path without the issuing CA")
	}
	p, r := anchors.Path(c.leaf.Cert, []*x509.Certificate{c.ca.Cert}, folderOptions())
	if r != nil {
		t.Fatal(r)
	}
	shelf, _, err := f.Shelf(anchors, testmail.Instant())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Learn(shelf, p, testmail.Instant()); err != nil {
			t.Fatal(err)
		}
	}
	if _, r := loaded(t, f).Path(c.leaf.Cert, nil, folderOptions()); r != nil {
		t.Errorf("after a restart: %v", r)
	}
	// Expired ones are left out.
	late := testmail.Instant().AddDate(50, 0, 0)
	if shelf, _, err := f.Shelf(anchors, late); err != nil || len(shelf.Named(c.ca.Cert.RawSubject)) != 0 {
		t.Errorf("expired: %v", err)
	}
	if _, err := f.Remove(trust.Fingerprint(c.ca.Cert)); err != nil {
		t.Fatal(err)
	}
	if _, r := loaded(t, f).Path(c.leaf.Cert, nil, folderOptions()); r == nil {
		t.Error("a removed intermediate still helps")
	}
	// What was learnt goes with its anchor.
	fresh := trust.NewShelf(nil)
	if err := f.Learn(fresh, p, testmail.Instant()); err != nil {
		t.Fatal(err)
	}
	if removed, err := f.Remove(trust.Fingerprint(c.root.Cert)); err != nil || len(removed) != 2 {
		t.Error(removed, err)
	}
}

func TestFolderLearnsNoMoreThanItHolds(t *testing.T) {
	keys := testmail.NewKeys()
	c := newCompany(keys, "Maker", "maker.example")
	f := openFolder(t)
	a := &trust.Anchor{Certificate: c.root.Cert}
	learn := func(i int, until time.Time) error {
		ca := c.root.Intermediate(testmail.Profile{Name: "CA", Key: keys.Key("p256", "all"), Serial: serial(i), NotAfter: until})
		return f.Learn(trust.NewShelf(nil), trust.Path{Chain: []*x509.Certificate{c.leaf.Cert, ca.Cert, c.root.Cert}, Anchor: a}, testmail.Instant())
	}
	for i := range 64 {
		if err := learn(i, testmail.Instant().AddDate(0, i, 1)); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := learn(64, time.Time{}); err == nil {
		t.Error("the 65th was kept")
	}
	// A month later the first has expired and makes room.
	late := testmail.Instant().AddDate(0, 0, 2)
	ca := c.root.Intermediate(testmail.Profile{Name: "CA", Key: keys.Key("p256", "all"), Serial: serial(65)})
	if err := f.Learn(trust.NewShelf(nil), trust.Path{Chain: []*x509.Certificate{c.leaf.Cert, ca.Cert, c.root.Cert}, Anchor: a}, late); err != nil {
		t.Error(err)
	}
}

func TestFolderForReadingOnly(t *testing.T) {
	c := newCompany(testmail.NewKeys(), "Maker", "maker.example")
	f, err := trust.OpenFolder(filepath.Join(t.TempDir(), "trust"), true)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.AddIntermediate(c.ca.Cert, "x", testmail.Instant()); err == nil {
		t.Error("it was written to")
	}
	if b, _, err := f.Roots(); b != nil || err != nil {
		t.Error(b, err)
	}
	if sources, problems, err := f.Sources(); len(sources)+len(problems) > 0 || err != nil {
		t.Error(sources, problems, err)
	}
	if _, err := os.Stat(f.Path()); !errors.Is(err, fs.ErrNotExist) {
		t.Error("reading made the folder")
	}
}

// TestFolderChangesAtOnce: writers and readers beside each other never see half a file.
func TestFolderChangesAtOnce(t *testing.T) {
	c := newCompany(testmail.NewKeys(), "Maker", "maker.example")
	f := openFolder(t)
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	readers.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if _, problems, err := f.Sources(); len(problems) > 0 || err != nil {
				t.Error(problems, err)
				return
			}
		}
	})
	for range 4 {
		writers.Go(func() {
			for range 10 {
				if err := f.AddAnchor(c.root.Cert, trust.Source{File: "x", Domains: []string{"maker.example"}}, testmail.Instant()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
}

func TestFolderBundle(t *testing.T) {
	keys := testmail.NewKeys()
	c := newCompany(keys, "Maker", "maker.example")
	f := openFolder(t)
	b := trust.Bundle{Version: "test 1", Date: testmail.Instant(), Roots: []trust.Root{{Certificate: c.root.Cert, Label: "Maker", DistrustAfter: testmail.Instant()}}}
	if err := f.Update(b); err != nil {
		t.Fatal(err)
	}
	contents, file, err := f.Roots()
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := trust.ReadBundle(file, contents)
	if err != nil || len(again.Roots) != 1 || !again.Roots[0].DistrustAfter.Equal(testmail.Instant()) || !again.Date.Equal(b.Date) {
		t.Errorf("%+v, %v", again, err)
	}
	if err := f.Forgo(); err != nil {
		t.Fatal(err)
	}
	if contents, _, err := f.Roots(); contents != nil || err != nil {
		t.Error(contents, err)
	}
}

func TestExpire(t *testing.T) {
	c := newCompany(testmail.NewKeys(), "Maker", "maker.example")
	f := openFolder(t)
	if err := f.AddAnchor(c.root.Cert, trust.Source{File: "x"}, testmail.Instant()); err != nil {
		t.Fatal(err)
	}
	p, r := loaded(t, f).Path(c.leaf.Cert, []*x509.Certificate{c.ca.Cert}, folderOptions())
	if r != nil {
		t.Fatal(r)
	}
	shelf := trust.NewShelf(nil)
	if err := f.Learn(shelf, p, testmail.Instant()); err != nil {
		t.Fatal(err)
	}
	if n, err := f.Expire(shelf, c.ca.Cert.NotAfter); n != 0 || err != nil || len(shelf.Named(c.ca.Cert.RawSubject)) != 1 {
		t.Errorf("still valid: %d, %v", n, err)
	}
	late := c.ca.Cert.NotAfter.Add(time.Second)
	if n, err := f.Expire(shelf, late); n != 1 || err != nil || len(shelf.Named(c.ca.Cert.RawSubject)) != 0 {
		t.Errorf("expired: %d, %v", n, err)
	}
	if n, err := f.Expire(shelf, late); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	// Also what no shelf took, as it had expired before.
	if err := f.Learn(trust.NewShelf(nil), p, testmail.Instant()); err != nil {
		t.Fatal(err)
	}
	if n, err := f.Expire(nil, late); n != 1 || err != nil {
		t.Errorf("of before: %d, %v", n, err)
	}
	if list, _, err := f.Learnt(loaded(t, f).List()[0]); len(list) != 0 || err != nil {
		t.Errorf("%d are still there, %v", len(list), err)
	}
}
