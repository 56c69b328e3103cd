package revoke

import (
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"time"
)

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
	entries    map[string]listEntry // of the serials asked about, by serialKey
	bytes      int64
}

// A listEntry is one revoked certificate.
type listEntry struct {
	at     time.Time
	reason int // RFC 5280 section 5.3.1; 0 unspecified or absent
}

// serialKey is how a serial number stands in list.entries.
func serialKey(serial *big.Int) string { return serial.Text(16) }

// readList reads a list in DER as a stream and verifies it. It holds a few
// kilobytes of it at a time, however long it is. Errors are of kind answerError.
func readList(r io.Reader, q listQuestion) (*list, error) { return nil, errors.New("not there yet") }

// current says why the list cannot be used at that time, nil if it can.
func (l *list) current(at time.Time) error { return errors.New("not there yet") }

// replaces says whether l may take the place of old: not with a smaller number
// or an earlier thisUpdate.
func (l *list) replaces(old *list) bool { return false }

// An answerError says why an answer is none. Its text is our own words.
type answerError struct{ text string }

func (e *answerError) Error() string { return e.text }
