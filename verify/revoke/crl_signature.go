package revoke

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha256" // the digests accepted
	_ "crypto/sha512"
	"hash"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// maxUnhashedList bounds the lists signed with Ed25519 in bytes: it signs the
// message itself, which must be held for it.
const maxUnhashedList = 1 << 20

// A listSignature takes in what a list says, and verifies the signature of it.
type listSignature struct {
	key     crypto.PublicKey
	hash    crypto.Hash // 0: Ed25519
	pss     bool
	digest  hash.Hash
	message bytes.Buffer // of Ed25519
}

// newListSignature returns what verifies a signature by the algorithm, whose
// AlgorithmIdentifier is given without identifier and length, over size bytes.
// SHA-1 and what is older are refused, and what does not fit the key.
func newListSignature(algorithm []byte, key crypto.PublicKey, size int64) (*listSignature, error) {
	v := &listSignature{key: key}
	s := cryptobyte.String(algorithm)
	var id cryptobyte.String
	if !s.ReadASN1(&id, tag.OBJECT_IDENTIFIER) {
		return nil, noList("its signature algorithm cannot be read")
	}
	fits := false
	switch key.(type) {
	case *rsa.PublicKey:
		v.hash, fits = pkcs1ListHash(id), noParameters(s)
		if string(id) == oidPSS {
			v.hash, v.pss, fits = pssParametersHash(s), true, true
		}
	case *ecdsa.PublicKey:
		v.hash, fits = ecdsaListHash(id), s.Empty()
	case ed25519.PublicKey:
		if string(id) != oidEd25519 || !s.Empty() {
			break
		}
		if size > maxUnhashedList {
			return nil, noList("it is signed with Ed25519 and longer than 1 MiB")
		}
		return v, nil
	}
	if v.hash == 0 || !fits {
		return nil, noList("it is signed by an algorithm that is broken, unknown or not that of its issuer's key")
	}
	v.digest = v.hash.New()
	return v, nil
}

// Write takes in the next bytes that are signed.
func (v *listSignature) Write(b []byte) (int, error) {
	if v.digest != nil {
		return v.digest.Write(b)
	}
	return v.message.Write(b)
}

// holds says whether signature is that of the key over what was written.
func (v *listSignature) holds(signature []byte) bool {
	switch key := v.key.(type) {
	case *rsa.PublicKey:
		if v.pss {
			o := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
			return rsa.VerifyPSS(key, v.hash, v.digest.Sum(nil), signature, o) == nil
		}
		return rsa.VerifyPKCS1v15(key, v.hash, v.digest.Sum(nil), signature) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, v.digest.Sum(nil), signature)
	case ed25519.PublicKey:
		return ed25519.Verify(key, v.message.Bytes(), signature)
	}
	return false
}

// Contents of object identifiers in DER.
const (
	oidPSS     = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a" // 1.2.840.113549.1.1.10
	oidMGF1    = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08" // 1.2.840.113549.1.1.8
	oidEd25519 = "\x2b\x65\x70"                         // 1.3.101.112
)

// pkcs1ListHash returns the hash of RSA PKCS #1 v1.5 (RFC 4055 section 5), 0 for others.
func pkcs1ListHash(id []byte) crypto.Hash {
	switch string(id) {
	case "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b":
		return crypto.SHA256
	case "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c":
		return crypto.SHA384
	case "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d":
		return crypto.SHA512
	}
	return 0
}

// ecdsaListHash returns the hash of ECDSA (RFC 5758 section 3.2), 0 for others.
func ecdsaListHash(id []byte) crypto.Hash {
	switch string(id) {
	case "\x2a\x86\x48\xce\x3d\x04\x03\x02":
		return crypto.SHA256
	case "\x2a\x86\x48\xce\x3d\x04\x03\x03":
		return crypto.SHA384
	case "\x2a\x86\x48\xce\x3d\x04\x03\x04":
		return crypto.SHA512
	}
	return 0
}

// listHash returns the hash of its own identifier (RFC 5754 section 2), 0 for
// others.
func listHash(id []byte) crypto.Hash {
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

// noParameters says whether parameters are NULL or absent: RFC 4055 section
// 5 wants either accepted.
func noParameters(s cryptobyte.String) bool { return s.Empty() || string(s) == "\x05\x00" }

// pssParametersHash reads RSASSA-PSS-params (RFC 4055 section 3.1) and returns the hash; 0
// unless the mask uses the same, the salt is as long, and the trailer the usual.
// Fields left out stand for SHA-1, or for a salt of 20 bytes.
func pssParametersHash(s cryptobyte.String) crypto.Hash {
	var params, hash, mask, mgf, id, salt cryptobyte.String
	field := func(n uint8) tag.Tag { return tag.Tag(n).ContextSpecific().Constructed() }
	if !s.ReadASN1(&params, tag.SEQUENCE) || !s.Empty() ||
		!params.ReadASN1(&hash, field(0)) || !params.ReadASN1(&mask, field(1)) ||
		!params.ReadASN1(&salt, field(2)) ||
		!params.Empty() && string(params) != "\xa3\x03\x02\x01\x01" {
		return 0
	}
	h := listHashAlgorithm(hash)
	if !mask.ReadASN1(&mgf, tag.SEQUENCE) || !mask.Empty() || !mgf.ReadASN1(&id, tag.OBJECT_IDENTIFIER) ||
		string(id) != oidMGF1 || listHashAlgorithm(mgf) != h || h == 0 {
		return 0
	}
	var n int
	if !salt.ReadASN1Integer(&n) || !salt.Empty() || n != h.Size() {
		return 0
	}
	return h
}

// listHashAlgorithm returns the hash of an AlgorithmIdentifier, 0 for others.
func listHashAlgorithm(s cryptobyte.String) crypto.Hash {
	var seq, id cryptobyte.String
	if !s.ReadASN1(&seq, tag.SEQUENCE) || !s.Empty() || !seq.ReadASN1(&id, tag.OBJECT_IDENTIFIER) || !noParameters(seq) {
		return 0
	}
	return listHash(id)
}
