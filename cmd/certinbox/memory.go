package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/certinbox/certinbox/internal/config"
)

// boundMemory makes the garbage collector work harder when the process takes
// three times limits.in_flight: a message under judgement exists up to three
// times for a moment (as received, decoded, as evidence), and without a bound
// the collector lets as much again lie around. A GOMEMLIMIT in the environment
// has precedence. byUs says whether the present bound is ours.
func boundMemory(c *config.Config, byUs bool) (ours bool) {
	if !byUs && debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return false
	}
	bound := int64(math.MaxInt64)
	if n := int64(c.Limits.InFlight); n < math.MaxInt64/3 {
		bound = 3 * n
	}
	debug.SetMemoryLimit(bound)
	return true
}

// idleRoom is bytes that count as in use for the garbage collector.
const idleRoom = 16 << 20

// lazyCollector lets twice idleRoom of garbage lie around before the garbage collector
// runs, until done. The daemon holds about 1 MiB between two messages and a message
// leaves a quarter of that behind: by itself the collector would run once in a dozen
// messages, and take a quarter of their time. The pages of the room are never touched
// and so take no memory. Whoever sets GOGC or GOMEMLIMIT knows what he wants.
func lazyCollector() (done func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	room := make([]byte, idleRoom)
	return func() { runtime.KeepAlive(room) }
}
