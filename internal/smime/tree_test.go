package smime

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func treeOf(t *testing.T, message string) string {
	t.Helper()
	var b bytes.Buffer
	if err := Tree(&b, []byte(strings.ReplaceAll(message, "\n", "\r\n"))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTree(t *testing.T) {
	got := treeOf(t, "From: a@example.org\n"+signedAs(`multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="BB"`))
	want := `multipart/signed protocol=application/pkcs7-signature micalg=sha-256
  text/plain 8 bytes
  application/pkcs7-signature name=smime.p7s base64 3 bytes
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	got = treeOf(t, "Content-Type: message/rfc822\n\nContent-Type: text/plain; charset=x-unknown\n\nHello.\n")
	if want := "message/rfc822\n  text/plain charset=x-unknown 8 bytes\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// Nothing of a message reaches a terminal as it is.
func TestTreeEscapes(t *testing.T) {
	for name, message := range map[string]string{
		"escape in a name":      "Content-Type: application/pdf; name=\"\x1b]0;owned\x07.pdf\"\n\nx\n",
		"escape in a file name": "Content-Type: application/pdf\nContent-Disposition: attachment; filename*=utf-8''%1b%5b31m%e2%80%ae%0d%0a\n\nx\n",
		"escape in an encoding": "Content-Transfer-Encoding: \x1b[31m\n\nx\n",
		"escape in the type":    "Content-Type: te\x1b[31mxt/plain\n\nx\n",
		"format verbs":          "Content-Type: text/plain; name=\"%s%d%n\"\n\nx\n",
		"damaged header":        "Content-Type: text/plain\n\x1b[31m\n\nx\n",
		"long name":             "Content-Type: text/plain; name=" + strings.Repeat("a", 10_000) + "\n\nx\n",
	} {
		got := treeOf(t, message)
		for _, r := range strings.ReplaceAll(got, "\n", "") {
			if r < ' ' || r > '~' {
				t.Errorf("%s: %q", name, got)
				break
			}
		}
		if got == "" || len(got) > 300 || strings.Contains(got, "(MISSING)") || strings.Contains(got, "!d") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestTreeIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		message string
		lines   int
	}{
		"parts":    {"Content-Type: multipart/mixed; boundary=z\n" + strings.Repeat("\n--z\n\nx", 100_000) + "\n--z--\n", treeParts + 1},
		"messages": {strings.Repeat("Content-Type: message/rfc822\n\n", 5_000), treeDepth + 1},
	} {
		got := treeOf(t, c.message)
		if n := strings.Count(got, "\n"); n > c.lines || !strings.Contains(got, "not ") {
			t.Errorf("%s: %d lines, ends %q", name, n, got[max(0, len(got)-100):])
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken") }

func TestTreeSaysThatItCannotWrite(t *testing.T) {
	if err := Tree(broken{}, []byte("A: b\r\n\r\nx\r\n")); err == nil {
		t.Error("no error")
	}
}

func FuzzTree(f *testing.F) {
	f.Add([]byte("Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\nx\r\n--a--\r\n"))
	f.Add([]byte("Content-Type: message/rfc822\r\n\r\nContent-Transfer-Encoding: base64\r\n\r\n!!\r\n"))
	f.Fuzz(func(t *testing.T, message []byte) {
		guard(t)
		var b bytes.Buffer
		if err := Tree(&b, message); err != nil {
			t.Fatal(err)
		}
		if i := bytes.IndexFunc(b.Bytes(), func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }); i >= 0 {
			t.Fatalf("byte %d of %q", i, b.Bytes())
		}
	})
}
