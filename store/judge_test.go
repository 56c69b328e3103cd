package store

import (
	"fmt"
	"reflect"
	"testing"
	"time"
)

func answer(status string, edit ...func(*Standing)) Standing {
	s := Standing{Status: status, Detail: "the list of its CA"}
	for _, e := range edit {
		e(&s)
	}
	return s
}

// suspended is a record that its CA put on hold.
func suspended(from State, preferred bool) func(*Record) {
	return func(r *Record) {
		r.State, r.Preferred, r.OnHold, r.HeldFrom, r.HeldFirst = Revoked, false, true, from, preferred
	}
}

func caBlocked(was State) func(*Record) {
	return func(r *Record) { r.State, r.Preferred, r.Was, r.BlockedCA = Barred, false, was, true }
}

func kinds(events []Event) []string {
	var out []string
	for _, e := range events {
		out = append(out, e.Kind)
	}
	return out
}

func TestJudge(t *testing.T) {
	good, revoked, onHold, silence := answer(StatusGood), answer(StatusRevoked), answer(StatusHold), answer(StatusUnknown)
	older := signed(2 * time.Hour)
	mine := blockList{entries: map[string]bool{BlockKey + " " + hash("key a"): true}}
	for _, tc := range []struct {
		name    string
		records []Record // the answer is about a
		s       Standing
		list    blockList
		states  string
		events  []string
		counts  Rechecked
	}{
		{"good", []Record{kept("a")}, good, blockList{}, "a:active* b:-", nil, Rechecked{Good: 1}},
		{"good, withheld", []Record{kept("a", withheld(days))}, good, blockList{}, "a:active* b:-", []string{EventChecked}, Rechecked{Good: 1, Published: 1}},
		{"good, withheld, takes its place", []Record{kept("b", older), kept("a", withheld(days))}, good, blockList{}, "a:active* b:superseded", []string{EventChecked, ""}, Rechecked{Good: 1, Published: 1}},
		{"good, but the hold goes on", []Record{kept("b", older), kept("a", withheld(days), waiting("b", 1))}, good, blockList{}, "a:pending b:active*", nil, Rechecked{Good: 1}},
		{"good, but blocked", []Record{kept("a", state(Barred))}, good, mine, "a:blocked b:-", nil, Rechecked{Good: 1}},
		{"revoked", []Record{kept("a")}, revoked, blockList{}, "a:revoked b:-", []string{EventRevoked}, Rechecked{Revoked: 1}},
		{"revoked, another takes over", []Record{kept("a"), kept("b", beside)}, revoked, blockList{}, "a:revoked b:active*", []string{EventRevoked, ""}, Rechecked{Revoked: 1}},
		{"revoked, what was held against it need not wait", []Record{kept("a"), kept("b", waiting("a", days))}, revoked, blockList{}, "a:revoked b:active*", []string{EventRevoked, ""}, Rechecked{Revoked: 1, Published: 1}},
		{"revoked while it waits", []Record{kept("b"), kept("a", withheld(days))}, revoked, blockList{}, "a:revoked b:active*", []string{EventRevoked}, Rechecked{Revoked: 1}},
		{"revoked while blocked", []Record{kept("a", state(Barred))}, revoked, mine, "a:revoked b:-", []string{EventRevoked}, Rechecked{Revoked: 1}},
		{"revoked while suspended", []Record{kept("a", suspended(Active, true))}, revoked, blockList{}, "a:revoked b:-", []string{EventRevoked}, Rechecked{Revoked: 1}},
		{"revoked for good", []Record{kept("a", state(Revoked))}, good, blockList{}, "a:revoked b:-", nil, Rechecked{}},
		{"hold", []Record{kept("a"), kept("b", beside)}, onHold, blockList{}, "a:revoked b:active*", []string{EventHold, ""}, Rechecked{Held: 1}},
		{"hold again", []Record{kept("a", suspended(Active, true))}, onHold, blockList{}, "a:revoked b:-", nil, Rechecked{}},
		{"hold over", []Record{kept("a", suspended(Active, true))}, good, blockList{}, "a:active* b:-", []string{EventReinstated}, Rechecked{Good: 1, Reinstated: 1}},
		{"hold over, an older one stood in", []Record{kept("b", older), kept("a", suspended(Active, true))}, good, blockList{}, "a:active* b:active", []string{EventReinstated}, Rechecked{Good: 1, Reinstated: 1}},
		{"hold over, another took its place", []Record{kept("b", signed(time.Minute)), kept("a", suspended(Active, true))}, good, blockList{}, "a:superseded b:active*", []string{EventReinstated}, Rechecked{Good: 1, Reinstated: 1}},
		{"hold over, it was beside", []Record{kept("b", older), kept("a", suspended(Active, false))}, good, blockList{}, "a:active b:active*", []string{EventReinstated}, Rechecked{Good: 1, Reinstated: 1}},
		{"hold over, it was superseded", []Record{kept("b"), kept("a", suspended(Superseded, false))}, good, blockList{}, "a:superseded b:active*", []string{EventReinstated}, Rechecked{Good: 1, Reinstated: 1}},
		{"hold over, its key is blocked", []Record{kept("a", suspended(Active, true))}, good, mine, "a:blocked b:-", nil, Rechecked{Good: 1}},
		{"hold goes on in silence", []Record{kept("a", suspended(Active, true))}, silence, blockList{}, "a:revoked b:-", nil, Rechecked{Unanswered: 1}},
		{"hold goes on if nobody can be asked", []Record{kept("a", suspended(Active, true))}, answer(StatusNone), blockList{}, "a:revoked b:-", nil, Rechecked{Unanswered: 1}},
		{"silence", []Record{kept("a")}, silence, blockList{}, "a:active* b:-", nil, Rechecked{Unanswered: 1}},
		{"silence, withheld", []Record{kept("a", withheld(days))}, silence, blockList{}, "a:pending b:-", nil, Rechecked{Unanswered: 1}},
		{"an unknown word", []Record{kept("a", withheld(days))}, answer("fine"), blockList{}, "a:pending b:-", nil, Rechecked{}},
		{"untrusted", []Record{kept("a")}, answer(StatusUntrusted), blockList{}, "a:active* b:-", []string{EventUntrusted}, Rechecked{Untrusted: 1}},
		{"untrusted as before", []Record{kept("a", func(r *Record) { r.Untrusted = true })}, answer(StatusUntrusted), blockList{}, "a:active* b:-", nil, Rechecked{}},
		{"a CA is blocked", []Record{kept("a"), kept("b", beside)}, answer(StatusBlocked), blockList{}, "a:blocked b:active*", []string{EventBlocked, ""}, Rechecked{Blocked: 1}},
		{"a CA is still blocked", []Record{kept("a", caBlocked(Active))}, answer(StatusBlocked), blockList{}, "a:blocked b:-", nil, Rechecked{}},
		{"a CA is still blocked, perhaps", []Record{kept("a", caBlocked(Active))}, silence, blockList{}, "a:blocked b:-", nil, Rechecked{Unanswered: 1}},
		{"the block of a CA is lifted", []Record{kept("a", caBlocked(Active))}, good, blockList{}, "a:active* b:-", []string{EventReinstated}, Rechecked{Good: 1, Reinstated: 1}},
		{"it is, and nobody can be asked", []Record{kept("a", caBlocked(Active))}, answer(StatusNone), blockList{}, "a:active* b:-", []string{EventReinstated}, Rechecked{Unanswered: 1, Reinstated: 1}},
		{"it is, the key is blocked too", []Record{kept("a", caBlocked(Active))}, good, mine, "a:blocked b:-", nil, Rechecked{Good: 1}},
		{"it is, and it was suspended", []Record{kept("a", suspended(Active, true), func(r *Record) { r.BlockedCA = true })}, good, blockList{}, "a:active* b:-", []string{EventReinstated}, Rechecked{Good: 1, Reinstated: 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			about := recordIn(tc.records, hash("cert a"))
			copied := cloneRecords(tc.records)
			j := judge(tc.records, about, tc.s, tc.list, "alice@example.com", noon())
			if !reflect.DeepEqual(copied, cloneRecords(tc.records)) {
				t.Error("the past was changed")
			}
			if got := states(j.records, "a", "b"); got != tc.states || !reflect.DeepEqual(kinds(j.events), tc.events) || j.counts != tc.counts {
				t.Errorf("%s, events %v, %+v; want %s, %q, %+v", got, j.events, j.counts, tc.states, tc.events, tc.counts)
			}
			invariants(t, j.records)
			for i := range j.records {
				if err := j.records[i].check(); err != nil {
					t.Errorf("would not be read again: %v", err)
				}
			}
			r := recordIn(j.records, about.Fingerprint)
			if tc.s.Status == StatusGood && j.applied && (r.Unchecked || !r.Checked.Equal(noon()) || r.CheckedSince.IsZero()) {
				t.Errorf("good, yet %+v", r)
			}
			if j.applied && !r.Asked.Equal(noon()) {
				t.Error("asked, but not remembered")
			}
			if again := judge(j.records, r, tc.s, tc.list, "alice@example.com", noon()); states(again.records, "a", "b") != tc.states || again.counts.Published != 0 {
				t.Errorf("the same answer again: %s, %+v", states(again.records, "a", "b"), again.counts)
			}
		})
	}
}

