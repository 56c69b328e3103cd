package dns

import "strings"

// canonical returns name in lower case without its final dot. ok is false if
// it cannot be a name of letters, digits, hyphens and underscores within the
// lengths of RFC 1035 section 2.3.4; such a name has no records, and asking
// for it would only carry foreign bytes to a server.
func canonical(name string) (canon string, ok bool) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if name == "" || len(name) > 253 {
		return "", false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return "", false
		}
		for i := range len(label) {
			c := label[i]
			if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
				return "", false
			}
		}
	}
	return name, true
}
