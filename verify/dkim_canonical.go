package verify

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"slices"
)

const crlf = "\r\n"

// canonicalBody writes to w, which must not fail, what a body hash is made of
// (RFC 6376 section 3.4.3, relaxed: section 3.4.4). All line ends of body are
// CRLF and neither CR nor LF stands elsewhere: checkMessage has asked. The work
// is linear, and the body is not copied.
func canonicalBody(w io.Writer, body []byte, relaxed bool) {
	text := trimEmptyLines(body, relaxed)
	switch {
	case !relaxed:
		w.Write(text)
	case len(text) == 0:
		return
	default:
		squeeze(w, text)
	}
	w.Write([]byte(crlf))
}

// trimEmptyLines takes the last line end off a body and all empty lines before
// it; where it is relaxed also lines of nothing but white space.
func trimEmptyLines(body []byte, relaxed bool) []byte {
	for {
		if relaxed {
			body = bytes.TrimRight(body, " \t")
		}
		before, ended := bytes.CutSuffix(body, []byte(crlf))
		if !ended {
			return body
		}
		body = before
	}
}

// squeeze writes a text with one blank for each run of white space within a
// line and none at the end of one. What is right already goes on in one piece;
// short pieces are joined, which a hash takes with less work.
func squeeze(to io.Writer, text []byte) {
	w := bufio.NewWriterSize(to, 1<<10)
	from := 0 // what is before is written
	for at := 0; ; {
		n := irregular(text[at:])
		start := at + n
		if start == len(text) {
			w.Write(text[from:])
			w.Flush()
			return
		}
		end := start
		for end < len(text) && (text[end] == ' ' || text[end] == '\t') {
			end++
		}
		w.Write(text[from:start])
		if end < len(text) && text[end] != '\r' {
			w.WriteByte(' ')
		}
		from, at = end, end
	}
}

// irregular is where white space begins that is no single blank between two
// other characters of a line; the length of text if there is none.
func irregular(text []byte) int {
	const blanks, tabs, returns = 0x2020202020202020, 0x0909090909090909, 0x0d0d0d0d0d0d0d0d
	i := 0
	for ; i+8 < len(text); i += 8 {
		w := binary.LittleEndian.Uint64(text[i:])
		blank, tab := zeroes(w^blanks), zeroes(w^tabs)
		if blank|tab == 0 {
			continue
		}
		next := w>>8 | uint64(text[i+8])<<56
		if tab == 0 && blank&(zeroes(next^blanks)|zeroes(next^tabs)|zeroes(next^returns)) == 0 {
			continue
		}
		break
	}
	for ; i < len(text); i++ {
		switch {
		case text[i] == '\t':
			return i
		case text[i] != ' ':
		case i+1 == len(text), text[i+1] == ' ', text[i+1] == '\t', text[i+1] == '\r':
			return i
		}
	}
	return i
}

// zeroes has the highest bit of each byte set that is zero in w, and no other.
func zeroes(w uint64) uint64 {
	const low = 0x7f7f7f7f7f7f7f7f
	return ^((w&low + low) | w | low)
}

// appendField appends a header field, which is given as received with its line
// end, as a signature covers it (RFC 6376 section 3.4.1, relaxed: section 3.4.2).
func appendField(to, field []byte, relaxed bool) []byte {
	if !relaxed {
		return append(to, field...)
	}
	name, value, _ := bytes.Cut(field, []byte(":"))
	to = append(to, bytes.ToLower(bytes.Trim(name, fws))...)
	to = append(to, ':')
	start, gap := len(to), false
	for _, c := range value {
		switch c {
		case ' ', '\t', '\r', '\n':
			gap = true
			continue
		}
		if gap && len(to) > start {
			to = append(to, ' ')
		}
		to, gap = append(to, c), false
	}
	return append(to, crlf...)
}

// withoutValue returns a signature's own field as it covers itself: without what
// its b= says, white space around that included, and without its last line end
// (RFC 6376 section 3.7). The tags are told apart as parseTags does.
func withoutValue(field []byte) []byte {
	field = bytes.TrimSuffix(field, []byte(crlf))
	for at := bytes.IndexByte(field, ':') + 1; at < len(field); {
		tag, _, _ := bytes.Cut(field[at:], []byte(";"))
		end := at + len(tag)
		name, value, _ := bytes.Cut(tag, []byte("="))
		if string(bytes.Trim(name, fws)) == "b" {
			return slices.Concat(field[:end-len(value)], field[end:])
		}
		at = end + 1
	}
	return field
}
