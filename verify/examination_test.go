package verify

import (
	"bytes"
	"testing"
	"time"
)

// TestPieces: whatever the lengths in which a message comes, it is judged as a
// whole, and takes hardly more room than its bytes.
func TestPieces(t *testing.T) {
	const limit = 3 << 20
	v := &Verifier{}
	v.Policy.Limits.Message = limit
	message := make([]byte, limit)
	for i := range message {
		message[i] = byte(i % 251)
	}
	for _, length := range []int{1 << 10, 1000, 65535, 100_000, limit} {
		x := v.Begin(Envelope{})
		for rest := message; len(rest) > 0; {
			n := min(length, len(rest))
			x.Write(rest[:n])
			rest = rest[n:]
		}
		room := 0
		for _, p := range x.pieces {
			room += cap(p)
		}
		if room > limit+max(maxPiece, length) {
			t.Errorf("in lengths of %d: %d bytes take %d", length, limit, room)
		}
		for range 2 {
			if !bytes.Equal(x.message(), message) {
				t.Errorf("in lengths of %d: another message", length)
			}
		}
		x.Write([]byte{0})
		if !x.tooBig || x.message() != nil {
			t.Errorf("in lengths of %d: a byte too much is kept", length)
		}
	}
	if v.Begin(Envelope{}).message() != nil {
		t.Error("something out of nothing")
	}
}

// TestExpect: a message whose length is known is held once; one of another length
// is judged as any other.
func TestExpect(t *testing.T) {
	v := &Verifier{Policy: DefaultPolicy(), Now: time.Now}
	text := bytes.Repeat([]byte("0123456789"), 1000)
	for name, expected := range map[string]int{"right": len(text), "short": 10, "long": 2 * len(text), "none": 0, "negative": -1, "beyond the limit": v.Policy.Limits.Message + 1} {
		x := v.Begin(Envelope{})
		x.Expect(expected)
		for i := 0; i < len(text); i += 700 {
			_, _ = x.Write(text[i:min(i+700, len(text))])
		}
		if expected == len(text) && len(x.pieces) != 1 {
			t.Errorf("%s: in %d pieces", name, len(x.pieces))
		}
		if !bytes.Equal(x.message(), text) {
			t.Errorf("%s: another message", name)
		}
	}
}
