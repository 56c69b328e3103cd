package collect

import (
	"sync"

	"github.com/certinbox/certinbox/verify"
)

// mixedDropped is the reason of a collection recipient that was dropped
// because the same transaction goes to other people too.
const mixedDropped = "mixed-dropped"

// decide makes an outcome of a report, as the operator's settings say. Keep
// is still to be carried out.
func (i *Intake) decide(r *verify.Report) Outcome {
	out := Outcome{Report: r, written: sync.OnceValues(r.MarshalJSON)}
	if d := r.Decisive(); d != nil {
		out.Reason = d.Reason
	}
	switch r.Verdict() {
	case verify.Accept:
		if i.settings.Observe || i.env.Trial {
			return i.passed(out)
		}
		out.Action, out.Deliver, out.Mark = Keep, !i.settings.Discard, true
		out.Reply = i.welcome()
		return out
	case verify.Reject:
		return i.refused(out, out.Reason, r.Reply(i.env.ID, i.settings.HelpURL))
	default:
		return i.deferred(out, out.Reason, r.Reply(i.env.ID, i.settings.HelpURL))
	}
}

// refused is what becomes of a message that fails for good.
func (i *Intake) refused(out Outcome, reason string, reply verify.Reply) Outcome {
	s := i.settings
	out.Reason = reason
	switch {
	case s.Observe, s.Refuse == RefuseNone, s.Refuse == RefuseSigned && unsigned(out.Report):
		return i.passed(out)
	case i.env.Mixed:
		return i.swallowed(out, mixedDropped)
	case i.relayed():
		return i.swallowed(out, reason)
	}
	out.Action, out.Mark, out.Reply = Reject, false, reply
	return out
}

// deferred is what becomes of a message that cannot be judged now. Where
// nothing is to be refused, it is not held up either: days of somebody else's
// broken DNS would end in a bounce. On the last try nothing else is left than to
// refuse it.
func (i *Intake) deferred(out Outcome, reason string, reply verify.Reply) Outcome {
	out.Reason = reason
	switch {
	case i.settings.Refuse == RefuseNone && out.Report != nil:
		return i.passed(out)
	case i.env.LastTry:
		return i.refused(out, reason, reply)
	}
	return i.putOff(out, reason, reply)
}

// own is the outcome of trouble of ours before the judgement.
func (i *Intake) own(reason string) Outcome { return i.troubled(Outcome{}, reason) }

// troubled is the outcome of trouble of ours, where nothing helps but another
// try: the certificate may be good.
func (i *Intake) troubled(out Outcome, reason string) Outcome {
	out.Deliver = false
	return i.putOff(out, reason, verify.ReplyFor(reason, "", reference(i.env.ID), i.settings.HelpURL))
}

func (i *Intake) putOff(out Outcome, reason string, reply verify.Reply) Outcome {
	out.Reason = reason
	switch {
	case i.settings.Observe:
		return i.passed(out)
	case i.env.Mixed: // other people do not wait for us
		return i.swallowed(out, mixedDropped)
	}
	out.Action, out.Mark, out.Reply = Defer, false, reply
	return out
}

func (i *Intake) passed(out Outcome) Outcome {
	out.Action, out.Deliver, out.Reply = Pass, true, i.welcome()
	// Where everything passes, the mailbox sees what we think of it, and without
	// a report at least nothing that pretends to be it. What refuse: signed lets
	// pass stays as it was.
	out.Mark = i.settings.Observe || i.settings.Refuse == RefuseNone
	return out
}

func (i *Intake) swallowed(out Outcome, reason string) Outcome {
	out.Action, out.Deliver, out.Mark, out.Reason, out.Reply = Swallow, false, false, reason, i.welcome()
	return out
}

func (i *Intake) welcome() verify.Reply {
	return verify.ReplyFor("", "", reference(i.env.ID), i.settings.HelpURL)
}

// relayed says whether another server has accepted the message already, so
// that a refusal would become a bounce at whoever is named as its sender.
func (i *Intake) relayed() bool {
	if i.env.AfterQueue {
		return true
	}
	client, ok := clientAddr(i.env.Client)
	return ok && within(i.settings.Relays, client)
}

// unsigned says whether a message fails only because it is not S/MIME: what
// refuse: signed lets pass. A mail that is encrypted, carries a key or has a
// signature in the wrong place is not one of those.
func unsigned(r *verify.Report) bool {
	if r == nil {
		return false
	}
	d := r.Decisive()
	return d != nil && d.Check == "structure" && (d.Reason == "smime-none" || d.Reason == "smime-pgp")
}
