package collect

import "strings"

// WithoutRoute takes brackets and a source route (RFC 5321 appendix F.2) off
// a path: <@a.example,@b.example:user@c.example>.
func WithoutRoute(path string) string {
	path = strings.Trim(path, " \t")
	if len(path) > 1 && path[0] == '<' && path[len(path)-1] == '>' {
		path = path[1 : len(path)-1]
	}
	if !strings.HasPrefix(path, "@") {
		return path
	}
	literal := false
	for i := range len(path) {
		switch path[i] {
		case '[':
			literal = true
		case ']':
			literal = false
		case ':':
			if !literal {
				return path[i+1:]
			}
		}
	}
	return path
}

// ForwardPath is the address that a path means to the MTA, which undoes quotes,
// backslashes, comments and blanks before it delivers: "collect"@example.com
// goes to collect@example.com, so it has to be known by that name. Case is left.
func ForwardPath(path string) string {
	path = WithoutRoute(path)
	if !strings.ContainsAny(path, "\"\\( \t") {
		return strings.TrimRight(path, ".")
	}
	out := make([]byte, 0, len(path))
	quoted, depth := false, 0
	for i := 0; i < len(path); i++ {
		b := path[i]
		switch {
		case b == '\\' && i+1 < len(path):
			i++
			if depth == 0 {
				out = append(out, path[i])
			}
		case b == '"' && depth == 0:
			quoted = !quoted
		case quoted:
			out = append(out, b)
		case b == '(':
			depth++
		case b == ')' && depth > 0:
			depth--
		case depth > 0 || b == ' ' || b == '\t':
		default:
			out = append(out, b)
		}
	}
	return strings.TrimRight(string(out), ".")
}
