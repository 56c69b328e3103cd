package webhook

// Held is how many bytes of message all requests hold.
func (s *Server) Held() int64 { return s.memory.held.Load() }

// Places is how many requests are under way.
func (s *Server) Places() int {
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	return s.gate.posts + len(s.gate.clients)
}
