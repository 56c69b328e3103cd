package trust

import (
	"crypto/x509"
	"encoding/asn1"
	"net"
	"strings"
	"unicode"
)

// maxConstraint bounds Refusal.Constraint, in characters.
const maxConstraint = 128

// limit brings a limit into the form of Refusal.Constraint: one line of
// printable characters, what is too long cut with an ellipsis. It goes on to
// be foreign text.
func limit(s string) string {
	r := []rune(strings.ToValidUTF8(s, "?"))
	if len(r) > maxConstraint {
		r = append(r[:maxConstraint-1], '…')
	}
	for i, c := range r {
		if !unicode.IsPrint(c) {
			r[i] = '?'
		}
	}
	return string(r)
}

// listed writes names of one kind after word, "permitted email:a.de, email:b.de".
// A list that would be cut anyway is not written to its end.
func listed(word, kind string, names []string) string {
	var b strings.Builder
	b.WriteString(word)
	for i, n := range names {
		if b.Len() > 4*maxConstraint {
			break
		}
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(" " + kind + n)
	}
	return limit(b.String())
}

// The kinds of names in the notation of openssl-x509v3_config.
const (
	kindMailbox   = "email:"
	kindUTF8      = "otherName:SmtpUTF8Mailbox:"
	kindDirectory = "dirName:"
	kindDNS       = "DNS:"
	kindURI       = "URI:"
	kindIP        = "IP:"
)

func mailboxTexts(trees []mailboxTree) []string {
	var out []string
	for _, t := range trees {
		out = append(out, t.text)
	}
	return out
}

func directoryTexts(names []distinguishedName) []string {
	var out []string
	for _, n := range names {
		out = append(out, n.String())
	}
	return out
}

// String writes the name, outermost first: "C=DE, O=Acme".
func (name distinguishedName) String() string {
	var parts []string
	for _, rdn := range name {
		var attributes []string
		for _, a := range rdn {
			text := a.text
			if text == "" {
				text = "?"
			}
			attributes = append(attributes, attributeName(a.id)+"="+text)
		}
		parts = append(parts, strings.Join(attributes, "+"))
	}
	return strings.Join(parts, ", ")
}

// attributeName is the short name of an attribute's type (RFC 4514 section 3,
// RFC 2985), or its dotted form. id is the content of an OBJECT IDENTIFIER.
func attributeName(id string) string {
	oid := dotted(id)
	for name, known := range map[string]string{
		"CN": "2.5.4.3", "serialNumber": "2.5.4.5", "C": "2.5.4.6", "L": "2.5.4.7", "ST": "2.5.4.8", "O": "2.5.4.10", "OU": "2.5.4.11",
		"DC": "0.9.2342.19200300.100.1.25", "UID": "0.9.2342.19200300.100.1.1", "emailAddress": "1.2.840.113549.1.9.1",
	} {
		if oid == known {
			return name
		}
	}
	return oid
}

// dotted reads the content of an OBJECT IDENTIFIER; "?" if it is none.
func dotted(id string) string {
	var oid asn1.ObjectIdentifier
	if len(id) > 127 {
		return "?"
	}
	if _, err := asn1.Unmarshal(append([]byte{asn1.TagOID, byte(len(id))}, id...), &oid); err != nil {
		return "?"
	}
	return oid.String()
}

// formText writes a name of a form that nobody compares.
func formText(n generalName) string {
	switch n.form {
	case formOther:
		return "otherName:" + dotted(n.other)
	case formX400:
		return "x400Address"
	case formEDI:
		return "ediPartyName"
	case formID:
		return "RID:" + dotted(string(n.value))
	}
	return "?"
}

// usageText writes the extended key usages of a CA.
func usageText(c *x509.Certificate) string {
	var names []string
	for _, u := range c.ExtKeyUsage {
		names = append(names, u.String())
	}
	for _, u := range c.UnknownExtKeyUsage {
		names = append(names, u.String())
	}
	return limit("extendedKeyUsage:" + strings.Join(names, ","))
}

// leftLimit finds the constraint on names that crypto/x509 means when it says
// detail, and the certificate that holds it: the one nearest to the leaf that
// constrains this kind. Kinds other than DNS, URI and IP were taken off before.
func leftLimit(p Path, detail string) (text string, where int) {
	kind := kindDNS
	switch {
	case strings.HasPrefix(detail, "IP address"):
		kind = kindIP
	case strings.HasPrefix(detail, "URI"), strings.HasPrefix(detail, "cannot parse URI"), strings.HasPrefix(detail, "x509: internal error: URI"):
		kind = kindURI
	}
	if !strings.Contains(detail, " is excluded by constraint ") {
		for i, c := range p.Chain {
			if list, _ := left(c, kind); i > 0 && len(list) > 0 {
				return listed("permitted", kind, list), i
			}
		}
	}
	for i, c := range p.Chain { // also where a name cannot be read
		if _, list := left(c, kind); i > 0 && len(list) > 0 {
			return listed("excluded", kind, list), i
		}
	}
	return kind, 0
}

func left(c *x509.Certificate, kind string) (permitted, excluded []string) {
	switch kind {
	case kindDNS:
		return c.PermittedDNSDomains, c.ExcludedDNSDomains
	case kindURI:
		return c.PermittedURIDomains, c.ExcludedURIDomains
	}
	texts := func(nets []*net.IPNet) (out []string) {
		for _, n := range nets {
			out = append(out, n.String())
		}
		return out
	}
	return texts(c.PermittedIPRanges), texts(c.ExcludedIPRanges)
}
