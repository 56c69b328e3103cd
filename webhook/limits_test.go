package webhook

import (
	"errors"
	"net/netip"
	"testing"
	"time"
)

func TestCountedNetworksAreBounded(t *testing.T) {
	g, c, now := newGate(), &Config{Posts: 1, PerClient: 1, Rate: 1}, time.Unix(1_700_000_000, 0)
	for i := range maxCounted + 500 {
		n := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)
		if r := g.enter(n, c, now); r != nil {
			t.Fatalf("%d: %+v", i, r)
		}
		g.leave(n)
	}
	if len(g.begun) != maxCounted || len(g.clients) != 0 || g.posts != 0 {
		t.Errorf("%d counted, %d clients, %d posts", len(g.begun), len(g.clients), g.posts)
	}
	if g.enter(netip.Prefix{}, c, now.Add(-time.Hour)) != nil { // the clock was set back
		t.Error("this host was refused")
	}
}

func TestReservation(t *testing.T) {
	m := &memory{}
	one, two := m.reserve(100), m.reserve(100)
	if one.hold(60) != nil || !errors.Is(two.hold(60), errBusy) || two.hold(40) != nil {
		t.Error("not bounded over both")
	}
	if err := one.hold(41); err == nil || errors.Is(err, errBusy) {
		t.Errorf("what never has room is told to come again: %v", err)
	}
	one.release(1000)
	two.release(10)
	if m.held.Load() != 30 {
		t.Errorf("%d held", m.held.Load())
	}
	two.end()
	two.end()
	if m.held.Load() != 0 {
		t.Errorf("%d held", m.held.Load())
	}
}
