package trust

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/certinbox/certinbox/internal/smime"
)

// The forms of a general name (RFC 5280 section 4.2.1.6): its context tags.
const (
	formOther     = 0
	formMailbox   = 1 // rfc822Name
	formDNS       = 2
	formX400      = 3
	formDirectory = 4
	formEDI       = 5
	formURI       = 6
	formIP        = 7
	formID        = 8
)

// A generalName is one general name. crypto/x509 shows only some of them.
type generalName struct {
	form  int
	other string // formOther: the type identifier in DER, which makes the form
	value []byte // mailbox: its text; directory name: its DER; else the content
	utf8  bool   // formMailbox that stands as SmtpUTF8Mailbox (RFC 9598)
}

// readGeneralName takes one general name from s.
func readGeneralName(s *cryptobyte.String) (generalName, error) {
	var content cryptobyte.String
	var t tag.Tag
	if !s.ReadAnyASN1(&content, &t) {
		return generalName{}, errors.New("no general name")
	}
	form := int(t & 0x1f)
	constructed := form == formOther || form == formX400 || form == formDirectory || form == formEDI
	want := tag.Tag(form).ContextSpecific()
	if constructed {
		want = want.Constructed()
	}
	switch {
	case form > formID || t != want:
		return generalName{}, errors.New("unknown form of name")
	case form == formOther:
		return readOtherName(content)
	}
	return generalName{form: form, value: content}, nil
}

// readOtherName reads the content of an otherName; a SmtpUTF8Mailbox becomes a mailbox.
func readOtherName(s cryptobyte.String) (generalName, error) {
	var id, wrapped, text cryptobyte.String
	if !s.ReadASN1(&id, tag.OBJECT_IDENTIFIER) ||
		!s.ReadASN1(&wrapped, tag.Tag(0).ContextSpecific().Constructed()) || !s.Empty() {
		return generalName{}, errors.New("damaged otherName")
	}
	if !isOID(id, 1, 3, 6, 1, 5, 5, 7, 8, 9) {
		return generalName{form: formOther, other: string(id), value: wrapped}, nil
	}
	if !wrapped.ReadASN1(&text, tag.UTF8String) || !wrapped.Empty() {
		return generalName{}, errors.New("damaged SmtpUTF8Mailbox")
	}
	return generalName{form: formMailbox, value: text, utf8: true}, nil
}

// isOID says whether der, the content of an OBJECT IDENTIFIER, is this one.
func isOID(der []byte, id ...int) bool {
	want, err := asn1.Marshal(asn1.ObjectIdentifier(id))
	return err == nil && string(want[2:]) == string(der)
}

// extension returns the value of an extension 2.5.29.n, nil if it is absent.
func extension(c *x509.Certificate, n int) []byte {
	for _, e := range c.Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, n}) {
			return e.Value
		}
	}
	return nil
}

// alternativeNames reads the subjectAltName, at most max names; none if it is absent.
func alternativeNames(c *x509.Certificate, max int) ([]generalName, *Refusal) {
	value := cryptobyte.String(extension(c, 17))
	if value == nil {
		return nil, nil
	}
	damaged := func(err error) *Refusal {
		return &Refusal{Reason: "cert-no-address", Detail: "the alternative names of the certificate cannot be read", Err: err}
	}
	var list cryptobyte.String
	if !value.ReadASN1(&list, tag.SEQUENCE) || !value.Empty() {
		return nil, damaged(errors.New("no sequence of names"))
	}
	var names []generalName
	for !list.Empty() {
		if len(names) == max {
			return nil, &Refusal{Reason: "cert-malformed", Detail: "the certificate has too many names"}
		}
		n, err := readGeneralName(&list)
		if err != nil {
			return nil, damaged(err)
		}
		names = append(names, n)
	}
	return names, nil
}

// Mailboxes returns the SAN mailboxes of a certificate in their order: rfc822Name
// (RFC 5280 section 4.2.1.6) and SmtpUTF8Mailbox (RFC 9598). The error is a
// *Refusal: cert-no-address for one that is no mailbox in the strict sense,
// whatever the others are, cert-malformed for more than max names of any form.
// No mailbox at all is no error.
func Mailboxes(c *x509.Certificate, max int) ([]smime.Address, error) {
	names, r := alternativeNames(c, max)
	if r != nil {
		return nil, r
	}
	boxes, r := mailboxes(names)
	if r != nil {
		return nil, r
	}
	return boxes, nil
}

func mailboxes(names []generalName) ([]smime.Address, *Refusal) {
	var out []smime.Address
	for _, n := range names {
		if n.form != formMailbox {
			continue
		}
		a, err := parseMailbox(n)
		if err != nil {
			return nil, &Refusal{Reason: "cert-no-address", Detail: "the certificate holds an address that is malformed",
				Names: []string{string(n.value)}, Err: err}
		}
		out = append(out, a)
	}
	return out, nil
}

// parseMailbox reads a name as an address. An rfc822Name is ASCII: what lies
// beyond stands in a SmtpUTF8Mailbox.
func parseMailbox(n generalName) (smime.Address, error) {
	if !n.utf8 {
		for _, b := range n.value {
			if b >= 0x80 {
				return smime.Address{}, errors.New("rfc822Name beyond ASCII")
			}
		}
	}
	return smime.ParseAddress(string(n.value))
}

// SubjectMailboxes returns the emailAddress attributes of the subject in their
// order. Whether they count is for the caller to say: Anchor.AllowSubjectAddress.
// The error is a *Refusal as that of Mailboxes.
func SubjectMailboxes(c *x509.Certificate, max int) ([]smime.Address, error) {
	boxes, r := subjectMailboxes(c.RawSubject, max)
	if r != nil {
		return nil, r
	}
	return boxes, nil
}

func subjectMailboxes(subject []byte, max int) ([]smime.Address, *Refusal) {
	name, err := readName(subject)
	if err != nil {
		return nil, &Refusal{Reason: "cert-malformed", Detail: "the subject of the certificate cannot be read", Err: err}
	}
	var out []smime.Address
	for _, rdn := range name {
		for _, a := range rdn {
			if !isOID([]byte(a.id), 1, 2, 840, 113549, 1, 9, 1) {
				continue
			}
			box, err := smime.ParseAddress(a.text)
			if err != nil || len(out) == max {
				return nil, &Refusal{Reason: "cert-no-address", Detail: "the certificate holds an address in its subject that is malformed",
					Names: []string{a.text}, Err: err}
			}
			out = append(out, box)
		}
	}
	return out, nil
}
