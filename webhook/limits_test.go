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
	if one.hold(60) != nil || !errors.Is(two.hold(60), errBusy) || two.hold(34) != nil || two.hold(1) == nil {
		t.Error("not bounded over both")
	}
	if err := one.hold(41); err == nil || errors.Is(err, errBusy) {
		t.Errorf("what never has room is told to come again: %v", err)
	}
	one.release(1000)
	two.release(10)
	if m.held.Load() != 24 {
		t.Errorf("%d held", m.held.Load())
	}
	two.end()
	two.end()
	if m.held.Load() != 0 {
		t.Errorf("%d held", m.held.Load())
	}
}

// TestSmallBesideLarge: long posts that come slowly do not keep out what is as long
// as mail is without attachments.
func TestSmallBesideLarge(t *testing.T) {
	const limit = 64 << 20
	m := &memory{}
	long, longer, short := m.reserve(limit), m.reserve(limit), m.reserve(limit)
	for long.own < limit/2 && long.hold(wholePiece) == nil {
	}
	for longer.hold(wholePiece) == nil {
	}
	if err := longer.hold(wholePiece); err != errBusy {
		t.Errorf("more than there is: %v", err)
	}
	for _, n := range []int{4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10} {
		if err := short.hold(n); err != nil {
			t.Errorf("a short one, %d bytes more: %v", n, err)
		}
	}
	if err := short.hold(wholePiece); err != errBusy {
		t.Errorf("that grows long: %v", err)
	}
	longer.end()
	if err := short.hold(wholePiece); err != nil {
		t.Errorf("when a long one has gone: %v", err)
	}
	long.end()
	short.end()
	if alone := m.reserve(limit); m.held.Load() != 0 || alone.hold(int(Longest(limit))) != nil || alone.hold(1) == nil || alone.hold(1) == errBusy {
		t.Error("the longest that may be held alone")
	}
}
