package smime

import (
	"bytes"
	"strings"
)

// HeaderLimits bound a header block (RFC 5322 section 2.2).
type HeaderLimits struct {
	Bytes      int // the whole block
	Fields     int
	FieldBytes int // one field with its continuation lines
	FieldLines int // lines of one field
}

// DefaultHeaderLimits are those of the specification.
func DefaultHeaderLimits() HeaderLimits {
	return HeaderLimits{Bytes: 256 << 10, Fields: 1000, FieldBytes: 64 << 10, FieldLines: 500}
}

// A Field is one header field as received.
type Field struct {
	Name string // as received, without the colon; nothing but printable ASCII
	Raw  []byte // the whole field, name to final CRLF, a part of the message's bytes
}

// A Header is a header block in the order received.
type Header struct {
	Fields []Field
	Raw    []byte // all fields, without the empty line
}

// A HeaderErrorKind says what is wrong with a header block.
type HeaderErrorKind string

// The kinds of trouble in a header block.
const (
	HeaderNUL          HeaderErrorKind = "nul"
	HeaderBareCR       HeaderErrorKind = "bare-cr"
	HeaderBareLF       HeaderErrorKind = "bare-lf"
	HeaderLeadingBlank HeaderErrorKind = "leading-blank" // the first line is a continuation of nothing
	HeaderName         HeaderErrorKind = "name"          // empty, 8-bit, a blank in it or before the colon
	HeaderNoColon      HeaderErrorKind = "no-colon"
	HeaderTruncated    HeaderErrorKind = "truncated" // the last line has no end
	HeaderTooLarge     HeaderErrorKind = "too-large" // one of HeaderLimits
)

// A HeaderError says why a header block is refused. Detail is our own words,
// without anything from the message.
type HeaderError struct {
	Kind   HeaderErrorKind
	Detail string
}

func (e *HeaderError) Error() string { return "smime: header: " + e.Detail }

// ScanHeader splits a message, given with CRLF line ends, into its header
// block and its body (RFC 5322 section 2.1). The empty line between them
// belongs to neither; a message may end after its header. A block that
// different programs would read in different ways is a *HeaderError: so is
// every line that an MTA would silently take as the start of the body. A field
// of nothing but blanks on a continuation line is legal (obs-FWS). The work is
// linear in the block, and nothing beyond lim.Bytes is looked at.
func ScanHeader(message []byte, lim HeaderLimits) (Header, []byte, error) {
	var h Header
	pos, lines := 0, 0
	for pos < len(message) {
		if bytes.HasPrefix(message[pos:], crlf) {
			h.Raw = message[:pos:pos]
			return h, message[pos+2:], nil
		}
		n, err := headerLine(message[pos:], lim.Bytes-pos)
		if err != nil {
			return Header{}, nil, err
		}
		line := message[pos : pos+n]
		if line[0] == ' ' || line[0] == '\t' {
			if len(h.Fields) == 0 {
				return Header{}, nil, &HeaderError{HeaderLeadingBlank, "the first line begins with a blank"}
			}
			f := &h.Fields[len(h.Fields)-1]
			start := pos - len(f.Raw)
			f.Raw = message[start : pos+n : pos+n]
			lines++
		} else {
			name, err := fieldName(line)
			if err != nil {
				return Header{}, nil, err
			}
			h.Fields = append(h.Fields, Field{Name: name, Raw: line[:n:n]})
			lines = 1
		}
		if err := withinLimits(h.Fields, lines, lim); err != nil {
			return Header{}, nil, err
		}
		pos += n
	}
	h.Raw = message
	return h, nil, nil
}

// headerLine returns the length of the first line of b, CRLF included, at most
// room bytes.
func headerLine(b []byte, room int) (int, error) {
	tooLarge := len(b) > room
	if tooLarge {
		b = b[:max(room, 0)]
	}
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case 0:
			return 0, &HeaderError{HeaderNUL, "there is a NUL in the header"}
		case '\n':
			return 0, &HeaderError{HeaderBareLF, "a header line ends with LF alone"}
		case '\r':
			if i+1 < len(b) && b[i+1] == '\n' {
				return i + 2, nil
			}
			if i+1 < len(b) {
				return 0, &HeaderError{HeaderBareCR, "there is a CR without LF in the header"}
			}
		}
	}
	if tooLarge {
		return 0, &HeaderError{HeaderTooLarge, "the header is too large"}
	}
	return 0, &HeaderError{HeaderTruncated, "the header ends in the middle of a line"}
}

// fieldName returns the name at the start of a line (RFC 5322 section 3.6.8:
// printable ASCII without colon and blank).
func fieldName(line []byte) (string, error) {
	for i, c := range line {
		switch {
		case c == ':' && i == 0:
			return "", &HeaderError{HeaderName, "a header field has no name"}
		case c == ':':
			return string(line[:i]), nil
		case (c == ' ' || c == '\t') && string(line[:i]) == "From":
			return "", &HeaderError{HeaderName, "a header line begins with From and a blank, as in a mailbox file"}
		case c == ' ' || c == '\t':
			return "", &HeaderError{HeaderName, "there is a blank in the name of a header field or before its colon"}
		case c == '\r':
			return "", &HeaderError{HeaderNoColon, "there is a line without colon in the header"}
		case c < '!' || c > '~':
			return "", &HeaderError{HeaderName, "the name of a header field has a character that is not printable ASCII"}
		}
	}
	return "", &HeaderError{HeaderNoColon, "there is a line without colon in the header"}
}

func withinLimits(fields []Field, lines int, lim HeaderLimits) error {
	switch {
	case len(fields) > lim.Fields:
		return &HeaderError{HeaderTooLarge, "there are too many header fields"}
	case len(fields[len(fields)-1].Raw) > lim.FieldBytes:
		return &HeaderError{HeaderTooLarge, "a header field is too long"}
	case lines > lim.FieldLines:
		return &HeaderError{HeaderTooLarge, "a header field has too many lines"}
	}
	return nil
}

var crlf = []byte("\r\n")

// All returns the fields of this name, in the order received; names match in
// any case.
func (h Header) All(name string) []Field {
	var out []Field
	for _, f := range h.Fields {
		if strings.EqualFold(f.Name, name) {
			out = append(out, f)
		}
	}
	return out
}

// First returns the topmost field of this name.
func (h Header) First(name string) (Field, bool) {
	for _, f := range h.Fields {
		if strings.EqualFold(f.Name, name) {
			return f, true
		}
	}
	return Field{}, false
}

// Has says whether there is a field of this name.
func (h Header) Has(name string) bool {
	_, ok := h.First(name)
	return ok
}

// Value returns the text after the colon, unfolded (RFC 5322 section 2.2.3:
// each CRLF is dropped, the blanks that follow it stay) and without blanks at
// its ends. It is at most HeaderLimits.FieldBytes long and as foreign as the
// message: nothing in it is decoded.
func (f Field) Value() string {
	i := bytes.IndexByte(f.Raw, ':') + 1
	v := bytes.ReplaceAll(f.Raw[i:], crlf, nil)
	return string(bytes.Trim(v, " \t"))
}