// TestAnswersThatCrossed: what is in favour and comes late is dropped.
func TestAnswersThatCrossed(t *testing.T) {
	before := kept("a")
	held := judge([]Record{before}, &before, answer(StatusHold), blockList{}, "", noon())
	for _, late := range []string{StatusGood, StatusUnknown, StatusNone, StatusUntrusted} {
		if j := judge(held.records, &before, answer(late), blockList{}, "", noon()); j.applied || states(j.records, "a") != "a:revoked" {
			t.Errorf("%s: %s", late, states(j.records, "a"))
		}
	}
	if j := judge(held.records, &before, answer(StatusRevoked), blockList{}, "", noon()); j.records[0].OnHold {
		t.Error("revoked, but only suspended")
	}
}

func TestRevokedByMailIsOver(t *testing.T) {
	e, f := incoming("a")
	for name, tc := range map[string]struct {
		record    Record
		unchecked bool
		withhold  bool
		kind      Kind
	}{
		"suspended, good":           {kept("a", suspended(Active, true)), false, false, Seen},
		"suspended, unchecked":      {kept("a", suspended(Active, true)), true, false, Blocked},
		"suspended, withheld":       {kept("a", suspended(Active, true)), true, true, Blocked},
		"revoked, good":             {kept("a", state(Revoked)), false, false, Blocked},
		"a blocked CA, good":        {kept("a", caBlocked(Active)), false, false, Seen},
		"a blocked CA, withheld":    {kept("a", caBlocked(Active)), true, true, Blocked},
		"a blocked CA, unchecked":   {kept("a", caBlocked(Active)), true, false, Seen},
		"blocked by name, good":     {kept("a", state(Barred)), false, false, Blocked},
		"suspended while it waited": {kept("a", withheld(days), suspended(Waiting, false)), false, false, Seen},
	} {
		e.Unchecked, e.Withhold = tc.unchecked, tc.withhold
		d := Decide(Past{Records: []Record{tc.record}}, e, f, Rules{PublishUnchecked: days}, noon())
		if d.Kind != tc.kind || (d.Kind == Seen) != (states(d.Records, "a") == "a:active*") || (d.Kind == Seen) != (len(d.Events) == 1) {
			t.Errorf("%s: %s, %s, %q", name, d.Kind, states(d.Records, "a"), d.Events)
		}
	}
}

