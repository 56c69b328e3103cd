package verify

import (
	"bytes"
	"testing"
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
