package smime

import (
	"errors"
	"mime"
	"strings"
)

// A mediaType is a Content-Type or Content-Disposition field that can be read
// one way only (RFC 2045 section 5.1).
type mediaType struct {
	name   string // type/subtype or disposition, lower case
	params map[string]string
	odd    map[string]bool // parameters with a backslash in them, or in the forms of RFC 2231
}

// MediaType returns type/subtype of the first Content-Type field in lower
// case, "" if there is none or it cannot be read.
func (h Header) MediaType() string {
	f, ok := h.First("Content-Type")
	if !ok {
		return ""
	}
	name, _ := cutType(f.Value())
	return name
}

// cutType separates the type from its parameters. A type is two tokens around
// a slash, a disposition one token; anything else gives "".
func cutType(value string) (name, rest string) {
	name, rest, _ = strings.Cut(value, ";")
	name = lowerASCII(strings.Trim(name, " \t"))
	top, sub, two := strings.Cut(name, "/")
	if !isToken(top) || two && !isToken(sub) {
		return "", rest
	}
	return name, rest
}

// parseMediaType reads a field value. A value in quotes may hold anything; an
// unquoted one may hold all but blanks and the characters that would begin
// something else, because clients write boundaries and protocols without the
// quotes that their slashes and equals signs ask for. Comments and repeated
// parameters are errors: programs disagree about them.
func parseMediaType(value string) (mediaType, error) {
	name, rest := cutType(value)
	m := mediaType{name: name, params: map[string]string{}, odd: map[string]bool{}}
	if name == "" {
		return m, errors.New("smime: the type cannot be read")
	}
	for {
		rest = strings.TrimLeft(rest, " \t;")
		if rest == "" {
			return m, nil
		}
		key, after, ok := strings.Cut(rest, "=")
		key = lowerASCII(strings.TrimRight(key, " \t"))
		if !ok || !isToken(key) {
			return m, errors.New("smime: a parameter cannot be read")
		}
		val, tail, escaped, err := parameterValue(strings.TrimLeft(after, " \t"))
		if err != nil {
			return m, err
		}
		if base, _, extended := strings.Cut(key, "*"); extended {
			m.odd[base] = true
		}
		if _, twice := m.params[key]; twice {
			return m, errors.New("smime: a parameter is repeated")
		}
		m.params[key] = val
		m.odd[key] = m.odd[key] || escaped
		rest = strings.TrimLeft(tail, " \t")
		if rest != "" && rest[0] != ';' {
			return m, errors.New("smime: something stands between two parameters")
		}
	}
}

// parameterValue cuts a value off the start of s.
func parameterValue(s string) (val, tail string, escaped bool, err error) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, "; \t")
		if end < 0 {
			end = len(s)
		}
		if val = s[:end]; val == "" || strings.ContainsAny(val, `"(),<>\`) || hasControl(val) {
			return "", "", false, errors.New("smime: the value of a parameter cannot be read")
		}
		return val, s[end:], false, nil
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			if hasControl(b.String()) {
				return "", "", false, errors.New("smime: a control character in the value of a parameter")
			}
			return b.String(), s[i+1:], escaped, nil
		case s[i] == '\\' && i+1 < len(s):
			escaped = true
			i++
		}
		b.WriteByte(s[i])
	}
	return "", "", false, errors.New("smime: the value of a parameter has no end")
}

// one returns a parameter on which the reading of the structure depends: such
// a one must not be there in a second form.
func (m mediaType) one(key string) (string, error) {
	if m.odd[key] {
		return "", errors.New("smime: a parameter can be read in two ways")
	}
	return m.params[key], nil
}

// fileName returns the name that a part wants to have, in lower case, for
// advice and for telling .p7m from other octet streams.
func fileName(h Header) string {
	for _, key := range []struct{ field, param string }{
		{"Content-Disposition", "filename"}, {"Content-Type", "name"},
	} {
		f, ok := h.First(key.field)
		if !ok {
			continue
		}
		// Names are often written badly; what can be read will do.
		_, params, _ := mime.ParseMediaType(f.Value())
		if name := params[key.param]; name != "" {
			return strings.ToLower(strings.Trim(name, " \t"))
		}
	}
	return ""
}

func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c > '~' || strings.IndexByte(`()<>@,;:\"/[]?=`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

func hasControl(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return true
		}
	}
	return false
}