func TestDue(t *testing.T) {
	for _, tc := range []struct {
		name string
		edit func(*Record)
		due  bool
	}{
		{"never asked", func(r *Record) { r.Asked = time.Time{} }, true},
		{"asked an hour ago", nil, false},
		{"20 hours ago", func(r *Record) { r.Asked = noon().Add(-20 * time.Hour) }, false},
		{"a day ago", func(r *Record) { r.Asked = noon().Add(-days) }, true},
		{"a day ago, the answer still good", func(r *Record) { r.Asked, r.AskAgain = noon().Add(-days), noon().Add(days) }, true},
		{"in the future", func(r *Record) { r.Asked = noon().Add(1) }, true},
		{"the answer ends", func(r *Record) { r.Asked, r.AskAgain = noon().Add(-9*time.Hour), noon().Add(-time.Hour) }, true},
		{"the answer has not ended", func(r *Record) { r.AskAgain = noon().Add(time.Minute) }, false},
		{"the answer ended before it came", func(r *Record) { r.AskAgain = r.Asked.Add(-time.Hour) }, true},
		{"unchecked", func(r *Record) { r.Unchecked = true }, true},
		{"unchecked, as there is nobody to ask", func(r *Record) { r.Unchecked, r.AskAgain = true, noon().Add(23*time.Hour) }, false},
		{"without an answer since", func(r *Record) { r.Checked = noon().Add(-days) }, true},
		{"on hold, until that answer ends", func(r *Record) { r.Checked, r.AskAgain = noon().Add(-days), noon().Add(days) }, false},
		{"expired", func(r *Record) { r.Asked, r.NotAfter = time.Time{}, noon().Add(-1) }, false},
		{"superseded", func(r *Record) { r.Asked, r.State = time.Time{}, Superseded }, true},
		{"revoked", func(r *Record) { r.Asked, r.State = time.Time{}, Revoked }, false},
		{"suspended", func(r *Record) { r.Asked, r.State, r.OnHold = time.Time{}, Revoked, true }, true},
		{"blocked", func(r *Record) { r.Asked, r.State = time.Time{}, Barred }, false},
		{"a CA is blocked", func(r *Record) { r.State, r.BlockedCA = Barred, true }, true},
	} {
		r := kept("a", func(r *Record) { r.Asked = noon().Add(-time.Hour) })
		if tc.edit != nil {
			tc.edit(&r)
		}
		if r.due(noon()) != tc.due {
			t.Errorf("%s: not so", tc.name)
		}
	}
	hours := map[int]int{}
	for i := range 3000 {
		r := kept(fmt.Sprint(i))
		hours[int(r.jitter(days)/(30*time.Minute))]++
	}
	for i := range 6 {
		if hours[i] < 400 || len(hours) != 6 {
			t.Fatalf("not spread over an eighth of the day: %v", hours)
		}
	}
}

