package store

import (
	"context"
	"time"
)

// A Kept is a certificate that is kept, as its CA is asked about it again.
type Kept struct {
	Address     string
	Fingerprint string
	Certificate []byte   // DER
	Chain       [][]byte // DER, the certificates above, anchor last
	State       State
	Unchecked   bool // no CA ever said that it stands
}

// A Standing is what came of asking.
type Standing struct {
	Status        string    // good, revoked, hold, unknown, none: the words of verify.Revocation
	Detail        string    // our own words
	Revoked       time.Time // since when, as the CA says
	KeyCompromise bool      // the leaf was revoked because its key is in other hands
	AskAgain      time.Time // when the answer ends; zero: none was given
}

// Rechecked counts what Recheck did.
type Rechecked struct {
	Asked, Good, Revoked, Held, Reinstated, Unanswered, Published int
}

// Recheck asks about every certificate that is kept and due (see Record.due),
// one after the other, and applies the answers. trouble with one address does
// not keep it from the others; the first is returned.
func (d *Directory) Recheck(ctx context.Context, now time.Time, ask func(context.Context, Kept) Standing, tell func(Event)) (Rechecked, error) {
	return Rechecked{}, nil
}
