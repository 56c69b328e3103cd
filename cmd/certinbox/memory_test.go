package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
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
	if got := debug.SetMemoryLimit(-1); !ours || got != 768<<20+idleBound {
		t.Errorf("bound at the start: %d, ours %v", got, ours)
	}
	c.Limits.InFlight = 1 << 30
	boundMemory(&c, ours)
	if got := debug.SetMemoryLimit(-1); got != 3<<30+idleBound {
		t.Errorf("bound after a reload: %d", got)
	}
	debug.SetMemoryLimit(5 << 30)
	if boundMemory(&c, false) || debug.SetMemoryLimit(-1) != 5<<30 {
		t.Error("GOMEMLIMIT has no precedence")
	}
}

// heapGoal is the size in bytes at which the collector will run.
func heapGoal() uint64 {
	runtime.GC()
	s := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// TestBoundLeavesTheCollectorLazy: the least limits.in_flight that is taken does not
// have the collector run for every message.
func TestBoundLeavesTheCollectorLazy(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
	defer lazyCollector()()
	debug.FreeOSMemory() // what other tests left counts against the bound
	free := heapGoal()
	c := config.Defaults()
	c.Limits.InFlight = 1 << 20
	boundMemory(&c, false)
	if got := heapGoal(); got < free*9/10 {
		t.Errorf("goal of %d bytes, %d without a bound", got, free)
	}
}

// TestLazyCollector: garbage may lie around while little is in use, unless the operator
// says otherwise, and no longer than the daemon runs.
func TestLazyCollector(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	usual := heapGoal()
	done := lazyCollector()
	if got := heapGoal(); got < usual+idleRoom {
		t.Errorf("goal of %d bytes, %d before", got, usual)
	}
	done()
	if got := heapGoal(); got >= usual+idleRoom {
		t.Errorf("goal of %d bytes afterwards, %d before", got, usual)
	}
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "100MiB")
			defer lazyCollector()()
			if got := heapGoal(); got >= usual+idleRoom {
				t.Errorf("goal of %d bytes, %d before", got, usual)
			}
		})
	}
}
