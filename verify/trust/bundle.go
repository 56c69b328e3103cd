package trust

import (
	"crypto/x509"
	_ "embed" // of the roots
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// A Bundle is a list of e-mail roots, as a root programme publishes them.
type Bundle struct {
	Version string    // of the source, "NSS builtins 2.92"; "" unknown
	Date    time.Time // of the data; zero: unknown
	Roots   []Root
}

// A Root is one CA of a Bundle.
type Root struct {
	Certificate   *x509.Certificate
	Label         string    // sanitised
	DistrustAfter time.Time // leaves issued after it are refused; zero: none
}

//go:embed email-roots.pem
var embedded string

// Embedded returns the contents of the bundle that the program brings.
func Embedded() []byte { return []byte(embedded) }

// ReadBundle reads a list of roots: a certdata.txt of NSS, from which those with
// the e-mail trust bit are taken, a bundle as WriteBundle writes it, or any file
// that Load takes, whose CAs are then all taken. Each CA stands in it once, and
// each can be an anchor. Problems are about name, the file, and say what was
// left out. A certdata.txt or bundle that is damaged is an error as a whole, as
// is any other file that cannot be read; none of its roots are returned then.
// At most 8 MiB and 2000 certificates are read.
func ReadBundle(name string, data []byte) (Bundle, []Problem, error) {
	if len(data) > maxFileBytes {
		return Bundle{}, nil, fmt.Errorf("over %d bytes", maxFileBytes)
	}
	if _, der := readDER(data); !der {
		text, err := plainText(data)
		switch {
		case err != nil:
			return Bundle{}, nil, err
		case isCertdata(text):
			version, objects, err := readCertdata(text)
			if err != nil {
				return Bundle{}, nil, fmt.Errorf("certdata.txt: %w", err)
			}
			b, problems := mailRoots(name, version, objects)
			return b, problems, nil
		case isWritten(text):
			return readWritten(name, text)
		}
	}
	return readAny(name, data)
}

// readAny takes every CA from a file that says nothing about their trust.
func readAny(name string, data []byte) (Bundle, []Problem, error) {
	objects, err := read(data)
	if err != nil {
		return Bundle{}, nil, err
	}
	var b Bundle
	var problems []Problem
	seen := map[string]bool{}
	for i, o := range objects {
		c, text, warning := o.certificate()
		if text == "" {
			text, warning = unusable(c)
		}
		if text == "" && seen[string(c.Raw)] {
			text, warning = "the CA "+named(c)+" stands in the file twice", true
		}
		if text != "" {
			problems = append(problems, Problem{File: name, Index: i + 1, Text: text, Warning: warning})
			continue
		}
		seen[string(c.Raw)] = true
		b.Roots = append(b.Roots, Root{Certificate: c, Label: labelOf(c)})
	}
	return b, problems, nil
}

// labelOf is the label of a root whose source gives it none.
func labelOf(c *x509.Certificate) string {
	if names := called(c.Subject); names != nil {
		if l := sanitised(names[0]); l != "" {
			return l
		}
	}
	return "without a name"
}

// maxLabel is in runes. The longest label of NSS 3.132 has 60.
const maxLabel = 100

// sanitised makes a foreign label safe for a line: what cannot be printed, and
// quotation marks and backslashes, become question marks.
func sanitised(s string) string {
	var out strings.Builder
	n := 0
	for _, c := range strings.TrimSpace(s) {
		if n++; n > maxLabel {
			break
		}
		if c == '"' || c == '\\' || c == unicode.ReplacementChar || !unicode.IsPrint(c) {
			c = '?'
		}
		out.WriteRune(c)
	}
	return strings.TrimSpace(out.String())
}

// unescaped replaces \xHH, the only escape that labels of a certdata.txt use.
func unescaped(s string) string {
	var out strings.Builder
	for s != "" {
		if len(s) >= 4 && s[:2] == `\x` {
			if n, err := strconv.ParseUint(s[2:4], 16, 8); err == nil {
				out.WriteByte(byte(n))
				s = s[4:]
				continue
			}
		}
		out.WriteByte(s[0])
		s = s[1:]
	}
	return out.String()
}
