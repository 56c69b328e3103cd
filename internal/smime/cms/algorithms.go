package cms

import (
	"crypto"
	_ "crypto/sha256" // the digests accepted
	_ "crypto/sha3"
	_ "crypto/sha512"
)

// A digest is an accepted digest algorithm.
type digest struct {
	oid  string
	hash crypto.Hash
	name string
}

// digestOf returns the digest of an identifier; cms-algorithm for all that are
// broken or unknown.
func digestOf(oid string) (digest, *Error) {
	switch oid {
	case "2.16.840.1.101.3.4.2.1":
		return digest{oid, crypto.SHA256, "sha-256"}, nil
	case "2.16.840.1.101.3.4.2.2":
		return digest{oid, crypto.SHA384, "sha-384"}, nil
	case "2.16.840.1.101.3.4.2.3":
		return digest{oid, crypto.SHA512, "sha-512"}, nil
	case "2.16.840.1.101.3.4.2.8":
		return digest{oid, crypto.SHA3_256, "sha3-256"}, nil
	case "2.16.840.1.101.3.4.2.9":
		return digest{oid, crypto.SHA3_384, "sha3-384"}, nil
	case "2.16.840.1.101.3.4.2.10":
		return digest{oid, crypto.SHA3_512, "sha3-512"}, nil
	case "1.3.14.3.2.26":
		return digest{}, refuse(reasonAlgorithm, "the hash algorithm SHA-1")
	case "2.16.840.1.101.3.4.2.4", "2.16.840.1.101.3.4.2.7":
		return digest{}, refuse(reasonAlgorithm, "a hash algorithm of 224 bits")
	case "1.2.840.113549.2.5":
		return digest{}, refuse(reasonAlgorithm, "the hash algorithm MD5")
	}
	return digest{}, refuse(reasonAlgorithm, "the unknown hash algorithm %s", oid)
}

// The signature algorithms of Verified.
const (
	rsaPKCS1 = "rsa-pkcs1"
	rsaPSS   = "rsa-pss"
	ecdsaSig = "ecdsa"
	ed25519s = "ed25519"
)

// A scheme is how a signature value is made.
type scheme struct {
	name   string
	digest digest
	salt   int // of rsa-pss
}

// schemeOf returns the scheme of a signature algorithm, which must not
// contradict the digest.
func (s *SignedData) schemeOf(a algorithm, d digest) (scheme, *Error) {
	name, hash, err := signatureOf(a.oid)
	if err != nil {
		return scheme{}, err
	}
	if hash != 0 && hash != d.hash {
		return scheme{}, refuse(reasonAlgorithm, "the signature algorithm %s contradicts the hash algorithm %s", a.oid, d.name)
	}
	c := scheme{name: name, digest: d}
	if name == rsaPSS {
		c.salt, err = s.readPSS(a, d)
	}
	return c, err
}

// signatureOf returns the kind of a signature algorithm and its hash, 0 where it
// names none (RFC 3370, 4055, 5754, 8419, 8702).
func signatureOf(oid string) (string, crypto.Hash, *Error) {
	switch oid {
	case "1.2.840.113549.1.1.1": // rsaEncryption
		return rsaPKCS1, 0, nil
	case "1.2.840.113549.1.1.11":
		return rsaPKCS1, crypto.SHA256, nil
	case "1.2.840.113549.1.1.12":
		return rsaPKCS1, crypto.SHA384, nil
	case "1.2.840.113549.1.1.13":
		return rsaPKCS1, crypto.SHA512, nil
	case "2.16.840.1.101.3.4.3.14":
		return rsaPKCS1, crypto.SHA3_256, nil
	case "2.16.840.1.101.3.4.3.15":
		return rsaPKCS1, crypto.SHA3_384, nil
	case "2.16.840.1.101.3.4.3.16":
		return rsaPKCS1, crypto.SHA3_512, nil
	case oidPSS:
		return rsaPSS, 0, nil
	case "1.2.840.10045.2.1": // id-ecPublicKey, as old NSS and Windows write
		return ecdsaSig, 0, nil
	case "1.2.840.10045.4.3.2":
		return ecdsaSig, crypto.SHA256, nil
	case "1.2.840.10045.4.3.3":
		return ecdsaSig, crypto.SHA384, nil
	case "1.2.840.10045.4.3.4":
		return ecdsaSig, crypto.SHA512, nil
	case "2.16.840.1.101.3.4.3.10":
		return ecdsaSig, crypto.SHA3_256, nil
	case "2.16.840.1.101.3.4.3.11":
		return ecdsaSig, crypto.SHA3_384, nil
	case "2.16.840.1.101.3.4.3.12":
		return ecdsaSig, crypto.SHA3_512, nil
	case "1.3.101.112":
		return ed25519s, crypto.SHA512, nil
	}
	return "", 0, refuse(reasonAlgorithm, "the signature algorithm %s is not accepted", oid)
}

const (
	oidPSS  = "1.2.840.113549.1.1.10"
	oidMGF1 = "1.2.840.113549.1.1.8"
)

// readPSS reads RSASSA-PSS-params (RFC 4055 section 3.1) and returns the salt
// length. Absent fields mean SHA-1, so that hash and mask must be there, and
// both name the digest: crypto/rsa knows one hash for both.
func (s *SignedData) readPSS(a algorithm, d digest) (int, *Error) {
	if a.parameters == nil || a.parameters[0] == tagNull {
		return 0, refuse(reasonAlgorithm, "RSA-PSS without parameters")
	}
	r := s.inside(a.parameters)
	hash, mask, salt, trailer := "", "", 20, 1
	r.open(universal, tagSequence, "RSA-PSS parameters")
	for last := -1; r.more(); {
		e := r.next()
		if r.err == nil && (e.class != context || e.tag <= last) {
			r.fail("RSA-PSS parameters cannot be read")
		}
		last = e.tag
		r.enter(e)
		switch e.tag {
		case 0:
			hash = r.algorithm("hash of RSA-PSS").oid
		case 1:
			mask = readMGF1(r)
		case 2:
			salt = r.small("salt length of RSA-PSS")
		case 3:
			trailer = r.small("trailer of RSA-PSS")
		default:
			r.fail("RSA-PSS parameters cannot be read")
		}
		r.leave()
	}
	r.leave()
	switch {
	case r.err != nil:
		return 0, r.err
	case hash != d.oid || mask != d.oid:
		return 0, refuse(reasonAlgorithm, "the hashes of RSA-PSS contradict the hash algorithm %s", d.name)
	case trailer != 1:
		return 0, refuse(reasonAlgorithm, "the unknown trailer %d of RSA-PSS", trailer)
	}
	return salt, nil
}

// readMGF1 returns the hash of the mask generation function, "" for another one.
func readMGF1(r *reader) string {
	r.open(universal, tagSequence, "mask generation function")
	oid := r.oid("mask generation function")
	hash := r.algorithm("hash of the mask generation function").oid
	r.leave()
	if oid != oidMGF1 {
		return ""
	}
	return hash
}
