package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"testing"
	"time"
)

const days = 24 * time.Hour

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// kept is a certificate of key k by organisation "org", signed an hour ago,
// preferred and good for half a year; edit changes it.
func kept(name string, edit ...func(*Record)) Record {
	r := Record{
		Facts: Facts{Fingerprint: hash("cert " + name), Key: hash("key " + name), IssuerOrganisation: "org",
			NotBefore: noon().Add(-100 * days), NotAfter: noon().Add(180 * days)},
		State: Active, Preferred: true, Bound: "domain", BestBound: "domain",
		Since: noon().Add(-time.Hour), Seen: noon().Add(-time.Hour),
		FirstSigned: noon().Add(-time.Hour), SignedAt: noon().Add(-time.Hour),
	}
	for _, e := range edit {
		e(&r)
	}
	return r
}

func state(s State) func(*Record) {
	return func(r *Record) { r.State, r.Preferred = s, false }
}

func beside(r *Record) { r.Preferred = false }

func signed(ago time.Duration) func(*Record) {
	return func(r *Record) { r.FirstSigned, r.SignedAt = noon().Add(-ago), noon().Add(-ago) }
}

func until(in time.Duration) func(*Record) {
	return func(r *Record) { r.NotAfter = noon().Add(in) }
}

// replacedBy is a key change of some time ago.
func replacedBy(name string, ago time.Duration) func(*Record) {
	return func(r *Record) {
		r.State, r.Preferred, r.KeyChange = Superseded, false, true
		r.Replaced, r.ReplacedBy = noon().Add(-ago), hash("cert "+name)
	}
}

func waiting(former string, in time.Duration) func(*Record) {
	return func(r *Record) {
		r.State, r.Preferred, r.Former, r.Until = Waiting, false, hash("key "+former), noon().Add(in)
	}
}

// incoming is a mail of this moment under the certificate that kept(name)
// would be.
func incoming(name string, edit ...func(*Entry, *Facts)) (Entry, Facts) {
	e := Entry{Address: "alice@example.com", At: noon(), SignedAt: noon().Add(-time.Minute), Identity: sha256.Sum256([]byte("mail " + name)), Bound: "domain"}
	f := kept(name).Facts
	for _, edit := range edit {
		edit(&e, &f)
	}
	return e, f
}

