package trust

import (
	"crypto/x509"
	"time"
)

// A Shelf holds intermediates that help to find a path where a message brings
// none: the operator's own and those learnt from accepted paths. Standing on it
// makes no certificate trusted. It is safe for concurrent use.
type Shelf struct{}

// NewShelf returns a shelf with the operator's intermediates.
func NewShelf(operators []*x509.Certificate) *Shelf { return &Shelf{} }

// Named returns the certificates with this subject (DER), the operator's first.
// A nil Shelf has none.
func (s *Shelf) Named(rawSubject []byte) []*x509.Certificate { return nil }

// Learn puts the intermediates of a path on the shelf and returns those that
// are new, at most maxLearnt for an anchor.
func (s *Shelf) Learn(p Path, at time.Time) []*x509.Certificate { return nil }

// Drop takes learnt intermediates off that gone names, and returns them.
func (s *Shelf) Drop(gone func(*x509.Certificate) bool) []*x509.Certificate { return nil }
