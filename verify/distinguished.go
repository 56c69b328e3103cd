package verify

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
)

// distinguished writes the DER of a name, as crypto/x509 has read it, for logs
// and JSON in the order of RFC 4514, most particular first. crypto/x509 prints
// the emailAddress that many personal certificates carry as hexadecimal; here it
// can be read. A name of more than maxName bytes is not written: crypto/x509 takes
// time that grows with its square, and a mail can bring many.
func distinguished(der []byte) string {
	if len(der) > maxName {
		return fmt.Sprintf("a name of %d bytes, too long to be written", len(der))
	}
	email := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1} // RFC 2985 section 5.2.1
	var sequence pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &sequence); err != nil || len(rest) > 0 {
		return "a name that cannot be read"
	}
	var parts []string
	for i := len(sequence) - 1; i >= 0; i-- {
		rdn := sequence[i]
		value, text := "", false
		if len(rdn) == 1 && rdn[0].Type.Equal(email) {
			value, text = rdn[0].Value.(string)
		}
		if text {
			parts = append(parts, "emailAddress="+strings.ReplaceAll(strings.ReplaceAll(value, ",", `\,`), "+", `\+`))
		} else {
			parts = append(parts, pkix.RDNSequence{rdn}.String())
		}
	}
	return display(strings.Join(parts, ","))
}

// maxName is far beyond any name of a person or CA, in bytes of DER.
const maxName = 4 << 10

// Subject writes the subject of a certificate for logs: printable, at most 256 bytes.
func Subject(c *x509.Certificate) string { return distinguished(c.RawSubject) }
