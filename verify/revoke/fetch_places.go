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

// places bounds how many fetches run at once, in all and for a host. How many run
// for certificates below one anchor is bounded before (Checker.anchorPlace).
type places struct {
	all   chan struct{}
	hosts *rooms
}

func newPlaces() *places {
	return &places{all: make(chan struct{}, maxFetches), hosts: newRooms(maxFetchesHost)}
}

// take waits for a place at host until ctx ends, and then returns an error that
// is errNoPlace and the error of ctx. leave may be called more than once.
//
// The place at the host comes first: who waits for one of all then holds only
// what nobody with a place of all waits for.
func (p *places) take(ctx context.Context, host string) (leave func(), err error) {
	leaveHost, err := p.hosts.take(ctx, host)
	if err != nil {
		return nil, err
	}
	select {
	case p.all <- struct{}{}:
	case <-ctx.Done():
		leaveHost()
		return nil, errors.Join(errNoPlace, ctx.Err())
	}
	return sync.OnceFunc(func() {
		<-p.all
		leaveHost()
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
