package webhook

import (
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// A gate bounds the requests at once, over all and of one client network, and
// those that a client network begins in a minute. The invalid prefix is bounded
// only by what holds for all.
type gate struct {
	mu      sync.Mutex
	posts   int
	clients map[netip.Prefix]int // only those with a request under way
	minute  time.Time            // when the count of requests began
	begun   map[netip.Prefix]int // requests since then
}

// maxCounted bounds the client networks whose requests are counted. Who has more
// of them than that is not held by a limit for each.
const maxCounted = 10_000

func newGate() *gate {
	return &gate{clients: map[netip.Prefix]int{}, begun: map[netip.Prefix]int{}}
}

// A refusal says that there is no place, and in how many seconds there may be one.
type refusal struct {
	tooMany bool // of this client in this minute; else: at once
	retry   int
}

// busyRetry is after how many seconds it is worth to come again for a place.
const busyRetry = 10

// enter takes a place. With a nil refusal, leave must be called once.
func (g *gate) enter(client netip.Prefix, c *Config, now time.Time) *refusal {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.Rate > 0 && client.IsValid() {
		age := now.Sub(g.minute)
		if age < 0 || age >= time.Minute {
			g.minute, age = now, 0
			clear(g.begun)
		}
		if g.begun[client] >= c.Rate {
			return &refusal{tooMany: true, retry: int((time.Minute-age)/time.Second) + 1}
		}
		if _, known := g.begun[client]; !known && len(g.begun) >= maxCounted {
			for other := range g.begun { // any of them
				delete(g.begun, other)
				break
			}
		}
		g.begun[client]++
	}
	if g.posts >= c.Posts || client.IsValid() && g.clients[client] >= c.PerClient {
		return &refusal{retry: busyRetry}
	}
	g.posts++
	if client.IsValid() {
		g.clients[client]++
	}
	return nil
}

func (g *gate) leave(client netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.posts--
	if client.IsValid() {
		if g.clients[client]--; g.clients[client] <= 0 {
			delete(g.clients, client)
		}
	}
}

// errBusy: there is no room for more bytes at the moment.
var errBusy = errors.New("webhook: too many bytes are held at the moment")

// errTooLong: a post goes on for longer than maxPost.
var errTooLong = errors.New("webhook: the post takes too long")

// A memory counts the bytes of message that all requests hold. There is no share
// for one client: only who has presented a secret, or is of this host, gets so
// far, and a relay brings the mail of many.
type memory struct{ held atomic.Int64 }

// A reservation is what one request holds. It is for one goroutine.
type reservation struct {
	memory *memory
	limit  int64 // of all requests
	own    int64
}

func (m *memory) reserve(limit int64) *reservation { return &reservation{memory: m, limit: limit} }

// Of all that may be held, a part is for requests that hold little, as mail without
// attachments does: some long ones that come slowly must not keep everybody out.
const (
	forShort = 16  // this part
	isShort  = 512 // up to this part for one request
)

// Longest is how many bytes one request may hold where all may hold limit.
func Longest(limit int64) int64 { return limit - limit/forShort }

// hold takes room for n bytes more. It returns errBusy, or a *tooBigError if
// there would be no room for this request alone.
func (r *reservation) hold(bytes int) error {
	n := int64(bytes)
	room := r.limit
	if r.own+n > r.limit/isShort {
		room = Longest(r.limit)
	}
	if r.own+n > room {
		return &tooBigError{text: "the message is larger than all that may be held at once"}
	}
	if r.memory.held.Add(n) > room {
		r.memory.held.Add(-n)
		return errBusy
	}
	r.own += n
	return nil
}

// release gives back n bytes, and never more than there are.
func (r *reservation) release(n int) {
	back := min(int64(n), r.own)
	r.own -= back
	r.memory.held.Add(-back)
}

// end gives back what is left.
func (r *reservation) end() {
	r.memory.held.Add(-r.own)
	r.own = 0
}
