package revoke

import (
	"crypto"
	"encoding/asn1"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/certinbox/certinbox/verify"
)

// A single is a SingleResponse.
type single struct {
	hash       crypto.Hash // of the CertID, 0 for one that we do not take
	nameHash   []byte
	keyHash    []byte
	serial     *big.Int
	status     string // verify.Good, Revoked, Hold or Unknown
	revoked    time.Time
	reason     int
	thisUpdate time.Time
	nextUpdate time.Time // zero: absent
}

func readSingle(list *cryptobyte.String) (single, error) {
	var s single
	var seq, status, next, extensions cryptobyte.String
	var choice tag.Tag
	var nextThere, extensionsThere bool
	if !list.ReadASN1(&seq, tag.SEQUENCE) || !s.readCertID(&seq) {
		return s, garbled("CertID")
	}
	if !seq.ReadAnyASN1(&status, &choice) || !s.readStatus(status, choice) {
		return s, garbled("certStatus")
	}
	if !readTime(&seq, &s.thisUpdate) || !seq.ReadOptionalASN1(&next, &nextThere, explicit(0)) ||
		!seq.ReadOptionalASN1(&extensions, &extensionsThere, explicit(1)) || !seq.Empty() ||
		nextThere && (!readTime(&next, &s.nextUpdate) || !next.Empty()) {
		return s, garbled("SingleResponse")
	}
	if extensionsThere {
		return s, readExtensions(extensions)
	}
	return s, nil
}

func (s *single) readCertID(seq *cryptobyte.String) bool {
	var id, name, key cryptobyte.String
	s.serial = new(big.Int)
	algorithm, ok := cryptobyte.String(nil), false
	if !seq.ReadASN1(&id, tag.SEQUENCE) || !id.ReadASN1(&algorithm, tag.SEQUENCE) {
		return false
	}
	if s.hash, ok = readHash(algorithm); !ok {
		return false
	}
	if !id.ReadASN1(&name, tag.OCTET_STRING) || !id.ReadASN1(&key, tag.OCTET_STRING) ||
		!id.ReadASN1Integer(s.serial) || !id.Empty() {
		return false
	}
	s.nameHash, s.keyHash = name, key
	return true
}

// readStatus reads the CHOICE CertStatus, whose tags are implicit.
func (s *single) readStatus(value cryptobyte.String, choice tag.Tag) bool {
	switch choice {
	case tag.Tag(0).ContextSpecific():
		s.status = verify.Good
		return value.Empty()
	case tag.Tag(2).ContextSpecific():
		s.status = verify.Unknown
		return value.Empty()
	case explicit(1):
		return s.readRevoked(value)
	}
	return false
}

// readRevoked reads RevokedInfo. A reason of no meaning is none: the
// certificate is revoked all the same.
func (s *single) readRevoked(value cryptobyte.String) bool {
	var wrapped cryptobyte.String
	var reasonThere bool
	if !readTime(&value, &s.revoked) || !value.ReadOptionalASN1(&wrapped, &reasonThere, explicit(0)) || !value.Empty() {
		return false
	}
	if reasonThere && (!wrapped.ReadASN1Enum(&s.reason) || !wrapped.Empty()) {
		return false
	}
	if s.reason < 0 || s.reason > 10 || s.reason == 7 {
		s.reason = 0
	}
	s.status = verify.Revoked
	if s.reason == certificateHold {
		s.status = verify.Hold
	}
	return true
}

// certificateHold is the reason of a revocation that may be lifted (RFC 5280
// section 5.3.1).
const certificateHold = 6

// readHash reads an AlgorithmIdentifier of a hash: 0 for one that CertID may not
// have here, false for damage.
func readHash(s cryptobyte.String) (crypto.Hash, bool) {
	var id asn1.ObjectIdentifier
	if !s.ReadASN1ObjectIdentifier(&id) || !noParameters(s) {
		return 0, false
	}
	switch {
	case id.Equal(oidSHA1()):
		return crypto.SHA1, true
	case id.Equal(oidSHA256()):
		return crypto.SHA256, true
	}
	return 0, true
}
