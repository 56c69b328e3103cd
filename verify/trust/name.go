package trust

import (
	"crypto/x509/pkix"
	"errors"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// A distinguishedName is a Name (RFC 5280 section 4.1.2.4), outermost first.
type distinguishedName [][]attribute

// An attribute of a relative distinguished name.
type attribute struct {
	id   string // DER content of the type
	text string // as UTF-8 where it is a string
	key  string // the form in which values are compared (RFC 5280 section 7.1)
}

// maxAttributes bounds a name; real ones have fewer than ten.
const maxAttributes = 64

// readName reads a Name in DER.
func readName(der []byte) (distinguishedName, error) {
	s := cryptobyte.String(der)
	var list cryptobyte.String
	if !s.ReadASN1(&list, tag.SEQUENCE) || !s.Empty() {
		return nil, errors.New("no name")
	}
	var name distinguishedName
	count := 0
	for !list.Empty() {
		var set cryptobyte.String
		if !list.ReadASN1(&set, tag.SET) || set.Empty() {
			return nil, errors.New("damaged name")
		}
		var rdn []attribute
		for !set.Empty() {
			if count++; count > maxAttributes {
				return nil, errors.New("name of too many attributes")
			}
			a, err := readAttribute(&set)
			if err != nil {
				return nil, err
			}
			rdn = append(rdn, a)
		}
		// a SET has no order
		slices.SortFunc(rdn, func(a, b attribute) int { return strings.Compare(a.id+a.key, b.id+b.key) })
		name = append(name, rdn)
	}
	return name, nil
}

func readAttribute(set *cryptobyte.String) (attribute, error) {
	var seq, id, value cryptobyte.String
	var t tag.Tag
	if !set.ReadASN1(&seq, tag.SEQUENCE) || !seq.ReadASN1(&id, tag.OBJECT_IDENTIFIER) ||
		!seq.ReadAnyASN1(&value, &t) || !seq.Empty() {
		return attribute{}, errors.New("damaged attribute of a name")
	}
	text, ok := directoryText(t, value)
	if !ok {
		return attribute{id: string(id), key: string(rune(t)) + "\x00" + string(value)}, nil
	}
	return attribute{id: string(id), text: text, key: strings.Join(strings.Fields(strings.ToLower(text)), " ")}, nil
}

// directoryText returns a string value as UTF-8; false for any other type.
func directoryText(t tag.Tag, v []byte) (string, bool) {
	switch t {
	case tag.UTF8String, tag.PrintableString, tag.IA5String, 18 /* NumericString */, 26 /* VisibleString */ :
		return string(v), utf8.Valid(v)
	case tag.T61String: // read as Latin-1, as everybody does
		r := make([]rune, len(v))
		for i, b := range v {
			r[i] = rune(b)
		}
		return string(r), true
	case 30: // BMPString
		if len(v)%2 != 0 {
			return "", false
		}
		u := make([]uint16, len(v)/2)
		for i := range u {
			u[i] = uint16(v[2*i])<<8 | uint16(v[2*i+1])
		}
		return string(utf16.Decode(u)), true
	}
	return "", false
}

// within says whether name lies in the subtree of base: base is its beginning
// (RFC 5280 section 4.2.1.10).
func (name distinguishedName) within(base distinguishedName) bool {
	if len(base) > len(name) {
		return false
	}
	for i := range base {
		if !slices.EqualFunc(base[i], name[i], func(a, b attribute) bool { return a.id == b.id && a.key == b.key }) {
			return false
		}
	}
	return true
}

// called is what we call a name when we speak of whose it is: foreign text,
// and nothing where it holds no word that says anything.
func called(n pkix.Name) []string {
	for _, s := range append([]string{n.CommonName}, append(n.Organization, n.OrganizationalUnit...)...) {
		if s != "" {
			return []string{s}
		}
	}
	return nil
}

// organisation is the key under which Anchors knows the organisation of a CA.
// It cannot be mistaken for a name in DER.
func organisation(o string) string {
	return "O=" + strings.Join(strings.Fields(strings.ToLower(o)), " ")
}
