package collect

import (
	"context"
	"net/netip"
	"sync"
)

// shareOf is the part of everything that one client network may use, and postedOf
// that of all mail that comes by HTTP without a word on where from: a flood of it
// must not take the places of mail in a dialogue.
const (
	shareOf  = 8
	postedOf = 2
)

// posted stands for the client networks of all that was posted.
func posted() netip.Prefix { return netip.PrefixFrom(netip.IPv6Unspecified(), 0) }

func partOf(client netip.Prefix) int {
	if client == posted() {
		return postedOf
	}
	return shareOf
}

// step is how many bytes are reserved at a time, so that a message of many
// short lines does not ask for each.
const step = 64 << 10

// A budget bounds the messages under judgement and the bytes of all messages
// in memory, over all and for one client network. Connections and mail for
// other people are never counted.
type budget struct {
	mu       sync.Mutex
	judged   int
	inFlight int64
	used     usage
	clients  map[netip.Prefix]*usage // only those that use something
	freed    chan struct{}           // closed when a judgement ends
}

type usage struct {
	judged   int
	inFlight int64
}

func newBudget() *budget {
	return &budget{clients: map[netip.Prefix]*usage{}, freed: make(chan struct{})}
}

// limit sets the bounds. What is in use beyond new bounds runs out by itself.
func (b *budget) limit(judged int, inFlight int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.judged, b.inFlight = judged, inFlight
	b.wake()
}

func (b *budget) wake() {
	close(b.freed)
	b.freed = make(chan struct{})
}

// A share is what one message uses of a budget.
type share struct {
	budget  *budget
	client  netip.Prefix // invalid: no share applies, only the whole
	held    int64        // bytes reserved
	written int64        // bytes asked for
	judging bool
}

func (b *budget) share(client netip.Prefix) *share { return &share{budget: b, client: client} }

// grow reserves room for n more bytes and says whether there is any.
func (s *share) grow(n int) bool {
	s.written += int64(n)
	if s.written <= s.held {
		return true
	}
	need := s.written - s.held
	b := s.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.client(s.client)
	room := b.inFlight - b.used.inFlight
	if c != nil {
		room = min(room, b.inFlight/int64(partOf(s.client))-c.inFlight)
	}
	if need > room {
		b.forget(s.client)
		return false
	}
	want := max(need, min(step, room)) // the last step may be a short one
	b.used.inFlight += want
	if c != nil {
		c.inFlight += want
	}
	s.held += want
	return true
}

// judge waits for a place among the messages under judgement. It says whether
// there was one before ctx ended.
func (s *share) judge(ctx context.Context) bool {
	for {
		ok, freed := s.take()
		if ok {
			return true
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return false
		}
	}
}

func (s *share) take() (bool, <-chan struct{}) {
	b := s.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.client(s.client)
	if b.used.judged >= b.judged || c != nil && c.judged >= max(b.judged/partOf(s.client), 1) {
		b.forget(s.client)
		return false, b.freed
	}
	b.used.judged++
	if c != nil {
		c.judged++
	}
	s.judging = true
	return true, nil
}

// release gives everything back. It may be called again.
func (s *share) release() {
	b := s.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.client(s.client)
	b.used.inFlight -= s.held
	if c != nil {
		c.inFlight -= s.held
	}
	s.held = 0
	if s.judging {
		s.judging = false
		b.used.judged--
		if c != nil {
			c.judged--
		}
		b.wake()
	}
	b.forget(s.client)
}

// client returns the usage of a client network, nil where none is counted.
func (b *budget) client(p netip.Prefix) *usage {
	if !p.IsValid() {
		return nil
	}
	c := b.clients[p]
	if c == nil {
		c = &usage{}
		b.clients[p] = c
	}
	return c
}

// forget drops a client network that uses nothing: the table is as small as
// what is in flight.
func (b *budget) forget(p netip.Prefix) {
	if c := b.clients[p]; c != nil && *c == (usage{}) {
		delete(b.clients, p)
	}
}