func TestDecide(t *testing.T) {
	type edit = func(*Entry, *Facts)
	at := func(ago time.Duration) edit { return func(e *Entry, _ *Facts) { e.SignedAt = noon().Add(-ago) } }
	unbound := func(e *Entry, _ *Facts) { e.Bound = "none" }
	private := func(e *Entry, _ *Facts) { e.Private = true }
	by := func(org string) edit { return func(_ *Entry, f *Facts) { f.IssuerOrganisation = org } }
	key := func(name string) edit { return func(_ *Entry, f *Facts) { f.Key = hash("key " + name) } }
	good := func(in time.Duration) edit { return func(_ *Entry, f *Facts) { f.NotAfter = noon().Add(in) } }
	edits := func(e ...edit) []edit { return e }
	records := func(r ...Record) Past { return Past{Records: r} }
	before := func(ago time.Duration) Past {
		id := sha256.Sum256([]byte("mail a"))
		return Past{Records: []Record{kept("a")}, Messages: []Message{{Identity: hex.EncodeToString(id[:]), At: noon().Add(-ago), Kind: Added}}}
	}
	five := func() Past {
		return records(kept("1", signed(2*time.Hour)), kept("2", beside, signed(3*time.Hour)), kept("3", beside, signed(5*time.Hour)),
			kept("4", beside, signed(4*time.Hour)), kept("5", beside, signed(6*time.Hour)))
	}
	for _, tc := range []struct {
		name      string
		past      Past
		edits     []edit
		rules     Rules
		row       int
		kind      Kind
		reason    string
		state     State  // of the incoming certificate afterwards; "" not kept
		preferred string // whose is published afterwards
		events    int
	}{
		{name: "1 certificate blocked", past: Past{Blocked: "certificate"}, row: 1, kind: Blocked, reason: ReasonBlocked},
		{name: "1 blocked, though kept and repeated", past: func() Past { p := before(0); p.Blocked = "key"; return p }(), row: 1, kind: Blocked, reason: ReasonBlocked, state: Active, preferred: "a"},
		{name: "1 suppressed", past: Past{Suppressed: true}, row: 1, kind: Blocked, reason: ReasonBlocked},
		{name: "1 signed before a deletion", past: Past{DeletedAt: noon()}, row: 1, kind: Blocked, reason: ReasonBlocked},
		{name: "1 signed at the deletion", past: Past{DeletedAt: noon().Add(-time.Minute)}, row: 1, kind: Blocked, reason: ReasonBlocked},
		{name: "4 signed after the deletion", past: Past{DeletedAt: noon().Add(-time.Minute - 1)}, row: 4, kind: Added, state: Active, preferred: "a"},
		{name: "1 recorded as revoked", past: records(kept("a", state(Revoked))), row: 1, kind: Blocked, reason: ReasonBlocked, state: Revoked},
		{name: "1 recorded as blocked", past: records(kept("a", state(Barred))), row: 1, kind: Blocked, reason: ReasonBlocked, state: Barred},
		{name: "2 the very same message", past: before(time.Hour), row: 2, kind: Repeated, state: Active, preferred: "a"},
		{name: "2 at the end of the window", past: before(7*days + 3*time.Hour), row: 2, kind: Repeated, state: Active, preferred: "a"},
		{name: "3 just after the window", past: before(7*days + 3*time.Hour + 1), row: 3, kind: Seen, state: Active, preferred: "a"},
		{name: "3 another message", past: records(kept("a")), row: 3, kind: Seen, state: Active, preferred: "a"},
		{name: "3 signed long before", past: records(kept("a")), edits: edits(at(5 * days)), row: 3, kind: Seen, state: Active, preferred: "a"},
		{name: "3 unbound", past: records(kept("a")), edits: edits(unbound), row: 3, kind: Seen, state: Active, preferred: "a"},
		{name: "3 an additional one does not rise", past: records(kept("b"), kept("a", beside)), row: 3, kind: Seen, state: Active, preferred: "b"},
		{name: "3 a superseded one does not return", past: records(kept("b"), kept("a", state(Superseded))), row: 3, kind: Seen, state: Superseded, preferred: "b"},
		{name: "3 a pending one goes on waiting", past: records(kept("b"), kept("a", waiting("b", days))), row: 3, kind: Seen, state: Waiting, preferred: "b"},
		{name: "3 despite the day's bound", past: func() Past { p := records(kept("a")); p.NewToday = 1000; return p }(), row: 3, kind: Seen, state: Active, preferred: "a"},
		{name: "4 nothing known", row: 4, kind: Added, state: Active, preferred: "a"},
		{name: "4 unbound", edits: edits(unbound), row: 4, kind: Added, state: Active, preferred: "a"},
		{name: "4 only an expired one", past: records(kept("b", state(Expired), until(-days))), edits: edits(by("other")), row: 4, kind: Added, state: Active, preferred: "a"},
		{name: "4 the superseded one returns when nothing is active", past: records(kept("a", state(Superseded)), kept("b", state(Expired))), row: 4, kind: Added, state: Active, preferred: "a"},
		{name: "4 signed earlier than what is gone", past: records(kept("b", state(Revoked))), edits: edits(at(2 * time.Hour)), row: 4, kind: Added, state: Active, preferred: "a"},
		{name: "0 the day is full", past: Past{NewToday: 1000}, row: 0, kind: Blocked, reason: ReasonRate},
		{name: "4 the last of the day", past: Past{NewToday: 999}, row: 4, kind: Added, state: Active, preferred: "a"},
		{name: "5 signed at the same time", past: records(kept("b", signed(time.Minute))), row: 5, kind: Additional, state: Active, preferred: "b"},
		{name: "5 signed earlier", past: records(kept("b")), edits: edits(at(2 * time.Hour)), row: 5, kind: Additional, state: Active, preferred: "b"},
		{name: "5 a renewal signed earlier", past: records(kept("b")), edits: edits(at(2*time.Hour), key("b"), good(365*days)), row: 5, kind: Additional, state: Active, preferred: "b"},
		{name: "5 earlier than one superseded since", past: records(kept("b"), kept("c", state(Superseded), signed(30*time.Second))), row: 5, kind: Additional, state: Active, preferred: "b"},
		{name: "5 earlier than a pending one", past: records(kept("b"), kept("c", waiting("b", days), signed(30*time.Second))), row: 5, kind: Additional, state: Active, preferred: "b"},
		{name: "5 unbound where bound", past: records(kept("b")), edits: edits(unbound), row: 5, kind: Additional, state: Active, preferred: "b"},
		{name: "7 unbound where unbound", past: records(kept("b", func(r *Record) { r.BestBound = "none" })), edits: edits(unbound), row: 7, kind: Changed, state: Active, preferred: "a", events: 1},
		{name: "6 renewed", past: records(kept("b")), edits: edits(key("b"), good(181*days)), row: 6, kind: Renewed, state: Active, preferred: "a"},
		{name: "6 renewed elsewhere", past: records(kept("b")), edits: edits(key("b"), good(181*days), by("other"), private), row: 6, kind: Renewed, state: Active, preferred: "a"},
		{name: "5 same key, same end", past: records(kept("b")), edits: edits(key("b")), row: 5, kind: Additional, state: Active, preferred: "b"},
		{name: "5 same key, earlier end", past: records(kept("b")), edits: edits(key("b"), good(179*days)), row: 5, kind: Additional, state: Active, preferred: "b"},
		{name: "7 same organisation", past: records(kept("b")), row: 7, kind: Changed, state: Active, preferred: "a", events: 1},
		{name: "7 expired", past: records(kept("b", until(-1))), edits: edits(by("other")), row: 7, kind: Changed, state: Active, preferred: "a", events: 1},
		{name: "7 expires in 30 days", past: records(kept("b", until(30*days))), edits: edits(by("other")), row: 7, kind: Changed, state: Active, preferred: "a", events: 1},
		{name: "7 private near the end of a public one", past: records(kept("b", until(30*days))), edits: edits(private), row: 7, kind: Changed, state: Active, preferred: "a", events: 1},
		{name: "8 expires in more than 30 days", past: records(kept("b", until(30*days+1))), edits: edits(by("other")), row: 8, kind: Pending, state: Waiting, preferred: "b", events: 1},
		{name: "8 another organisation", past: records(kept("b")), edits: edits(by("other")), row: 8, kind: Pending, state: Waiting, preferred: "b", events: 1},
		{name: "8 no organisation", past: records(kept("b", func(r *Record) { r.IssuerOrganisation = "" })), edits: edits(by("")), row: 8, kind: Pending, state: Waiting, preferred: "b", events: 1},
		{name: "8 public to private", past: records(kept("b")), edits: edits(private), row: 8, kind: Pending, state: Waiting, preferred: "b", events: 1},
		{name: "8 private to public", past: records(kept("b", func(r *Record) { r.Private = true })), row: 8, kind: Pending, state: Waiting, preferred: "b", events: 1},
		{name: "accept overrides 8", past: records(kept("b")), edits: edits(by("other")), rules: Rules{KeyChange: "accept"}, row: 8, kind: Changed, state: Active, preferred: "a", events: 1},
		{name: "hold overrides 7", past: records(kept("b")), rules: Rules{KeyChange: "hold"}, row: 7, kind: Pending, state: Waiting, preferred: "b", events: 1},
		{name: "reject overrides 7", past: records(kept("b")), rules: Rules{KeyChange: "reject"}, row: 7, kind: Blocked, reason: ReasonBlocked, preferred: "b"},
		{name: "reject overrides 8", past: records(kept("b")), edits: edits(by("other")), rules: Rules{KeyChange: "reject"}, row: 8, kind: Blocked, reason: ReasonBlocked, preferred: "b"},
		{name: "reject leaves renewals alone", past: records(kept("b")), edits: edits(key("b"), good(181*days)), rules: Rules{KeyChange: "reject"}, row: 6, kind: Renewed, state: Active, preferred: "a"},
		{name: "contested: mail by the former key", past: records(kept("a"), kept("b", waiting("a", days))), row: 3, kind: Seen, state: Active, preferred: "a", events: 1},
		{name: "contested: another certificate of the former key", past: records(kept("c"), kept("b", waiting("c", days))), edits: edits(key("c"), good(181*days)), row: 6, kind: Renewed, state: Active, preferred: "a", events: 1},
		{name: "not contested by late mail", past: records(kept("a"), kept("b", waiting("a", days))), edits: edits(at(time.Hour)), row: 3, kind: Seen, state: Active, preferred: "a"},
		{name: "contested: a key replaced 30 days ago", past: records(kept("b"), kept("a", replacedBy("b", 30*days))), row: 3, kind: Seen, state: Superseded, preferred: "b", events: 1},
		{name: "not contested: replaced longer ago", past: records(kept("b"), kept("a", replacedBy("b", 30*days+1))), row: 3, kind: Seen, state: Superseded, preferred: "b"},
		{name: "contested although renewed since", past: records(kept("b", state(Superseded)), kept("c", func(r *Record) { r.Key = hash("key b") }), kept("a", replacedBy("b", days))), row: 3, kind: Seen, state: Superseded, preferred: "c", events: 1},
		{name: "8 a replaced key does not flap back", past: records(kept("b"), kept("c", replacedBy("b", days))), edits: edits(key("c")), row: 8, kind: Pending, state: Waiting, preferred: "b", events: 3},
		{name: "7 after 30 days it may", past: records(kept("b"), kept("c", replacedBy("b", 30*days+1))), edits: edits(key("c")), row: 7, kind: Changed, state: Active, preferred: "a", events: 1},
		{name: "the sixth supersedes the oldest", past: five(), edits: edits(at(3*time.Hour - 1)), row: 5, kind: Additional, state: Active, preferred: "1"},
		{name: "the sixth, itself the oldest", past: five(), edits: edits(at(7 * time.Hour)), row: 5, kind: Additional, state: Superseded, preferred: "1"},
		{name: "a past without a preferred one is mended", past: records(kept("b", beside), kept("c", beside, signed(2*time.Hour))), row: 7, kind: Changed, state: Active, preferred: "a", events: 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, f := incoming("a", tc.edits...)
			copied := cloneRecords(tc.past.Records)
			d := Decide(tc.past, e, f, tc.rules, noon())
			if d.Row != tc.row || d.Kind != tc.kind || d.Reason != tc.reason {
				t.Fatalf("row %d, %s, %q (%s); want row %d, %s, %q", d.Row, d.Kind, d.Reason, d.Detail, tc.row, tc.kind, tc.reason)
			}
			h := History{Records: d.Records}
			var got State
			if r := recordOf(&h, f.Fingerprint); r != nil {
				got = r.State
			}
			if got != tc.state {
				t.Errorf("state %q, want %q", got, tc.state)
			}
			want := ""
			if tc.preferred != "" {
				want = hash("cert " + tc.preferred)
			}
			if p := h.Preferred(); p == nil && want != "" || p != nil && p.Fingerprint != want {
				t.Errorf("preferred %+v, want that of %q", p, tc.preferred)
			}
			if len(d.Events) != tc.events {
				t.Errorf("events %q, want %d", d.Events, tc.events)
			}
			if d.Detail == "" {
				t.Error("no words about it")
			}
			if !reflect.DeepEqual(copied, cloneRecords(tc.past.Records)) {
				t.Error("the past was changed")
			}
			invariants(t, d.Records)
		})
	}
}

