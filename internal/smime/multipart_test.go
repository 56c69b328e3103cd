package smime

import (
	"bytes"
	"io"
	"math/rand"
	"mime/multipart"
	"strings"
	"testing"
	"unsafe"
)

// The cutter looks at each line once, whatever the lines are.
func TestCutIsLinear(t *testing.T) {
	for name, line := range map[string]string{
		"empty lines": "\r\n", "content": "Hello.\r\n", "near misses": "--BBX\r\n", "many parts": "\r\n\r\n--BB\r\n", "bare": "x\n",
	} {
		steps := map[int]int{}
		for _, n := range []int{100, 10_000} {
			c, err := newCutter("BB", 10)
			if err != nil {
				t.Fatal(err)
			}
			body := []byte("--BB\r\n" + strings.Repeat(line, n))
			parts, _, err := c.cut(body)
			if err != nil || len(parts) > 10 {
				t.Fatalf("%s: %d parts, %v", name, len(parts), err)
			}
			steps[n] = c.steps
			if lines := bytes.Count(body, []byte("\n")); c.steps != lines {
				t.Errorf("%s: %d steps for %d lines", name, c.steps, lines)
			}
		}
		if steps[10_000] > 100*steps[100] {
			t.Errorf("%s: steps %v", name, steps)
		}
	}
}

// A look inside stops at the bounds: at five levels, at a hundred parts.
func TestLookIsBounded(t *testing.T) {
	nest := func(depth int) string {
		head, tail := "", ""
		for i := range depth {
			b := string(rune('a' + i))
			head += "Content-Type: multipart/mixed; boundary=" + b + "\n\n--" + b + "\n"
			tail = "\n--" + b + "--\n" + tail
		}
		return head + signature + tail
	}
	for depth, want := range map[int]Problem{0: Nested, 1: Nested, 5: Nested, 6: NotSigned, 20: NotSigned} {
		message := nest(depth)
		if depth == 0 {
			message = "Content-Type: multipart/mixed; boundary=z\n\n--z\n" + signature + "\n--z--\n"
		}
		if e := open(t, message); e.Problem != want {
			t.Errorf("depth %d: %s, want %s", depth, e.Problem, want)
		}
	}
	for n, want := range map[int]Problem{98: Nested, 99: NotSigned, 100_000: NotSigned} { // the multipart itself counts
		message := "Content-Type: multipart/mixed; boundary=z\n" + strings.Repeat("\n--z\n\nx", n) + "\n--z\n" + signature + "\n--z--\n"
		if e := open(t, message); e.Problem != want {
			t.Errorf("%d parts before: %s, want %s", n, e.Problem, want)
		}
	}
	deep := "Content-Type: message/rfc822\n\n"
	if e := open(t, strings.Repeat(deep, 5)+signature); e.Problem != Nested {
		t.Errorf("five messages: %s", e.Problem)
	}
	if e := open(t, strings.Repeat(deep, 6)+signature); e.Problem != NotSigned {
		t.Errorf("six messages: %s", e.Problem)
	}
	if e := open(t, strings.Repeat(deep, 10_000)+signature); e.Problem != NotSigned {
		t.Errorf("many messages: %s", e.Problem)
	}
}

func TestBoundaryGrammar(t *testing.T) {
	for b, ok := range map[string]bool{
		"a": true, "----=_Part_1.2": true, "'()+_,-./:=?": true, "a b": true, strings.Repeat("b", 70): true,
		"": false, strings.Repeat("b", 71): false, "a ": false, "a*b": false, "a\tb": false, "ü": false, "a\"b": false, "a\x00": false,
	} {
		if _, err := newCutter(b, 2); (err == nil) != ok {
			t.Errorf("%q: %v", b, err)
		}
	}
}

// The body is given with CRLF; where it is not, nothing is cut by guess.
func TestCutRefusesOtherLineEnds(t *testing.T) {
	for _, body := range []string{"--BB\n\na\r\n--BB--\r\n", "x\n--BB\r\n\r\na\r\n--BB--\r\n", "--BB\r\n\r\na\n--BB--\r\n", "--BB\r\r\n\r\na\r\n--BB--\r\n", "--BB\r\n\r\na\r\n--BB--\n"} {
		c, err := newCutter("BB", 2)
		if err != nil {
			t.Fatal(err)
		}
		if parts, _, err := c.cut([]byte(body)); err == nil {
			t.Errorf("%q: %q", body, parts)
		}
	}
}

