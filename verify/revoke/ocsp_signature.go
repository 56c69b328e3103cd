package revoke

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha512" // registered for crypto/x509
	"crypto/x509"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// The bounds of an RSA key, before any operation with it: a large modulus or
// exponent costs seconds.
const (
	leastRSA, mostRSA = 2048, 8192 // bits
	mostExponent      = 65537
)

// usableKey says why a certificate's key is not used. The error is of kind answerError.
func usableKey(c *x509.Certificate) error {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < leastRSA || bits > mostRSA {
			return noResponse("an RSA key of %d bits; %d to %d are accepted", bits, leastRSA, mostRSA)
		}
		if key.E < 3 || key.E > mostExponent || key.E%2 == 0 {
			return noResponse("an RSA key with an exponent that is not accepted")
		}
		return nil
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			return nil
		}
	case ed25519.PublicKey:
		return nil
	}
	return noResponse("a key of a kind that is not accepted")
}

// acceptedAlgorithm says whether signatures of that algorithm count: none by
// MD5 or SHA-1, which crypto/x509 checks where it is asked about a signature alone.
func acceptedAlgorithm(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512, x509.PureEd25519:
		return true
	}
	return false
}

// readSignatureAlgorithm reads the content of an AlgorithmIdentifier (RFC 4055,
// 5758, 8410). The error says that it is not accepted.
func readSignatureAlgorithm(s cryptobyte.String) (x509.SignatureAlgorithm, error) {
	var id asn1.ObjectIdentifier
	if !s.ReadASN1ObjectIdentifier(&id) {
		return 0, garbled("signatureAlgorithm")
	}
	algorithm, ok := x509.UnknownSignatureAlgorithm, nullOrNothing(s)
	switch id.String() {
	case "1.2.840.113549.1.1.11":
		algorithm = x509.SHA256WithRSA
	case "1.2.840.113549.1.1.12":
		algorithm = x509.SHA384WithRSA
	case "1.2.840.113549.1.1.13":
		algorithm = x509.SHA512WithRSA
	case "1.2.840.113549.1.1.10":
		algorithm, ok = readPSS(s)
	case "1.2.840.10045.4.3.2":
		algorithm = x509.ECDSAWithSHA256
	case "1.2.840.10045.4.3.3":
		algorithm = x509.ECDSAWithSHA384
	case "1.2.840.10045.4.3.4":
		algorithm = x509.ECDSAWithSHA512
	case "1.3.101.112":
		algorithm, ok = x509.PureEd25519, s.Empty()
	case "1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1":
		return 0, noResponse("the answer is signed with SHA-1 or MD5")
	}
	if !ok || !acceptedAlgorithm(algorithm) {
		return 0, noResponse("the answer is signed with an algorithm that is not accepted")
	}
	return algorithm, nil
}

// readPSS reads RSASSA-PSS-params (RFC 4055 section 3.1): one hash for the
// content and the mask, a salt as long as it. Absent fields mean SHA-1, so that
// all but the trailer must be there.
func readPSS(s cryptobyte.String) (x509.SignatureAlgorithm, bool) {
	var params, hash, mask, salt, trailer cryptobyte.String
	var trailerThere bool
	if !s.ReadASN1(&params, tag.SEQUENCE) || !s.Empty() || !params.ReadASN1(&hash, explicit(0)) ||
		!params.ReadASN1(&mask, explicit(1)) || !params.ReadASN1(&salt, explicit(2)) ||
		!params.ReadOptionalASN1(&trailer, &trailerThere, explicit(3)) || !params.Empty() {
		return 0, false
	}
	if number := 0; trailerThere && (!trailer.ReadASN1Integer(&number) || !trailer.Empty() || number != 1) {
		return 0, false
	}
	var function cryptobyte.String
	var id asn1.ObjectIdentifier
	if !mask.ReadASN1(&function, tag.SEQUENCE) || !mask.Empty() || !function.ReadASN1ObjectIdentifier(&id) ||
		id.String() != "1.2.840.113549.1.1.8" {
		return 0, false
	}
	length := 0
	name := pssHash(hash)
	if name == "" || pssHash(function) != name || !salt.ReadASN1Integer(&length) || !salt.Empty() {
		return 0, false
	}
	switch {
	case name == "2.16.840.1.101.3.4.2.1" && length == 32:
		return x509.SHA256WithRSAPSS, true
	case name == "2.16.840.1.101.3.4.2.2" && length == 48:
		return x509.SHA384WithRSAPSS, true
	case name == "2.16.840.1.101.3.4.2.3" && length == 64:
		return x509.SHA512WithRSAPSS, true
	}
	return 0, false
}

// pssHash reads an AlgorithmIdentifier of a hash, "" for damage.
func pssHash(s cryptobyte.String) string {
	var algorithm cryptobyte.String
	var id asn1.ObjectIdentifier
	if !s.ReadASN1(&algorithm, tag.SEQUENCE) || !s.Empty() || !algorithm.ReadASN1ObjectIdentifier(&id) || !nullOrNothing(algorithm) {
		return ""
	}
	return id.String()
}
