package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

const alice = "alice@example.com"

// waits makes a mail one whose CA may still say something.
func waits(e Entry) Entry {
	e.Unchecked, e.Withhold = true, true
	return e
}

// says is a CA that answers everything alike, and counts.
func says(s Standing, asked *[]string) func(context.Context, Kept) Standing {
	var mu sync.Mutex
	return func(_ context.Context, k Kept) Standing {
		if asked != nil {
			mu.Lock()
			defer mu.Unlock()
			*asked = append(*asked, k.Address)
		}
		return s
	}
}

func recheckAt(t *testing.T, d *Directory, now time.Time, s Standing) (Rechecked, []Event) {
	t.Helper()
	var events []Event
	n, err := d.Recheck(t.Context(), now, says(s, nil), func(e Event) { events = append(events, e) })
	if err != nil {
		t.Fatal(err)
	}
	return n, events
}

func withDeadline() Options {
	return Options{Rules: Rules{PublishUnchecked: 24 * time.Hour}}
}

func shows(t *testing.T, d *Directory, want string) {
	t.Helper()
	if got, _ := standing(d, alice); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestRecheckPublishesWithheld(t *testing.T) {
	m := newMaker()
	old, renewed := m.issue(t, "a", "Org", noon().Add(-days), noon().Add(40*days)), m.year(t, "a", "Org")
	d := openTest(t, tempDir(t), withDeadline())
	put(t, d, mail(alice, old, noon(), "Q1"))
	c := put(t, d, waits(mail(alice, renewed, noon().Add(time.Hour), "Q2")))
	if c.Kind != Renewed || len(c.Files) > 0 || !strings.Contains(c.Detail, "2026-06-16T13:00:00Z") {
		t.Errorf("%+v", c)
	}
	if _, pub := standing(d, alice); pub != describe(t, old).Fingerprint {
		t.Errorf("published: %s", pub)
	}
	n, events := recheckAt(t, d, noon().Add(2*time.Hour), answer(StatusUnknown))
	if n.Asked != 1 || n.Unanswered != 1 || len(events) > 0 {
		t.Errorf("%+v, %v", n, events)
	}
	shows(t, d, "active pending")
	n, events = recheckAt(t, d, noon().Add(3*time.Hour), answer(StatusGood))
	if n != (Rechecked{Asked: 1, Good: 1, Published: 1}) || len(events) != 1 || events[0].Kind != EventChecked || events[0].Address != alice {
		t.Errorf("%+v, %v", n, events)
	}
	shows(t, d, "superseded active")
	path, err := d.Path(alice)
	if err != nil {
		t.Fatal(err)
	}
	if text := readAll(t, path); !strings.Contains(text, "# revocation: checked with its CA at 2026-06-15T15:00:00Z") {
		t.Error(text)
	}
	intact(t, d, true)
}

func TestWithheldIsPublishedInTheEnd(t *testing.T) {
	der := newMaker().year(t, "a", "Org")
	for name, later := range map[string]func(*Directory, time.Time) error{
		"sweep": func(d *Directory, now time.Time) error { return d.Sweep(t.Context(), now, nil) },
		"recheck": func(d *Directory, now time.Time) error {
			_, err := d.Recheck(t.Context(), now, says(answer(StatusUnknown), nil), nil)
			return err
		},
	} {
		d := openTest(t, tempDir(t), withDeadline())
		put(t, d, waits(mail(alice, der, noon(), "Q1")))
		if err := later(d, noon().Add(24*time.Hour-1)); err != nil {
			t.Fatal(err)
		}
		shows(t, d, "pending")
		put(t, d, waits(mail(alice, der, noon().Add(23*time.Hour), "Q2")))
		if err := later(d, noon().Add(24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		shows(t, d, "active")
		path, err := d.Path(alice)
		if err != nil {
			t.Fatal(name, err)
		}
		if text := readAll(t, path); !strings.Contains(text, "# revocation: unchecked, no CA said") {
			t.Error(text)
		}
		// The first answer changes what is published, the next ones do not.
		recheckAt(t, d, noon().Add(25*time.Hour), answer(StatusGood))
		text := readAll(t, path)
		if !strings.Contains(text, "checked with its CA at 2026-06-16T13:00:00Z") {
			t.Error(text)
		}
		was, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := recheckAt(t, d, noon().Add(50*time.Hour), answer(StatusGood)); n.Good != 1 {
			t.Errorf("%+v", n)
		}
		if is, err := os.Stat(path); err != nil || !os.SameFile(was, is) || readAll(t, path) != text {
			t.Error("a daily answer rewrote certs/")
		}
		intact(t, d, true)
	}
}

func TestAMailWithAnAnswerChangesWhatIsPublished(t *testing.T) {
	der := newMaker().year(t, "a", "Org")
	d := openTest(t, tempDir(t), Options{})
	e := mail(alice, der, noon(), "Q1")
	e.Unchecked = true
	put(t, d, e)
	if c := put(t, d, mail(alice, der, noon().Add(time.Hour), "Q2")); c.Kind != Seen || len(c.Files) != 2 {
		t.Errorf("%+v", c)
	}
	if c := put(t, d, mail(alice, der, noon().Add(2*time.Hour), "Q3")); c.Kind != Seen || len(c.Files) != 0 {
		t.Errorf("%+v", c)
	}
	intact(t, d, true)
}

func TestRecheckRevoked(t *testing.T) {
	m := newMaker()
	a, same, b := m.year(t, "a", "Org"), m.year(t, "a", "Org"), m.year(t, "b", "Org")
	fa := describe(t, a)
	for _, compromise := range []bool{false, true} {
		d := openTest(t, tempDir(t), withDeadline())
		put(t, d, mail(alice, a, noon(), "Q1"))
		put(t, d, mail("bob@example.com", b, noon(), "Q2"))
		put(t, d, mail("carol@example.com", same, noon(), "Q3"))
		ask := func(_ context.Context, k Kept) Standing {
			if k.Fingerprint != fa.Fingerprint {
				return answer(StatusGood)
			}
			return answer(StatusRevoked, func(s *Standing) {
				s.Revoked, s.KeyCompromise, s.Detail = noon().Add(-time.Hour), compromise, "keyCompromise"
			})
		}
		var events []Event
		n, err := d.Recheck(t.Context(), noon().Add(days), ask, func(e Event) { events = append(events, e) })
		if err != nil || n.Asked < 2 || n.Revoked != 1 || len(events) != 1 || events[0].Kind != EventRevoked || events[0].Address != alice {
			t.Errorf("%+v, %v, %v", n, events, err)
		}
		shows(t, d, "revoked")
		if _, err := d.Path(alice); !errors.Is(err, ErrNotFound) {
			t.Errorf("still published: %v", err)
		}
		if first, _, err := d.Evidence(alice, fa.Fingerprint); err != nil || len(first) != 3 {
			t.Errorf("evidence: %d, %v", len(first), err)
		}
		h, err := d.Show(alice)
		if err != nil {
			t.Fatal(err)
		}
		r := h.Records[0]
		if r.BlockKey || !r.RevokedAt.Equal(noon().Add(-time.Hour)) || !strings.Contains(fmt.Sprint(r.Journal), "revoked since 2026-06-15T11:00:00Z: keyCompromise") {
			t.Errorf("%+v", r)
		}
		if _, err := d.Path("bob@example.com"); err != nil {
			t.Errorf("another: %v", err)
		}
		if _, err := d.Path("carol@example.com"); compromise != errors.Is(err, ErrNotFound) {
			t.Errorf("another certificate of the key: %v", err)
		}
		if c := put(t, d, mail("dave@example.com", same, noon().Add(days), "Q4")); (c.Reason == ReasonBlocked) != compromise {
			t.Errorf("another certificate of the key: %+v", c)
		}
		if c := put(t, d, mail(alice, a, noon().Add(2*days), "Q5")); c.Reason != ReasonBlocked {
			t.Errorf("the certificate itself: %+v", c)
		}
		if n, events := recheckAt(t, d, noon().Add(9*days), answer(StatusGood)); n.Reinstated != 0 || len(events) != 0 {
			t.Errorf("revoked for good, yet %+v, %v", n, events)
		}
		shows(t, d, "revoked")
		if err := d.Unblock(t.Context(), BlockKey, fa.Key); err != nil {
			t.Fatal(err)
		}
		shows(t, d, "revoked")
		intact(t, d, true)
		if err := d.Prefer(t.Context(), alice, fa.Fingerprint); err == nil {
			t.Error("a revoked one can be preferred")
		}
	}
}

func TestRecheckHold(t *testing.T) {
	der := newMaker().year(t, "a", "Org")
	for _, byMail := range []bool{false, true} {
		d := openTest(t, tempDir(t), withDeadline())
		put(t, d, mail(alice, der, noon(), "Q1"))
		if n, events := recheckAt(t, d, noon().Add(days), answer(StatusHold)); n.Held != 1 || !reflect.DeepEqual(kinds(events), []string{EventHold}) {
			t.Errorf("%+v, %v", n, events)
		}
		if _, err := d.Path(alice); !errors.Is(err, ErrNotFound) {
			t.Errorf("still published: %v", err)
		}
		if c := put(t, d, waits(mail(alice, der, noon().Add(days), "Q2"))); c.Reason != ReasonBlocked {
			t.Errorf("no answer, yet %+v", c)
		}
		if byMail {
			if c := put(t, d, mail(alice, der, noon().Add(2*days), "Q3")); c.Kind != Seen || len(c.Files) != 3 || len(c.Events) != 1 {
				t.Errorf("%+v", c)
			}
		} else if n, events := recheckAt(t, d, noon().Add(2*days), answer(StatusGood)); n.Reinstated != 1 || !reflect.DeepEqual(kinds(events), []string{EventReinstated}) {
			t.Errorf("%+v, %v", n, events)
		}
		shows(t, d, "active")
		intact(t, d, true)
	}
}

func TestRecheckTellsOnceWhatIsUntrusted(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	put(t, d, mail(alice, newMaker().year(t, "a", "Org"), noon(), "Q1"))
	total := 0
	for i := range 4 {
		_, events := recheckAt(t, d, noon().Add(time.Duration(i+1)*days), answer(StatusUntrusted))
		total += len(events)
	}
	if total != 1 {
		t.Errorf("told %d times", total)
	}
	shows(t, d, "active")
}

func TestRecheckBlockedCA(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	put(t, d, mail(alice, newMaker().year(t, "a", "Org"), noon(), "Q1"))
	recheckAt(t, d, noon().Add(days), answer(StatusBlocked))
	shows(t, d, "blocked")
	if _, err := d.Rebuild(t.Context()); err != nil { // knows nothing of CAs
		t.Fatal(err)
	}
	shows(t, d, "blocked")
	intact(t, d, true)
	if n, _ := recheckAt(t, d, noon().Add(days+time.Minute), answer(StatusGood)); n.Reinstated != 1 {
		t.Errorf("%+v", n)
	}
	shows(t, d, "active")
	intact(t, d, true)
}

func TestRecheckAsksWhatIsDue(t *testing.T) {
	m := newMaker()
	d := openTest(t, tempDir(t), withDeadline())
	for i := range 20 {
		put(t, d, mail(fmt.Sprintf("user%d@example.com", i), m.year(t, fmt.Sprint(i), "Org"), noon(), fmt.Sprint("Q", i)))
	}
	put(t, d, waits(mail(alice, m.year(t, "a", "Org"), noon(), "Qa")))
	asked := map[string]int{}
	for half := range 49 { // a day in steps of half an hour
		var now []string
		var mu sync.Mutex // several are asked about at once
		ask := func(_ context.Context, k Kept) Standing {
			mu.Lock()
			now = append(now, k.Address)
			mu.Unlock()
			if k.Address == alice {
				return answer(StatusUnknown)
			}
			return answer(StatusGood)
		}
		if _, err := d.Recheck(t.Context(), noon().Add(time.Duration(half)*30*time.Minute), ask, nil); err != nil {
			t.Fatal(err)
		}
		if half < 42 && len(now) != 1 || len(now) > 12 {
			t.Errorf("after %d half hours: %v", half, now)
		}
		for _, a := range now {
			asked[a]++
		}
	}
	if asked[alice] != 49 || len(asked) != 21 || asked["user7@example.com"] != 1 {
		t.Errorf("%v", asked)
	}
	var now []string
	if n, err := d.RecheckAddress(t.Context(), "user3@example.com", noon().Add(days), says(answer(StatusRevoked), &now), nil); err != nil || len(now) != 1 || n.Revoked != 1 {
		t.Errorf("%v, %+v, %v", now, n, err)
	}
	if n, err := d.RecheckAddress(t.Context(), "nobody@example.com", noon().Add(days), says(answer(StatusRevoked), &now), nil); err != nil || n != (Rechecked{}) {
		t.Errorf("%+v, %v", n, err)
	}
	intact(t, d, true)
}

// TestRecheckTriesAgain: a CA that is silent when its answer has ended is asked at
// the next walk, not a day later.
func TestRecheckTriesAgain(t *testing.T) {
	d := openTest(t, tempDir(t), withDeadline())
	put(t, d, mail(alice, newMaker().year(t, "a", "Org"), noon(), "Q1")) // with an answer
	at := noon().Add(days)
	for i, step := range []struct {
		says  string
		asked int
	}{{StatusUnknown, 1}, {StatusUnknown, 1}, {StatusGood, 1}, {StatusGood, 0}} {
		if n, _ := recheckAt(t, d, at.Add(time.Duration(i)*time.Hour), answer(step.says)); n.Asked != step.asked {
			t.Errorf("walk %d: %+v", i, n)
		}
	}
	shows(t, d, "active")
	intact(t, d, true)
}

// TestRecheckMeanwhile: what others do while a CA is asked stands.
func TestRecheckMeanwhile(t *testing.T) {
	m := newMaker()
	a, b := m.year(t, "a", "Org"), m.year(t, "b", "Org")
	later := noon().Add(days)
	for _, tc := range []struct {
		name      string
		meanwhile func(*Directory) error
		s         Standing
		want      string
	}{
		{"nothing", func(*Directory) error { return nil }, answer(StatusRevoked), "revoked"},
		{"deleted", func(d *Directory) error { _, err := d.Delete(t.Context(), alice, false); return err }, answer(StatusRevoked), ""},
		{"blocked, good", func(d *Directory) error { return d.Block(t.Context(), BlockAddress, alice) }, answer(StatusGood), "blocked"},
		{"blocked, revoked", func(d *Directory) error { return d.Block(t.Context(), BlockAddress, alice) }, answer(StatusRevoked), "revoked"},
		{"replaced, good", func(d *Directory) error { _, err := d.Put(t.Context(), mail(alice, b, later, "Q2")); return err }, answer(StatusGood), "superseded active"},
		{"replaced, revoked", func(d *Directory) error { _, err := d.Put(t.Context(), mail(alice, b, later, "Q2")); return err }, answer(StatusRevoked), "revoked active"},
		{"revoked, then good", func(d *Directory) error {
			_, err := d.RecheckAddress(t.Context(), alice, later.Add(1), says(answer(StatusRevoked), nil), nil)
			return err
		}, answer(StatusGood), "revoked"},
		{"suspended, then good of before", func(d *Directory) error {
			_, err := d.RecheckAddress(t.Context(), alice, later.Add(1), says(answer(StatusHold), nil), nil)
			return err
		}, answer(StatusGood), "revoked"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := openTest(t, tempDir(t), Options{Now: func() time.Time { return later }})
			put(t, d, mail(alice, a, noon(), "Q1"))
			ask := func(_ context.Context, k Kept) Standing {
				if k.Fingerprint != describe(t, a).Fingerprint || len(k.Chain) != 1 || k.State != Active {
					t.Errorf("asked about %+v", k)
				}
				if err := tc.meanwhile(d); err != nil {
					t.Error(err)
				}
				return tc.s
			}
			if _, err := d.Recheck(t.Context(), later, ask, nil); err != nil {
				t.Error(err)
			}
			shows(t, d, tc.want)
			intact(t, d, true)
		})
	}
}

func TestRecheckBesideOthers(t *testing.T) {
	m := newMaker()
	d := openTest(t, tempDir(t), withDeadline())
	var certificates [][]byte
	for i := range 6 {
		certificates = append(certificates, m.year(t, fmt.Sprint(i%4), "Org"))
	}
	statuses := []string{StatusGood, StatusRevoked, StatusHold, StatusUnknown, StatusUntrusted, StatusBlocked}
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			for i := range 25 {
				e := mail(fmt.Sprintf("user%d@example.com", i%3), certificates[(i+w)%6], noon().Add(time.Duration(i)*time.Hour), fmt.Sprint(w, i))
				if i%2 == 0 {
					e = waits(e)
				}
				if _, err := d.Put(t.Context(), e); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for i := range 12 {
				ask := func(_ context.Context, k Kept) Standing {
					return answer(statuses[(i+int(k.Fingerprint[0]))%len(statuses)], func(s *Standing) { s.KeyCompromise = i == 11 && w == 0 })
				}
				if _, err := d.Recheck(t.Context(), noon().Add(time.Duration(2*i)*time.Hour), ask, func(Event) {}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for i := range 10 {
			key := describe(t, certificates[i%4]).Key
			err := errors.Join(d.Block(t.Context(), BlockKey, key), d.Unblock(t.Context(), BlockKey, key))
			if _, derr := d.Delete(t.Context(), fmt.Sprintf("user%d@example.com", i%3), false); err != nil || derr != nil {
				t.Error(err, derr)
			}
		}
	})
	wg.Wait()
	intact(t, d, true)
}

// TestRecheckNobodyToAsk: where a certificate names nobody, or no CA is asked at
// all, a walk an hour must not write every entry anew.
func TestRecheckNobodyToAsk(t *testing.T) {
	d := openTest(t, tempDir(t), withDeadline())
	e := mail(alice, newMaker().year(t, "a", "Org"), noon(), "Q1")
	e.Unchecked = true
	put(t, d, e)
	asked := 0
	for hour := range 49 {
		n, _ := recheckAt(t, d, noon().Add(time.Duration(hour)*time.Hour), answer(StatusNone))
		asked += n.Asked
	}
	if asked > 3 {
		t.Errorf("asked %d times in two days", asked)
	}
	// Where somebody may still answer it stays due.
	for hour := range 3 {
		if n, err := d.RecheckAll(t.Context(), noon().Add(3*days+time.Duration(hour)*time.Hour), says(answer(StatusUnknown), nil), nil); err != nil || n.Asked != 1 {
			t.Errorf("%+v, %v", n, err)
		}
	}
	if n, _ := recheckAt(t, d, noon().Add(3*days+3*time.Hour), answer(StatusUnknown)); n.Asked != 1 {
		t.Errorf("%+v", n)
	}
	shows(t, d, "active")
	intact(t, d, true)
}
