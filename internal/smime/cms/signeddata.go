package cms

import (
	"crypto"
	"slices"
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

	lim Limits
	raw rawFields
}

// A Signer is one SignerInfo with its signed attributes. Until Verify has
// accepted it, everything in it is a stranger's claim.
type Signer struct {
	Hash         crypto.Hash // of the content; 0 where the algorithm is not accepted: Verify then says so
	SigningTime  *time.Time  // nil: absent
	Capabilities []string    // SMIMECapabilities, names or dotted OIDs, in order
	Preference   *Preference // nil: absent
	Signature    []byte      // the signature value

	id            identifier
	scheme        scheme
	attributes    attributes
	messageDigest []byte
	bindings      []binding // signing-certificate attributes
	refused       *Error    // what is wrong with this signer whatever was signed
}

// Parse reads a ContentInfo that must hold SignedData with at least one signer.
// CR, LF, blanks and NUL may follow it. The error is an *Error: smime-encrypted
// for enveloped data, smime-certificate for certificates without a signer,
// cms-malformed for everything else that is unreadable, over a limit or of
// another type. What is wrong with one signer only is said by Verify.
func Parse(blob []byte, lim Limits) (*SignedData, error) {
	s := &SignedData{lim: lim}
	if err := s.parse(blob); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *SignedData) parse(blob []byte) error {
	r := &reader{in: blob, depth: s.lim.Depth, steps: &s.Steps}
	p := s.readContentInfo(r)
	if r.err != nil {
		return r.err
	}
	s.raw = p.raw
	if r.at-p.content > s.lim.MetaBytes {
		return malformed("certificates and signers take more than %d bytes", s.lim.MetaBytes)
	}
	if len(p.signers) == 0 {
		if len(p.certificates) > 0 {
			return refuse(reasonCertificate, "certificates without a signature")
		}
		return malformed("neither a signer nor a certificate")
	}
	for _, raw := range p.certificates {
		s.Certificates = append(s.Certificates, s.readCertificate(raw))
	}
	for i, raw := range p.signers {
		signer, err := s.readSigner(raw)
		if err != nil {
			err.Detail = ordinal(i) + err.Detail
			return err
		}
		s.Signers = append(s.Signers, signer)
	}
	return nil
}

// Hashes returns the digests that Verify will ask for, each once, in the order
// of the signers.
func (s *SignedData) Hashes() []crypto.Hash {
	var hashes []crypto.Hash
	for i := range s.Signers {
		if h := s.Signers[i].Hash; h != 0 && !slices.Contains(hashes, h) {
			hashes = append(hashes, h)
		}
	}
	return hashes
}
