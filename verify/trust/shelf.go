package trust

import (
	"bytes"
	"crypto/x509"
	"slices"
	"sync"
	"time"
)

// Bounds of what is learnt. A CA has a handful of intermediates for mail at a
// time; where its share is used up nothing more is learnt until one expires or
// is dropped, so that nobody can push out what others need.
const (
	maxLearnt    = 32   // intermediates of one anchor
	maxNamesakes = 4    // of these with one name, all of which a search may have to try
	maxShelf     = 2000 // learnt intermediates in all
)

// A Shelf holds intermediates that help to find a path where a message brings
// none: the operator's own and those learnt from accepted paths. Standing on it
// makes no certificate trusted. It is safe for concurrent use.
type Shelf struct {
	mu        sync.RWMutex
	operators []*x509.Certificate
	subjects  map[string][]*x509.Certificate // the operator's by RawSubject, never changed
	learnt    []learnt
}

// A learnt intermediate, with the certificate of the anchor that it was learnt under.
type learnt struct {
	certificate *x509.Certificate
	anchor      *x509.Certificate
}

// NewShelf returns a shelf with the operator's intermediates.
func NewShelf(operators []*x509.Certificate) *Shelf {
	s := &Shelf{operators: slices.Clone(operators), subjects: map[string][]*x509.Certificate{}}
	for _, c := range s.operators {
		s.subjects[string(c.RawSubject)] = append(s.subjects[string(c.RawSubject)], c)
	}
	return s
}

// Named returns the certificates with this subject (DER), the operator's first.
// A nil Shelf has none.
func (s *Shelf) Named(rawSubject []byte) []*x509.Certificate {
	if s == nil {
		return nil
	}
	out := slices.Clone(s.subjects[string(rawSubject)])
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, l := range s.learnt {
		if string(l.certificate.RawSubject) == string(rawSubject) {
			out = append(out, l.certificate)
		}
	}
	return out
}

// Learn puts the intermediates of a path on the shelf and returns those that
// are new, at most maxLearnt for an anchor, of these maxNamesakes of one name, and
// maxShelf in all. The path has been accepted at the given time, and the caller has
// asked whether any of it was revoked. Neither leaf nor anchor is learnt, nor what
// is no CA or not valid at that time. Where a bound is met, what has expired goes
// first. A nil Shelf learns nothing.
func (s *Shelf) Learn(p Path, at time.Time) []*x509.Certificate {
	if s == nil || p.Anchor == nil || len(p.Chain) < 3 {
		return nil
	}
	var fresh []*x509.Certificate
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range p.Chain[1 : len(p.Chain)-1] {
		if !isCA(c) || c.Version < 3 || !current(c, at) || c.Equal(p.Anchor.Certificate) || s.has(c) || !s.room(c, p.Anchor.Certificate, at) {
			continue
		}
		s.learnt = append(s.learnt, learnt{certificate: c, anchor: p.Anchor.Certificate})
		fresh = append(fresh, c)
	}
	return fresh
}

// current says whether c is valid at a time.
func current(c *x509.Certificate, at time.Time) bool {
	return !at.Before(c.NotBefore) && !at.After(c.NotAfter)
}

func (s *Shelf) has(c *x509.Certificate) bool {
	return slices.ContainsFunc(s.subjects[string(c.RawSubject)], c.Equal) ||
		slices.ContainsFunc(s.learnt, func(l learnt) bool { return l.certificate.Equal(c) })
}

// room says whether c may be learnt under an anchor.
func (s *Shelf) room(c, anchor *x509.Certificate, at time.Time) bool {
	full := func() bool {
		under, namesakes := 0, 0
		for _, l := range s.learnt {
			if l.anchor.Equal(anchor) {
				under++
				if bytes.Equal(l.certificate.RawSubject, c.RawSubject) {
					namesakes++
				}
			}
		}
		return len(s.learnt) >= maxShelf || under >= maxLearnt || namesakes >= maxNamesakes
	}
	if full() {
		s.dropExpired(at)
	}
	return !full()
}

// expire takes off what has expired. A nil Shelf holds nothing.
func (s *Shelf) expire(at time.Time) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropExpired(at)
}

func (s *Shelf) dropExpired(at time.Time) {
	s.learnt = slices.DeleteFunc(s.learnt, func(l learnt) bool { return at.After(l.certificate.NotAfter) })
}
