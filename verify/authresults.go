package verify

import "strings"

// AuthResults returns the value of an Authentication-Results field (RFC 8601
// section 2.2) with one dkim and one smime (RFC 7281) result, the worst of
// their rows. Lines are separated by "\n\t", as milters fold. authserv is the
// identity of the host that speaks; characters that do not belong in one are
// dropped.
func (r *Report) AuthResults(authserv string) string {
	var b strings.Builder
	b.WriteString(token(authserv, "localhost"))
	for _, method := range []string{"dkim", "smime"} {
		status, reason, props := r.worst(method)
		b.WriteString(";\n\t" + method + "=" + string(status))
		if reason != "" {
			b.WriteString(" reason=" + quoted(reason))
		}
		for _, p := range props {
			b.WriteString("\n\t " + p.Name + "=" + value(p.Value))
		}
	}
	return b.String()
}

// worst returns what a method publishes: the status of its first row that
// neither passes nor is neutral; none if a part of them was never asked; else
// pass, or neutral where not one of them passes. The properties of all its rows
// are evidence either way.
func (r *Report) worst(method string) (status Status, reason string, props []Prop) {
	status = Neutral
	decided := false
	for _, c := range table() {
		if c.method != method {
			continue
		}
		row := r.Result(c.name)
		props = append(props, publishable(row.Props)...)
		switch {
		case decided:
		case !row.Status.holds():
			status, reason, decided = row.Status, row.Reason, true
		case row.Status == Pass:
			status = Pass
		}
	}
	return status, reason, props
}

// publishable keeps the properties that RFC 8601 and RFC 7281 register.
func publishable(props []Prop) []Prop {
	var out []Prop
	for _, p := range props {
		switch p.Name {
		case "header.d", "header.i", "header.s", "header.a", "header.b",
			"body.smime-part", "body.smime-identifier", "body.smime-serial", "body.smime-issuer":
			out = append(out, p)
		}
	}
	return out
}

// value writes a property value: bare where RFC 8601 section 2.2 takes it as
// a token or address, else quoted.
func value(s string) string {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte(".-_@+", c) >= 0 && i > 0:
		default:
			return quoted(s)
		}
	}
	if s == "" {
		return `""`
	}
	return s
}

// quoted writes a quoted-string without any byte that could end a line.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			b.WriteByte('?')
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func token(s, otherwise string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(".-_:", c) >= 0 {
			b.WriteByte(c)
		}
	}
	if b.Len() == 0 {
		return otherwise
	}
	return b.String()
}