func TestDecideRemembers(t *testing.T) {
	e, f := incoming("a")
	e.Bound = "none"
	d := Decide(Past{}, e, f, Rules{}, noon())
	e.Bound, e.SignedAt, e.Identity = "token", noon().Add(time.Hour), [32]byte{1}
	d = Decide(Past{Records: d.Records}, e, f, Rules{}, noon().Add(2*time.Hour))
	r := d.Records[0]
	if r.Bound != "none" || r.BestBound != "token" || !r.FirstSigned.Equal(noon().Add(-time.Minute)) || !r.SignedAt.Equal(noon().Add(time.Hour)) || !r.Seen.Equal(noon().Add(2*time.Hour)) || !r.Since.Equal(noon()) {
		t.Errorf("record %+v", r)
	}
	for i := range 100 {
		d = Decide(Past{Records: d.Records}, e, f, Rules{}, noon().Add(time.Duration(i)*time.Hour))
	}
	if j := d.Records[0].Journal; len(j) != maxNotes || j[0].What[:5] != "added" {
		t.Errorf("journal of %d lines, first %q", len(j), j[0].What)
	}
}

func TestRecordsAreBounded(t *testing.T) {
	var past Past
	for i := range 3 * maxRecords {
		e, f := incoming(fmt.Sprint(i))
		e.SignedAt, e.At = noon().Add(time.Duration(i)*time.Hour), noon().Add(time.Duration(i)*time.Hour)
		d := Decide(past, e, f, Rules{}, e.At)
		past.Records = d.Records
		if recordOf(&History{Records: d.Records}, f.Fingerprint) == nil {
			t.Fatalf("the %dth was forgotten at once", i)
		}
		invariants(t, d.Records)
	}
	if len(past.Records) != maxRecords {
		t.Errorf("%d records", len(past.Records))
	}
}

