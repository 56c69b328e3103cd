package webhook

import (
	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/verify"
)

// A destination is a recipient as it is sorted.
type destination struct {
	address string        // as an MTA means it
	ours    bool          // a collection address
	refused *verify.Reply // it may be ours, and MTAs read it differently
}

// sort reads a recipient as the milter does: one that is not plainly written and
// may be ours is refused, or taken for ours where nothing is refused.
func (s *settings) sort(rcpt string) destination {
	name, address := collect.WithoutRoute(rcpt), collect.ForwardPath(rcpt)
	d := destination{address: address, ours: s.Collector.Wants(address)}
	if !collect.Plain(name) && (d.ours || s.Collector.Mentions(name) || s.Collector.Mentions(address)) {
		d.refused = s.Collector.Misspelt()
		d.ours = d.refused == nil
	}
	return d
}

// count tells the Counter of a message that the Collector did not get.
func (s *settings) count(action, reason string) {
	if s.Counter != nil {
		s.Counter.Message(action, reason)
	}
}
