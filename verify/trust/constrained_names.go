package trust

import (
	"crypto/x509"
	"slices"

	"github.com/certinbox/certinbox/internal/smime"
)

// A subject holds the names of a certificate that constraints bind.
type subject struct {
	mailboxes []smime.Address // rfc822Name, and emailAddress of the subject
	utf8      []smime.Address
	directory []distinguishedName
	other     []generalName

	// What cannot be read: the alternative names as a whole, a mailbox, a
	// directory name. It breaks constraints on names of its kind, no others.
	damaged, badMailbox, badDirectory *Refusal
}

// namesOf collects the names of c, at most max alternative ones. An emailAddress
// in the subject is bound even beside a SAN, which is more than RFC 5280 asks
// for and what OpenSSL does.
func namesOf(c *x509.Certificate, max int) subject {
	var s subject
	names, r := alternativeNames(c, max)
	if r != nil {
		s.damaged = r
		return s
	}
	for _, n := range names {
		switch n.form {
		case formMailbox:
			s.addMailbox(n)
		case formDirectory:
			s.addDirectory(n.value)
		case formDNS, formURI, formIP:
		default:
			s.other = append(s.other, n)
		}
	}
	boxes, r := subjectMailboxes(c.RawSubject, max)
	if r != nil && s.badMailbox == nil {
		s.badMailbox = r
	}
	s.mailboxes = append(s.mailboxes, boxes...)
	s.addDirectory(c.RawSubject)
	return s
}

func (s *subject) addMailbox(n generalName) {
	a, r := mailboxes([]generalName{n})
	switch {
	case r != nil && s.badMailbox == nil:
		s.badMailbox = r
	case n.utf8:
		s.utf8 = append(s.utf8, a...)
	default:
		s.mailboxes = append(s.mailboxes, a...)
	}
}

func (s *subject) addDirectory(der []byte) {
	name, err := readName(der)
	if err != nil {
		s.badDirectory = &Refusal{Reason: "cert-malformed", Detail: "a directory name of the certificate cannot be read", Err: err}
		return
	}
	if len(name) > 0 {
		s.directory = append(s.directory, name)
	}
}

// damage returns what of the names cannot be read although it is constrained.
func (nc *constraints) damage(s subject) *Refusal {
	t, u := &nc.permitted, &nc.excluded
	boxes := len(t.mailbox) + len(u.mailbox) + len(t.utf8) + len(u.utf8)
	directories := len(t.directory) + len(u.directory)
	switch {
	case s.damaged != nil && boxes+directories+len(t.unknown)+len(u.unknown) > 0:
		return s.damaged
	case s.badMailbox != nil && boxes > 0:
		return s.badMailbox
	case s.badDirectory != nil && directories > 0:
		return s.badDirectory
	}
	return nil
}

// A breach is a constraint that a name breaks.
type breach struct {
	detail string // in our words
	limit  string // as Refusal.Constraint
}

const (
	addressOutside = "an issuer may not vouch for the address in the certificate"
	nameOutside    = "an issuer may not vouch for the name in the certificate"
	formUnknown    = "an issuer is constrained for a form of name that cannot be compared"
)

// refuse returns a constraint that the names break, nil for none.
func (nc *constraints) refuse(s subject) *breach {
	for _, a := range s.mailboxes {
		if b := nc.refuseMailbox(a); b != nil {
			return b
		}
	}
	for _, a := range s.utf8 {
		if b := nc.refuseMailbox(a); b != nil {
			return b
		}
		if b := outside(a, nc.permitted.utf8, nc.excluded.utf8, kindUTF8); b != nil {
			return b
		}
	}
	for _, name := range s.directory {
		in := func(base distinguishedName) bool { return name.within(base) }
		if t := nc.permitted.directory; len(t) > 0 && !slices.ContainsFunc(t, in) {
			return &breach{nameOutside, listed("permitted", kindDirectory, directoryTexts(t))}
		}
		if i := slices.IndexFunc(nc.excluded.directory, in); i >= 0 {
			return &breach{nameOutside, limit("excluded " + kindDirectory + nc.excluded.directory[i].String())}
		}
	}
	for _, n := range s.other {
		same := func(base generalName) bool { return base.form == n.form && base.other == n.other }
		if i := slices.IndexFunc(nc.permitted.unknown, same); i >= 0 {
			return &breach{formUnknown, limit("permitted " + formText(nc.permitted.unknown[i]))}
		}
		if i := slices.IndexFunc(nc.excluded.unknown, same); i >= 0 {
			return &breach{formUnknown, limit("excluded " + formText(nc.excluded.unknown[i]))}
		}
	}
	return nil
}

func (nc *constraints) refuseMailbox(a smime.Address) *breach {
	return outside(a, nc.permitted.mailbox, nc.excluded.mailbox, kindMailbox)
}

// outside holds one mailbox to trees of one kind.
func outside(a smime.Address, permitted, excluded []mailboxTree, kind string) *breach {
	if !allowed(a, permitted) {
		return &breach{addressOutside, listed("permitted", kind, mailboxTexts(permitted))}
	}
	if i := slices.IndexFunc(excluded, func(t mailboxTree) bool { return t.excludes(a) }); i >= 0 {
		return &breach{addressOutside, limit("excluded " + kind + excluded[i].text)}
	}
	return nil
}
