package trust

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// plainAttributes limit nothing and are understood, in certificates and trust
// objects alike. CKA_NSS_MOZILLA_CA_POLICY says that the programme chose the
// root, CKA_NSS_SERVER_DISTRUST_AFTER is about TLS.
func plainAttributes() []string {
	return []string{"CKA_TOKEN", "CKA_PRIVATE", "CKA_MODIFIABLE", "CKA_LABEL", "CKA_CERTIFICATE_TYPE", "CKA_SUBJECT",
		"CKA_ID", "CKA_ISSUER", "CKA_SERIAL_NUMBER", "CKA_VALUE", "CKA_NSS_EMAIL", "CKA_NSS_MOZILLA_CA_POLICY",
		"CKA_NSS_SERVER_DISTRUST_AFTER", distrustAttribute}
}

const distrustAttribute = "CKA_NSS_EMAIL_DISTRUST_AFTER"

// A trustForm names the attributes of one class of trust objects. NSS renamed
// its own (newer headers write CKA_NSS_TRUST_…), and PKCS#11 3.2 section 4.17
// took them over under numbers of its own, which NSS calls CKA_PKCS_TRUST_….
type trustForm struct {
	mail   []string // attributes that speak of mail
	anchor []string // values of them that make a CA of it
	other  []string // attributes that speak of other uses
}

func trustForms() map[string]trustForm {
	old := trustForm{
		mail:   []string{"CKA_TRUST_EMAIL_PROTECTION", "CKA_NSS_TRUST_EMAIL_PROTECTION"},
		anchor: []string{"CKT_NSS_TRUSTED_DELEGATOR", "CKT_NETSCAPE_TRUSTED_DELEGATOR"},
		other: []string{"CKA_CERT_SHA1_HASH", "CKA_CERT_MD5_HASH", "CKA_NSS_CERT_SHA1_HASH", "CKA_NSS_CERT_MD5_HASH",
			"CKA_TRUST_SERVER_AUTH", "CKA_TRUST_CLIENT_AUTH", "CKA_TRUST_CODE_SIGNING", "CKA_TRUST_STEP_UP_APPROVED",
			"CKA_NSS_TRUST_SERVER_AUTH", "CKA_NSS_TRUST_CLIENT_AUTH", "CKA_NSS_TRUST_CODE_SIGNING", "CKA_NSS_TRUST_STEP_UP_APPROVED"},
	}
	return map[string]trustForm{
		"CKO_NSS_TRUST": old, "CKO_NETSCAPE_TRUST": old,
		"CKO_TRUST": {
			mail:   []string{"CKA_PKCS_TRUST_EMAIL_PROTECTION", "CKA_TRUST_EMAIL_PROTECTION"},
			anchor: []string{"CKT_TRUST_ANCHOR"},
			other: []string{"CKA_HASH_OF_CERTIFICATE", "CKA_NAME_HASH_ALGORITHM",
				"CKA_PKCS_TRUST_SERVER_AUTH", "CKA_PKCS_TRUST_CLIENT_AUTH", "CKA_PKCS_TRUST_CODE_SIGNING",
				"CKA_TRUST_SERVER_AUTH", "CKA_TRUST_CLIENT_AUTH", "CKA_TRUST_CODE_SIGNING"},
		},
	}
}

// name is what issuer and serial number make as a key.
func (o *builtin) name() string {
	return fmt.Sprintf("name %d %s%s", len(o.octets("CKA_ISSUER")), o.octets("CKA_ISSUER"), o.octets("CKA_SERIAL_NUMBER"))
}

// nameOf is name for a certificate.
func nameOf(c *x509.Certificate) string {
	var serial cryptobyte.Builder
	serial.AddASN1BigInt(c.SerialNumber)
	return fmt.Sprintf("name %d %s%s", len(c.RawIssuer), c.RawIssuer, serial.BytesOrPanic())
}

// hash is that of the certificate of which a trust object speaks; nil if none.
func (o *builtin) hash() []byte {
	for _, name := range []string{"CKA_CERT_SHA1_HASH", "CKA_NSS_CERT_SHA1_HASH", "CKA_HASH_OF_CERTIFICATE"} {
		if h := o.octets(name); len(h) > 0 {
			return h
		}
	}
	return nil
}

// hashKey is the key for a hash.
func hashKey(hash []byte) string { return "hash " + string(hash) }

// hashOf hashes a certificate as the trust object does: by SHA-1, unless
// CKA_NAME_HASH_ALGORITHM names SHA-256. For any other it returns what equals
// no hash.
func (o *builtin) hashOf(der []byte) []byte {
	switch a, ok := o.attributes["CKA_NAME_HASH_ALGORITHM"]; {
	case !ok || a.text == "CKM_SHA_1":
		h := sha1.Sum(der)
		return h[:]
	case a.text == "CKM_SHA256":
		h := sha256.Sum256(der)
		return h[:]
	}
	return []byte("unknown")
}

// unknown returns an attribute that stands in no list, "" if there is none.
func (o *builtin) unknown(lists ...[]string) string {
	known := slices.Concat(lists...)
	found := ""
	for name := range o.attributes {
		if !slices.Contains(known, name) && (found == "" || name < found) {
			found = name
		}
	}
	return found
}

// distrustAfter reads the date after which leaves are refused: CK_FALSE or
// nothing at all for none, or a UTCTime (X.690 section 11.8) of 13 octets.
func (o *builtin) distrustAfter() (time.Time, error) {
	a, ok := o.attributes[distrustAttribute]
	if !ok || a.kind == "CK_BBOOL" && a.text == "CK_FALSE" {
		return time.Time{}, nil
	}
	var t time.Time
	der := cryptobyte.String(append([]byte{byte(tag.UTCTime), byte(len(a.octets))}, a.octets...))
	if len(a.octets) != len("YYMMDDhhmmssZ") || !der.ReadASN1UTCTime(&t) {
		return time.Time{}, fmt.Errorf("%s is neither CK_FALSE nor a date as YYMMDDhhmmssZ", distrustAttribute)
	}
	return t.UTC(), nil
}

// label is the name of a root as text for one line.
func (o *builtin) label(c *x509.Certificate) string {
	if l := sanitised(unescaped(o.attributes["CKA_LABEL"].text)); l != "" {
		return l
	}
	return labelOf(c)
}

// called is an object's label in a line for the operator.
func (o *builtin) called() string {
	return printable(unescaped(o.attributes["CKA_LABEL"].text))
}
