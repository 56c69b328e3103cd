package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
)

func TestRecheckInTrouble(t *testing.T) {
	m := newMaker()
	d := openTest(t, tempDir(t), Options{})
	for i := range 5 {
		put(t, d, mail(fmt.Sprintf("user%d@example.com", i), m.year(t, fmt.Sprint(i), "Org"), noon(), fmt.Sprint("Q", i)))
	}
	other := describe(t, m.year(t, "x", "Org"))
	h, err := d.Show("user1@example.com")
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		d.entry("user0@example.com", stateFile):                                     "{",
		d.entry("user1@example.com", h.Records[0].Fingerprint, certificateFile):     "not a certificate",
		d.entry("user2@example.com", other.Fingerprint+"-is-no-business-of-anyone"): "",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	n, err := d.Recheck(t.Context(), noon().Add(days), says(answer(StatusGood), nil), nil)
	if err == nil || !strings.Contains(err.Error(), "and 1 more") || n.Asked != 3 || n.Good != 3 {
		t.Errorf("%+v, %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan bool, 5)
	_, err = d.Recheck(ctx, noon().Add(3*days), func(context.Context, Kept) Standing {
		asked <- true
		cancel()
		return answer(StatusRevoked)
	}, nil)
	if !errors.Is(err, context.Canceled) || len(asked) == 0 {
		t.Errorf("%v, asked %d times", err, len(asked))
	}
	for i := 2; i < 5; i++ {
		if s, _ := standing(d, fmt.Sprintf("user%d@example.com", i)); s != "active" {
			t.Errorf("an answer at the end counts: %s", s)
		}
	}
}

// TestRecheckAbreast: many addresses are asked about at once, a fault at one of
// them is an error about it, and events come one at a time.
func TestRecheckAbreast(t *testing.T) {
	m := newMaker()
	d := openTest(t, tempDir(t), Options{})
	const people = 2*abreast + 1
	for i := range people {
		put(t, d, mail(fmt.Sprintf("user%d@example.com", i), m.year(t, fmt.Sprint(i), "Org"), noon(), fmt.Sprint("Q", i)))
	}
	var mu sync.Mutex
	under, most, events := 0, 0, 0
	full := make(chan struct{})
	n, err := d.Recheck(t.Context(), noon().Add(days), func(_ context.Context, k Kept) Standing {
		mu.Lock()
		if under++; under > most {
			most = under
		}
		if under == abreast {
			close(full) // once: the others go on only then
		}
		mu.Unlock()
		<-full
		mu.Lock()
		under -= people // never full again
		mu.Unlock()
		if k.Address == "user7@example.com" {
			panic("fault for the test")
		}
		return answer(StatusRevoked)
	}, func(Event) { events++ })
	if err == nil || !strings.Contains(err.Error(), "user7@example.com: panic: fault for the test") {
		t.Error(err)
	}
	if n.Asked != people-1 || n.Revoked != people-1 || events != people-1 || most != abreast {
		t.Errorf("%+v, %d events, %d at once", n, events, most)
	}
}
