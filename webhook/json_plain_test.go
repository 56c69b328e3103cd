package webhook

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// slowPlain is plain, byte by byte.
func slowPlain(b []byte) int {
	for i := 0; i < len(b); {
		c, size := utf8.DecodeRune(b[i:])
		if c < ' ' || c == '"' || c == '\\' || c == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(b)
}

// TestPlain: every byte is found in every place among neighbours of every kind.
func TestPlain(t *testing.T) {
	for c := range 256 {
		for _, around := range []string{"a", " ", "!", "#", "[", "]", "\x7f", "ä", "\U0001f600"} {
			for at := range 20 {
				b := []byte(strings.Repeat(around, at) + string([]byte{byte(c)}) + strings.Repeat(around, 20-at))
				for _, in := range [][]byte{b, b[:len(b)-1]} {
					if got, want := plain(in), slowPlain(in); got != want {
						t.Fatalf("%q: %d, want %d", in, got, want)
					}
				}
			}
		}
	}
}

// TestPlainPairs: every two bytes, with the end behind them, what continues a longer
// character, or text.
func TestPlainPairs(t *testing.T) {
	for pair := range 1 << 16 {
		for _, after := range []string{"", "a", "\x80", "\xbf\xbf"} {
			in := []byte(string([]byte{byte(pair >> 8), byte(pair)}) + after)
			if got, want := plain(in), slowPlain(in); got != want {
				t.Fatalf("%q: %d, want %d", in, got, want)
			}
		}
	}
}

// FuzzPlain holds the fast way against the slow one.
func FuzzPlain(f *testing.F) {
	for _, seed := range []string{"", "plain text of some length", "\x1f!\"#[\\]\x7f\x80", "ein Wort, ä😀, \xe2\x82", "eight by\x00\x01\x02"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for i := range min(len(b), 9) { // at any offset
			if got, want := plain(b[i:]), slowPlain(b[i:]); got != want {
				t.Fatalf("%q: %d, want %d", b[i:], got, want)
			}
		}
	})
}
