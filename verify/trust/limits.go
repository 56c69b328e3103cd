package trust

import (
	"crypto/x509"
	"fmt"
	"net"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// maxLimits bounds how many constraints of one form Limits writes out; the rest
// of that form is counted.
const maxLimits = 10

// Limits returns the name constraints of a CA (RFC 5280 section 4.2.1.10) in the
// notation of Refusal.Constraint, "permitted email:example.org", those of every
// form in their order; nil if it has none. Of each form, permitted and excluded,
// ten are written and the rest counted: "and 3 more permitted email". Constraints
// that cannot be read, and for which every path is refused, are said first, and
// what can be read of them follows. At most 221 lines of 128 printable
// characters: foreign text.
func Limits(c *x509.Certificate) []string {
	der := extension(c, 30)
	if der == nil {
		return nil
	}
	w := limitWriter{count: map[string]int{}}
	if _, err := readConstraints(c); err != nil {
		w.lines = append(w.lines, limit("name constraints that cannot be read: "+err.Error()))
	}
	permitted, excluded, err := splitConstraints(der)
	if err != nil {
		return w.lines
	}
	w.write("permitted ", permitted)
	w.write("excluded ", excluded)
	for _, form := range w.forms {
		if n := w.count[form] - maxLimits; n > 0 {
			w.lines = append(w.lines, fmt.Sprintf("and %d more %s", n, form))
		}
	}
	return w.lines
}

type limitWriter struct {
	lines []string
	forms []string       // "permitted email", in the order in which they stand
	count map[string]int // of each
}

// write takes a list of subtrees as far as it can be read.
func (w *limitWriter) write(word string, list cryptobyte.String) {
	for !list.Empty() {
		var tree cryptobyte.String
		if !list.ReadASN1(&tree, tag.SEQUENCE) {
			return
		}
		base, err := readGeneralName(&tree)
		if err != nil {
			return
		}
		form := word + strings.TrimSuffix(kindOf(base), ":")
		if w.count[form] == 0 {
			w.forms = append(w.forms, form)
		}
		if w.count[form]++; w.count[form] <= maxLimits {
			w.lines = append(w.lines, limit(word+baseText(base)))
		}
	}
}

// kindOf is the form of a name in a word.
func kindOf(n generalName) string {
	switch n.form {
	case formMailbox:
		if n.utf8 {
			return kindUTF8
		}
		return kindMailbox
	case formDirectory:
		return kindDirectory
	case formDNS:
		return kindDNS
	case formURI:
		return kindURI
	case formIP:
		return kindIP
	}
	form, _, _ := strings.Cut(formText(n), ":")
	return form
}

// baseText writes the base of a subtree, whatever its form.
func baseText(n generalName) string {
	switch n.form {
	case formMailbox, formDNS, formURI:
		return kindOf(n) + string(n.value)
	case formDirectory:
		name, err := readName(n.value)
		if err != nil {
			return kindDirectory + "?"
		}
		return kindDirectory + name.String()
	case formIP: // address and mask
		half := len(n.value) / 2
		if half != net.IPv4len && half != net.IPv6len || len(n.value)%2 != 0 {
			return kindIP + "?"
		}
		return kindIP + (&net.IPNet{IP: n.value[:half], Mask: n.value[half:]}).String()
	}
	return formText(n)
}
