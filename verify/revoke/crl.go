package revoke

import (
	"crypto/x509"
	"math/big"
	"time"
)

// maxSerials bounds the certificates that one reading of a list is asked about.
const maxSerials = 4096

// maxSkew is how far ahead of ours the clock of a CA may be.
const maxSkew = 5 * time.Minute

// A listQuestion is what a revocation list is asked.
type listQuestion struct {
	issuer  *x509.Certificate // of the certificates asked about; its key must have signed the list
	serials []*big.Int        // at most maxSerials
	points  []string          // URLs of the distribution points that led here; a list for part of the certificates must name one
	ca      bool              // the certificates are those of CAs
}

// A list is what was read of a revocation list whose signature holds and that
// is meant for the question. Whether it is current is not judged: see current.
type list struct {
	number     *big.Int // cRLNumber, nil without
	thisUpdate time.Time
	nextUpdate time.Time            // zero: absent, then the list is never current
	entries    map[string]listEntry // of the serials asked about, by serialKey; never one with reason removeFromCRL
	bytes      int64
}

// A listEntry is one revoked certificate.
type listEntry struct {
	at     time.Time
	reason int // RFC 5280 section 5.3.1; 0 unspecified or absent
}

// The reasons that are treated apart (RFC 5280 section 5.3.1).
const (
	reasonKeyCompromise = 1
	reasonCACompromise  = 2
	reasonHold          = 6
	reasonUnused        = 7 // not assigned
	reasonRemoved       = 8
	reasonLast          = 10
)

// serialKey is how a serial number stands in list.entries.
func serialKey(serial *big.Int) string { return serial.Text(16) }

// current says why the list cannot be used at that time, nil if it can.
func (l *list) current(at time.Time) error {
	switch {
	case l.thisUpdate.After(at.Add(maxSkew)):
		return noList("it is not valid before " + moment(l.thisUpdate))
	case l.nextUpdate.IsZero():
		return noList("it does not say until when it is valid")
	case !at.Before(l.nextUpdate):
		return noList("it was valid until " + moment(l.nextUpdate))
	}
	return nil
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// replaces says whether l may take the place of old: not with a smaller number
// or an earlier thisUpdate. Numbers decide where both lists have one and they
// differ; the times do where they do not.
func (l *list) replaces(old *list) bool {
	if l.number != nil && old.number != nil && l.number.Cmp(old.number) < 0 {
		return false
	}
	return !l.thisUpdate.Before(old.thisUpdate)
}

// An answerError says why an answer is none. Its text is our own words.
type answerError struct{ text string }

func (e *answerError) Error() string { return e.text }

// noList says why a revocation list is none.
func noList(why string) *answerError { return &answerError{"revocation list: " + why} }