func invariants(t *testing.T, records []Record) {
	t.Helper()
	active, preferred, waiting, withheld := 0, 0, 0, 0
	for _, r := range records {
		if r.State == Active {
			active++
		}
		if r.State == Waiting && r.Until.IsZero() {
			withheld++
		} else if r.State == Waiting {
			waiting++
		}
		if r.Preferred {
			preferred++
			if r.State != Active {
				t.Errorf("preferred, but %s", r.State)
			}
		}
	}
	if active > MaxActive || waiting > maxPending || withheld > maxWithheld || active > 0 && preferred != 1 || active == 0 && preferred != 0 {
		t.Errorf("%d active, %d preferred, %d pending, %d withheld", active, preferred, waiting, withheld)
	}
}

func TestAge(t *testing.T) {
	contested := func(r *Record) { r.Contested = true }
	for _, tc := range []struct {
		name      string
		records   []Record
		changed   bool
		preferred string
		states    string
		events    int
	}{
		{name: "nothing", states: ""},
		{name: "all is well", records: []Record{kept("a")}, preferred: "a", states: "active"},
		{name: "at its end it is good", records: []Record{kept("a", until(0), func(r *Record) { r.Warned = 3 })}, preferred: "a", states: "active"},
		{name: "after it, expired", records: []Record{kept("a", until(-1))}, changed: true, states: "expired", events: 1},
		{name: "an additional one takes over, the newest", records: []Record{kept("a", until(-1)), kept("b", beside, signed(3*time.Hour)), kept("c", beside, signed(2*time.Hour))}, changed: true, preferred: "c", states: "expired active active", events: 2},
		{name: "an expired additional one is no event", records: []Record{kept("a"), kept("b", beside, until(-1))}, changed: true, preferred: "a", states: "active expired"},
		{name: "superseded expires too", records: []Record{kept("a"), kept("b", state(Superseded), until(-1))}, changed: true, preferred: "a", states: "active expired"},
		{name: "revoked and blocked stay", records: []Record{kept("a", state(Revoked), until(-1)), kept("b", state(Barred), until(-1))}, states: "revoked blocked"},
		{name: "hold not over", records: []Record{kept("a", signed(2*time.Hour)), kept("b", waiting("a", 1))}, preferred: "a", states: "active pending"},
		{name: "hold over", records: []Record{kept("a", signed(2*time.Hour)), kept("b", waiting("a", 0))}, changed: true, preferred: "b", states: "superseded active", events: 1},
		{name: "hold over, contested", records: []Record{kept("a", signed(2*time.Hour)), kept("b", waiting("a", -days), contested)}, preferred: "a", states: "active pending"},
		{name: "hold over, overtaken", records: []Record{kept("a", signed(time.Minute)), kept("b", waiting("a", 0))}, changed: true, preferred: "a", states: "active active"},
		{name: "nothing stands against the pending one", records: []Record{kept("a", until(-1)), kept("b", waiting("a", days))}, changed: true, preferred: "b", states: "expired active", events: 2},
		{name: "an additional one stands against it", records: []Record{kept("a", until(-1)), kept("c", beside), kept("b", waiting("a", days))}, changed: true, preferred: "c", states: "expired active pending", events: 2},
		{name: "two pending, the newest wins", records: []Record{kept("a", signed(3*time.Hour)), kept("b", waiting("a", 0), signed(2*time.Hour)), kept("c", waiting("a", 0))}, changed: true, preferred: "c", states: "superseded active active", events: 1},
		{name: "expired while pending", records: []Record{kept("a"), kept("b", waiting("a", 0), until(-1))}, changed: true, preferred: "a", states: "active expired"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			aged, events, changed := Age(tc.records, noon())
			if changed != tc.changed || len(events) != tc.events {
				t.Errorf("changed %t, events %q; want %t, %d", changed, events, tc.changed, tc.events)
			}
			states := ""
			for i, r := range aged {
				if i > 0 {
					states += " "
				}
				states += string(r.State)
			}
			if states != tc.states {
				t.Errorf("states %q, want %q", states, tc.states)
			}
			h := History{Records: aged}
			if p := h.Preferred(); (p == nil) != (tc.preferred == "") || p != nil && p.Fingerprint != hash("cert "+tc.preferred) {
				t.Errorf("preferred %+v, want that of %q", p, tc.preferred)
			}
			invariants(t, aged)
			if _, _, again := Age(aged, noon()); again {
				t.Error("a second look changes something")
			}
		})
	}
}

