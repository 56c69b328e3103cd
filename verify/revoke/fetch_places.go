package revoke

import (
	"context"
	"errors"
	"sync"
)

const (
	maxFetches       = 16 // at once
	maxFetchesHost   = 2  // at once, of one host
	maxFetchesAnchor = 8  // at once, for certificates below one anchor
)

// errNoPlace means that a fetch found no place before its time was over: no fault
// of the source.
var errNoPlace = errors.New("other fetches took all the time there was")

// places bounds how many fetches run at once: in all, for a host, and for an
// anchor, so that what one CA names cannot hang for everybody.
type places struct {
	all     chan struct{}
	hosts   *rooms
	anchors *rooms
}

func newPlaces() *places {
	return &places{all: make(chan struct{}, maxFetches), hosts: newRooms(maxFetchesHost), anchors: newRooms(maxFetchesAnchor)}
}

// take waits for a place at host, below the anchor of ctx, until ctx ends, and
// then returns an error that is errNoPlace and the error of ctx. leave may be
// called more than once.
//
// The order is anchor, host, all: who waits for one of all holds only what
// nobody with a place of all waits for, and who waits for its anchor holds no
// place at a host that others want.
func (p *places) take(ctx context.Context, host string) (leave func(), err error) {
	leaveAnchor := func() {}
	if anchor := anchorOf(ctx); anchor != "" {
		if leaveAnchor, err = p.anchors.take(ctx, anchor); err != nil {
			return nil, err
		}
	}
	leaveHost, err := p.hosts.take(ctx, host)
	if err != nil {
		leaveAnchor()
		return nil, err
	}
	select {
	case p.all <- struct{}{}:
	case <-ctx.Done():
		leaveHost()
		leaveAnchor()
		return nil, errors.Join(errNoPlace, ctx.Err())
	}
	return sync.OnceFunc(func() {
		<-p.all
		leaveHost()
		leaveAnchor()
	}), nil
}

// rooms have as many places each, and are there while somebody is in them or
// waits.
type rooms struct {
	most int

	mu    sync.Mutex
	byKey map[string]*room
}

type room struct {
	places chan struct{}
	users  int // who has a place or waits
}

func newRooms(most int) *rooms { return &rooms{most: most, byKey: map[string]*room{}} }

// take waits for a place in the room of key until ctx ends. leave is called once.
func (r *rooms) take(ctx context.Context, key string) (leave func(), err error) {
	one := r.enter(key)
	if err := ctx.Err(); err != nil {
		r.exit(key, one)
		return nil, errors.Join(errNoPlace, err)
	}
	select {
	case one.places <- struct{}{}:
	case <-ctx.Done():
		r.exit(key, one)
		return nil, errors.Join(errNoPlace, ctx.Err())
	}
	return func() {
		<-one.places
		r.exit(key, one)
	}, nil
}

func (r *rooms) enter(key string) *room {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.byKey[key]
	if one == nil {
		one = &room{places: make(chan struct{}, r.most)}
		r.byKey[key] = one
	}
	one.users++
	return one
}

func (r *rooms) exit(key string, one *room) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if one.users--; one.users == 0 {
		delete(r.byKey, key)
	}
}

type anchorKey struct{}

// below returns ctx for fetches that certificates below an anchor lead to.
func below(ctx context.Context, anchor string) context.Context {
	return context.WithValue(ctx, anchorKey{}, anchor)
}

// anchorOf returns the anchor of ctx, "" without: then no anchor's bound holds.
func anchorOf(ctx context.Context) string {
	anchor, _ := ctx.Value(anchorKey{}).(string)
	return anchor
}
