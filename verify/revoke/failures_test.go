package revoke

import (
	"fmt"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
)

func TestFailuresPauseLongerAndLonger(t *testing.T) {
	c := &clock{t: testmail.Instant()}
	f := newFailures(c.now)
	for i, pause := range []time.Duration{10, 20, 40, 60, 60} {
		if first := f.add("a", "down", 0, i == 1); first != (i == 0) {
			t.Errorf("failure %d: first %v", i, first)
		}
		if f.hung("a") != (i == 1) {
			t.Errorf("failure %d: hung %v", i, f.hung("a"))
		}
		c.add(pause*time.Minute - 1)
		if f.paused("a") != "down" {
			t.Errorf("failure %d: no pause of %d minutes", i, pause)
		}
		c.add(1)
		if f.paused("a") != "" {
			t.Errorf("failure %d: a pause longer than %d minutes", i, pause)
		}
	}
	if !f.clear("a") || f.clear("a") || f.hung("a") {
		t.Error("not cleared")
	}
	if !f.add("a", "down", 0, false) {
		t.Error("a success does not begin anew")
	}
	c.add(10 * time.Minute)
	if f.paused("a") != "" {
		t.Error("a success does not shorten the pause")
	}
}

func TestRefusedURLPausesForADay(t *testing.T) {
	c := &clock{t: testmail.Instant()}
	f := newFailures(c.now)
	f.add("a", "private address", refusedFor, false)
	c.add(24*time.Hour - 1)
	if f.paused("a") == "" || f.paused("b") != "" {
		t.Error("not paused, or the wrong one")
	}
	c.add(1)
	if f.paused("a") != "" {
		t.Error("paused longer")
	}
}

func TestFailuresAreBounded(t *testing.T) {
	f := newFailures((&clock{t: testmail.Instant()}).now)
	f.add("first", "down", 0, false)
	for i := range maxFailures {
		f.add(fmt.Sprint(i), "down", 0, false)
	}
	if len(f.byKey) != maxFailures || f.order.Len() != maxFailures {
		t.Errorf("%d and %d", len(f.byKey), f.order.Len())
	}
	if f.paused("first") != "" || f.paused("0") == "" {
		t.Error("not the oldest went")
	}
}

func TestPaceOfOneHost(t *testing.T) {
	c := &clock{t: testmail.Instant()}
	p := newPace(c.now)
	for range maxPerHost {
		if err := p.take("a"); err != nil {
			t.Fatal(err)
		}
	}
	if p.take("a") == nil || p.take("b") != nil {
		t.Error("the bound is not that of a host")
	}
	c.add(paceWindow)
	if p.take("a") != nil {
		t.Error("the next minute does not begin anew")
	}
	for i := range maxHosts {
		_ = p.take(fmt.Sprint(i))
	}
	if len(p.count) > maxHosts {
		t.Errorf("%d hosts", len(p.count))
	}
	if p.take("a") != nil {
		t.Error("a host that is known is refused")
	}
	c.add(-time.Hour)
	if p.take("new") != nil {
		t.Error("a clock that was put back stops everything")
	}
}