func TestExpiryWarnings(t *testing.T) {
	records := []Record{kept("a", until(40*days))}
	var told []int
	for day := range 45 {
		aged, events, _ := Age(records, noon().Add(time.Duration(day)*days))
		records = aged
		if len(events) > 0 {
			told = append(told, 40-day)
		}
	}
	if !reflect.DeepEqual(told, []int{30, 14, 3, -1}) {
		t.Errorf("told %v days before", told)
	}
}

func FuzzRules(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3}, byte(0), byte(0), byte(0))
	f.Add([]byte{16, 16, 16, 16, 16, 16, 16}, byte(1), byte(9), byte(2))
	f.Add([]byte{33, 66, 99, 132, 165, 198, 231, 255}, byte(2), byte(200), byte(3))
	f.Add([]byte{64, 145, 177, 81, 20, 21}, byte(3), byte(1), byte(0x5b))
	f.Add([]byte{145, 209, 153, 241}, byte(0), byte(0), byte(0x38))
	f.Add([]byte("111111111"), byte('K'), byte(0x16), byte('=')) // one that gave way to others while it waited
	states := []State{Active, Waiting, Superseded, Expired, Revoked, Barred, Active, "odd"}
	f.Fuzz(func(t *testing.T, shape []byte, who, how, key byte) {
		if len(shape) > 200 {
			shape = shape[:200]
		}
		var past Past
		for i, s := range shape {
			r := kept(fmt.Sprint(i), state(states[s&7]), signed(time.Duration(s>>3&7)*time.Hour), until(time.Duration(int(s>>4)-2)*10*days))
			r.Preferred = s&64 != 0
			r.Key = hash(fmt.Sprint(s >> 5))
			if r.State == Waiting && s&32 != 0 {
				r.Until = noon().Add(time.Hour)
			}
			if (r.State == Waiting || r.State == Superseded || r.State == Expired) && s&16 != 0 { // not waiting any more: gave way, or expired meanwhile
				r.Withheld, r.Unchecked, r.Beside = noon().Add(time.Duration(int(s>>6)-1)*time.Hour), true, s&8 != 0
			}
			r.OnHold, r.HeldFrom, r.HeldFirst = r.State == Revoked && s&16 != 0, states[s>>5&3], s&128 != 0
			r.BlockedCA = r.State == Barred && s&16 != 0
			r.KeyChange, r.Replaced, r.ReplacedBy, r.Former = s&1 != 0, noon().Add(-days), hash("cert 1"), hash("key 2")
			past.Records = append(past.Records, r)
		}
		e, facts := incoming(fmt.Sprint(who%72), func(e *Entry, f *Facts) {
			e.SignedAt = noon().Add(-time.Duration(how&7) * time.Hour)
			e.Private = how&8 != 0
			if how&16 != 0 {
				e.Bound = "none"
			}
			e.Unchecked, e.Withhold = key&16 != 0, key&8 != 0
			f.Key = hash(fmt.Sprint(key & 7))
		})
		if how&32 != 0 {
			past.NewToday = 1000
		}
		rules := Rules{KeyChange: []string{"", "accept", "hold", "reject"}[how>>6], PublishUnchecked: time.Duration(key>>5) * time.Hour}
		began := time.Now()
		d := Decide(past, e, facts, rules, noon())
		if took := time.Since(began); took > 10*time.Second {
			t.Fatalf("took %v", took)
		}
		if d.Keeps == (d.Kind == Blocked || d.Kind == Repeated) || (d.Reason == "") == (d.Kind == Blocked) || d.Detail == "" || d.Row < 0 || d.Row > 8 {
			t.Fatalf("decision %+v", d.Change)
		}
		if d.Keeps {
			invariants(t, d.Records)
			if recordOf(&History{Records: d.Records}, facts.Fingerprint) == nil {
				t.Fatal("kept, but not there")
			}
			was, is := recordIn(past.Records, facts.Fingerprint), recordIn(d.Records, facts.Fingerprint)
			waited := was != nil && (was.State == Active || was.State == Waiting && !was.Withheld.IsZero() && !noon().Before(was.Withheld))
			if e.Withhold && e.Unchecked && rules.PublishUnchecked > 0 && is.State == Active && !waited {
				t.Fatalf("published before its CA answered: %+v", d.Change)
			}
			if was != nil && was.State == Waiting && is.State == Waiting && is.Withheld.After(was.Withheld) && !was.Withheld.IsZero() {
				t.Fatalf("put off from %v to %v: row %d %+v", was.Withheld, is.Withheld, d.Row, d.Change)
			}
		}
		for _, r := range d.Records {
			aged, _, _ := Age(d.Records, noon().Add(30*time.Minute))
			if is := recordIn(aged, r.Fingerprint); d.Keeps && r.State == Waiting && r.Withheld.After(noon().Add(30*time.Minute)) && is.State == Active {
				t.Fatalf("published too early: %+v", r)
			}
		}
		aged, _, _ := Age(d.Records, noon().Add(time.Duration(how)*days))
		if d.Keeps {
			invariants(t, aged)
		}
	})
}