func FuzzJudge(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3}, byte(0), byte(0), byte(0))
	f.Add([]byte{16, 80, 16, 16, 112, 16, 16}, byte(1), byte(9), byte(2))
	f.Add([]byte{33, 66, 99, 132, 165, 198, 231, 255}, byte(2), byte(200), byte(5))
	all := []State{Active, Waiting, Superseded, Expired, Revoked, Barred, Waiting, Active}
	words := []string{StatusGood, StatusRevoked, StatusHold, StatusUnknown, StatusNone, StatusUntrusted, StatusBlocked, ""}
	f.Fuzz(func(t *testing.T, shape []byte, who, how, status byte) {
		if len(shape) == 0 || len(shape) > maxRecords {
			return
		}
		var records []Record
		for i, s := range shape {
			r := kept(fmt.Sprint(i), state(all[s&7]), signed(time.Duration(s>>3&7)*time.Hour))
			r.Key = hash(fmt.Sprint(s >> 6))
			if r.State == Waiting && s&64 != 0 {
				r.Until = noon().Add(time.Duration(int(s>>3&3)-1) * time.Hour)
			}
			if r.State == Waiting && s&128 != 0 {
				r.Withheld, r.Unchecked = noon().Add(time.Duration(int(s>>3&3)-1)*time.Hour), true
			}
			if r.State == Revoked && s&64 != 0 {
				suspended(all[s>>3&3], s&32 != 0)(&r)
			}
			if r.State == Barred {
				r.Was, r.BlockedCA = all[s>>3&3], s&64 != 0
			}
			records = append(records, r)
		}
		c := &casefile{now: noon(), records: records}
		c.settle()
		records, _, _ = Age(c.records, noon())
		about := records[int(who)%len(records)]
		list := blockList{}
		if how&1 != 0 {
			list.entries = map[string]bool{BlockKey + " " + about.Key: true}
		}
		records, _ = enforce(records, "", list, noon())
		about = records[int(who)%len(records)]
		copied := cloneRecords(records)
		j := judge(records, &about, answer(words[status&7]), list, "", noon())
		if !reflect.DeepEqual(copied, cloneRecords(records)) {
			t.Fatal("the past was changed")
		}
		invariants(t, j.records)
		if len(j.records) != len(records) {
			t.Fatal("a record is gone")
		}
		for i := range j.records {
			r, w := &j.records[i], &records[i]
			if err := r.check(); err != nil {
				t.Fatal(err)
			}
			if r.Fingerprint != about.Fingerprint && (r.State == Revoked) != (w.State == Revoked) {
				t.Fatalf("the answer was about another: %s became %s", w.State, r.State)
			}
			if w.State == Revoked && !w.OnHold && r.State != Revoked || list.entries[BlockKey+" "+r.Key] && r.Preferred {
				t.Fatalf("%s became %s", w.State, r.State)
			}
		}
		r := recordIn(j.records, about.Fingerprint)
		if status := words[status&7]; status == StatusRevoked && (r.State != Revoked || r.OnHold) || status == StatusHold && r.State != Revoked || status == StatusBlocked && r.Preferred {
			t.Fatalf("%s, yet %s", status, r.State)
		}
	})
}
