package revoke

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // the digests accepted
	_ "crypto/sha512"
	"crypto/x509"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
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

// A signatureAlgorithm is one whose signatures count, on lists, on responses and
// on certificates of responders: none by MD5 or SHA-1, which crypto/x509 checks
// where it is asked about a signature alone.
type signatureAlgorithm struct {
	id   string // contents of its object identifier in DER
	name x509.SignatureAlgorithm
	key  x509.PublicKeyAlgorithm
	hash crypto.Hash // 0: Ed25519, which signs the message itself
	pss  bool
}

// signatureAlgorithms are those accepted (RFC 4055 sections 3 and 5, RFC 5758
// section 3.2, RFC 8410 section 3). What the parameters of RSA-PSS add to its
// identifier are three entries of one.
func signatureAlgorithms() []signatureAlgorithm {
	const (
		rsaArc   = "\x2a\x86\x48\x86\xf7\x0d\x01\x01" // 1.2.840.113549.1.1
		ecdsaArc = "\x2a\x86\x48\xce\x3d\x04\x03"     // 1.2.840.10045.4.3
		oidPSS   = rsaArc + "\x0a"
	)
	return []signatureAlgorithm{
		{rsaArc + "\x0b", x509.SHA256WithRSA, x509.RSA, crypto.SHA256, false},
		{rsaArc + "\x0c", x509.SHA384WithRSA, x509.RSA, crypto.SHA384, false},
		{rsaArc + "\x0d", x509.SHA512WithRSA, x509.RSA, crypto.SHA512, false},
		{oidPSS, x509.SHA256WithRSAPSS, x509.RSA, crypto.SHA256, true},
		{oidPSS, x509.SHA384WithRSAPSS, x509.RSA, crypto.SHA384, true},
		{oidPSS, x509.SHA512WithRSAPSS, x509.RSA, crypto.SHA512, true},
		{ecdsaArc + "\x02", x509.ECDSAWithSHA256, x509.ECDSA, crypto.SHA256, false},
		{ecdsaArc + "\x03", x509.ECDSAWithSHA384, x509.ECDSA, crypto.SHA384, false},
		{ecdsaArc + "\x04", x509.ECDSAWithSHA512, x509.ECDSA, crypto.SHA512, false},
		{"\x2b\x65\x70", x509.PureEd25519, x509.Ed25519, 0, false}, // 1.3.101.112
	}
}

// acceptedAlgorithm says whether signatures of that algorithm count.
func acceptedAlgorithm(name x509.SignatureAlgorithm) bool {
	for _, a := range signatureAlgorithms() {
		if a.name == name {
			return true
		}
	}
	return false
}

// Why an algorithm does not count.
var (
	errAlgorithmGarbled = errors.New("the signature algorithm cannot be read")
	errAlgorithmBroken  = errors.New("signed with SHA-1 or MD5")
	errAlgorithmUnknown = errors.New("signed with an algorithm that is not accepted")
)

// readSignatureAlgorithm reads an AlgorithmIdentifier, given without identifier
// and length. Parameters stand where they must: of PKCS #1 v1.5 NULL or none
// (RFC 4055 section 5), of PSS its own, of the others none.
func readSignatureAlgorithm(content []byte) (signatureAlgorithm, error) {
	s := cryptobyte.String(content)
	var id cryptobyte.String
	if !s.ReadASN1(&id, tag.OBJECT_IDENTIFIER) || !soundOID(id) {
		return signatureAlgorithm{}, errAlgorithmGarbled
	}
	switch string(id) {
	case "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", "\x2a\x86\x48\xce\x3d\x04\x01":
		return signatureAlgorithm{}, errAlgorithmBroken
	}
	for _, a := range signatureAlgorithms() {
		switch {
		case a.id != string(id):
		case a.pss && pssParametersHash(s) == a.hash,
			!a.pss && a.key == x509.RSA && noParameters(s),
			a.key != x509.RSA && s.Empty():
			return a, nil
		}
	}
	return signatureAlgorithm{}, errAlgorithmUnknown
}

// fits says whether signatures of a can be made by a key.
func (a signatureAlgorithm) fits(key crypto.PublicKey) bool {
	switch key.(type) {
	case *rsa.PublicKey:
		return a.key == x509.RSA
	case *ecdsa.PublicKey:
		return a.key == x509.ECDSA
	case ed25519.PublicKey:
		return a.key == x509.Ed25519
	}
	return false
}

// noParameters says whether parameters are NULL or absent: RFC 4055 section
// 5 wants either accepted.
func noParameters(s cryptobyte.String) bool { return s.Empty() || string(s) == "\x05\x00" }

// pssParametersHash reads RSASSA-PSS-params (RFC 4055 section 3.1) and returns the hash; 0
// unless the mask uses the same, the salt is as long, and the trailer the usual.
// Fields left out stand for SHA-1, or for a salt of 20 bytes.
func pssParametersHash(s cryptobyte.String) crypto.Hash {
	const oidMGF1 = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08" // 1.2.840.113549.1.1.8
	var params, hash, mask, mgf, id, salt cryptobyte.String
	field := func(n uint8) tag.Tag { return tag.Tag(n).ContextSpecific().Constructed() }
	if !s.ReadASN1(&params, tag.SEQUENCE) || !s.Empty() ||
		!params.ReadASN1(&hash, field(0)) || !params.ReadASN1(&mask, field(1)) ||
		!params.ReadASN1(&salt, field(2)) ||
		!params.Empty() && string(params) != "\xa3\x03\x02\x01\x01" {
		return 0
	}
	h := hashAlgorithm(hash)
	if !mask.ReadASN1(&mgf, tag.SEQUENCE) || !mask.Empty() || !mgf.ReadASN1(&id, tag.OBJECT_IDENTIFIER) ||
		string(id) != oidMGF1 || hashAlgorithm(mgf) != h || h == 0 {
		return 0
	}
	var n int
	if !salt.ReadASN1Integer(&n) || !salt.Empty() || n != h.Size() {
		return 0
	}
	return h
}

// hashAlgorithm reads the AlgorithmIdentifier of a hash (RFC 5754 section 2), 0
// for others than those of SHA-2.
func hashAlgorithm(s cryptobyte.String) crypto.Hash {
	var seq, id cryptobyte.String
	if !s.ReadASN1(&seq, tag.SEQUENCE) || !s.Empty() || !seq.ReadASN1(&id, tag.OBJECT_IDENTIFIER) || !noParameters(seq) {
		return 0
	}
	switch string(id) {
	case "\x60\x86\x48\x01\x65\x03\x04\x02\x01":
		return crypto.SHA256
	case "\x60\x86\x48\x01\x65\x03\x04\x02\x02":
		return crypto.SHA384
	case "\x60\x86\x48\x01\x65\x03\x04\x02\x03":
		return crypto.SHA512
	}
	return 0
}
