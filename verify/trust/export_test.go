package trust

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
)

// MaxRemembered is the number of paths that a set of anchors may remember.
const MaxRemembered = 2 * maxGeneration

// Remembered is the number of paths that a remembers, twice counted where both
// generations have one.
func (a *Anchors) Remembered() int {
	a.accepted.mu.Lock()
	defer a.accepted.mu.Unlock()
	return len(a.accepted.young) + len(a.accepted.old)
}

// Forget has a remember no path any more.
func (a *Anchors) Forget() {
	a.accepted.mu.Lock()
	defer a.accepted.mu.Unlock()
	clear(a.accepted.young)
	clear(a.accepted.old)
}

// Flood has a remember n paths of strangers, others at each call with another name.
func (a *Anchors) Flood(name string, n int) {
	for i := range n {
		a.accepted.add(sha256.Sum256(fmt.Append(nil, name, i)))
	}
}

// Learnt returns all that was learnt, the oldest first; a nil Shelf has none.
func (s *Shelf) Learnt() []*x509.Certificate {
	if s == nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*x509.Certificate
	for _, l := range s.learnt {
		out = append(out, l.certificate)
	}
	return out
}
