package smime

import "strings"

// A family is whose signature something is.
type family int

const (
	noFamily family = iota // nothing says it
	smimeFamily
	pgpFamily
	otherFamily
)

// protocolFamily reads the protocol parameter of a multipart/signed; old
// clients write the x- form, and some a protocol of their own invention.
func protocolFamily(protocol string) family {
	switch p := lowerASCII(strings.Trim(protocol, " \t")); {
	case p == "":
		return noFamily
	case p == "application/pgp-signature", p == "application/x-pgp-signature":
		return pgpFamily
	case isPKCS7Signature(p), isPKCS7MIME(p):
		return smimeFamily
	}
	return otherFamily
}

// signatureFamily reads the header of a signature part.
func signatureFamily(h Header) family {
	switch name := h.MediaType(); {
	case isPKCS7Signature(name), isPKCS7MIME(name):
		return smimeFamily
	case name == "application/pgp-signature", name == "application/x-pgp-signature":
		return pgpFamily
	case isOctets(h) && hasSuffix(fileName(h), ".p7s"):
		return smimeFamily
	}
	return noFamily
}

func isPKCS7Signature(name string) bool {
	return name == "application/pkcs7-signature" || name == "application/x-pkcs7-signature"
}

func isPKCS7MIME(name string) bool {
	return name == "application/pkcs7-mime" || name == "application/x-pkcs7-mime"
}

func isOctets(h Header) bool { return h.MediaType() == "application/octet-stream" }

// looksSigned says whether a type that cannot be read may be a signature to
// another program.
func looksSigned(value string) bool {
	v := lowerASCII(value)
	return strings.Contains(v, "signed") || strings.Contains(v, "pkcs7")
}

func hasSuffix(name string, suffixes ...string) bool {
	for _, s := range suffixes {
		if strings.HasSuffix(name, s) {
			return true
		}
	}
	return false
}
