package milter

import (
	"strings"

	gomilter "github.com/d--j/go-milter"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/verify"
)

// finish turns the outcome into the MTA's answer. The intake is done with
// afterwards.
func (c *session) finish(m gomilter.Modifier) *gomilter.Response {
	o := c.judge()
	switch o.Action {
	case collect.Keep, collect.Pass:
		switch {
		case !o.Deliver:
			return c.drop(m, o.Reason)
		case o.Mark:
			return c.mark(o, m)
		}
		return gomilter.RespAccept
	case collect.Swallow:
		return c.drop(m, o.Reason)
	case collect.Reject, collect.Defer:
		return c.refuse(o.Reply, o.Reason, m)
	}
	return c.refuse(internal().Reply, "internal", m)
}

// internal is the outcome of our own trouble.
func internal() collect.Outcome {
	return collect.Outcome{Action: collect.Defer, Reason: "internal", Reply: verify.ReplyFor("internal", "", "", "")}
}

// judge asks for the outcome. A panic on the way is trouble of ours like any
// other, so that third parties in the same transaction still get their mail.
func (c *session) judge() (o collect.Outcome) {
	in := c.mail.intake
	defer func() {
		if v := recover(); v != nil {
			c.server.panicked("judgement", v)
			o = internal()
		}
	}()
	if c.mail.failed || in == nil {
		return internal() // reset gives the intake up
	}
	c.mail.intake = nil
	return in.End(c.server.ctx)
}

// refuse answers for the whole message, or takes our recipient out of a mixed
// one: others never lose mail because of us.
func (c *session) refuse(r verify.Reply, reason string, m gomilter.Modifier) *gomilter.Response {
	if c.mayLeave(m) {
		c.server.log.Warn("mixed-dropped: other recipients get the message, ours was taken out", "id", c.mail.id, "reason", reason)
		return c.withoutOurs(m)
	}
	return answer(r)
}

// mayLeave says whether our recipient can be taken out so that the message
// goes on to others.
func (c *session) mayLeave(m gomilter.Modifier) bool {
	return c.mail.others > 0 && len(c.mail.ours) > 0 && m.Actions()&gomilter.OptRemoveRcpt != 0
}

// drop takes a message that is not to be delivered to us.
func (c *session) drop(m gomilter.Modifier, reason string) *gomilter.Response {
	if c.mail.others == 0 {
		return gomilter.RespDiscard
	}
	if !c.mayLeave(m) {
		// Not split, and our recipient cannot be taken out: neither delivering nor
		// discarding for all would be right.
		c.server.log.Error("milter: mixed message deferred, the MTA does not offer to delete a recipient", "id", c.mail.id, "reason", reason)
		return tempfail()
	}
	return c.withoutOurs(m)
}

// withoutOurs lets the message go to the others, unaltered.
func (c *session) withoutOurs(m gomilter.Modifier) *gomilter.Response {
	done := map[string]bool{}
	for _, rcpt := range c.mail.ours {
		if done[rcpt] {
			continue
		}
		done[rcpt] = true
		if err := m.DeleteRecipient(rcpt); err != nil {
			return c.modification("delete our recipient", err)
		}
	}
	return gomilter.RespAccept
}

// mark lets a message go with our judgement on top; fields that pretend to be
// it go.
func (c *session) mark(o collect.Outcome, m gomilter.Modifier) *gomilter.Response {
	for i := len(c.mail.forged) - 1; i >= 0; i-- { // from the last, so that the numbers before it stay
		if err := m.ChangeHeader(c.mail.forged[i], resultsField, ""); err != nil {
			return c.modification("remove a forged "+resultsField, err)
		}
	}
	if o.Report == nil || m.Actions()&(gomilter.OptAddHeader|gomilter.OptChangeHeader) == 0 {
		return gomilter.RespAccept
	}
	value := o.Report.AuthResults(c.mail.authserv)
	if m.Protocol()&gomilter.OptHeaderLeadingSpace != 0 {
		value = " " + value // exact values: the MTA adds no space after the colon
	}
	if err := m.InsertHeader(0, resultsField, value); err != nil {
		return c.modification("add "+resultsField, err)
	}
	return gomilter.RespAccept
}

// modification is the end of a message that could not be changed as it must be.
func (c *session) modification(what string, err error) *gomilter.Response {
	c.server.log.Error("milter: the message is deferred", "id", c.mail.id, "cannot", what, "err", err)
	return tempfail()
}

// maxPadding is how many blanks answer may add. The library's buffer doubles from
// 8 bytes, so that a line break is at the end of one at a few lengths only.
const maxPadding = 32

// answer is a refusal on the wire. A reply that is none becomes 451 4.3.0.
//
// The library repeats the codes on every line and doubles each %, but loses
// part of a line's codes when its line break comes to lie at the end of the
// buffer in which it builds the reply (v0.10.2). Blanks at the end of the first
// line move the break away from there; nobody sees them.
func answer(r verify.Reply) *gomilter.Response {
	if r.Code < 400 || r.Code > 599 || r.Enhanced == "" || len(r.Lines) == 0 {
		return gomilter.RespTempFail
	}
	for n := range maxPadding {
		padded := r
		padded.Lines = append([]string{r.Lines[0] + strings.Repeat(" ", n)}, r.Lines[1:]...)
		resp, err := gomilter.RejectWithCodeAndReason(uint16(r.Code), r.Enhanced+" "+strings.Join(padded.Lines, "\n"))
		if err == nil && string(resp.Response().Data) == onWire(padded) {
			return resp
		}
	}
	return gomilter.RespTempFail
}

// onWire is the reply as the protocol carries it.
func onWire(r verify.Reply) string {
	return strings.NewReplacer("\n", "\r\n", "%", "%%").Replace(r.String()) + "\x00"
}
