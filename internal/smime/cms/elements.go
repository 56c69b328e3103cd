package cms

import (
	"strconv"
	"strings"
)

// expect reads the identifier and length of an element of the given kind.
func (r *reader) expect(class byte, tag int, what string) element {
	e := r.next()
	if r.err == nil && !e.is(class, tag) {
		r.fail("no %s at byte %d", what, e.start)
	}
	return e
}

// open goes inside an element of the given kind.
func (r *reader) open(class byte, tag int, what string) {
	r.enter(r.expect(class, tag, what))
}

// at0 tells whether the next element of the frame has this identifier octet.
func (r *reader) at0(identifier byte) bool {
	return r.more() && r.at < r.limit() && r.in[r.at] == identifier
}

// pass moves past one element of whatever kind.
func (r *reader) pass() { r.skip(r.next()) }

// octetString reads an OCTET STRING in one slice: a part of the input, or a copy
// where it comes in chunks.
func (r *reader) octetString(what string) []byte {
	return r.joined(r.expect(universal, tagOctets, what))
}

func (r *reader) joined(e element) []byte {
	if !e.constructed {
		return r.content(e)
	}
	value := []byte{}
	r.octets(e, func(piece []byte) { value = append(value, piece...) })
	return value
}

// integer reads an INTEGER in its shortest two's complement form, so that two
// encodings of one number compare equal.
func (r *reader) integer(what string) []byte {
	b := r.content(r.expect(universal, tagInteger, what))
	if r.err == nil && len(b) == 0 {
		r.fail("%s is empty", what)
	}
	for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		b = b[1:]
	}
	return b
}

// small reads an INTEGER that must lie between 0 and 32767.
func (r *reader) small(what string) (n int) {
	b := r.integer(what)
	if r.err == nil && (len(b) > 2 || b[0] >= 0x80) {
		r.fail("%s is out of bounds", what)
	}
	for _, c := range b[:min(len(b), 2)] {
		n = n<<8 | int(c)
	}
	return n
}

// The longest object identifier that is read, in encoded octets.
const maxOID = 64

// oid reads an OBJECT IDENTIFIER in dotted form.
func (r *reader) oid(what string) string {
	b := r.content(r.expect(universal, tagOID, what))
	if r.err != nil {
		return ""
	}
	text, ok := dotted(b)
	if !ok {
		r.fail("%s is no object identifier", what)
	}
	return text
}

// dotted writes the contents of an OBJECT IDENTIFIER (X.690 section 8.19).
func dotted(b []byte) (string, bool) {
	if len(b) == 0 || len(b) > maxOID {
		return "", false
	}
	var s strings.Builder
	s.Grow(4 * len(b))
	arc, first, open := uint64(0), true, false
	for _, c := range b {
		if arc >= 1<<56 || !open && c == 0x80 {
			return "", false
		}
		arc, open = arc<<7|uint64(c&0x7f), c&0x80 != 0
		if open {
			continue
		}
		if first {
			top := min(arc/40, 2)
			s.WriteString(strconv.FormatUint(top, 10))
			arc, first = arc-40*top, false
		}
		s.WriteByte('.')
		s.WriteString(strconv.FormatUint(arc, 10))
		arc = 0
	}
	return s.String(), !open
}

// An algorithm is an AlgorithmIdentifier (RFC 5280 section 4.1.1.2).
type algorithm struct {
	oid        string
	parameters []byte // the whole element; nil: absent
}

func (r *reader) algorithm(what string) algorithm {
	r.open(universal, tagSequence, what)
	a := algorithm{oid: r.oid(what)}
	if r.more() {
		a.parameters = r.raw(r.next())
	}
	r.leave()
	return a
}

// enterOctets goes inside an OCTET STRING in one piece that holds an element.
func (r *reader) enterOctets(what string) {
	e := r.expect(universal, tagOctets, what)
	e.constructed = !e.constructed // what it holds is read as its children; chunks are not
	r.enter(e)
}
