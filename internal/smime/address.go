package smime

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// An Address is a mailbox in the one form in which we compare and store it.
type Address struct {
	Local  string // dot-atom as received, or UTF-8 (RFC 6532); never quoted
	Domain string // lower-case A-labels, at least two, no trailing dot
}

// Bounds of RFC 5321 section 4.5.3.1 and RFC 1035, in bytes.
const (
	maxLocal   = 64
	maxAddress = 254
	maxLabel   = 63
)

// String returns local@domain.
func (a Address) String() string { return a.Local + "@" + a.Domain }

// Key returns the form under which an address is kept: the local part in ASCII
// lower case and the domain. Two addresses with one key are Same.
func (a Address) Key() string { return lowerASCII(a.Local) + "@" + a.Domain }

// Same says whether two addresses are one mailbox: their domains are equal and
// their local parts are equal, or differ in the case of ASCII letters only,
// which is what folded says. Neither +tags nor dots are ever dropped.
func Same(a, b Address) (same, folded bool) {
	if a.Domain != b.Domain || lowerASCII(a.Local) != lowerASCII(b.Local) {
		return false, false
	}
	return true, a.Local != b.Local
}

// ParseAddress reads an addr-spec (RFC 5322 section 3.4.1) as strictly as we
// can afford: a dot-atom of at most 64 bytes, or UTF-8 in normal form C, and a
// host name of at least two labels. A domain in U-labels is turned into
// A-labels if the way back gives the very same name. Quoted local parts, IP
// literals, underscores, a trailing dot, blanks, comments and anything over
// 254 bytes are errors. The words of an error are ours, without the input.
func ParseAddress(s string) (Address, error) {
	if len(s) > maxAddress {
		return Address{}, errors.New("smime: address: over 254 bytes")
	}
	if !utf8.ValidString(s) {
		return Address{}, errors.New("smime: address: not UTF-8")
	}
	local, domain, ok := strings.Cut(s, "@")
	switch {
	case !ok:
		return Address{}, errors.New("smime: address: no @")
	case strings.Contains(domain, "@"):
		return Address{}, errors.New("smime: address: more than one @")
	}
	if err := checkLocal(local); err != nil {
		return Address{}, err
	}
	domain, err := hostName(domain)
	if err != nil {
		return Address{}, err
	}
	a := Address{Local: local, Domain: domain}
	if len(a.String()) > maxAddress {
		return Address{}, errors.New("smime: address: over 254 bytes")
	}
	return a, nil
}

// checkLocal accepts a dot-atom whose atoms may hold visible characters
// outside ASCII.
func checkLocal(s string) error {
	switch {
	case s == "":
		return errors.New("smime: address: empty local part")
	case len(s) > maxLocal:
		return errors.New("smime: address: local part over 64 bytes")
	case s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, ".."):
		return errors.New("smime: address: misplaced dot in the local part")
	case !norm.NFC.IsNormalString(s):
		return errors.New("smime: address: local part not in normal form C")
	}
	for _, r := range s {
		if r != '.' && !isAtext(r) {
			return errors.New("smime: address: character not allowed in an unquoted local part")
		}
	}
	return nil
}

// isAtext is atext of RFC 5322 section 3.2.3 with the extension of RFC 6532,
// less what nobody can see: controls, blanks and format characters.
func isAtext(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return true
	case r < utf8.RuneSelf:
		return strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
	}
	return r != utf8.RuneError && unicode.IsPrint(r)
}

// hostName returns a host name in lower-case A-labels.
func hostName(s string) (string, error) {
	ascii := lowerASCII(s)
	if !isASCII(s) {
		var err error
		profile := lookup()
		if ascii, err = profile.ToASCII(s); err != nil {
			return "", errors.New("smime: address: domain is no internationalised host name")
		}
		// What the mapping of UTS 46 changes (case, width, other dots) looks
		// like one name and is another.
		if back, err := profile.ToUnicode(ascii); err != nil || back != lowerASCII(s) {
			return "", errors.New("smime: address: domain is not in the normal form of its labels")
		}
	}
	if err := checkHostName(ascii); err != nil {
		return "", err
	}
	return ascii, nil
}

// checkHostName holds RFC 1123 section 2.1 for a name in lower case. The bound
// of a name, 253 bytes, is within that of an address.
func checkHostName(s string) error {
	labels := strings.Split(s, ".")
	if len(labels) < 2 {
		return errors.New("smime: address: domain of one label")
	}
	for _, l := range labels {
		if err := checkLabel(l); err != nil {
			return err
		}
	}
	if top := labels[len(labels)-1]; strings.Trim(top, "0123456789") == "" {
		return errors.New("smime: address: an IP address instead of a domain")
	}
	return nil
}

func checkLabel(l string) error {
	switch {
	case l == "":
		return errors.New("smime: address: empty label in the domain")
	case len(l) > maxLabel:
		return errors.New("smime: address: label over 63 bytes in the domain")
	case l[0] == '-' || l[len(l)-1] == '-':
		return errors.New("smime: address: hyphen at the edge of a label of the domain")
	case !isLDH(l):
		return errors.New("smime: address: character not allowed in a host name")
	}
	if !strings.HasPrefix(l, "xn--") {
		return nil
	}
	profile := lookup()
	u, err := profile.ToUnicode(l)
	if err != nil || u == l {
		return errors.New("smime: address: broken A-label in the domain")
	}
	if back, err := profile.ToASCII(u); err != nil || back != l {
		return errors.New("smime: address: broken A-label in the domain")
	}
	return nil
}

func isLDH(l string) bool {
	for i := 0; i < len(l); i++ {
		if c := l[i]; !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}

// lookup is the profile of RFC 5891 section 5 as UTS 46 has it, without the
// transitional mapping that turns one registrable name into another.
func lookup() *idna.Profile {
	return idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.VerifyDNSLength(true))
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
