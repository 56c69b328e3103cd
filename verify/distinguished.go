package verify

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
)

// distinguished writes the DER of a name, as crypto/x509 has read it, for logs
// and JSON in the order of RFC 4514, most particular first. crypto/x509 prints
// the emailAddress that many personal certificates carry as hexadecimal; here it
// can be read.
func distinguished(der []byte) string {
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
			parts = append(parts, "emailAddress="+strings.NewReplacer(",", `\,`, "+", `\+`).Replace(value))
		} else {
			parts = append(parts, pkix.RDNSequence{rdn}.String())
		}
	}
	return display(strings.Join(parts, ","))
}
