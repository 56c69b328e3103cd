// Package collect is what every transport calls.
package collect

import (
	"context"

	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
)

// An Action is what becomes of a message.
type Action string

// The actions.
const (
	Keep    Action = "keep"    // the certificate is kept
	Pass    Action = "pass"    // not ours to refuse: it goes on untouched
	Reject  Action = "reject"  // refused in the dialogue
	Defer   Action = "defer"   // tempfailed in the dialogue
	Swallow Action = "swallow" // accepted on the wire, not delivered, logged
)

// An Outcome is what End decided.
type Outcome struct {
	Report  *verify.Report // nil only for trouble of ours before the judgement
	Action  Action
	Deliver bool // the collection mailbox gets the message
	Reason  string
	Reply   verify.Reply
	Change  store.Change
}

// A Keeper takes acceptances. Put returns only after the entry is durable.
type Keeper interface {
	Put(ctx context.Context, e store.Entry) (store.Change, error)
}

// A Collector binds a Verifier, a Keeper and the operator's settings.
type Collector struct{}

// Wants says whether rcpt is a collection address.
func (c *Collector) Wants(rcpt string) bool { return false }

// Split returns the reply for a collection recipient that comes after others,
// nil when this client's transactions are not split.
func (c *Collector) Split(env verify.Envelope) *verify.Reply { return nil }

// Begin starts the intake of one message under the settings of this moment.
func (c *Collector) Begin(env verify.Envelope) *Intake { return nil }

// An Intake takes one message.
type Intake struct{}

// AuthservID is the configured identity for Authentication-Results; "" leaves it to the MTA's name.
func (i *Intake) AuthservID() string { return "" }

// Write takes bytes as received, with CRLF line ends.
func (i *Intake) Write(p []byte) (int, error) { return len(p), nil }

// SetID names the message once the MTA has given it a queue id.
func (i *Intake) SetID(id string) {}

// End judges, decides, keeps, logs. It is idempotent, never panics, never fails open.
func (i *Intake) End(ctx context.Context) Outcome { return Outcome{} }

// Abort forgets the message.
func (i *Intake) Abort() {}
