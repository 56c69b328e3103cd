package cms

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// comparableName writes a Name so that two encodings of one name are equal: the
// string types decoded, letter case folded and blanks collapsed (RFC 5280
// section 7.1). One that cannot be read is compared as it is.
func (s *SignedData) comparableName(raw []byte) string {
	r := s.inside(raw)
	var name []byte
	r.open(universal, tagSequence, "name")
	for r.more() {
		r.open(universal, tagSet, "relative name")
		var pairs []string
		for r.more() {
			pairs = append(pairs, readPair(r))
		}
		r.leave()
		slices.Sort(pairs)
		name = binary.AppendUvarint(name, uint64(len(pairs)))
		for _, p := range pairs {
			name = binary.AppendUvarint(name, uint64(len(p)))
			name = append(name, p...)
		}
	}
	r.leave()
	if r.err != nil {
		return "raw " + string(raw)
	}
	return "name " + string(name)
}

// readPair reads one AttributeTypeAndValue.
func readPair(r *reader) string {
	r.open(universal, tagSequence, "attribute of a name")
	oid := r.oid("attribute of a name")
	e := r.next()
	var value string
	if text, ok := "", false; r.err == nil {
		if e.class == universal && !e.constructed {
			text, ok = DirectoryString(e.tag, r.content(e))
		}
		if ok {
			value = " " + strings.Join(strings.Fields(strings.ToLower(text)), " ")
		} else {
			value = string(r.raw(e))
		}
	}
	r.leave()
	return oid + value
}

// DirectoryString returns as UTF-8 the contents of a value of a string type that
// names use, by its universal tag number (RFC 5280 section 4.1.2.4); false for
// any other type and for what cannot be read.
func DirectoryString(tag int, b []byte) (string, bool) {
	switch tag {
	case 12, 18, 19, 22, 26: // UTF8, Numeric, Printable, IA5, Visible
		return string(b), utf8.Valid(b)
	case 20: // Teletex, which in practice is Latin-1
		runes := make([]rune, len(b))
		for i, c := range b {
			runes[i] = rune(c)
		}
		return string(runes), true
	case 28: // Universal
		if len(b)%4 != 0 {
			return "", false
		}
		runes := make([]rune, len(b)/4)
		for i := range runes {
			runes[i] = rune(binary.BigEndian.Uint32(b[4*i:]) & 0x7fffffff)
		}
		return string(runes), true
	case 30: // BMP
		if len(b)%2 != 0 {
			return "", false
		}
		units := make([]uint16, len(b)/2)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(b[2*i:])
		}
		return string(utf16.Decode(units)), true
	}
	return "", false
}
