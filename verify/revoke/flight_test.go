package revoke

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestOneFlightForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newFlights()
		defer g.close()
		var runs atomic.Int32
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				f, err := g.do(t.Context(), "key", "source", "anchor", false, func(f *flight) { runs.Add(1); time.Sleep(time.Second); f.serial = "1" })
				if err != nil || f.serial != "1" {
					t.Errorf("%v, %v", f, err)
				}
			})
		}
		wg.Wait()
		if runs.Load() != 1 || len(g.byKey) != 0 {
			t.Errorf("%d runs, %d left", runs.Load(), len(g.byKey))
		}
	})
}

func TestNobodyWaitsForWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newFlights()
		defer g.close()
		release := make(chan struct{})
		hang := func(*flight) { <-release }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := g.do(ctx, "a", "source", "anchor", false, hang); !errors.Is(err, errLate) {
			t.Error(err)
		}
		began := time.Now()
		for _, key := range []string{"a", "b"} { // also another question to the same source
			if _, err := g.do(t.Context(), key, "source", "anchor", false, hang); !errors.Is(err, errHanging) {
				t.Error(err)
			}
		}
		if time.Since(began) != 0 {
			t.Error("somebody waited")
		}
		close(release)
		synctest.Wait()
		if _, err := g.do(t.Context(), "a", "source", "anchor", false, func(*flight) {}); err != nil {
			t.Errorf("after its end: %v", err)
		}
		if len(g.hung) != 0 {
			t.Errorf("%v", g.hung)
		}
	})
}

func TestWhoGoesAwayBlamesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newFlights()
		defer g.close()
		slow := func(*flight) { time.Sleep(time.Second) }
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		late, cancel := context.WithTimeout(t.Context(), 0)
		defer cancel()
		for _, ctx := range []context.Context{gone, late} {
			if _, err := g.do(ctx, "a", "source", "anchor", false, slow); !errors.Is(err, errLate) {
				t.Error(err)
			}
		}
		if _, err := g.do(t.Context(), "a", "source", "anchor", false, slow); err != nil {
			t.Error(err)
		}
	})
}

func TestBeside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newFlights()
		defer g.close()
		ran := false
		if _, err := g.do(t.Context(), "a", "source", "anchor", true, func(*flight) { time.Sleep(time.Second); ran = true }); !errors.Is(err, errBesides) {
			t.Error(err)
		}
		if _, err := g.do(t.Context(), "a", "source", "anchor", true, nil); !errors.Is(err, errHanging) {
			t.Error(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !ran || len(g.hung) != 0 {
			t.Errorf("ran %v, %v", ran, g.hung)
		}
	})
}

func TestFlightsAreBoundedAndEnd(t *testing.T) {
	g := newFlights()
	release := make(chan struct{})
	for i := range maxFlights {
		if _, err := g.do(context.Background(), fmt.Sprint(i), fmt.Sprint("source ", i), fmt.Sprint("anchor ", i%2), true, func(*flight) { <-release }); !errors.Is(err, errBesides) {
			t.Fatal(err)
		}
	}
	if _, err := g.do(context.Background(), "more", "more", "anchor", false, nil); !errors.Is(err, errBusy) {
		t.Error(err)
	}
	close(release)
	g.close()
	if _, err := g.do(context.Background(), "more", "more", "anchor", false, nil); !errors.Is(err, errClosed) {
		t.Error(err)
	}
}

func TestFaultInAFlight(t *testing.T) {
	g := newFlights()
	defer g.close()
	f, err := g.do(context.Background(), "a", "source", "anchor", false, func(*flight) { panic("oh") })
	if !errors.Is(err, errFault) || f == nil || f.trouble == nil {
		t.Errorf("%+v, %v", f, err)
	}
}

// TestFlightsOfOneAnchor: one anchor has half of the flights at most.
func TestFlightsOfOneAnchor(t *testing.T) {
	g := newFlights()
	defer g.close()
	release := make(chan struct{})
	defer close(release)
	ask := func(i int, anchor string) error {
		_, err := g.do(context.Background(), fmt.Sprint(i), fmt.Sprint("source ", i), anchor, true, func(*flight) { <-release })
		return err
	}
	for i := range maxFlightsAnchor {
		if err := ask(i, "a"); !errors.Is(err, errBesides) {
			t.Fatal(err)
		}
	}
	if err := ask(maxFlights, "a"); !errors.Is(err, errBusy) {
		t.Error(err)
	}
	if err := ask(maxFlights, "b"); !errors.Is(err, errBesides) {
		t.Error(err)
	}
}
