package dns

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Bounds of a zone file.
const (
	maxZoneBytes    = 4 << 20
	maxZoneMistakes = 20 // reported; further ones are only counted
)

// A Zone gives the answers of a file. Names that are not in it do not exist.
// It is safe for concurrent use.
type Zone struct {
	names map[string]*zoneName
}

type zoneName struct {
	line    int // where it stands first
	word    string
	records []string
}

// The words that stand in the place of records.
const (
	tempError = "TEMPERROR" // the servers cannot say
	nxDomain  = "NXDOMAIN"  // there is no such name
)

// ReadZone reads a file of TXT records, at most 4 MiB. A line holds
//
//	name TXT "text" "more text"
//
// whose strings are joined; several lines of one name are several records. In
// the place of the strings, or of TXT and the strings, may stand TEMPERROR or
// NXDOMAIN. Within quotes a backslash takes the next character as it is, or,
// followed by three digits, is the byte of that decimal number. # and ; start
// a comment. The error names every mistake by file, which is name, and line.
func ReadZone(r io.Reader, name string) (*Zone, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxZoneBytes+1))
	if err != nil {
		return nil, fmt.Errorf("dns: %s: %w", name, err)
	}
	if len(data) > maxZoneBytes {
		return nil, fmt.Errorf("dns: %s: larger than %d bytes; keep only the names you need", name, maxZoneBytes)
	}
	z := &Zone{names: make(map[string]*zoneName)}
	var mistakes []error
	more := 0
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, maxZoneBytes+1)
	for n := 1; lines.Scan(); n++ {
		if err := z.add(lines.Text(), n); err != nil {
			if len(mistakes) < maxZoneMistakes {
				mistakes = append(mistakes, fmt.Errorf("dns: %s: line %d: %w", name, n, err))
			} else {
				more++
			}
		}
	}
	if err := lines.Err(); err != nil {
		mistakes = append(mistakes, fmt.Errorf("dns: %s: %w", name, err))
	}
	if more > 0 {
		mistakes = append(mistakes, fmt.Errorf("dns: %s: %d more lines have mistakes", name, more))
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	return z, nil
}

// add takes one line into the zone.
func (z *Zone) add(line string, n int) error {
	owner, rest := word(line)
	if owner == "" {
		return nil
	}
	name, ok := canonical(owner)
	if !ok {
		return fmt.Errorf("%.64q is no domain name", owner)
	}
	value, err := zoneValue(rest)
	if err != nil {
		return err
	}
	known := z.names[name]
	switch {
	case known == nil:
		value.line = n
		z.names[name] = value
	case known.word != "" || value.word != "":
		return fmt.Errorf("%s has another value in line %d: %s and %s stand alone", name, known.line, tempError, nxDomain)
	default:
		known.records = append(known.records, value.records...)
	}
	return nil
}

// zoneValue reads what follows the name in a line.
func zoneValue(rest string) (*zoneName, error) {
	kind, after := word(rest)
	switch kind {
	case tempError, nxDomain:
		if extra, _ := word(after); extra != "" {
			return nil, fmt.Errorf("%.64q stands after %s; end the line there", extra, kind)
		}
		return &zoneName{word: kind}, nil
	case "TXT":
		if next, _ := word(after); next == tempError || next == nxDomain {
			return zoneValue(after)
		}
		record, err := quotedStrings(after)
		if err != nil {
			return nil, err
		}
		return &zoneName{records: []string{record}}, nil
	case "":
		return nil, fmt.Errorf("a name without a value; write TXT \"…\", %s or %s after it", tempError, nxDomain)
	}
	return nil, fmt.Errorf("%.64q in the place of TXT, %s or %s", kind, tempError, nxDomain)
}

// word cuts the first word off a line. It is "" at the end of the line and
// where a comment starts.
func word(s string) (first, rest string) {
	s = strings.TrimLeft(s, " \t\r")
	end := strings.IndexAny(s, " \t\r;#\"")
	switch {
	case end < 0:
		return s, ""
	case end == 0 && s[0] == '"':
		return `"`, s
	case end == 0:
		return "", ""
	}
	return s[:end], s[end:]
}

// quotedStrings reads "…" "…" up to the end of the line or a comment and
// returns them joined.
func quotedStrings(s string) (string, error) {
	var b strings.Builder
	for n := 0; ; n++ {
		s = strings.TrimLeft(s, " \t\r")
		if s == "" || s[0] == ';' || s[0] == '#' {
			if n == 0 {
				return "", errors.New("TXT without a text; write it in quotes")
			}
			return b.String(), nil
		}
		if s[0] != '"' {
			return "", errors.New("text outside quotes; write it in quotes")
		}
		end := closingQuote(s)
		if end < 0 {
			return "", errors.New("a quote is not closed")
		}
		plain, err := unescape(s[1:end])
		if err != nil {
			return "", err
		}
		b.WriteString(plain)
		s = s[end+1:]
	}
}

// closingQuote returns the index of the quote that ends the string at the
// beginning of s, -1 if there is none.
func closingQuote(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// TXT answers as Resolver.TXT does, at once.
func (z *Zone) TXT(ctx context.Context, name string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("dns: %s TXT: %w", name, err)
	}
	name, ok := canonical(name)
	if !ok {
		return nil, nil
	}
	v := z.names[name]
	switch {
	case v == nil || v.word == nxDomain:
		return nil, nil
	case v.word == tempError:
		return nil, fmt.Errorf("dns: %s TXT: line %d of the file says %s", name, v.line, tempError)
	}
	return slices.Clone(v.records), nil
}
