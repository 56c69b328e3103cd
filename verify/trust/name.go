package trust

import (
	"crypto/x509/pkix"
	"errors"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/certinbox/certinbox/internal/smime/cms"
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
	text, ok := cms.DirectoryString(int(t), value)
	if !ok {
		return attribute{id: string(id), key: string(rune(t)) + "\x00" + string(value)}, nil
	}
	return attribute{id: string(id), text: text, key: strings.Join(strings.Fields(strings.ToLower(text)), " ")}, nil
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
