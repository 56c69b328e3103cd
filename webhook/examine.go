package webhook

import (
	"context"
	"encoding/hex"
	"io"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/verify"
)

// A message is what is to be judged.
type message struct {
	env      verify.Envelope
	event    *event // with the bytes
	remember bool   // it comes again if it is put off: that has an end
}

// examine hands a message to the Collector, with an Intake of its own that is
// ended or given up whatever happens. A message without a name is named after its
// bytes, so that the same one has the same reference whenever it comes; a trial
// otherwise than what is decided, whose report it must not replace. The error is
// that of the event: then nothing was judged.
func (x *exchange) examine(m message) (answer, collect.Outcome, error) {
	in := x.settings.Collector.Begin(m.env)
	defer in.Abort() // after End it does nothing
	// A long one takes less as pieces: those here go while those there come.
	if n := m.event.Length(); n < longMessage {
		in.Expect(int(n))
	}
	hash := newIdentity(m.env.Sender, m.env.Recipients[0])
	if _, err := m.event.WriteTo(io.MultiWriter(in, hash)); err != nil {
		return answer{}, collect.Outcome{}, err
	}
	defer x.server.sweeper.begin(m.event.Size())()
	id := identity(hash.Sum(nil))
	if m.env.ID == "" {
		prefix := "w"
		if m.env.Trial {
			prefix = "t"
		}
		in.SetID(prefix + hex.EncodeToString(id[:6]))
	}
	now := x.settings.Now()
	if m.remember && x.server.attempts.last(id, now) {
		in.SetLastTry()
	}
	// A client that hangs up must not lose what is being kept. The Policy bounds
	// how long it takes.
	out := in.End(context.WithoutCancel(x.r.Context()))
	if m.remember {
		x.server.attempts.note(id, out, now)
	}
	return answerOf(out, in.Reference()), out, nil
}
