package smime

import (
	"bytes"
	"errors"
	"strings"
)

// maxBoundary is the length of a boundary (RFC 2046 section 5.1.1).
const maxBoundary = 70

// A cutter cuts the body of a multipart into its parts.
type cutter struct {
	delimiter []byte // "--" and the boundary
	max       int    // parts that are returned; more are counted
	steps     int    // lines looked at, for tests of linear work
}

// newCutter holds a boundary to the grammar: 1 to 70 of the bytes it may
// consist of, no blank at its end.
func newCutter(boundary string, max int) (*cutter, error) {
	if boundary == "" || len(boundary) > maxBoundary {
		return nil, errors.New("smime: the boundary is missing or too long")
	}
	for i := 0; i < len(boundary); i++ {
		if !isBoundaryByte(boundary[i]) {
			return nil, errors.New("smime: the boundary has a character that may not be in it")
		}
	}
	if boundary[len(boundary)-1] == ' ' {
		return nil, errors.New("smime: the boundary ends with a blank")
	}
	return &cutter{delimiter: []byte("--" + boundary), max: max}, nil
}

// isBoundaryByte is bchars of RFC 2046 section 5.1.1.
func isBoundaryByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		strings.IndexByte("'()+_,-./:=? ", c) >= 0
}

// A lineKind says what a line means to a multipart.
type lineKind int

const (
	contentLine   lineKind = iota
	delimiterLine          // begins a part
	closingLine            // ends the last part
	confusingLine          // a delimiter to some programs, content to others
)

// kind looks at a line given with its end, if it has one.
func (c *cutter) kind(line []byte) lineKind {
	if !bytes.HasPrefix(line, c.delimiter) {
		return contentLine
	}
	rest := bytes.TrimSuffix(line[len(c.delimiter):], crlf)
	switch {
	case bytes.ContainsAny(rest, "\r\n"): // a line end, but not CRLF
		return confusingLine
	case len(bytes.Trim(rest, " \t")) == 0:
		return delimiterLine
	case bytes.HasPrefix(rest, []byte("--")) && len(bytes.Trim(rest[2:], " \t")) == 0:
		return closingLine
	case isBoundaryByte(rest[0]): // another boundary that begins like ours
		return contentLine
	}
	return confusingLine
}

// cut returns the first c.max parts of a body and how many there are. The CRLF
// before a delimiter belongs to the delimiter (RFC 2046 section 5.1.1). What
// stands before the first delimiter and after the closing one is no part; a
// missing closing delimiter is tolerated: the last part then goes to the end.
func (c *cutter) cut(body []byte) (parts [][]byte, count int, err error) {
	start, closed := -1, false
	end := func(pos int) error {
		if start < 0 {
			return nil
		}
		if pos < start {
			return errors.New("smime: two delimiters share one line end")
		}
		if count++; count <= c.max {
			parts = append(parts, body[start:pos:pos])
		}
		return nil
	}
	for pos := 0; pos < len(body); {
		c.steps++
		next := len(body)
		if i := bytes.IndexByte(body[pos:], '\n'); i >= 0 {
			next = pos + i + 1
		}
		kind := c.kind(body[pos:next])
		switch {
		case kind == contentLine:
		case kind == confusingLine:
			return nil, 0, errors.New("smime: a line begins like a delimiter and is none")
		case pos > 0 && !bytes.HasSuffix(body[:pos], crlf):
			return nil, 0, errors.New("smime: a delimiter follows a bare LF")
		case closed:
			return nil, 0, errors.New("smime: a delimiter stands after the closing delimiter")
		default:
			if err := end(pos - len(crlf)); err != nil {
				return nil, 0, err
			}
			start = next
			closed = kind == closingLine
		}
		pos = next
	}
	if !closed {
		err = end(len(body))
	}
	return parts, count, err
}

// splitPart separates a part's header from its content. A part may begin with
// the empty line, which means that it has no header.
func splitPart(part []byte) (Header, []byte, error) {
	return ScanHeader(part, DefaultHeaderLimits())
}
