package smime

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/emersion/go-message"
)

// Bounds of the printed tree.
const (
	treeDepth = 10
	treeParts = 200
	treeName  = 80 // bytes of a foreign word
)

// Tree prints the MIME structure of a message for people: a line an entity
// with its type, transfer encoding, name and decoded size, children indented.
// It is for display only and decides nothing: the library that reads here is
// more lenient than Open. Foreign words are quoted, cut at 80 bytes, and their
// control characters escaped. At most ten levels and two hundred entities are
// shown; what is left out or cannot be read is said. Only an error of w is
// returned.
func Tree(w io.Writer, message []byte) error {
	t := tree{out: bufio.NewWriter(w)}
	t.read(bytes.NewReader(message), 0)
	return t.out.Flush()
}

type tree struct {
	out   *bufio.Writer
	parts int
}

func (t *tree) line(depth int, format string, args ...any) {
	fmt.Fprintf(t.out, strings.Repeat("  ", depth)+format+"\n", args...)
}

// read prints a message that begins with its header.
func (t *tree) read(r io.Reader, depth int) {
	e, err := message.ReadWithOptions(r, &message.ReadOptions{MaxHeaderBytes: int64(DefaultHeaderLimits().Bytes)})
	if e == nil {
		t.line(depth, "(cannot be read: %s)", printable(err.Error()))
		return
	}
	t.entity(e, depth)
}

func (t *tree) entity(e *message.Entity, depth int) {
	if t.parts++; t.parts > treeParts {
		if t.parts == treeParts+1 {
			t.line(depth, "(more than %d entities, the rest is not shown)", treeParts)
		}
		return
	}
	kind, params, err := e.Header.ContentType()
	if err != nil {
		t.line(depth, "(Content-Type cannot be read: %s)", printable(e.Header.Get("Content-Type")))
		return
	}
	label := printable(kind) + t.attributes(e, params)
	parts := e.MultipartReader()
	switch {
	case depth >= treeDepth:
		t.line(depth, "%s (too deep, not looked into)", label)
	case parts != nil:
		t.line(depth, "%s", label)
		t.children(parts, depth+1)
	case kind == "message/rfc822" || kind == "message/global":
		t.line(depth, "%s", label)
		t.read(e.Body, depth+1)
	default:
		n, err := io.Copy(io.Discard, e.Body)
		if err != nil {
			label += " (damaged)"
		}
		t.line(depth, "%s %d bytes", label, n)
	}
}

func (t *tree) children(parts message.MultipartReader, depth int) {
	for t.parts <= treeParts {
		e, err := parts.NextPart()
		switch {
		case err == io.EOF:
			return
		case e == nil:
			t.line(depth, "(cannot be read: %s)", printable(err.Error()))
			return
		}
		t.entity(e, depth)
	}
}

// attributes lists what helps to recognise an entity.
func (t *tree) attributes(e *message.Entity, params map[string]string) string {
	var b strings.Builder
	for _, key := range []string{"charset", "protocol", "micalg", "smime-type", "hp", "name"} {
		if v := params[key]; v != "" {
			b.WriteString(" " + key + "=" + printable(v))
		}
	}
	if _, disposition, err := e.Header.ContentDisposition(); err == nil && disposition["filename"] != "" {
		b.WriteString(" filename=" + printable(disposition["filename"]))
	}
	if v := e.Header.Get("Content-Transfer-Encoding"); v != "" {
		b.WriteString(" " + printable(v))
	}
	return b.String()
}

// printable makes a foreign word safe for a terminal: plain words stay as they
// are, all others are quoted and escaped.
func printable(s string) string {
	if len(s) > treeName {
		s = s[:treeName] + "..."
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return strconv.QuoteToASCII(s)
		}
	}
	return s
}
