package trust

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/certinbox/certinbox/internal/smime"
)

// maxSubtrees bounds the name constraints of one CA. A company that names a
// few hundred domains fits.
const maxSubtrees = 2048

// Constraints of one CA (RFC 5280 section 4.2.1.10), as far as crypto/x509 does
// not hold them for us: it holds those on DNS names, URIs and IP addresses.
type constraints struct {
	permitted, excluded subtrees
}

// Subtrees of one kind, permitted or excluded. A form without a subtree is not
// constrained.
type subtrees struct {
	mailbox   []mailboxTree // rfc822Name: binds mailboxes of both kinds
	utf8      []mailboxTree // SmtpUTF8Mailbox: binds only that kind
	directory []distinguishedName
	unknown   []generalName // forms that nobody evaluates: a name of such a form is refused
}

// A mailboxTree is a set of mailboxes.
type mailboxTree struct {
	local  string // of exactly one mailbox, "" for a host or domain
	host   string // lower-case A-labels
	below  bool   // the hosts below host, without it
	always bool   // every mailbox
	text   string // as it stands in the certificate
}

// readConstraints reads the extension of c; nil if c has none.
func readConstraints(c *x509.Certificate) (*constraints, error) {
	der := extension(c, 30)
	if der == nil {
		return nil, nil
	}
	permitted, excluded, err := splitConstraints(der)
	if err != nil {
		return nil, err
	}
	nc := &constraints{}
	left := maxSubtrees
	if err := nc.permitted.read(permitted, &left); err != nil {
		return nil, err
	}
	if err := nc.excluded.read(excluded, &left); err != nil {
		return nil, err
	}
	return nc, nil
}

// splitConstraints returns the two lists of subtrees in the value of the extension.
func splitConstraints(der cryptobyte.String) (permitted, excluded cryptobyte.String, err error) {
	var list cryptobyte.String
	var some, others bool
	if !der.ReadASN1(&list, tag.SEQUENCE) || !der.Empty() ||
		!list.ReadOptionalASN1(&permitted, &some, tag.Tag(0).ContextSpecific().Constructed()) ||
		!list.ReadOptionalASN1(&excluded, &others, tag.Tag(1).ContextSpecific().Constructed()) ||
		!list.Empty() || permitted.Empty() && excluded.Empty() {
		return nil, nil, errors.New("damaged name constraints")
	}
	return permitted, excluded, nil
}

func (t *subtrees) read(list cryptobyte.String, left *int) error {
	for !list.Empty() {
		if *left--; *left < 0 {
			return errors.New("too many name constraints")
		}
		var tree cryptobyte.String
		if !list.ReadASN1(&tree, tag.SEQUENCE) {
			return errors.New("damaged name constraints")
		}
		base, err := readGeneralName(&tree)
		if err != nil {
			return err
		}
		if err := readDistances(tree); err != nil {
			return err
		}
		if err := t.add(base); err != nil {
			return err
		}
	}
	return nil
}

// readDistances takes minimum and maximum, which are 0 and absent
// (RFC 5280 section 4.2.1.10); nobody knows what others would mean.
func readDistances(tree cryptobyte.String) error {
	minimum := tag.Tag(0).ContextSpecific()
	if tree.PeekASN1Tag(minimum) {
		var n int64
		if !tree.ReadASN1Int64WithTag(&n, minimum) || n != 0 {
			return errors.New("name constraint with a minimum")
		}
	}
	if !tree.Empty() {
		return errors.New("name constraint with a maximum")
	}
	return nil
}

func (t *subtrees) add(base generalName) error {
	switch base.form {
	case formMailbox:
		tree, err := readMailboxTree(string(base.value))
		if err != nil {
			return err
		}
		tree.text = string(base.value)
		if base.utf8 {
			t.utf8 = append(t.utf8, tree)
		} else {
			t.mailbox = append(t.mailbox, tree)
		}
	case formDirectory:
		name, err := readName(base.value)
		if err != nil {
			return err
		}
		t.directory = append(t.directory, name)
	case formDNS, formURI, formIP: // crypto/x509 holds them
	default:
		t.unknown = append(t.unknown, base)
	}
	return nil
}

// readMailboxTree reads the three forms of RFC 5280: a mailbox, a host (that
// host only), a domain with a leading dot (the hosts below it).
func readMailboxTree(s string) (mailboxTree, error) {
	if s == "" {
		return mailboxTree{always: true}, nil
	}
	if strings.Contains(s, "@") {
		a, err := smime.ParseAddress(s)
		return mailboxTree{local: a.Local, host: a.Domain}, err
	}
	below := strings.HasPrefix(s, ".")
	host, err := hostName(strings.TrimPrefix(s, "."))
	return mailboxTree{host: host, below: below}, err
}

// hostName returns a host or domain as lower-case A-labels. It is held to the
// grammar of an address; one label, as in the constraint ".de", is enough.
func hostName(s string) (string, error) {
	const label = "a."
	a, err := smime.ParseAddress("x@" + label + s)
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(a.Domain, label), nil
}

// holds says whether the tree has a. A local part is compared byte by byte.
func (t mailboxTree) holds(a smime.Address) bool {
	switch {
	case t.always:
		return true
	case t.below:
		return strings.HasSuffix(a.Domain, "."+t.host)
	}
	return a.Domain == t.host && (t.local == "" || t.local == a.Local)
}

// excludes says whether the tree has a, or what an author's address may be
// matched with: the same local part in another case.
func (t mailboxTree) excludes(a smime.Address) bool {
	if t.local == "" {
		return t.holds(a)
	}
	same, _ := smime.Same(a, smime.Address{Local: t.local, Domain: t.host})
	return same
}

// allowed says whether a lies in one of the permitted trees; without any it does.
func allowed(a smime.Address, permitted []mailboxTree) bool {
	return len(permitted) == 0 || slices.ContainsFunc(permitted, func(t mailboxTree) bool { return t.holds(a) })
}
