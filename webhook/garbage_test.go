package webhook

import (
	"runtime/debug"
	"testing"
)

// gcPercent is GOGC at this moment.
func gcPercent() int {
	now := debug.SetGCPercent(100)
	debug.SetGCPercent(now)
	return now
}

// TestSweeper: the collector is eager as long as a long message is judged, and as
// before then. One that the operator has set to be more eager, or to be silent, stays.
func TestSweeper(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	for _, c := range []struct{ usual, meanwhile int }{{100, eager}, {400, eager}, {5, 5}, {-1, -1}} {
		debug.SetGCPercent(c.usual)
		var s sweeper
		short := s.begin(longMessage - 1)
		if got := gcPercent(); got != c.usual {
			t.Errorf("%d: %d for a short message", c.usual, got)
		}
		first := s.begin(longMessage)
		second := s.begin(10 * longMessage)
		first()
		short()
		if got := gcPercent(); got != c.meanwhile {
			t.Errorf("%d: %d while one is judged", c.usual, got)
		}
		second()
		if got := gcPercent(); got != c.usual {
			t.Errorf("%d: %d afterwards", c.usual, got)
		}
	}
}
