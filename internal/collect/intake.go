package collect

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
)

// An examination is a *verify.Examination, or what a test puts in its place.
type examination interface {
	Expect(n int)
	Write(p []byte) (int, error)
	Report(ctx context.Context) *verify.Report
}

// An Intake takes one message. Write, SetID and SetLastTry are for one goroutine; End and
// Abort may come from any, and the first of them counts.
type Intake struct {
	settings *snapshot
	env      verify.Envelope
	exam     examination
	share    *share
	overrun  bool // no room for its bytes: what came was dropped
	size     int64

	once    sync.Once
	outcome Outcome
}

// AuthservID is the configured identity for Authentication-Results; "" leaves
// it to the MTA's name.
func (i *Intake) AuthservID() string { return i.settings.AuthservID }

// Write takes bytes as received, with CRLF line ends. It never fails: what is
// beyond the limit of a message, or beyond the room for all of them, is
// dropped, and End says so.
func (i *Intake) Write(p []byte) (int, error) {
	if i.overrun {
		return len(p), nil
	}
	if i.size+int64(len(p)) <= int64(i.settings.Verifier.Policy.Limits.Message) && !i.share.grow(len(p)) {
		i.overrun, i.exam = true, nil
		i.share.release()
		return len(p), nil
	}
	i.size += int64(len(p))
	return i.exam.Write(p)
}

// Expect says how long the message will be in bytes, where that is known before
// the first Write: it is then held in one piece. Room for it is taken when it
// comes.
func (i *Intake) Expect(n int) {
	if !i.overrun {
		i.exam.Expect(n)
	}
}

// SetID names the message once the MTA has given it a queue id.
func (i *Intake) SetID(id string) { i.env.ID = id }

// Reference is what the message is called in replies, in the log and among the
// reports; before End it is what the transport has called it so far.
func (i *Intake) Reference() string { return i.env.ID }

// SetLastTry says that the message will not be brought again (Envelope.LastTry),
// for a transport that recognises it by its bytes. It belongs before End.
func (i *Intake) SetLastTry() { i.env.LastTry = true }

// Abort forgets the message.
func (i *Intake) Abort() {
	i.once.Do(func() {
		i.share.release()
		i.exam = nil
		i.outcome = i.own("internal")
	})
}

// End judges, decides, keeps, logs. It is idempotent, never panics, never
// fails open: whatever goes wrong here is a temporary answer for the sender
// and an error line for the operator. It takes at most Limits.Time, and what
// the Keeper needs beyond when it does not heed its context.
func (i *Intake) End(ctx context.Context) Outcome {
	i.once.Do(func() {
		began := time.Now()
		if i.env.ID = reference(i.env.ID); i.env.ID == "" {
			i.env.ID = newReference()
		}
		out, err := i.conclude(ctx)
		i.outcome = out
		i.exam = nil
		i.share.release()
		i.record(out, err, time.Since(began))
	})
	return i.outcome
}

// conclude returns the outcome, and the cause of trouble of ours.
func (i *Intake) conclude(ctx context.Context) (out Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = i.own("internal"), &panicError{p, debug.Stack()}
			if i.env.LastTry { // perhaps the message is what brings it about
				out = i.refused(Outcome{}, "internal", out.Reply)
			}
		}
	}()
	s := i.settings
	ctx, cancel := context.WithTimeout(ctx, s.Verifier.Policy.Limits.Time)
	defer cancel()
	if i.overrun {
		return i.own("busy"), errors.New("collect: no room for the bytes of this message (limits.in_flight)")
	}
	if now := s.Verifier.Now(); now.Before(s.NotBefore) {
		return i.own("clock"), fmt.Errorf("collect: the clock says %s, which is before this program was made: set it", now.Format(time.RFC3339))
	}
	if !i.share.judge(ctx) {
		return i.own("busy"), errors.New("collect: waited in vain for a place among the messages judged at once (limits.judged)")
	}
	r := i.exam.Report(ctx)
	if len(r.Results) == 0 {
		return i.own("internal"), errors.New("collect: the report has no rows")
	}
	out = i.decide(r)
	if out.Action == Keep {
		out, err = i.keep(ctx, out)
	}
	i.testify(out)
	return out, err
}

// keep hands an accepted message to the Keeper.
func (i *Intake) keep(ctx context.Context, out Outcome) (Outcome, error) {
	e, err := entry(out.Report, i.env)
	if err != nil {
		return i.troubled(out, "internal"), err
	}
	if e.Report, err = out.reportJSON(); err != nil {
		return i.troubled(out, "internal"), fmt.Errorf("collect: report: %w", err)
	}
	change, err := i.settings.Keeper.Put(ctx, e)
	if err != nil {
		if errors.Is(err, store.ErrFull) {
			return i.troubled(out, "store-full"), err
		}
		return i.troubled(out, "internal"), err
	}
	out.Change = change
	switch {
	case change.Reason == store.ReasonBlocked:
		out.Deliver = false
		out = i.refused(out, change.Reason, verify.ReplyFor(change.Reason, change.Detail, i.env.ID, i.settings.HelpURL))
	case change.Reason != "": // no room, too many: another try may do
		out = i.troubled(out, change.Reason)
	}
	return out, nil
}

// A panicError is a fault in our code, with the place where it happened.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("collect: panic: %v", e.value) }

// maxReference bounds what a sender is to read out on the phone.
const maxReference = 64

// reference returns the MTA's queue id as far as it can be said and typed.
func reference(id string) string {
	out := make([]byte, 0, min(len(id), maxReference))
	for i := 0; i < len(id) && len(out) < maxReference; i++ {
		c := id[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' {
			out = append(out, c)
		}
	}
	return string(out)
}

// newReference makes one up for a message that came without queue id.
func newReference() string {
	var b [6]byte
	rand.Read(b[:]) // never fails
	return "x" + hex.EncodeToString(b[:])
}