// Where both read a multipart, the parts are those of the standard library.
func TestCutAgreesWithMimeMultipart(t *testing.T) {
	pieces := []string{"--BB\r\n", "--BB--\r\n", "--BBX\r\n", "--BB \t\r\n", "--B\r\n", "\r\n", "\r\n", "A: b\r\n", "Hello.\r\n", "x", "--BB-\r\n", "--BB y\r\n", "--BB--"}
	r := rand.New(rand.NewSource(1))
	compared := 0
	for range 100_000 {
		var b strings.Builder
		b.WriteString("--BB\r\n")
		for range 1 + r.Intn(10) {
			b.WriteString(pieces[r.Intn(len(pieces))])
		}
		b.WriteString("\r\n--BB--\r\n")
		body := []byte(b.String())
		c, err := newCutter("BB", 100)
		if err != nil {
			t.Fatal(err)
		}
		ours, _, err := c.cut(body)
		theirs, complete := standardParts(body)
		if err != nil || !complete {
			continue
		}
		if len(ours) != len(theirs) {
			t.Fatalf("%q: %d parts %q, to mime/multipart %d %q", body, len(ours), ours, len(theirs), theirs)
		}
		for i := range ours {
			if _, content, err := splitPart(ours[i]); err == nil && string(content) != theirs[i] {
				t.Fatalf("%q: part %d is %q, to mime/multipart %q", body, i, content, theirs[i])
			}
		}
		compared++
	}
	if compared < 1000 {
		t.Errorf("only %d bodies were compared", compared)
	}
}

// standardParts returns the contents that mime/multipart sees, and whether it
// came to the closing delimiter.
func standardParts(body []byte) (contents []string, complete bool) {
	r := multipart.NewReader(bytes.NewReader(body), "BB")
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return contents, true
		}
		if err != nil {
			return nil, false
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return nil, false
		}
		contents = append(contents, string(content))
	}
}

func within(part, whole []byte) bool {
	if len(part) == 0 {
		return true
	}
	start, p := uintptr(unsafe.Pointer(unsafe.SliceData(whole))), uintptr(unsafe.Pointer(unsafe.SliceData(part)))
	return p >= start && p+uintptr(len(part)) <= start+uintptr(len(whole))
}

func FuzzOpen(f *testing.F) {
	crlfOf := func(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }
	for _, s := range []string{
		signedAs(`multipart/signed; protocol="application/pkcs7-signature"; boundary="BB"`),
		signedWith("preamble\n--BB\n" + inner + "\n--BB \n" + signature + "\n--BB--\nepilogue"),
		signedWith("--BB\n--BB\n--BB--"),
		signedAs("multipart/signed; boundary*0=B; boundary*1=B"),
		"Content-Type: application/pkcs7-mime; smime-type=signed-data\nContent-Transfer-Encoding: base64\n\nAQID\n",
		"Content-Type: application/octet-stream; name=a.p7m\nContent-Transfer-Encoding: quoted-printable\n\n=41=\n\n",
		"Content-Type: multipart/mixed; boundary=MM\n\n--MM\n" + signedAs("multipart/signed; boundary=BB") + "\n--MM--\n",
		"Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\n-----BEGIN PRIVATE KEY-----\n",
		"Subject: x\n\n-----BEGIN PGP MESSAGE-----\n",
	} {
		f.Add(crlfOf(s))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		guard(t)
		h, body, err := ScanHeader(message, DefaultHeaderLimits())
		if err != nil {
			return
		}
		lim := DefaultLimits()
		lim.CMSBytes = 1000
		e := Open(h, body, lim)
		switch {
		case (e.Form == Unsigned) == (e.Problem == ""):
			t.Fatalf("form %q with problem %q", e.Form, e.Problem)
		case e.Form == Unsigned && (e.Content != nil || e.CMS != nil || e.Detail == ""):
			t.Fatal("a refused entity gave something")
		case !within(e.Content, body):
			t.Fatal("the content is no part of the message")
		case e.Form == Detached && len(e.CMS) > lim.CMSBytes:
			t.Fatalf("a blob of %d bytes", len(e.CMS))
		case e.Form == Detached && !bytes.Contains(body, append(append([]byte("\r\n"), e.Content...), "\r\n--"...)):
			t.Fatalf("content %q does not stand between delimiters", e.Content)
		}
	})
}
