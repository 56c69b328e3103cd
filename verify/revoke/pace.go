package revoke

import (
	"errors"
	"sync"
	"time"
)

// Bounds of what one host is asked: certificates of one CA may name a different
// URL each, and mail must not turn us against a stranger's server.
const (
	maxPerHost = 120 // fetches in a window
	paceWindow = time.Minute
	maxHosts   = 4096 // remembered
)

var errPace = errors.New("the host was asked often in the last minute")

// pace counts requests by host: those that a redirect leads to as well.
type pace struct {
	now func() time.Time

	mu    sync.Mutex
	since time.Time // beginning of the window
	count map[string]int
}

func newPace(now func() time.Time) *pace { return &pace{now: now, count: map[string]int{}} }

// take counts a fetch from host, or refuses it.
func (p *pace) take(host string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.now(); now.Before(p.since) || !now.Before(p.since.Add(paceWindow)) {
		p.since, p.count = now, map[string]int{}
	}
	if p.count[host] >= maxPerHost || len(p.count) >= maxHosts && p.count[host] == 0 {
		return errPace
	}
	p.count[host]++
	return nil
}
