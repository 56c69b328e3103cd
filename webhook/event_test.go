package webhook

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

// relayPost is a body with one message.
func relayPost(t testing.TB, message string, inBase64 bool) []byte {
	t.Helper()
	if inBase64 {
		message = base64.StdEncoding.EncodeToString([]byte(message))
	}
	body, err := json.Marshal([]any{map[string]any{"msys": map[string]any{"relay_message": map[string]any{
		"msg_from": "a@x.example", "rcpt_to": "c@y.example", "webhook_id": "1", "protocol": "smtp",
		"content": map[string]any{"email_rfc822": message, "email_rfc822_is_base64": inBase64, "subject": "s"},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestExactBytes(t *testing.T) {
	long := strings.Repeat("Zeile mit Ümläuten, 漢字 und 🔐\r\n", 20000)
	for _, c := range []struct{ name, in, out string }{
		{"CRLF", "A: b\r\n\r\nc\r\n", ""},
		{"every ASCII character", "\x00\x01\b\t\v\f\x1b !\"#/\\~\x7f\r\n", ""},
		{"NUL", "A: b\r\n\r\n\x00\r\n", ""},
		{"long", long, ""},
		{"mixed line ends stay", "A: b\nB: c\r\nx\n", ""},
		{"the only CRLF is the last", strings.Repeat("A: b\n", 50000) + "\r\n", ""},
		{"CR only stays", "A: b\rB: c\r", ""},
		{"no line end", "A: b", ""},
		{"LF throughout", "A: b\n\nc\n", "A: b\r\n\r\nc\r\n"},
		{"LF at once", "\nA", "\r\nA"},
		{"LF throughout, long", strings.ReplaceAll(long, "\r\n", "\n"), long},
		{"LFCR", "A\n\rB", "A\r\n\rB"},
	} {
		if c.out == "" {
			c.out = c.in
		}
		for _, inBase64 := range []bool{false, true} {
			all, err := readPost(t, bytes.NewReader(relayPost(t, c.in, inBase64)))
			if err != nil || len(all) != 1 {
				t.Errorf("%s: %d events, %v", c.name, len(all), err)
			} else if all[0].message != c.out {
				t.Errorf("%s (base64 %v): %.200q; want %.200q", c.name, inBase64, all[0].message, c.out)
			}
		}
	}
}

// A CRLF counts wherever pieces end, also between its two bytes.
func TestLineEndsAcrossPieces(t *testing.T) {
	for _, size := range []int{firstPiece, 2 * firstPiece, 2*firstPiece + wholePiece, 6 << 10, 12 << 10} {
		for shift := -2; shift <= 2; shift++ {
			in := strings.Repeat("\nx", size)[:size+shift-1] + "\r\n" + "y\nz"
			for _, inBase64 := range []bool{false, true} {
				all, err := readPost(t, bytes.NewReader(relayPost(t, in, inBase64)))
				if err != nil || all[0].message != in {
					t.Errorf("%d%+d (base64 %v): changed, or %v", size, shift, inBase64, err)
				}
			}
		}
	}
}

func TestBinary(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	for _, n := range []int{0, 1, 2, 3, 6143, 6144, 6145, 300000} {
		in := []byte("\r\n")
		for range n {
			in = append(in, byte(rng.Uint32()))
		}
		all, err := readPost(t, bytes.NewReader(relayPost(t, string(in), true)))
		if err != nil || all[0].message != string(in) {
			t.Errorf("%d bytes: not as they were, or %v", n, err)
		}
	}
}

func TestBase64(t *testing.T) {
	wrapped := strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 2000)
	for in, want := range map[string]string{
		"":             "",
		"QQ==":         "A",
		"QUI=":         "AB",
		"QUJD":         "ABC",
		"Q\nU\rJ\r\nD": "ABC",
		"QQ=\r\n=\r\n": "A",
		"\r\n":         "",
		wrapped:        strings.Repeat("ABC", 19*2000),
	} {
		if got, err := decodeAll(in, 1000); err != nil || got != want {
			t.Errorf("%.40q: %.40q, %v", in, got, err)
		}
	}
	for in, at := range map[string]int64{
		"Q": 0, "QQ": 0, "QQ=": 0, "QUJDQ": 4,
		"QR==":                    0, // spare bits are set
		"QQ==QQ==":                4,
		"QQ===":                   4,
		"=QQ=":                    0,
		"QU JD":                   2,
		"QUJD-_==":                4,
		"QUJD\tQUJD":              4,
		"QUJDQUJ\x00":             7,
		wrapped + "!":             2000 * 76,
		wrapped + "QQ==" + "QUJD": 2000*76 + 4,
	} {
		_, err := decodeAll(in, 1000)
		var damaged *damagedError
		if !errors.As(err, &damaged) || damaged.character/4 != at/4 {
			t.Errorf("%.40q: %v; want damage at %d", in, err, at)
		}
	}
}

// decodeAll decodes base64 given in pieces of n bytes.
func decodeAll(in string, n int) (string, error) {
	var out strings.Builder
	d := base64Decoder{to: func(p []byte) error { out.Write(p); return nil }}
	for len(in) > 0 {
		k := min(n, len(in))
		if err := d.add([]byte(in[:k])); err != nil {
			return "", err
		}
		in = in[k:]
	}
	err := d.flush()
	return out.String(), err
}

// A writer that fails ends the writing, and all is let go.
func TestWriterFails(t *testing.T) {
	full := errors.New("full")
	for _, inBase64 := range []bool{false, true} {
		var l heldLedger
		err := decode(bytes.NewReader(relayPost(t, strings.Repeat("x\r\n", 100000), inBase64)), l.limits(1<<20), func(e *event) error {
			n, err := e.WriteTo(failingWriter{after: 10, err: full})
			if n != 10 || l.held != 0 {
				t.Errorf("%d bytes written, %d held", n, l.held)
			}
			return err
		})
		if !errors.Is(err, full) {
			t.Error(err)
		}
	}
}

type failingWriter struct {
	after int
	err   error
}

func (f failingWriter) Write(p []byte) (int, error) { return min(len(p), f.after), f.err }

// A large message is held once while it is read, and less and less while it is
// written.
func TestHeldOnce(t *testing.T) {
	const size = 10 << 20
	line := strings.Repeat("x", 76) + "\r\n"
	message := strings.Repeat(line, size/len(line))
	for _, inBase64 := range []bool{false, true} {
		body := relayPost(t, message, inBase64)
		var l heldLedger
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := decode(bytes.NewReader(body), l.limits(64<<20), func(e *event) error {
			if over := int64(l.most) - e.Size(); over < 0 || over > wholePiece {
				t.Errorf("%d bytes held of a message of %d", l.most, e.Size())
			}
			last := l.held
			_, err := e.WriteTo(writerFunc(func(p []byte) {
				if l.held > last || len(p) > wholePiece {
					t.Fatalf("%d bytes held after %d; %d written at once", l.held, last, len(p))
				}
				last = l.held
			}))
			return err
		})
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		if all := int64(after.TotalAlloc - before.TotalAlloc); all > int64(l.most)+200<<10 {
			t.Errorf("base64 %v: %d bytes were allocated in all for %d held", inBase64, all, l.most)
		}
	}
}

type writerFunc func([]byte)

func (w writerFunc) Write(p []byte) (int, error) { w(p); return len(p), nil }

// What nobody asked for costs nothing, however long.
func TestUnknownFieldsAreNotHeld(t *testing.T) {
	body := io.MultiReader(strings.NewReader(`{"text":"`), strings.NewReader(strings.Repeat("äöü\\n", 1<<20)), strings.NewReader(`",`+msgOK[1:]))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := readPost(t, body); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20+200<<10 { // the test's own text is 8 MiB
		t.Errorf("%d bytes allocated", n)
	}
}

func BenchmarkDecode(b *testing.B) {
	line := strings.Repeat("QUJD", 19) + "\r\n"
	for name, c := range map[string]struct {
		message  string
		inBase64 bool
	}{
		"10MB-plain":    {strings.Repeat(line, 10<<20/len(line)), false},
		"10MB-base64":   {strings.Repeat(line, 10<<20/len(line)), true},
		"10MB-cyrillic": {strings.Repeat("Это просто обычный русский текст, с пробелами\r\n", 10<<20/85), false},
		"10KB-plain":    {strings.Repeat(line, 10<<10/len(line)), false},
	} {
		body := relayPost(b, c.message, c.inBase64)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(c.message)))
			b.ReportAllocs()
			var l heldLedger
			s := new(scratch)
			for b.Loop() {
				err := s.decode(bytes.NewReader(body), l.limits(64<<20), func(e *event) error {
					_, err := e.WriteTo(io.Discard)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
