package store

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// silent makes an acceptance one whose CA may still say something.
func silent(e *Entry, _ *Facts) { e.Unchecked, e.Withhold = true, true }

// withheld is a record that waits for its CA alone.
func withheld(in time.Duration) func(*Record) {
	return func(r *Record) {
		r.State, r.Preferred, r.Unchecked, r.Withheld = Waiting, false, true, noon().Add(in)
	}
}

func aside(r *Record) { r.Beside = true }

// states names the certificates and where they stand: "a:active* b:pending".
func states(records []Record, names ...string) string {
	var out []string
	for _, n := range names {
		s := n + ":-"
		if r := recordIn(records, hash("cert "+n)); r != nil {
			if s = n + ":" + string(r.State); r.Preferred {
				s += "*"
			}
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestWithheld(t *testing.T) {
	type edit = func(*Entry, *Facts)
	at := func(ago time.Duration) edit { return func(e *Entry, _ *Facts) { e.SignedAt = noon().Add(-ago) } }
	by := func(org string) edit { return func(_ *Entry, f *Facts) { f.IssuerOrganisation = org } }
	key := func(name string) edit { return func(_ *Entry, f *Facts) { f.Key = hash("key " + name) } }
	longer := func(_ *Entry, f *Facts) { f.NotAfter = noon().Add(300 * days) }
	unchecked := func(e *Entry, _ *Facts) { e.Unchecked = true }
	edits := func(e ...edit) []edit { return e }
	five := func(extra ...Record) []Record {
		for i := range maxWithheld {
			extra = append(extra, kept(fmt.Sprint("w", i), withheld(days)))
		}
		return extra
	}
	for _, tc := range []struct {
		name    string
		records []Record
		edits   []edit
		rules   Rules // PublishUnchecked: 24 h unless set below 0
		row     int
		kind    Kind
		states  string // of a, b and c afterwards
		events  int
	}{
		{name: "4 withheld", edits: edits(silent), row: 4, kind: Added, states: "a:pending b:- c:-"},
		{name: "4 nobody may say anything", edits: edits(unchecked), row: 4, kind: Added, states: "a:active* b:- c:-"},
		{name: "4 at once as configured", edits: edits(silent), rules: Rules{PublishUnchecked: -1}, row: 4, kind: Added, states: "a:active* b:- c:-"},
		{name: "6 withheld", records: []Record{kept("b")}, edits: edits(silent, key("b"), longer), row: 6, kind: Renewed, states: "a:pending b:active* c:-"},
		{name: "7 withheld", records: []Record{kept("b")}, edits: edits(silent), row: 7, kind: Changed, states: "a:pending b:active* c:-", events: 1},
		{name: "5 withheld", records: []Record{kept("b")}, edits: edits(silent, at(2*time.Hour)), row: 5, kind: Additional, states: "a:pending b:active* c:-"},
		{name: "8 held and withheld", records: []Record{kept("b")}, edits: edits(silent, by("other")), row: 8, kind: Pending, states: "a:pending b:active* c:-", events: 1},
		{name: "3 withheld once more", records: []Record{kept("a", withheld(time.Hour))}, edits: edits(silent), row: 3, kind: Seen, states: "a:pending b:- c:-"},
		{name: "3 its CA answered", records: []Record{kept("a", withheld(time.Hour))}, row: 3, kind: Seen, states: "a:active* b:- c:-"},
		{name: "3 its CA is not asked any more", records: []Record{kept("a", withheld(time.Hour))}, edits: edits(unchecked), row: 3, kind: Seen, states: "a:active* b:- c:-", events: 1},
		{name: "3 its CA answered, the place is taken", records: []Record{kept("b", signed(2*time.Hour)), kept("a", withheld(time.Hour))}, row: 3, kind: Seen, states: "a:active* b:superseded c:-", events: 1},
		{name: "3 its CA answered, the hold goes on", records: []Record{kept("b", signed(2*time.Hour)), kept("a", withheld(time.Hour), waiting("b", days))}, row: 3, kind: Seen, states: "a:pending b:active* c:-"},
		{name: "3 a good one that stands aside is not published by its next mail", records: []Record{kept("b", withheld(days)), kept("a", withheld(0), aside)}, row: 3, kind: Seen, states: "a:pending b:pending c:-"},
		{name: "4 what is kept already does not change", records: []Record{kept("a")}, edits: edits(silent), row: 3, kind: Seen, states: "a:active* b:- c:-"},

		{name: "8 another key while the first waits", records: []Record{kept("b", withheld(days))}, edits: edits(by("other")), row: 8, kind: Pending, states: "a:pending b:pending c:-", events: 1},
		{name: "7 explained while the first waits", records: []Record{kept("b", withheld(days))}, row: 7, kind: Changed, states: "a:active* b:pending c:-", events: 1},
		{name: "6 renewed while the first waits", records: []Record{kept("b", withheld(days))}, edits: edits(key("b"), longer), row: 6, kind: Renewed, states: "a:active* b:pending c:-"},
		{name: "5 a late one is not published while the first waits", records: []Record{kept("b", withheld(days))}, edits: edits(at(2*time.Hour), by("other")), row: 5, kind: Additional, states: "a:pending b:pending c:-"},
		{name: "8 explained by the old, not by the one that waits", records: []Record{kept("b", until(10*days)), kept("c", withheld(days), func(r *Record) { r.IssuerOrganisation = "third" })}, edits: edits(by("other")),
			row: 8, kind: Pending, states: "a:pending b:active* c:pending", events: 1},
		{name: "4 one that leads nowhere does not count", records: []Record{kept("b", withheld(days), func(r *Record) { r.Untrusted = true })}, edits: edits(by("other")), row: 4, kind: Added, states: "a:active* b:pending c:-"},

		{name: "0 the sixth is put off", records: five(), edits: edits(silent), row: 0, kind: Blocked, states: "a:- b:- c:-"},
		{name: "0 not if its CA answered", records: five(), row: 7, kind: Changed, states: "a:active* b:- c:-", events: 1},
		{name: "0 not if it waits already", records: five()[:4:4], edits: edits(silent), row: 7, kind: Changed, states: "a:pending b:- c:-", events: 1},
		{name: "0 a key change is put off too", records: five(kept("b")), edits: edits(silent, by("other")), row: 0, kind: Blocked, states: "a:- b:active* c:-"},

		{name: "contested while it waits", records: []Record{kept("a", signed(2*time.Hour)), kept("b", withheld(days), func(r *Record) { r.Former = hash("key a") })}, row: 3, kind: Seen, states: "a:active* b:pending c:-", events: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rules := tc.rules
			if rules.PublishUnchecked == 0 {
				rules.PublishUnchecked = 24 * time.Hour
			}
			e, f := incoming("a", tc.edits...)
			d := Decide(Past{Records: tc.records}, e, f, rules, noon())
			if d.Row != tc.row || d.Kind != tc.kind || len(d.Events) != tc.events {
				t.Errorf("row %d, %s (%s), events %q; want row %d, %s, %d", d.Row, d.Kind, d.Detail, d.Events, tc.row, tc.kind, tc.events)
			}
			if got := states(d.Records, "a", "b", "c"); got != tc.states {
				t.Errorf("%s, want %s", got, tc.states)
			}
			if tc.kind == Blocked && d.Reason != ReasonRate {
				t.Errorf("refused with %q", d.Reason)
			}
			r := recordIn(d.Records, f.Fingerprint)
			if e.Withhold && d.Row >= 4 && r.State == Waiting && !strings.Contains(d.Detail, "CA") {
				t.Errorf("says only %q", d.Detail)
			}
			invariants(t, d.Records)
		})
	}
}

// TestWithheldDeadline: whoever repeats an unchecked mail does not put off the end.
func TestWithheldDeadline(t *testing.T) {
	rules := Rules{PublishUnchecked: 24 * time.Hour}
	for _, past := range [][]Record{nil, {kept("b")}, {kept("b", func(r *Record) { r.IssuerOrganisation = "other" })}} {
		e, f := incoming("a", silent)
		d := Decide(Past{Records: past}, e, f, rules, noon())
		want := noon().Add(24 * time.Hour)
		for hour := range 23 {
			e.At, e.SignedAt = noon().Add(time.Duration(hour)*time.Hour), noon().Add(time.Duration(hour)*time.Hour)
			d = Decide(Past{Records: d.Records}, e, f, rules, e.At)
			if r := recordIn(d.Records, f.Fingerprint); d.Row != 3 && len(past) > 0 || r.State != Waiting || !r.Withheld.Equal(want) {
				t.Fatalf("after %d hours: row %d, %s until %v", hour, d.Row, r.State, r.Withheld)
			}
		}
		if aged, _, changed := Age(d.Records, want.Add(-1)); changed {
			t.Errorf("early: %s", states(aged, "a", "b"))
		}
	}
}

func TestAgeOfWithheld(t *testing.T) {
	later := func(r *Record) { r.SignedAt = noon().Add(-time.Second) } // than what takes its place
	for _, tc := range []struct {
		name    string
		records []Record
		states  string
		events  int
	}{
		{"not yet, though nothing stands against it", []Record{kept("a", withheld(1))}, "a:pending b:- c:-", 0},
		{"in time", []Record{kept("a", withheld(0))}, "a:active* b:- c:-", 1},
		{"takes the place it was to take", []Record{kept("b", signed(2*time.Hour)), kept("a", withheld(0))}, "a:active* b:superseded c:-", 1},
		{"newer mail under the former changes nothing", []Record{kept("b", signed(2*time.Hour), later), kept("a", withheld(0))}, "a:active* b:superseded c:-", 1},
		{"contested by it, published all the same", []Record{kept("b", signed(2*time.Hour), later), kept("a", withheld(0), func(r *Record) { r.Contested = true })}, "a:active* b:superseded c:-", 1},
		{"let in later than it", []Record{kept("b", signed(time.Minute)), kept("a", withheld(0))}, "a:active b:active* c:-", 0},
		{"aside", []Record{kept("b", signed(2*time.Hour)), kept("a", withheld(0), aside)}, "a:active b:active* c:-", 0},
		{"aside, while another waits", []Record{kept("b", withheld(1)), kept("a", withheld(0), aside)}, "a:pending b:pending c:-", 0},
		{"aside, with the other", []Record{kept("b", withheld(0)), kept("a", withheld(0), aside)}, "a:active b:active* c:-", 1},
		{"aside, and alone by now", []Record{kept("b", state(Revoked)), kept("a", withheld(0), aside)}, "a:active* b:revoked c:-", 1},
		{"both: the hold is over, the CA silent", []Record{kept("b", signed(2*time.Hour)), kept("a", withheld(1), waiting("b", 0))}, "a:pending b:active* c:-", 0},
		{"both: the CA waited for, the hold not over", []Record{kept("b", signed(2*time.Hour)), kept("a", withheld(0), waiting("b", 1))}, "a:pending b:active* c:-", 0},
		{"both over", []Record{kept("b", signed(2*time.Hour)), kept("a", withheld(0), waiting("b", 0))}, "a:active* b:superseded c:-", 1},
		{"both: nothing stands against it but its CA", []Record{kept("b", state(Revoked)), kept("a", withheld(1), waiting("b", 1))}, "a:pending b:revoked c:-", 0},
		{"held against one that waits for its CA", []Record{kept("b", withheld(1)), kept("a", waiting("b", 1))}, "a:pending b:pending c:-", 0},
		{"its path leads nowhere", []Record{kept("a", withheld(0), func(r *Record) { r.Untrusted = true })}, "a:pending b:- c:-", 0},
		{"expired", []Record{kept("a", withheld(1), until(-1))}, "a:expired b:- c:-", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			aged, events, _ := Age(tc.records, noon())
			if got := states(aged, "a", "b", "c"); got != tc.states || len(events) != tc.events {
				t.Errorf("%s, %q; want %s, %d", got, events, tc.states, tc.events)
			}
			invariants(t, aged)
			if _, _, again := Age(aged, noon()); again {
				t.Error("a second look changes something")
			}
		})
	}
}

// TestCrowdOfUnchecked: who sends many certificates that no CA answers for does
// not push out those that wait, and those that a CA answers for get through.
func TestCrowdOfUnchecked(t *testing.T) {
	rules := Rules{PublishUnchecked: 24 * time.Hour}
	honest, f := incoming("honest", silent)
	d := Decide(Past{Records: []Record{kept("b")}}, honest, f, rules, noon())
	records := d.Records
	for i := range 40 {
		org := []string{"org", "other"}[i%2]
		e, f := incoming(fmt.Sprint("x", i), silent, func(_ *Entry, f *Facts) { f.IssuerOrganisation = org })
		e.SignedAt = noon().Add(time.Duration(i) * time.Second)
		d := Decide(Past{Records: records}, e, f, rules, noon())
		if d.Kind == Blocked && d.Reason != ReasonRate {
			t.Fatalf("%+v", d.Change)
		}
		records = d.Records
		invariants(t, records)
	}
	if got := states(records, "honest", "b"); got != "honest:pending b:active*" {
		t.Fatal(got)
	}
	e, g := incoming("checked")
	e.SignedAt = noon()
	e.SignedAt = noon().Add(time.Hour)
	if d := Decide(Past{Records: records}, e, g, rules, noon()); d.Kind != Pending && d.Kind != Changed {
		t.Errorf("its CA answered, yet %+v", d.Change)
	}
	honest.Withhold, honest.Unchecked, honest.Identity = false, false, [32]byte{9}
	if d := Decide(Past{Records: records}, honest, f, rules, noon()); states(d.Records, "honest") == "honest:pending" {
		t.Errorf("still pending: %+v", d.Change)
	}
}

// TestWaitsOnWithItsDeadline: a held and withheld one that comes again when
// nothing else is left is let in, but does not begin to wait anew.
func TestWaitsOnWithItsDeadline(t *testing.T) {
	e, f := incoming("a", silent)
	past := []Record{kept("b", state(Revoked)), kept("a", withheld(time.Hour), waiting("b", 3*days))}
	d := Decide(Past{Records: past}, e, f, Rules{PublishUnchecked: days}, noon())
	if r := recordIn(d.Records, f.Fingerprint); d.Row != 4 || r.State != Waiting || !r.Until.IsZero() || !r.Withheld.Equal(noon().Add(time.Hour)) {
		t.Errorf("row %d, %+v", d.Row, r)
	}
}

// TestOldDeadlineOfOneThatDoesNotWait: the time to answer that a certificate had
// once is not taken for the time that its CA has now. One that gave way to others
// before it was over keeps it, and so does one that gives way at this moment.
func TestOldDeadlineOfOneThatDoesNotWait(t *testing.T) {
	anew := noon().Add(days)
	gaveWay := func(r *Record) { r.State, r.Replaced = Superseded, noon().Add(-40*days) }
	crowd := func(r Record) (records []Record) {
		for i := range maxPending {
			records = append(records, kept(fmt.Sprint("x", i), waiting("b", days)))
		}
		return append(records, r)
	}
	for _, tc := range []struct {
		name    string
		records []Record
		state   State
		until   time.Time
	}{
		{"superseded, long over", []Record{kept("a", withheld(-30*days), gaveWay)}, Waiting, anew},
		{"superseded, over just now", []Record{kept("a", withheld(0), gaveWay)}, Waiting, anew},
		{"superseded, not over", []Record{kept("a", withheld(time.Hour), gaveWay)}, Waiting, noon().Add(time.Hour)},
		{"expired", []Record{kept("a", withheld(-30*days), state(Expired))}, Waiting, anew},
		{"gives way at this moment", crowd(kept("a", withheld(-time.Hour), waiting("b", days), signed(2*time.Hour))), Active, time.Time{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, f := incoming("a", silent)
			d := Decide(Past{Records: tc.records}, e, f, Rules{PublishUnchecked: days}, noon())
			if r := recordIn(d.Records, f.Fingerprint); d.Row != 4 || r.State != tc.state || !r.Withheld.Equal(tc.until) {
				t.Errorf("row %d, %s until %v; want %s, %v", d.Row, r.State, r.Withheld, tc.state, tc.until)
			}
			invariants(t, d.Records)
		})
	}
}

// TestSettleKeepsWhoCameFirst: whatever the past looks like, the latest of too
// many that wait for a CA go, and somebody is told.
func TestSettleKeepsWhoCameFirst(t *testing.T) {
	var records []Record
	for i := range maxWithheld + 2 {
		records = append(records, kept(fmt.Sprint(i), withheld(days), func(r *Record) { r.Since = noon().Add(time.Duration(i) * time.Minute) }))
	}
	c := &casefile{now: noon(), records: records}
	c.settle()
	if got := states(c.records, "0", "4", "5", "6"); got != "0:pending 4:pending 5:superseded 6:superseded" || len(c.events) != 2 {
		t.Errorf("%s, %q", got, c.events)
	}
}
