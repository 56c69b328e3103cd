package cms_test

import (
	"crypto"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/smime/cms"
)

// A fixture is a line of testdata/table with the blob that it is about.
type fixture struct {
	name    string
	blob    []byte
	want    string // what Verify says of each signer, or a reason
	openssl string // why this oracle disagrees; "" if it does not
	pkcs7   string
	hidden  bool // from pkcs7
}

func (f fixture) good() bool { return strings.Contains(f.want, "/") }

func fixtures(t testing.TB) []fixture {
	t.Helper()
	table, err := os.ReadFile("testdata/table")
	if err != nil {
		t.Fatal(err)
	}
	var list []fixture
	for line := range strings.Lines(string(table)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		parts := strings.Split(line, " | ")
		var f fixture
		f.name, f.want, _ = strings.Cut(parts[0], " ")
		f.want = strings.TrimSpace(f.want)
		for _, note := range parts[1:] {
			switch oracle, why, _ := strings.Cut(note, ": "); oracle {
			case "openssl":
				f.openssl = why
			case "pkcs7":
				f.pkcs7 = why
			case "pkcs7 is not shown it":
				f.hidden = true
			default:
				t.Fatalf("testdata/table: %s: note %q", f.name, note)
			}
		}
		if f.blob, err = os.ReadFile(filepath.Join("testdata", f.name+".cms")); err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	return list
}

// content is what detached fixtures sign.
func content(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/content")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// digests hashes what the signers signed, as a caller does.
func digests(s *cms.SignedData, detached []byte) map[crypto.Hash][]byte {
	sums := map[crypto.Hash][]byte{}
	for _, h := range s.Hashes() {
		w := h.New()
		if s.Detached {
			w.Write(detached)
		}
		for _, piece := range s.Content {
			w.Write(piece)
		}
		sums[h] = w.Sum(nil)
	}
	return sums
}

// judge says of a blob what the table says.
func judge(blob, detached []byte) (*cms.SignedData, string) {
	s, err := cms.Parse(blob, cms.DefaultLimits())
	if err != nil {
		return nil, reason(err)
	}
	sums, ops := digests(s, detached), &cms.Operations{Left: 64}
	var said []string
	for i, g := range s.Signers {
		v, err := s.Verify(i, sums[g.Hash], ops)
		if err != nil {
			return s, reason(err)
		}
		said = append(said, v.DigestAlgorithm+"/"+v.SignatureAlgorithm)
	}
	return s, strings.Join(said, " ")
}

func reason(err error) string {
	var e *cms.Error
	if !errors.As(err, &e) {
		return "no *Error: " + err.Error()
	}
	return e.Reason
}

func TestFixtures(t *testing.T) {
	list, detached := fixtures(t), content(t)
	if len(list) < 140 {
		t.Errorf("%d fixtures", len(list))
	}
	for _, f := range list {
		s, said := judge(f.blob, detached)
		if said != f.want {
			t.Errorf("%s: %s, want %s", f.name, said, f.want)
		}
		if s != nil && s.Steps > len(f.blob) {
			t.Errorf("%s: %d steps for %d bytes", f.name, s.Steps, len(f.blob))
		}
	}
}

// Every file is in the table, every detached signature falls with the content,
// and every cut makes a blob unreadable.
func TestFixturesAreSound(t *testing.T) {
	list, detached := fixtures(t), content(t)
	files, err := filepath.Glob("testdata/*.cms")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".cms")
		if !slices.ContainsFunc(list, func(f fixture) bool { return f.name == name }) {
			t.Errorf("%s is not in testdata/table", file)
		}
	}
	for _, f := range list {
		if !f.good() {
			continue
		}
		if s, said := judge(f.blob, append(slices.Clone(detached), '\n')); s.Detached && said != "cms-integrity" {
			t.Errorf("%s over other content: %s", f.name, said)
		}
		whole := strings.TrimRight(string(f.blob), "\r\n\t \x00")
		for _, n := range []int{1, len(whole) / 2, len(whole) - 1} {
			if _, said := judge([]byte(whole[:n]), detached); said != "cms-malformed" {
				t.Errorf("%s cut to %d bytes: %s", f.name, n, said)
			}
		}
	}
}

// The signed attributes of honest blobs cannot be changed, nor the signature.
func TestEveryByteOfSignerInfoCounts(t *testing.T) {
	detached := content(t)
	blob := fixtureNamed(t, "built-plain").blob
	s, said := judge(blob, detached)
	if said != "sha-256/ecdsa" {
		t.Fatal(said)
	}
	at := strings.Index(string(blob), string(s.Signers[0].Signature))
	accepted := 0
	for i := at - 150; i < len(blob); i++ {
		changed := slices.Clone(blob)
		changed[i] ^= 0x01
		if _, said := judge(changed, detached); strings.Contains(said, "/") {
			accepted++
			t.Logf("byte %d of %d (signature at %d) does not count", i, len(blob), at)
		}
	}
	if accepted > 0 {
		t.Errorf("%d changed bytes went unnoticed", accepted)
	}
}

func fixtureNamed(t testing.TB, name string) fixture {
	t.Helper()
	for _, f := range fixtures(t) {
		if f.name == name {
			return f
		}
	}
	t.Fatalf("no fixture %s", name)
	return fixture{}
}
