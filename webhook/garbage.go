package webhook

import (
	"runtime"
	"runtime/debug"
	"sync"
)

const (
	longMessage = 1 << 20 // bytes; shorter ones are not worth a thought
	eager       = 10      // GOGC while a long one is judged
)

// A sweeper keeps what is left behind of long messages from piling up. By itself the
// garbage collector begins when as much lies around as is in use, so that one message
// of 10 MB would take 40 MB for a moment. It sets what is of the whole process: there
// is to be one Server in it.
type sweeper struct {
	mu    sync.Mutex
	long  int // messages under judgement
	usual int // GOGC without them
}

// begin is called when a message of n bytes was handed over and its pieces here are
// garbage. The returned function is to be called after the judgement.
func (s *sweeper) begin(n int64) (end func()) {
	if n < longMessage {
		return func() {}
	}
	s.mu.Lock()
	if s.long++; s.long == 1 {
		s.usual = debug.SetGCPercent(eager)
		if s.usual < eager { // also where the operator has switched it off
			debug.SetGCPercent(s.usual)
		}
	}
	s.mu.Unlock()
	runtime.GC()
	return s.end
}

func (s *sweeper) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.long--; s.long == 0 {
		debug.SetGCPercent(s.usual)
	}
}
