package cms

import (
	"encoding/asn1"
	"math/rand/v2"
	"testing"
)

// Headers and what is read of them: tag and length, or a refusal.
func TestHeaders(t *testing.T) {
	tests := []struct {
		name   string
		in     []byte
		tag    int
		length int // -1: indefinite, -2: refused
	}{
		{"short", []byte{0x04, 0x02, 1, 2}, 4, 2},
		{"empty", []byte{0x05, 0x00}, 5, 0},
		{"one octet of length", []byte{0x04, 0x81, 0x01, 7}, 4, 1},
		{"longer than needed", []byte{0x04, 0x84, 0, 0, 0, 1, 7}, 4, 1},
		{"five octets of length", []byte{0x04, 0x85, 0, 0, 0, 0, 1, 7}, 4, -2},
		{"reserved length", []byte{0x04, 0xff, 7}, 4, -2},
		{"length cut", []byte{0x04, 0x82, 0x01}, 4, -2},
		{"no length", []byte{0x04}, 4, -2},
		{"past the end", []byte{0x04, 0x02, 1}, 4, -2},
		{"far past the end", []byte{0x04, 0x84, 0xff, 0xff, 0xff, 0xff, 1}, 4, -2},
		{"indefinite", []byte{0x30, 0x80, 0, 0}, 16, -1},
		{"indefinite primitive", []byte{0x04, 0x80, 0, 0}, 4, -2},
		{"end of contents", []byte{0x00, 0x00}, 0, -2},
		{"high tag", []byte{0x9f, 0x1f, 0x01, 7}, 31, 1},
		{"high tag of two octets", []byte{0x9f, 0x81, 0x23, 0x00}, 163, 0},
		{"high tag of five octets", []byte{0x9f, 0x81, 0x80, 0x80, 0x80, 0x01, 0x00}, 0, -2},
		{"high tag from zero", []byte{0x9f, 0x80, 0x1f, 0x00}, 0, -2},
		{"high tag cut", []byte{0x9f, 0x81}, 0, -2},
		{"nothing", nil, 0, -2},
	}
	for _, test := range tests {
		r := &reader{in: test.in, depth: 3, steps: new(int)}
		e := r.next()
		length := e.end - e.body
		if e.end < 0 {
			length = -1
		}
		if r.err != nil {
			length = -2
		}
		if length != test.length || r.err == nil && e.tag != test.tag {
			t.Errorf("%s: tag %d, length %d (%v), want %d, %d", test.name, e.tag, length, r.err, test.tag, test.length)
		}
	}
}

// Children are held to the nearest definite element around them.
func TestChildrenStayInside(t *testing.T) {
	for name, test := range map[string]struct {
		in   []byte
		good bool
	}{
		"definite in definite":      {[]byte{0x30, 4, 0x30, 2, 5, 0}, true},
		"child past definite":       {[]byte{0x30, 3, 0x30, 2, 5, 0}, false},
		"indefinite in definite":    {[]byte{0x30, 6, 0x30, 0x80, 5, 0, 0, 0}, true},
		"indefinite past definite":  {[]byte{0x30, 5, 0x30, 0x80, 5, 0, 0, 0}, false},
		"end outside of definite":   {[]byte{0x30, 4, 0x30, 0x80, 5, 0, 0, 0}, false},
		"half an end":               {[]byte{0x30, 5, 0x30, 0x80, 5, 0, 0}, false},
		"rest in definite":          {[]byte{0x30, 6, 0x30, 2, 5, 0, 5, 0}, false},
		"end of contents with size": {[]byte{0x30, 0x80, 0, 1, 0, 0, 0}, false},
	} {
		r := &reader{in: test.in, depth: 3, steps: new(int)}
		r.open(universal, tagSequence, "outer")
		r.open(universal, tagSequence, "inner")
		r.pass()
		r.leave()
		r.leave()
		if (r.err == nil && r.at == len(test.in)) != test.good {
			t.Errorf("%s: %v, %d of %d bytes read", name, r.err, r.at, len(test.in))
		}
	}
}

func TestDottedAgreesWithASN1(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		b := make([]byte, 1+random.IntN(8))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		text, ok := dotted(b)
		var oid asn1.ObjectIdentifier
		_, err := asn1.Unmarshal(append([]byte{6, byte(len(b))}, b...), &oid)
		if err == nil && text != oid.String() {
			t.Fatalf("% x: %s, want %s", b, text, oid)
		}
		if ok && err != nil && len(b) < 5 { // asn1 keeps arcs to 31 bits
			t.Fatalf("% x: %s, want %v", b, text, err)
		}
	}
	for _, bad := range [][]byte{nil, {0x80, 1}, {0x2a, 0x80}, {0x2a, 0x86}, make([]byte, maxOID+1)} {
		if text, ok := dotted(bad); ok {
			t.Errorf("% x is read as %s", bad, text)
		}
	}
}

func TestSetOf(t *testing.T) {
	for n, want := range map[int][]byte{
		0: {0x31, 0}, 127: {0x31, 127}, 128: {0x31, 0x81, 128}, 255: {0x31, 0x81, 255}, 256: {0x31, 0x82, 1, 0},
		65535: {0x31, 0x82, 0xff, 0xff}, 65536: {0x31, 0x83, 1, 0, 0}, 1 << 24: {0x31, 0x84, 1, 0, 0, 0},
	} {
		if got := setOf(make([]byte, n)); string(got[:len(want)]) != string(want) || len(got) != len(want)+n {
			t.Errorf("%d octets: % x, want % x", n, got[:len(want)], want)
		}
	}
}
