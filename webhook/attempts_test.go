package webhook

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/collect"
)

func number(n int) (id identity) {
	binary.BigEndian.PutUint64(id[:], uint64(n))
	return id
}

func TestAttemptsAreBounded(t *testing.T) {
	a, now := newAttempts(), time.Unix(1_700_000_000, 0)
	putOff := collect.Outcome{Action: collect.Defer, Reason: "internal"}
	for i := range maxAttempts + 100 {
		a.note(number(i), putOff, now)
		a.note(number(i), putOff, now)
	}
	if len(a.known) != maxAttempts || a.order.Len() != maxAttempts {
		t.Errorf("%d and %d remembered", len(a.known), a.order.Len())
	}
	if a.last(number(99), now) || !a.last(number(100), now) || !a.last(number(maxAttempts+99), now) {
		t.Error("others than the oldest were forgotten")
	}
	for i := range maxAttempts + 100 {
		a.note(number(i), collect.Outcome{Action: collect.Swallow}, now)
	}
	if len(a.known) != 0 || a.order.Len() != 0 {
		t.Errorf("%d and %d remembered", len(a.known), a.order.Len())
	}
}

func TestLastByTime(t *testing.T) {
	a, now := newAttempts(), time.Unix(1_700_000_000, 0)
	a.note(number(1), collect.Outcome{Action: collect.Defer, Reason: "busy"}, now)
	if a.last(number(1), now.Add(2*time.Hour)) {
		t.Error("trouble of ours was counted")
	}
	a.note(number(1), collect.Outcome{Action: collect.Defer, Reason: "internal"}, now)
	if a.last(number(1), now.Add(time.Hour)) || !a.last(number(1), now.Add(time.Hour+1)) || a.last(number(1), now.Add(-time.Hour)) {
		t.Error("an hour is not an hour")
	}
}

// TestIdentity: what ends where matters.
func TestIdentity(t *testing.T) {
	null, a, b := "", "a", "ab"
	seen := map[string]bool{}
	for _, h := range [][]byte{
		newIdentity(nil, "").Sum(nil), newIdentity(&null, "").Sum(nil), newIdentity(&a, "b").Sum(nil), newIdentity(&b, "").Sum(nil),
		newIdentity(&null, "ab").Sum(nil), newIdentity(nil, "ab").Sum(nil),
	} {
		if seen[string(h)] {
			t.Error("two envelopes are one")
		}
		seen[string(h)] = true
	}
}
