package store

import (
	"strconv"
	"time"
)

// The words of a Standing, those of verify.Revocation and two more.
const (
	StatusGood      = "good"
	StatusRevoked   = "revoked"
	StatusHold      = "hold"
	StatusUnknown   = "unknown"
	StatusNone      = "none"
	StatusUntrusted = "untrusted" // the path leads to no anchor any more
	StatusBlocked   = "blocked"   // a CA of the path is on the block list of CAs
)

// recheckEvery is how long an answer is taken for the present one.
const recheckEvery = 24 * time.Hour

// stands records that a CA lets the certificate stand. askAgain is the end of
// its answer, zero if it has none.
func (r *Record) stands(at, askAgain time.Time) {
	r.Unchecked, r.Checked, r.Asked, r.AskAgain = false, at, at, askAgain
	if r.CheckedSince.IsZero() {
		r.CheckedSince = at
	}
}

// asked says whether a CA is asked about the certificate at all: it may be
// published now or later, or come back.
func (r *Record) asked(now time.Time) bool {
	if now.After(r.NotAfter) {
		return false
	}
	switch r.State {
	case Active, Waiting, Superseded:
		return true
	case Revoked:
		return r.OnHold
	case Barred:
		return r.BlockedCA
	}
	return false
}

// due says whether it is time to ask about a certificate again: it never was
// asked about, or the last time without an answer though somebody may answer,
// the answer has ended, or a day is over. So that not all are asked about at
// once, up to an eighth of that time is taken off the day, or added to the end of
// an answer, which the CA must have renewed by then. The fingerprint decides how
// much.
func (r *Record) due(now time.Time) bool {
	if !r.asked(now) {
		return false
	}
	silent := r.Unchecked || !r.Checked.IsZero() && r.Asked.After(r.Checked)
	if r.Asked.IsZero() || silent && r.AskAgain.IsZero() || r.BlockedCA || r.Untrusted || now.Before(r.Asked) {
		return true
	}
	next := r.Asked.Add(recheckEvery - r.jitter(recheckEvery))
	if life := r.AskAgain.Sub(r.Asked); !r.AskAgain.IsZero() && life < recheckEvery {
		if end := r.AskAgain.Add(r.jitter(max(life, 0))); end.Before(next) {
			next = end
		}
	}
	return !now.Before(next)
}

// jitter is a part of an eighth of a time, always the same for a certificate.
func (r *Record) jitter(of time.Duration) time.Duration {
	part, _ := strconv.ParseUint(r.Fingerprint[:min(4, len(r.Fingerprint))], 16, 16) // 0 for what is no SHA-256
	return of / 8 / (1 << 16) * time.Duration(part)
}
