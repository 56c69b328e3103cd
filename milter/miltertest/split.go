package miltertest

import (
	"bytes"
	"strings"
)

// A Field is one header field as it travels: the value is all that follows the
// colon, with LF between the lines of a folded one.
type Field struct {
	Name, Value string
}

// maxField is where Postfix cuts a header field (header_size_limit allows more
// than it passes on).
const maxField = 60000

// Split reads a message as Postfix does before it shows it to a filter. Line
// ends become CRLF and a lone CR a blank; a value ends at its first NUL; blanks
// before the colon go; the first line that is no header field begins the body.
func Split(message []byte) (fields []Field, body []byte) {
	b := normalise(message)
	for len(b) > 0 {
		end := fieldEnd(b)
		f, ok := field(b[:end])
		if !ok {
			break
		}
		fields = append(fields, f)
		b = b[end:]
	}
	return fields, bytes.TrimPrefix(b, []byte("\r\n"))
}

// normalise makes every line end CRLF and every other CR a blank.
func normalise(message []byte) []byte {
	out := make([]byte, 0, len(message)+len(message)/40)
	for i, c := range message {
		switch {
		case c == '\n':
			out = append(out, '\r', '\n')
		case c == '\r' && i+1 < len(message) && message[i+1] == '\n':
		case c == '\r':
			out = append(out, ' ')
		default:
			out = append(out, c)
		}
	}
	return out
}

// fieldEnd is the length of the first line of b with its continuation lines.
func fieldEnd(b []byte) int {
	for i := 0; ; {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			return len(b)
		}
		i += n + 1
		if i == len(b) || b[i] != ' ' && b[i] != '\t' {
			return i
		}
	}
}

// field reads one field, false if it is none.
func field(b []byte) (Field, bool) {
	name, value, ok := strings.Cut(string(b), ":")
	name = strings.TrimRight(name, " \t")
	if !ok || name == "" {
		return Field{}, false
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f {
			return Field{}, false
		}
	}
	value = strings.ReplaceAll(strings.TrimSuffix(value, "\r\n"), "\r\n", "\n")
	value, _, _ = strings.Cut(value, "\x00")
	if len(value) > maxField {
		value = value[:maxField]
	}
	return Field{name, value}, true
}
