package main

import (
	"math"
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
