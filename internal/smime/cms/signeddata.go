package cms

import (
	"crypto"
	"crypto/x509"
	"errors"
	"time"
)

// A SignedData is a parsed blob. Its slices are parts of the blob.
type SignedData struct {
	Detached     bool     // no eContent
	Content      [][]byte // opaque: the octets of eContent, chunk by chunk
	Certificates []Certificate
	Signers      []Signer
	Steps        int // elements read, for tests of linear work
}

// A Certificate of the bag; X509 is nil where crypto/x509 cannot read it.
type Certificate struct {
	Raw  []byte
	X509 *x509.Certificate
	Err  error
}

// A Signer is one SignerInfo with its signed attributes.
type Signer struct {
	Hash         crypto.Hash
	SigningTime  *time.Time // nil: absent
	Capabilities []string   // SMIMECapabilities, names or dotted OIDs, in order
	Preference   *Preference
	Signature    []byte
}

// A Preference is the signed sMIMEEncryptionKeyPreference attribute.
type Preference struct{}

// An Operations budget counts public-key operations down; at 0 none is made.
type Operations struct{ Left int }

// A Verified signature: whose key it was and with which algorithms.
type Verified struct {
	Certificate        *x509.Certificate
	DigestAlgorithm    string // sha-256 …
	SignatureAlgorithm string // rsa-pkcs1, rsa-pss, ecdsa, ed25519
}

// An Error says why a blob or signer is refused. Reason is a reason code.
type Error struct {
	Reason string // cms-malformed, cms-algorithm, cms-integrity, cms-signers, cms-no-certificate, cert-key, smime-encrypted, smime-certificate
	Detail string // our own words
	Err    error
}

func (e *Error) Error() string { return "cms: " + e.Detail }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Parse reads a ContentInfo that must hold SignedData.
func Parse(blob []byte, lim Limits) (*SignedData, error) { return nil, errors.New("stub") }

// Hashes returns the digests that Verify will ask for, each once.
func (s *SignedData) Hashes() []crypto.Hash { return nil }

// Verify checks signer i over the content whose digest (by that signer's Hash) is given.
func (s *SignedData) Verify(i int, digest []byte, ops *Operations) (Verified, error) {
	return Verified{}, errors.New("stub")
}

// Named returns the certificate of the bag that the signer's key preference names,
// nil if there is none.
func (s *SignedData) Named(p *Preference) *x509.Certificate { return nil }
