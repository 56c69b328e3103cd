package cms

import (
	"crypto/sha1" // RFC 5280 section 4.2.1.2 names keys by it
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// A Certificate of the bag; X509 is nil where crypto/x509 cannot read it.
type Certificate struct {
	Raw  []byte
	X509 *x509.Certificate
	Err  error // why X509 is nil

	names names
}

// names are what a certificate can be called by in a signer identifier. They
// are read without crypto/x509, so that a signer whose certificate it refuses
// (brainpool curves, explicit parameters, negative serials) is still found.
type names struct {
	issuer string // comparable form; "" if unreadable
	serial string
	keyID  string // subjectKeyIdentifier, or the SHA-1 of the key where there is none
}

func (s *SignedData) readCertificate(raw []byte) Certificate {
	c := Certificate{Raw: raw, names: s.readNames(raw)}
	if len(raw) > s.lim.CertificateBytes {
		c.Err = fmt.Errorf("cms: a certificate of %d bytes: larger than %d", len(raw), s.lim.CertificateBytes)
		return c
	}
	c.X509, c.Err = ParseCertificate(raw)
	if c.Err != nil {
		c.Err = fmt.Errorf("cms: a certificate cannot be read: %w", c.Err)
	}
	return c
}

// ParseCertificate is x509.ParseCertificate, and refuses a validity with an offset
// from UTC, as openssl does (RFC 5280 section 4.1.2.5): with one there is a year
// 10000, which JSON cannot write. Without an error there is a certificate, and none
// with one.
func ParseCertificate(der []byte) (*x509.Certificate, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	for _, t := range []time.Time{c.NotBefore, c.NotAfter} {
		if _, offset := t.Zone(); offset != 0 {
			return nil, errors.New("its validity is not in UTC")
		}
	}
	return c, nil
}

const oidSubjectKeyID = "2.5.29.14"

// readNames reads as much of TBSCertificate (RFC 5280 section 4.1) as it can.
func (s *SignedData) readNames(raw []byte) (n names) {
	r := &reader{in: raw, base: innerDepth, depth: s.lim.Depth, steps: &s.Steps}
	r.open(universal, tagSequence, "certificate")
	r.open(universal, tagSequence, "TBSCertificate")
	if r.at0(explicit0) {
		r.pass() // version
	}
	serial := r.integer("serial number")
	r.pass() // signature algorithm
	issuer := r.raw(r.expect(universal, tagSequence, "issuer"))
	if r.err != nil {
		return names{}
	}
	n.issuer, n.serial = s.comparableName(issuer), string(serial)
	r.pass() // validity
	r.pass() // subject
	r.open(universal, tagSequence, "SubjectPublicKeyInfo")
	r.pass() // algorithm
	key := r.content(r.expect(universal, tagBitString, "public key"))
	r.leave()
	if r.err != nil || len(key) == 0 {
		return n
	}
	keyID, found := readKeyID(r)
	switch {
	case found:
		n.keyID = string(keyID)
	case r.err == nil:
		sum := sha1.Sum(key[1:]) // without the count of unused bits
		n.keyID = string(sum[:])
	}
	return n
}

// readKeyID looks for the subjectKeyIdentifier in what follows the key.
func readKeyID(r *reader) ([]byte, bool) {
	for r.more() && !r.at0(0xa3) {
		r.pass() // unique identifiers
	}
	if !r.more() {
		return nil, false
	}
	r.open(context, 3, "extensions")
	r.open(universal, tagSequence, "extensions")
	for r.more() {
		r.open(universal, tagSequence, "extension")
		oid := r.oid("extension")
		if r.at0(tagBoolean) {
			r.pass() // critical
		}
		if oid != oidSubjectKeyID {
			r.pass()
			r.leave()
			continue
		}
		r.enterOctets("extension")
		id := r.octetString("subjectKeyIdentifier")
		return id, r.err == nil
	}
	return nil, false
}
