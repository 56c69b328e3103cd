package collect

import (
	"context"
	"crypto/x509"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/trust"
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
	Mark    bool // it is to carry our Authentication-Results, if there is a Report, and none that only pretend to be ours
	Reason  string
	Reply   verify.Reply
	Change  store.Change

	written func() ([]byte, error) // the Report as JSON, made once; nil: not made by End
}

// A Keeper takes acceptances. Put returns only after the entry is durable.
type Keeper interface {
	Put(ctx context.Context, e store.Entry) (store.Change, error)
}

// Reports remembers what was decided, by reference, for whoever asks later.
// Its failure changes no decision.
type Reports interface {
	Put(reference string, json []byte, text string) error
}

// A Witness hears what was found out about CAs. What it does with it changes no
// decision; it must not take long.
type Witness interface {
	// Accepted is told of a path that led to an acceptance. checked: the CAs said
	// that every certificate of it still stands.
	Accepted(path trust.Path, checked bool, at time.Time)
	// Refused is told of a certificate whose issuer is not trusted, and the author's domain.
	Refused(cert *x509.Certificate, reason, domain string, at time.Time)
	// Withdrawn is told of an author whose mail was refused because a CA has
	// revoked or suspended a certificate of the path.
	Withdrawn(address string)
}

// A Counter counts messages and the answers of CAs. The words come from fixed
// lists: actions, reason codes, methods and statuses.
type Counter interface {
	Message(action, reason string)
	Answer(method, status string)
}

// Settings are what the operator decides, and what carries it out. They are
// not changed after they were given to a Collector.
type Settings struct {
	Verifier *verify.Verifier
	Keeper   Keeper
	Reports  Reports // nil: none are kept
	Witness  Witness // nil: nobody
	Counter  Counter // nil: nothing is counted
	Log      *Log

	Observe    bool   // judge and log, but let everything pass and keep nothing
	Refuse     string // RefuseAll, RefuseSigned or RefuseNone
	Discard    bool   // mail whose certificate was kept is not delivered
	AuthservID string // "": the MTA's name
	HelpURL    string

	Relays      []netip.Prefix // clients whose mail was already accepted elsewhere
	OwnNetworks []netip.Prefix // clients whose transactions are never split

	Judged    int       // messages under judgement at once
	InFlight  int64     // bytes of all messages in memory
	NotBefore time.Time // the clock is wrong when it is before this; zero: never
}

// What is refused.
const (
	RefuseAll    = "all"    // whatever fails
	RefuseSigned = "signed" // but not for lack of an S/MIME signature
	RefuseNone   = "none"   // nothing: the good are kept, the rest is delivered
)

// A Collector binds a Verifier, a Keeper and the operator's settings. It is
// safe for concurrent use.
type Collector struct {
	now    atomic.Pointer[snapshot]
	budget *budget
}

// A snapshot is one set of settings, prepared for use.
type snapshot struct {
	Settings
	recipients recipients
}

// New returns a Collector.
func New(s Settings) *Collector {
	c := &Collector{budget: newBudget()}
	c.Set(s)
	return c
}

// Set replaces the settings for messages that begin from now on.
func (c *Collector) Set(s Settings) {
	c.budget.limit(s.Judged, s.InFlight)
	c.now.Store(&snapshot{Settings: s, recipients: newRecipients(s.Verifier.Policy)})
}

// Wants says whether rcpt is a collection address. rcpt is the argument of
// RCPT TO as received, with or without angle brackets.
func (c *Collector) Wants(rcpt string) bool { return c.now.Load().recipients.match(rcpt) }

// Mentions says whether an MTA that forgives much may find a collection address
// in path, which is not Plain.
func (c *Collector) Mentions(path string) bool { return c.now.Load().recipients.mentions(path) }

// Misspelt returns the reply for a recipient that is not Plain and may be ours:
// it might be delivered to us under a name that we do not know it by. It is nil
// in observe, where everything passes; the message is then taken for ours.
func (c *Collector) Misspelt() *verify.Reply {
	s := c.now.Load()
	if s.Observe {
		return nil
	}
	r := verify.ReplyFor("recipient-syntax", "", "", s.HelpURL)
	return &r
}

// Split returns the reply for a collection recipient that comes after others,
// nil when this client's transactions are not split.
func (c *Collector) Split(env verify.Envelope) *verify.Reply {
	s := c.now.Load()
	if s.Observe || env.Authenticated {
		return nil
	}
	if client, ok := clientAddr(env.Client); ok && within(s.OwnNetworks, client) {
		return nil
	}
	r := verify.ReplyFor("recipients-split", "", reference(env.ID), s.HelpURL)
	return &r
}

// Begin starts the intake of one message under the settings of this moment.
func (c *Collector) Begin(env verify.Envelope) *Intake {
	s := c.now.Load()
	i := &Intake{settings: s, env: env, exam: s.Verifier.Begin(env)}
	i.share = c.budget.share(s.client(env))
	return i
}

// client returns the network that bears the cost of a message: the invalid
// prefix for those to which no share applies, because they are ours or speak
// for many.
func (s *snapshot) client(env verify.Envelope) netip.Prefix {
	client, ok := clientAddr(env.Client)
	if !ok && (env.Via == "webhook" || env.Via == "check") {
		return posted()
	}
	if !ok || client.IsLoopback() || within(s.Relays, client) || within(s.OwnNetworks, client) {
		return netip.Prefix{}
	}
	return Network(client)
}

// Network is the neighbourhood that counts as one client: /24 or /64.
func Network(a netip.Addr) netip.Prefix {
	bits := 64
	if a.Is4() {
		bits = 24
	}
	p, _ := a.Prefix(bits)
	return p
}

func clientAddr(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(s)
	return a.Unmap().WithZone(""), err == nil
}

func within(networks []netip.Prefix, a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}
