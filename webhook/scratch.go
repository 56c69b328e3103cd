package webhook

// A scratch is the memory that reading a body takes, however long that is. It is
// for one request at a time, and then for another: nothing may refer to it once the
// body is read.
type scratch struct {
	body   [readAtOnce]byte // what was read of it last
	first  [firstPiece]byte // the beginning of a message
	base64 base64Decoder
}

// event is a new event that reads into s. The one before it must be done with.
func (s *scratch) event(index int, limits decodeLimits) *event {
	return &event{index: index, decoder: &s.base64, message: pieces{first: s.first[:0], limits: limits}}
}

// borrow returns a scratch, which is to be put into s.scratches afterwards, but for
// a panic.
func (s *Server) borrow() *scratch {
	if used, ok := s.scratches.Get().(*scratch); ok {
		return used
	}
	return new(scratch)
}
