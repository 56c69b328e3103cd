package main

import (
	"math"
	"runtime/debug"
	"testing"

	"github.com/certinbox/certinbox/internal/config"
)

// TestBoundMemory: the bound follows the configuration, unless GOMEMLIMIT sets one.
func TestBoundMemory(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	c := config.Defaults()

	debug.SetMemoryLimit(math.MaxInt64)
	ours := boundMemory(&c, false)
	if got := debug.SetMemoryLimit(-1); !ours || got != 768<<20 {
		t.Errorf("bound at the start: %d, ours %v", got, ours)
	}
	c.Limits.InFlight = 1 << 30
	boundMemory(&c, ours)
	if got := debug.SetMemoryLimit(-1); got != 3<<30 {
		t.Errorf("bound after a reload: %d", got)
	}
	debug.SetMemoryLimit(5 << 30)
	if boundMemory(&c, false) || debug.SetMemoryLimit(-1) != 5<<30 {
		t.Error("GOMEMLIMIT has no precedence")
	}
}
