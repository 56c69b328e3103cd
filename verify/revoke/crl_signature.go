package revoke

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"hash"
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
	a, err := readSignatureAlgorithm(algorithm)
	switch {
	case errors.Is(err, errAlgorithmGarbled):
		return nil, noList("its signature algorithm cannot be read")
	case err != nil || !a.fits(key):
		return nil, noList("it is signed by an algorithm that is broken, unknown or not that of its issuer's key")
	}
	v := &listSignature{key: key, hash: a.hash, pss: a.pss}
	if v.hash == 0 && size > maxUnhashedList {
		return nil, noList("it is signed with Ed25519 and longer than 1 MiB")
	}
	if v.hash == 0 {
		return v, nil
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
