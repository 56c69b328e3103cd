package cmstest

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// Identifier octets of common elements.
const (
	Boolean     = 0x01
	Integer     = 0x02
	BitString   = 0x03
	OctetString = 0x04
	Null        = 0x05
	ObjectID    = 0x06
	UTF8String  = 0x0c
	Printable   = 0x13
	IA5String   = 0x16
	UTCTime     = 0x17
	GeneralTime = 0x18
	SequenceTag = 0x30
	SetTag      = 0x31
)

// TLV encodes an element with a definite length in its shortest form.
func TLV(identifier byte, parts ...[]byte) []byte {
	contents := bytes.Join(parts, nil)
	return slices.Concat([]byte{identifier}, Length(len(contents)), contents)
}

// Length encodes a definite length in its shortest form.
func Length(n int) []byte {
	if n < 0x80 {
		return []byte{byte(n)}
	}
	var octets []byte
	for ; n > 0; n >>= 8 {
		octets = append([]byte{byte(n)}, octets...)
	}
	return append([]byte{0x80 | byte(len(octets))}, octets...)
}

// Indefinite encodes a constructed element of indefinite length.
func Indefinite(identifier byte, parts ...[]byte) []byte {
	return slices.Concat([]byte{identifier | 0x20, 0x80}, bytes.Join(parts, nil), []byte{0, 0})
}

// Sequence encodes a SEQUENCE.
func Sequence(parts ...[]byte) []byte { return TLV(SequenceTag, parts...) }

// Set encodes a SET whose elements stay in the order given.
func Set(parts ...[]byte) []byte { return TLV(SetTag, parts...) }

// SortedSet encodes a SET OF as DER wants it.
func SortedSet(parts ...[]byte) []byte {
	sorted := slices.Clone(parts)
	slices.SortFunc(sorted, bytes.Compare)
	return Set(sorted...)
}

// Octets encodes an OCTET STRING in one piece.
func Octets(b []byte) []byte { return TLV(OctetString, b) }

// Context encodes the contents under a constructed context tag.
func Context(tag int, parts ...[]byte) []byte { return TLV(0xa0|byte(tag), parts...) }

// Int encodes a small non-negative INTEGER.
func Int(n int) []byte {
	b := []byte{byte(n)}
	for n >>= 8; n > 0; n >>= 8 {
		b = append([]byte{byte(n)}, b...)
	}
	if b[0] >= 0x80 {
		b = append([]byte{0}, b...)
	}
	return TLV(Integer, b)
}

// OID encodes a dotted object identifier. It panics at one that is no such
// thing: the text is a constant of a test.
func OID(text string) []byte {
	var arcs []uint64
	for _, part := range strings.Split(text, ".") {
		n, err := strconv.ParseUint(part, 10, 64)
		if err != nil {
			panic("cmstest: object identifier " + text)
		}
		arcs = append(arcs, n)
	}
	arcs = append([]uint64{40*arcs[0] + arcs[1]}, arcs[2:]...)
	var contents []byte
	for _, n := range arcs {
		group := []byte{byte(n & 0x7f)}
		for n >>= 7; n > 0; n >>= 7 {
			group = append([]byte{0x80 | byte(n&0x7f)}, group...)
		}
		contents = append(contents, group...)
	}
	return TLV(ObjectID, contents)
}

// Algorithm encodes an AlgorithmIdentifier; without parameters they are absent.
func Algorithm(oid string, parameters ...[]byte) []byte {
	return Sequence(append([][]byte{OID(oid)}, parameters...)...)
}

// NULL is the encoding of NULL, as parameters of algorithms.
func NULL() []byte { return []byte{Null, 0} }

// Chunks encodes an OCTET STRING of indefinite length in pieces of size octets.
func Chunks(b []byte, size int) []byte {
	var parts [][]byte
	for piece := range slices.Chunk(b, size) {
		parts = append(parts, Octets(piece))
	}
	return Indefinite(OctetString, parts...)
}

// NestedChunks encodes an OCTET STRING as depth constructed ones around Chunks.
func NestedChunks(b []byte, size, depth int) []byte {
	e := Chunks(b, size)
	for range depth {
		e = Indefinite(OctetString, e)
	}
	return e
}
