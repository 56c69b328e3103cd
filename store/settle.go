package store

import (
	"cmp"
	"slices"
)

// settle restores what always holds: only active certificates are preferred,
// exactly one of them is, at most MaxActive are active, few are pending. Of key
// changes the newest wait on; of those that wait for a CA, which is not for long,
// those that came first: nobody's are pushed out by a crowd.
func (c *casefile) settle() {
	var active, waiting, withheld []*Record
	for i := range c.records {
		switch r := &c.records[i]; r.State {
		case Active:
			active = append(active, r)
		case Waiting:
			r.Preferred = false
			if r.Until.IsZero() {
				withheld = append(withheld, r)
			} else {
				waiting = append(waiting, r)
			}
		default:
			r.Preferred = false
		}
	}
	slices.SortStableFunc(active, byRank)
	for i, r := range active {
		switch {
		case i == 0 && !r.Preferred:
			r.Preferred = true
			r.note(c.now, "preferred", "")
			c.event("an additional certificate became preferred: none was left that is active")
		case i > 0:
			r.Preferred = false
		}
		if i >= MaxActive {
			c.supersede(r, "", false, "the oldest of too many")
		}
	}
	slices.SortStableFunc(waiting, byRank)
	for _, r := range waiting[min(maxPending, len(waiting)):] {
		c.supersede(r, "", false, "the oldest of too many pending")
		c.event("key change dropped, the oldest of too many pending: " + r.Fingerprint)
	}
	slices.SortStableFunc(withheld, byArrival)
	for _, r := range withheld[min(maxWithheld, len(withheld)):] {
		c.supersede(r, "", false, "the latest of too many that wait for a CA")
		c.event("dropped, the latest of too many that wait for a CA: " + r.Fingerprint)
	}
}

// byRank puts the preferred first, then the newest signed.
func byRank(a, b *Record) int {
	if a.Preferred != b.Preferred {
		if a.Preferred {
			return -1
		}
		return 1
	}
	return cmp.Or(b.SignedAt.Compare(a.SignedAt), b.Since.Compare(a.Since), cmp.Compare(a.Fingerprint, b.Fingerprint))
}

// byArrival puts those first that came first; what leads to no anchor last.
func byArrival(a, b *Record) int {
	if a.Untrusted != b.Untrusted {
		if b.Untrusted {
			return -1
		}
		return 1
	}
	return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Fingerprint, b.Fingerprint))
}

// forget drops the records longest out of use beyond maxRecords, those that
// speak against a certificate last.
func (c *casefile) forget() {
	for len(c.records) > maxRecords {
		worst := -1
		for i := range c.records {
			r := &c.records[i]
			if r.State == Active || r.State == Waiting || r.Fingerprint == c.facts.Fingerprint {
				continue
			}
			if worst < 0 || lessWorth(r, &c.records[worst]) {
				worst = i
			}
		}
		if worst < 0 {
			return
		}
		c.records = slices.Delete(c.records, worst, worst+1)
	}
}

func lessWorth(a, b *Record) bool {
	against := func(r *Record) bool { return r.State == Revoked || r.State == Barred }
	if against(a) != against(b) {
		return !against(a)
	}
	return a.Seen.Before(b.Seen)
}
