package revoke

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha512" // registered for crypto/x509
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
)

// The bounds of an RSA key, before any operation with it: a large modulus or
// exponent costs seconds.
const (
	leastRSA, mostRSA = 2048, 8192 // bits
	mostExponent      = 65537
)

// usableKey says why a certificate's key is not used, in words of ours.
func usableKey(c *x509.Certificate) error {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < leastRSA || bits > mostRSA {
			return fmt.Errorf("RSA of %d bits; %d to %d are accepted", bits, leastRSA, mostRSA)
		}
		if key.E < 3 || key.E > mostExponent || key.E%2 == 0 {
			return errors.New("RSA with an exponent that is not accepted")
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
	return errors.New("of a kind that is not accepted")
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
	algorithm, ok := x509.UnknownSignatureAlgorithm, noParameters(s)
	switch id.String() {
	case "1.2.840.113549.1.1.11":
		algorithm = x509.SHA256WithRSA
	case "1.2.840.113549.1.1.12":
		algorithm = x509.SHA384WithRSA
	case "1.2.840.113549.1.1.13":
		algorithm = x509.SHA512WithRSA
	case "1.2.840.113549.1.1.10":
		algorithm, ok = pssAlgorithm(pssParametersHash(s)), true
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

// pssAlgorithm is RSA-PSS with a hash, 0 with none that is accepted.
func pssAlgorithm(h crypto.Hash) x509.SignatureAlgorithm {
	switch h {
	case crypto.SHA256:
		return x509.SHA256WithRSAPSS
	case crypto.SHA384:
		return x509.SHA384WithRSAPSS
	case crypto.SHA512:
		return x509.SHA512WithRSAPSS
	}
	return x509.UnknownSignatureAlgorithm
}
