package trust

import "crypto/x509"

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
