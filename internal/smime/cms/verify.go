package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
)

// An Operations budget counts public-key operations down; at 0 none is made.
type Operations struct{ Left int }

func (o *Operations) take() *Error {
	if o == nil || o.Left <= 0 {
		return malformed("too many public-key operations")
	}
	o.Left--
	return nil
}

// A Verified signature: whose key it was and with which algorithms.
type Verified struct {
	Certificate        *x509.Certificate
	Twins              []*x509.Certificate // others of the bag that the signer identifier names and that hold the same key: the signature is as good for them
	DigestAlgorithm    string              // sha-256, sha-384, sha-512, sha3-256, sha3-384, sha3-512
	SignatureAlgorithm string              // rsa-pkcs1, rsa-pss, ecdsa, ed25519
}

// Verify checks signer i over the content whose digest (by that signer's Hash;
// nil if that is 0) is given. Every public-key operation is taken from ops
// beforehand. The error is an *Error: cms-malformed (signed attributes absent,
// repeated or contradictory; a signing-certificate attribute that names another
// certificate; budget used up), cms-algorithm, cms-integrity (digest or
// signature wrong), cms-no-certificate, cert-key (the signer's certificate
// cannot be read, or its key not be used), cert-weak (RSA below 1024 bits).
func (s *SignedData) Verify(i int, digest []byte, ops *Operations) (Verified, error) {
	if i < 0 || i >= len(s.Signers) {
		return Verified{}, malformed("no signer %d", i+1)
	}
	g := &s.Signers[i]
	if g.refused != nil {
		return Verified{}, g.refused
	}
	hash := g.scheme.digest.hash
	if hash == 0 {
		return Verified{}, malformed("a signer that Parse has not made")
	}
	if len(digest) != hash.Size() || !bytes.Equal(digest, g.messageDigest) {
		return Verified{}, refuse(reasonIntegrity, "the content is not what was signed: its digest differs")
	}
	candidates := s.candidates(g.id)
	if len(candidates) == 0 {
		return Verified{}, refuse(reasonNoCertificate, "the signer's certificate is not in the blob")
	}
	c, err := s.try(g, candidates, ops)
	if err != nil {
		return Verified{}, err
	}
	return Verified{
		Certificate:        c.X509,
		Twins:              g.twins(c, candidates),
		DigestAlgorithm:    g.scheme.digest.name,
		SignatureAlgorithm: g.scheme.name,
	}, nil
}

// candidates are the certificates that the identifier means, each once. There
// may be several: anyone on the way can add one.
func (s *SignedData) candidates(id identifier) (list []*Certificate) {
	for i := range s.Certificates {
		c := &s.Certificates[i]
		if !id.means(c) {
			continue
		}
		known := false
		for _, k := range list {
			known = known || bytes.Equal(k.Raw, c.Raw)
		}
		if !known {
			list = append(list, c)
		}
	}
	return list
}

// try looks for the candidate whose key made the signature. If there is none,
// the error is about the candidate that came nearest to it.
func (s *SignedData) try(g *Signer, candidates []*Certificate, ops *Operations) (*Certificate, *Error) {
	forms := g.attributes.signed()
	var nearest *Error
	for tried, i := 0, 0; i < len(candidates) && tried < s.lim.TriesPerSigner; i++ {
		c := candidates[i]
		err := s.fits(g, c)
		if err == nil {
			tried++
			err = refuse(reasonIntegrity, "the signature does not hold")
			for _, form := range forms {
				if over := ops.take(); over != nil {
					return nil, over
				}
				if g.scheme.holds(c.X509.PublicKey, form, g.Signature) {
					return c, nil
				}
			}
		}
		if nearest == nil || rank(err) > rank(nearest) {
			nearest = err
		}
	}
	return nil, nearest
}

// rank orders the refusals of candidates: how far each has come.
func rank(e *Error) int {
	switch e.Reason {
	case reasonIntegrity:
		return 4
	case reasonMalformed:
		return 3
	case reasonAlgorithm:
		return 2
	case reasonWeak:
		return 1
	}
	return 0
}

// fits tells why a candidate's key is not even tried: the key before the
// operation that it would make expensive.
func (s *SignedData) fits(g *Signer, c *Certificate) *Error {
	if c.X509 == nil {
		return &Error{Reason: reasonKey, Detail: "the signer's certificate cannot be read", Err: c.Err}
	}
	if !g.bound(c) {
		return malformed("the signing-certificate attribute names another certificate")
	}
	kind := ""
	switch key := c.X509.PublicKey.(type) {
	case *rsa.PublicKey:
		kind = rsaPKCS1
		if err := s.usableRSA(key); err != nil {
			return err
		}
	case *ecdsa.PublicKey:
		kind = ecdsaSig
		switch key.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
		default:
			return refuse(reasonKey, "the signer's key is on a curve that is not accepted")
		}
	case ed25519.PublicKey:
		kind = ed25519s
	default:
		return refuse(reasonKey, "the signer's key is of a kind that cannot be used")
	}
	if kind != g.scheme.name && (kind != rsaPKCS1 || g.scheme.name != rsaPSS) {
		return refuse(reasonAlgorithm, "the signature algorithm does not fit the signer's key")
	}
	return nil
}

// minimumRSA is the smallest modulus that crypto/rsa works with. What is too
// weak to be kept is asked of the certificate later.
const minimumRSA = 1024

func (s *SignedData) usableRSA(key *rsa.PublicKey) *Error {
	switch bits := key.N.BitLen(); {
	case bits > s.lim.RSABits:
		return refuse(reasonKey, "the signer's RSA key has %d bits, more than %d", bits, s.lim.RSABits)
	case key.E < 3 || key.E > 65537 || key.E%2 == 0:
		return refuse(reasonKey, "the signer's RSA key has the unusable exponent %d", key.E)
	case bits < minimumRSA:
		return refuse(reasonWeak, "the signer's RSA key has %d bits", bits)
	}
	return nil
}

// holds makes one public-key operation.
func (c scheme) holds(key crypto.PublicKey, signed, signature []byte) bool {
	if c.name == ed25519s {
		k, ok := key.(ed25519.PublicKey)
		return ok && ed25519.Verify(k, signed, signature)
	}
	h := c.digest.hash.New()
	h.Write(signed)
	sum := h.Sum(nil)
	switch c.name {
	case rsaPKCS1:
		k, ok := key.(*rsa.PublicKey)
		return ok && rsa.VerifyPKCS1v15(k, c.digest.hash, sum, signature) == nil
	case rsaPSS:
		k, ok := key.(*rsa.PublicKey)
		// A stated salt of length 0 lets crypto/rsa take the length from the
		// signature, which gives nothing away: the statement is not signed.
		return ok && rsa.VerifyPSS(k, c.digest.hash, sum, signature, &rsa.PSSOptions{SaltLength: c.salt}) == nil
	case ecdsaSig:
		k, ok := key.(*ecdsa.PublicKey)
		return ok && ecdsa.VerifyASN1(k, sum, signature)
	}
	return false
}

// twins are the other candidates for which the signature of c is as good.
func (g *Signer) twins(c *Certificate, candidates []*Certificate) (list []*x509.Certificate) {
	key, ok := c.X509.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	for _, k := range candidates {
		if ok && k != c && k.X509 != nil && key.Equal(k.X509.PublicKey) && g.bound(k) {
			list = append(list, k.X509)
		}
	}
	return list
}
