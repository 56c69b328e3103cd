package testmail

import (
	"crypto/x509/pkix"
	"encoding/asn1"
)

// The extensions that a Profile can name (RFC 5280 section 4.2.1).
func oidSAN() asn1.ObjectIdentifier         { return asn1.ObjectIdentifier{2, 5, 29, 17} }
func oidConstraints() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 29, 30} }
func oidEKU() asn1.ObjectIdentifier         { return asn1.ObjectIdentifier{2, 5, 29, 37} }

func (p Profile) extensions() []pkix.Extension {
	var out []pkix.Extension
	san := p.SAN
	if san == nil && len(p.Mailboxes)+len(p.UTF8Mailboxes)+len(p.DNSNames) > 0 {
		var names [][]byte
		for _, m := range p.Mailboxes {
			names = append(names, RFC822Name(m))
		}
		for _, m := range p.UTF8Mailboxes {
			names = append(names, SmtpUTF8Mailbox(m))
		}
		for _, n := range p.DNSNames {
			names = append(names, DNSName(n))
		}
		san = Sequence(names...)
	}
	if san != nil {
		out = append(out, pkix.Extension{Id: oidSAN(), Critical: p.SANCritical, Value: san})
	}
	eku := p.EKU
	if eku == nil && !p.CA {
		eku = []asn1.ObjectIdentifier{EmailProtection()}
	}
	if len(eku) > 0 && !p.NoEKU {
		out = append(out, pkix.Extension{Id: oidEKU(), Value: must(asn1.Marshal(eku))})
	}
	constraints := p.Constraints
	if constraints == nil && len(p.PermittedMail)+len(p.ExcludedMail) > 0 {
		constraints = NameConstraints(rfc822Names(p.PermittedMail), rfc822Names(p.ExcludedMail))
	}
	if constraints != nil {
		out = append(out, pkix.Extension{Id: oidConstraints(), Critical: !p.ConstraintsOptional, Value: constraints})
	}
	return append(out, p.Extra...)
}

func rfc822Names(values []string) [][]byte {
	var out [][]byte
	for _, v := range values {
		out = append(out, RFC822Name(v))
	}
	return out
}

// NameConstraints returns the value of the extension (RFC 5280 section
// 4.2.1.10) for general names in DER; an empty list leaves its subtrees out.
func NameConstraints(permitted, excluded [][]byte) []byte {
	var parts [][]byte
	for i, names := range [][][]byte{permitted, excluded} {
		if len(names) == 0 {
			continue
		}
		var trees []byte
		for _, n := range names {
			trees = append(trees, Sequence(n)...)
		}
		parts = append(parts, Element(byte(0xa0+i), trees))
	}
	return Sequence(parts...)
}

// RFC822Name is a general name in DER; s is taken as it is.
func RFC822Name(s string) []byte { return Element(0x81, []byte(s)) }

// DNSName is a general name in DER.
func DNSName(s string) []byte { return Element(0x82, []byte(s)) }

// DirectoryName is a general name in DER for a name in DER.
func DirectoryName(name []byte) []byte { return Element(0xa4, name) }

// SmtpUTF8Mailbox is a general name in DER (RFC 9598 section 3).
func SmtpUTF8Mailbox(s string) []byte {
	id := must(asn1.Marshal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 9}))
	return Element(0xa0, append(id, Element(0xa0, Element(0x0c, []byte(s)))...))
}

// Sequence puts DER elements into a SEQUENCE.
func Sequence(elements ...[]byte) []byte {
	var all []byte
	for _, e := range elements {
		all = append(all, e...)
	}
	return Element(0x30, all)
}

// Element is one DER element with a tag of one byte.
func Element(tag byte, content []byte) []byte {
	out := []byte{tag}
	switch n := len(content); {
	case n < 0x80:
		out = append(out, byte(n))
	case n < 0x100:
		out = append(out, 0x81, byte(n))
	case n < 0x10000:
		out = append(out, 0x82, byte(n>>8), byte(n))
	case n < 0x1000000:
		out = append(out, 0x83, byte(n>>16), byte(n>>8), byte(n))
	default:
		out = append(out, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(out, content...)
}
