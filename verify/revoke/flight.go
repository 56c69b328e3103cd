package revoke

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// Bounds of what is being fetched or waits for its turn. What CAs below one
// anchor name is at most half of it: certificates of a CA that was brought for
// one domain may name servers that hang, each another one.
const (
	maxFlights       = 64
	maxFlightsAnchor = 32
)

// Why nobody waits for a source.
var (
	errLate    = errors.New("no answer in time; it is still being waited for, beside the mail")
	errHanging = errors.New("earlier questions wait for an answer; this one does not")
	errBesides = errors.New("it kept us waiting before; it is asked again, beside the mail")
	errBusy    = errors.New("too much is being fetched at the moment")
	errFault   = errors.New("a fault of certinbox")
	errClosed  = errors.New("certinbox is ending")
)

// flights are the fetches under way, at most one of a key. A flight is nobody's
// own: it goes on when who began it gives up, so that the next finds what it
// brought. Once somebody gave up on a source, nobody waits for it until it has
// answered: a source that hangs costs one message its time.
type flights struct {
	mu     sync.Mutex
	byKey  map[string]*flight
	hung   map[string]int // by source: flights that somebody gave up on
	under  map[string]int // flights by anchor
	closed bool
	wg     sync.WaitGroup
}

// A flight is one fetch. What it brings is read only after done is closed.
type flight struct {
	source string
	anchor string // below which it was begun
	done   chan struct{}

	abandoned bool // under flights.mu

	list     *list  // what a list says, about serial among others
	serial   string // serialKey of the certificate that it was fetched for
	response []byte // an OCSP response
	err      error  // why it brought nothing
	trouble  error  // of our own: the cache, a fault
}

func newFlights() *flights {
	return &flights{byKey: map[string]*flight{}, hung: map[string]int{}, under: map[string]int{}}
}

// do makes the flight of key to source below anchor, or joins it, and waits for it until ctx
// ends. With beside it does not wait for one that it begins. run must end by
// itself, and notes in the flight what it brings.
func (g *flights) do(ctx context.Context, key, source, anchor string, beside bool, run func(*flight)) (*flight, error) {
	patient := ctx.Err() == nil // who has no time left tells nothing about the source
	f, err := g.join(key, source, anchor, beside, run)
	if err != nil {
		return nil, err
	}
	select {
	case <-f.done:
		return f, f.err
	case <-ctx.Done():
	}
	if patient && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		g.abandon(key, f)
	}
	return nil, errLate
}

func (g *flights) join(key, source, anchor string, beside bool, run func(*flight)) (*flight, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.byKey[key]
	switch {
	case g.closed:
		return nil, errClosed
	case g.hung[source] > 0:
		return nil, errHanging
	case f != nil:
		return f, nil
	case len(g.byKey) >= maxFlights, g.under[anchor] >= maxFlightsAnchor:
		return nil, errBusy
	}
	f = &flight{source: source, anchor: anchor, done: make(chan struct{}), abandoned: beside}
	g.byKey[key] = f
	g.under[anchor]++
	if beside {
		g.hung[source]++
	}
	g.wg.Go(func() {
		defer g.land(key, f)
		defer func() {
			if p := recover(); p != nil {
				f.err = errFault
				f.trouble = fmt.Errorf("revoke: panic: %v\n%s", p, debug.Stack())
			}
		}()
		run(f)
	})
	if beside {
		return nil, errBesides
	}
	return f, nil
}

// abandon notes that somebody gave up on f.
func (g *flights) abandon(key string, f *flight) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.byKey[key] == f && !f.abandoned {
		f.abandoned = true
		g.hung[f.source]++
	}
}

// gaveUp says whether somebody gave up on f.
func (g *flights) gaveUp(f *flight) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return f.abandoned
}

func (g *flights) land(key string, f *flight) {
	g.mu.Lock()
	delete(g.byKey, key)
	if g.under[f.anchor]--; g.under[f.anchor] == 0 {
		delete(g.under, f.anchor)
	}
	if f.abandoned {
		if g.hung[f.source]--; g.hung[f.source] == 0 {
			delete(g.hung, f.source)
		}
	}
	g.mu.Unlock()
	close(f.done)
}

// close lets no further flight begin and waits for those under way.
func (g *flights) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.wg.Wait()
}
