package testmail

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
)

// sign signs to-be-signed DER with a key.
func sign(tbs []byte, key crypto.Signer, options crypto.SignerOpts) []byte {
	digest := tbs
	if h := options.HashFunc(); h != 0 {
		sum := h.New()
		sum.Write(tbs)
		digest = sum.Sum(nil)
	}
	return must(key.Sign(noRandomness{}, digest, options))
}

// signing returns the AlgorithmIdentifier of a signature algorithm, 0:
// the usual one of the key, and how crypto.Signer is asked for it.
func signing(a x509.SignatureAlgorithm, key crypto.Signer) ([]byte, crypto.SignerOpts) {
	if a == 0 {
		switch key.(type) {
		case *rsa.PrivateKey:
			a = x509.SHA256WithRSA
		case ed25519.PrivateKey:
			a = x509.PureEd25519
		default:
			a = x509.ECDSAWithSHA256
		}
	}
	pkcs1 := func(last int) []byte {
		return Sequence(oid(1, 2, 840, 113549, 1, 1, last), Element(0x05, nil))
	}
	ecdsa := func(last int) []byte { return Sequence(oid(1, 2, 840, 10045, 4, 3, last)) }
	switch a {
	case x509.MD5WithRSA:
		return pkcs1(4), crypto.MD5
	case x509.SHA1WithRSA:
		return pkcs1(5), crypto.SHA1
	case x509.SHA256WithRSA:
		return pkcs1(11), crypto.SHA256
	case x509.SHA384WithRSA:
		return pkcs1(12), crypto.SHA384
	case x509.SHA512WithRSA:
		return pkcs1(13), crypto.SHA512
	case x509.SHA256WithRSAPSS:
		return pssAlgorithm(1, crypto.SHA256)
	case x509.SHA384WithRSAPSS:
		return pssAlgorithm(2, crypto.SHA384)
	case x509.SHA512WithRSAPSS:
		return pssAlgorithm(3, crypto.SHA512)
	case x509.ECDSAWithSHA1:
		return Sequence(oid(1, 2, 840, 10045, 4, 1)), crypto.SHA1
	case x509.ECDSAWithSHA256:
		return ecdsa(2), crypto.SHA256
	case x509.ECDSAWithSHA384:
		return ecdsa(3), crypto.SHA384
	case x509.ECDSAWithSHA512:
		return ecdsa(4), crypto.SHA512
	case x509.PureEd25519:
		return Sequence(oid(1, 3, 101, 112)), crypto.Hash(0)
	}
	panic("testmail: no such algorithm: " + a.String())
}

// pssAlgorithm returns RSASSA-PSS with parameters (RFC 4055 section 3.1); last
// is the end of the hash's OID.
func pssAlgorithm(last int, hash crypto.Hash) ([]byte, crypto.SignerOpts) {
	h := Sequence(oid(2, 16, 840, 1, 101, 3, 4, 2, last), Element(0x05, nil))
	mgf := Sequence(oid(1, 2, 840, 113549, 1, 1, 8), h)
	params := Sequence(Element(0xa0, h), Element(0xa1, mgf), Element(0xa2, Integer(hash.Size())))
	return Sequence(oid(1, 2, 840, 113549, 1, 1, 10), params),
		&rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
}
