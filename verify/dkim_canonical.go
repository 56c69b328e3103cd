package verify

import (
	"bytes"
	"io"
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
// line and none at the end of one. What is right already goes on in one piece.
func squeeze(w io.Writer, text []byte) {
	blank := []byte(" ")
	from := 0 // what is before is written
	for s := (spaces{text: text, tab: -1}); ; {
		start := s.next()
		if start < 0 {
			w.Write(text[from:])
			return
		}
		end := start + 1
		for end < len(text) && (text[end] == ' ' || text[end] == '\t') {
			end++
		}
		s.at = end
		switch {
		case end == len(text) || text[end] == '\r':
			w.Write(text[from:start])
			from = end
		case text[start] == '\t':
			w.Write(text[from:start])
			w.Write(blank)
			from = end
		case end-start > 1:
			w.Write(text[from : start+1])
			from = end
		}
	}
}

// A spaces finds blanks and tabs. Tabs are rare: where the next one stands is
// not asked at each blank.
type spaces struct {
	text []byte
	at   int // where to look from
	tab  int // the next one, if it is not before at; len(text): there is none
}

// next is where the next one stands, -1 if there is none.
func (s *spaces) next() int {
	if s.tab < s.at {
		s.tab = s.find('\t')
	}
	if i := min(s.find(' '), s.tab); i < len(s.text) {
		return i
	}
	return -1
}

func (s *spaces) find(c byte) int {
	if i := bytes.IndexByte(s.text[s.at:], c); i >= 0 {
		return s.at + i
	}
	return len(s.text)
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
// its b= says, and without its last line end (RFC 6376 section 3.7).
func withoutValue(field []byte) []byte {
	field = bytes.TrimSuffix(field, []byte(crlf))
	at := bytes.IndexByte(field, ':') + 1
	for at < len(field) {
		tag := field[at:]
		end := bytes.IndexByte(tag, ';')
		if end < 0 {
			end = len(tag)
		}
		name, value, _ := bytes.Cut(tag[:end], []byte("="))
		if string(bytes.Trim(name, fws)) == "b" {
			value := at + end - len(value)
			return append(bytes.Clone(field[:value]), field[at+end:]...)
		}
		at += end + 1
	}
	return field
}
