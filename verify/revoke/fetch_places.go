package revoke

import (
	"context"
	"errors"
	"sync"
)

const (
	maxFetches     = 16 // at once
	maxFetchesHost = 2  // at once, of one host
)

// errNoPlace means that a fetch found no place before its time was over: no fault
// of the source.
var errNoPlace = errors.New("other fetches took all the time there was")

// places bounds how many fetches run at once, in all and for a host.
type places struct {
	all chan struct{}

	mu    sync.Mutex
	hosts map[string]*hostPlaces // of hosts that somebody fetches from or waits for
}

type hostPlaces struct {
	room  chan struct{}
	users int // who fetches or waits
}

func newPlaces() *places {
	return &places{all: make(chan struct{}, maxFetches), hosts: map[string]*hostPlaces{}}
}

// take waits for a place at host until ctx ends, and then returns an error that
// is errNoPlace and the error of ctx. leave may be called more than once.
//
// The place at the host comes first: who waits for one of all then holds only
// what nobody with a place of all waits for.
func (p *places) take(ctx context.Context, host string) (leave func(), err error) {
	h := p.enter(host)
	if err := ctx.Err(); err != nil {
		p.exit(host, h)
		return nil, errors.Join(errNoPlace, err)
	}
	select {
	case h.room <- struct{}{}:
	case <-ctx.Done():
		p.exit(host, h)
		return nil, errors.Join(errNoPlace, ctx.Err())
	}
	select {
	case p.all <- struct{}{}:
	case <-ctx.Done():
		<-h.room
		p.exit(host, h)
		return nil, errors.Join(errNoPlace, ctx.Err())
	}
	return sync.OnceFunc(func() {
		<-p.all
		<-h.room
		p.exit(host, h)
	}), nil
}

func (p *places) enter(host string) *hostPlaces {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.hosts[host]
	if h == nil {
		h = &hostPlaces{room: make(chan struct{}, maxFetchesHost)}
		p.hosts[host] = h
	}
	h.users++
	return h
}

func (p *places) exit(host string, h *hostPlaces) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if h.users--; h.users == 0 {
		delete(p.hosts, host)
	}
}
