package cms

import (
	"crypto"
	"crypto/x509"
	"errors"
	"time"
)

// A SignedData is a parsed blob (RFC 5652 section 5.1). Its slices are parts of
// the blob, which must not change while it is used; only runs of tiny content
// chunks are copied together.
type SignedData struct {
	Detached     bool          // no eContent; the caller refuses eContent beside a detached part
	Content      [][]byte      // opaque: the octets of eContent in order, in pieces
	Certificates []Certificate // of the bag, in its order, unreadable ones included
	Signers      []Signer      // at least one
	Steps        int           // elements read, for tests of linear work
}

// A Certificate of the bag; X509 is nil where crypto/x509 cannot read it.
type Certificate struct {
	Raw  []byte
	X509 *x509.Certificate
	Err  error // why X509 is nil
}

// A Signer is one SignerInfo with its signed attributes. Until Verify has
// accepted it, everything in it is a stranger's claim.
type Signer struct {
	Hash         crypto.Hash // of the content; 0 where the algorithm is not accepted: Verify then says so
	SigningTime  *time.Time  // nil: absent
	Capabilities []string    // SMIMECapabilities, names or dotted OIDs, in order
	Preference   *Preference // nil: absent
	Signature    []byte      // the signature value
}

// A Preference is the signed sMIMEEncryptionKeyPreference attribute (RFC 8551
// section 2.5.3), or its Microsoft twin where that is absent. One that cannot be
// read names no certificate.
type Preference struct{}

// An Operations budget counts public-key operations down; at 0 none is made.
type Operations struct{ Left int }

// A Verified signature: whose key it was and with which algorithms.
type Verified struct {
	Certificate        *x509.Certificate
	Twins              []*x509.Certificate // others of the bag that the signer identifier names and that hold the same key: the signature is as good for them
	DigestAlgorithm    string              // sha-256, sha-384, sha-512, sha3-256, sha3-384, sha3-512
	SignatureAlgorithm string              // rsa-pkcs1, rsa-pss, ecdsa, ed25519
}

// Parse reads a ContentInfo that must hold SignedData with at least one signer.
// CR, LF, blanks and NUL may follow it. The error is an *Error: smime-encrypted
// for enveloped data, smime-certificate for certificates without a signer,
// cms-malformed for everything else that is unreadable, over a limit or of
// another type. What is wrong with one signer only is said by Verify.
func Parse(blob []byte, lim Limits) (*SignedData, error) { return nil, errors.New("stub") }

// Hashes returns the digests that Verify will ask for, each once, in the order
// of the signers.
func (s *SignedData) Hashes() []crypto.Hash { return nil }

// Verify checks signer i over the content whose digest (by that signer's Hash;
// nil if that is 0) is given. Every public-key operation is taken from ops
// beforehand. The error is an *Error: cms-malformed (signed attributes absent,
// repeated or contradictory; a signing-certificate attribute that names another
// certificate; budget used up), cms-algorithm, cms-integrity (digest or
// signature wrong), cms-no-certificate, cert-key (the signer's certificate
// cannot be read, or its key not be used), cert-weak (RSA below 1024 bits).
func (s *SignedData) Verify(i int, digest []byte, ops *Operations) (Verified, error) {
	return Verified{}, errors.New("stub")
}

// Named returns the first readable certificate of the bag that the signer's key
// preference names, nil if there is none. The bag is not signed: use it only
// after its own path has been checked.
func (s *SignedData) Named(p *Preference) *x509.Certificate { return nil }

// NamedAll returns every certificate of the bag that the preference names, in
// the bag's order and unreadable ones (X509 nil) included: a named certificate
// that cannot be read fails, one that is missing does not.
func (s *SignedData) NamedAll(p *Preference) []Certificate { return nil }
