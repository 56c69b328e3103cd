package revoke

import (
	linked "container/list" // list is a revocation list here
	"sync"
	"time"
)

// Bounds of the memory for sources that failed.
const (
	maxFailures = 10_000
	firstPause  = 10 * time.Minute // after a failure; doubled by each further one
	longPause   = time.Hour
	refusedFor  = 24 * time.Hour // a URL that the rules forbid by its looks

	// One that led where the rules forbid, by its name or a redirect: that may be
	// trouble of our own network for an hour.
	refusedWayFor = time.Hour
)

// failures remembers which sources failed and until when they are left alone,
// so that one that is down costs one message its budget and not every message.
// Keys are URLs for trouble on the way, and more than that for answers that are
// none: what is no answer for one issuer may be one for another.
type failures struct {
	now func() time.Time

	mu    sync.Mutex
	byKey map[string]*linked.Element
	order *linked.List // of *failure, the latest first
}

type failure struct {
	key   string
	text  string
	since time.Time
	until time.Time
	pause time.Duration
	hung  bool
}

func newFailures(now func() time.Time) *failures {
	return &failures{now: now, byKey: map[string]*linked.Element{}, order: linked.New()}
}

// add remembers a failure of key and says whether it is the first in a row. The
// pause is at least least. hung says that somebody waited for it in vain.
func (f *failures) add(key, text string, least time.Duration, hung bool) (first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.byKey[key]
	if e == nil {
		first = true
		e = f.order.PushFront(&failure{key: key})
		f.byKey[key] = e
		if f.order.Len() > maxFailures {
			delete(f.byKey, f.order.Remove(f.order.Back()).(*failure).key)
		}
	}
	f.order.MoveToFront(e)
	one := e.Value.(*failure)
	one.pause = max(firstPause, min(2*one.pause, longPause), least)
	one.since, one.text, one.hung = f.now(), text, hung
	one.until = one.since.Add(one.pause)
	return first
}

// paused returns why key is left alone at the moment, "" if it is not. A clock
// that was put back makes no pause longer.
func (f *failures) paused(key string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.byKey[key]
	if e == nil {
		return ""
	}
	one := e.Value.(*failure)
	if now := f.now(); now.Before(one.since) || !now.Before(one.until) {
		return ""
	}
	return one.text
}

// hung says whether the last thing known about key is that somebody waited for
// it in vain.
func (f *failures) hung(key string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.byKey[key]
	return e != nil && e.Value.(*failure).hung
}

// clear forgets the failures of key and says whether there were any.
func (f *failures) clear(key string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.byKey[key]
	if e != nil {
		f.order.Remove(e)
		delete(f.byKey, key)
	}
	return e != nil
}
