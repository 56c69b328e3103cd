package store

import (
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestCountBesideSweeps: none is counted twice and none goes missing, whoever
// else counts or removes the counters of other days meanwhile.
func TestCountBesideSweeps(t *testing.T) {
	const bound = 60
	d := openTest(t, tempDir(t), Options{Rules: Rules{NewPerDomainDay: bound}})
	var counted atomic.Int32
	var wg sync.WaitGroup
	count := func(times int, at time.Time) {
		for range times {
			ok, err := d.count(t.Context(), "alice@example.com", at)
			if err != nil {
				t.Error(err)
			}
			if ok && at.Equal(noon()) {
				counted.Add(1)
			}
		}
	}
	count(1, noon().Add(-days)) // there is one to remove
	for range 4 {
		wg.Go(func() {
			if err := d.sweepQuota(noon()); err != nil {
				t.Error(err)
			}
			count(bound/3, noon())
			if err := d.sweepQuota(noon()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if counted.Load() != bound {
		t.Errorf("%d counted, want %d", counted.Load(), bound)
	}
	if err := d.sweepQuota(noon().Add(days)); err != nil {
		t.Error(err)
	}
	for _, sub := range []string{"quota", "locks"} {
		if names, err := os.ReadDir(d.path(sub)); err != nil || len(names) != 0 {
			t.Errorf("%s: %d files left, %v", sub, len(names), err)
		}
	}
}

// TestCountAfterItsFileWasRemoved: a counter that is removed between our open
// and our lock is not counted in.
func TestCountAfterItsFileWasRemoved(t *testing.T) {
	path := t.TempDir() + "/example.com"
	f, err := tryQuota(path, os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tryQuota(path, 0); err != errBusy {
		t.Errorf("while another has it: %v", err)
	}
	late, err := openFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	g, err := tryQuota(path, os.O_CREATE)
	if err != nil {
		t.Fatal("a new one is free: ", err)
	}
	g.Close()
	f.Close()
	if err := lockStanding(late); err != errBusy {
		t.Errorf("of one that was removed: %v", err)
	}
}
