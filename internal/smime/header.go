package smime

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
