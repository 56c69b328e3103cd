package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/certinbox/certinbox/internal/config"
)

// boundMemory makes the garbage collector work harder when the process takes
// three times limits.in_flight beside idleBound: a message under judgement exists
// up to three times for a moment (as received, decoded, as evidence), and without a
// bound the collector lets as much again lie around. A GOMEMLIMIT in the environment
// has precedence. byUs says whether the present bound is ours.
func boundMemory(c *config.Config, byUs bool) (ours bool) {
	if !byUs && debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return false
	}
	bound := int64(math.MaxInt64)
	if n := int64(c.Limits.InFlight); n < (math.MaxInt64-idleBound)/3 {
		bound = idleBound + 3*n
	}
	debug.SetMemoryLimit(bound)
	return true
}

// idleBound is bytes: the idle room, the garbage that lazyCollector lets lie around, and
// twice that for what the daemon and the runtime have in use. With a bound near
// the room the collector would run for every second message, or more often.
const idleBound = 4 * idleRoom

// idleRoom is bytes that count as in use for the garbage collector.
const idleRoom = 16 << 20

// lazyCollector lets about as much garbage as idleRoom lie around before the garbage
// collector runs, until done: by itself it lets as much as is in use. The daemon has
// about 1 MiB in use between two messages, and a short one leaves 150 KB behind, so that
// it would run for one message in a dozen. The pages of the room are never touched
// and so take no memory. Whoever sets GOGC or GOMEMLIMIT knows what he wants.
func lazyCollector() (done func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	room := make([]byte, idleRoom)
	return func() { runtime.KeepAlive(room) }
}
