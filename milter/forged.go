package milter

import (
	"strings"

	gomilter "github.com/d--j/go-milter"
)

// resultsField carries the judgement to the mailbox (RFC 8601).
const resultsField = "Authentication-Results"

// maxForged bounds how many forged fields are removed; a message has at most
// 1000 fields, so one with more never gets that far.
const maxForged = 1000

// noteResults remembers an Authentication-Results field that carries our name,
// by its number among the fields of that name (RFC 8601 section 5).
func (c *session) noteResults(name, value string) {
	if !strings.EqualFold(name, resultsField) {
		return
	}
	c.mail.results++
	if !forged(value, c.mail.authserv) {
		return
	}
	if len(c.mail.forged) >= maxForged {
		c.mail.failed = true
		return
	}
	c.mail.forged = append(c.mail.forged, c.mail.results)
}

// authservID is how we call ourselves: as the operator says, else by the MTA's name.
func (c *session) authservID(m gomilter.Modifier) string {
	for _, id := range []string{c.mail.intake.AuthservID(), m.Get(gomilter.MacroMTAFQDN)} {
		if id != "" {
			return id
		}
	}
	return c.server.name
}

// forged says whether the value of an Authentication-Results field names id
// as the host that speaks. Readers differ in what they forgive, so the names are
// compared without case and final dot, quoted or not; what is behind ours and can be
// part of no host name is no difference; and a field that cannot be read to its
// name counts if the name stands anywhere in it.
func forged(value, id string) bool {
	if id == "" {
		return false
	}
	got, ok := authserv(value)
	if !ok {
		return strings.Contains(strings.ToLower(value), strings.ToLower(id))
	}
	id = strings.TrimSuffix(id, ".")
	if len(got) < len(id) || !strings.EqualFold(got[:len(id)], id) {
		return false
	}
	rest := strings.TrimPrefix(got[len(id):], ".")
	return rest == "" || !hostByte(rest[0])
}

// hostByte says whether a byte can be part of a host name's label.
func hostByte(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '-' || b == '_'
}

// authserv reads the authserv-id: CFWS, then a token or quoted string (RFC
// 8601 section 2.2, RFC 5322 section 3.2.2). It is false for a field that has none.
func authserv(value string) (string, bool) {
	s, ok := skipComments(value)
	if !ok || s == "" {
		return "", false
	}
	if s[0] == '"' {
		return quotedString(s[1:])
	}
	end := strings.IndexAny(s, " \t\r\n;(\"")
	if end < 0 {
		end = len(s)
	}
	return s[:end], end > 0 && (end == len(s) || s[end] != '"')
}

// skipComments skips blanks, folds and comments. It is false if a comment has
// no end.
func skipComments(s string) (string, bool) {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch b := s[i]; {
		case b == '(':
			depth++
		case b == ')' && depth > 0:
			depth--
		case b == '\\' && depth > 0:
			i++
		case depth > 0 || b == ' ' || b == '\t' || b == '\r' || b == '\n':
		default:
			return s[i:], true
		}
	}
	return "", depth == 0
}

// quotedString reads to the closing quote.
func quotedString(s string) (string, bool) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return out.String(), true
		case '\\':
			if i++; i == len(s) {
				return "", false
			}
		}
		out.WriteByte(s[i])
	}
	return "", false
}
