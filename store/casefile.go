package store

import (
	"cmp"
	"slices"
	"time"
)

// A casefile is one acceptance under decision and the records as they become.
type casefile struct {
	rules   Rules
	now     time.Time
	e       Entry
	facts   Facts
	records []Record
	events  []string
}

func (c *casefile) find(fingerprint string) *Record {
	for i := range c.records {
		if c.records[i].Fingerprint == fingerprint {
			return &c.records[i]
		}
	}
	return nil
}

func (c *casefile) preferred() *Record {
	for i := range c.records {
		if r := &c.records[i]; r.Preferred && r.State == Active {
			return r
		}
	}
	return nil
}

func (c *casefile) event(text string) { c.events = append(c.events, text) }

// seen is row 3: the certificate keeps its place, whatever that is.
func (c *casefile) seen(same *Record) Decision {
	c.refresh(same)
	same.note(c.now, "seen", c.e.Reference)
	c.contest()
	return c.decided(3, Seen, "the same certificate is kept already ("+string(same.State)+")")
}

// publish makes the certificate the preferred one at once: rows 4, 6 and 7.
func (c *casefile) publish(row int, kind Kind, detail string) Decision {
	c.contest()
	if former := c.preferred(); former != nil {
		c.supersede(former, c.facts.Fingerprint, former.Key != c.facts.Key, "replaced")
	}
	r := c.take()
	r.State, r.Preferred = Active, true
	r.note(c.now, string(kind)+": "+detail, c.e.Reference)
	if kind == Changed {
		c.event("key changed: " + detail)
	}
	if kind == Added && !bound(c.e.Bound) {
		detail += "; unbound"
	}
	return c.decided(row, kind, detail)
}

// beside is row 5: active, but not the one to encrypt to.
func (c *casefile) beside(detail string) Decision {
	c.contest()
	r := c.take()
	r.State = Active
	r.note(c.now, string(Additional)+": "+detail, c.e.Reference)
	return c.decided(5, Additional, detail)
}

// hold makes a key change wait: row 8.
func (c *casefile) hold(row int, detail string) Decision {
	c.contest()
	former := c.preferred().Key
	flapping := c.replacedOf(c.facts.Key) != nil
	r := c.take()
	r.State, r.Former, r.Until = Waiting, former, c.now.Add(c.rules.Hold)
	r.note(c.now, string(Pending)+": "+detail, c.e.Reference)
	c.event("key change pending until " + r.Until.Format(time.RFC3339) + ": " + detail)
	if flapping {
		r.Contested = true
		r.note(c.now, "contested", c.e.Reference)
		c.event("key change contested: the key was replaced within 30 days; the operator decides")
	}
	return c.decided(row, Pending, detail)
}

// take returns the certificate's record, a new one if there is none. The
// pointer holds until the next record is taken.
func (c *casefile) take() *Record {
	r := c.find(c.facts.Fingerprint)
	if r == nil {
		c.records = append(c.records, Record{
			Facts: c.facts, Spelling: words(c.e.Spelling), Bound: c.e.Bound, Chosen: c.e.Chosen,
			Capabilities: slices.Clone(c.e.Capabilities), AnchorSource: words(c.e.AnchorSource),
			Private: c.e.Private, Unchecked: c.e.Unchecked, Via: words(c.e.Via), Reference: words(c.e.Reference),
			Since: c.now, FirstSigned: c.e.SignedAt.UTC(),
		})
		r = &c.records[len(c.records)-1]
	}
	r.Contested, r.Was, r.Until, r.Former = false, "", time.Time{}, ""
	r.Replaced, r.ReplacedBy, r.KeyChange = time.Time{}, "", false
	c.refresh(r)
	return r
}

// refresh records the newest mail under a certificate.
func (c *casefile) refresh(r *Record) {
	r.Seen = c.now
	if c.e.SignedAt.After(r.SignedAt) {
		r.SignedAt = c.e.SignedAt.UTC()
	}
	if r.BestBound == "" || bindingRank(c.e.Bound) > bindingRank(r.BestBound) {
		r.BestBound = c.e.Bound
	}
}

func (c *casefile) decided(row int, kind Kind, detail string) Decision {
	c.settle()
	if kind == Additional {
		if r := c.find(c.facts.Fingerprint); r != nil && r.State == Superseded {
			detail += "; superseded, since newer ones fill the address"
		}
	}
	c.forget()
	return Decision{Row: row, Records: c.records, Keeps: true,
		Change: Change{Kind: kind, Detail: detail, Events: c.events}}
}

func (c *casefile) supersede(r *Record, by string, keyChange bool, why string) {
	r.State, r.Preferred = Superseded, false
	r.Replaced, r.ReplacedBy, r.KeyChange = c.now, by, keyChange
	r.note(c.now, "superseded: "+why, "")
}

// replacedOf returns the certificate with this key whose place another key
// took within the last 30 days.
func (c *casefile) replacedOf(key string) *Record {
	for i := range c.records {
		r := &c.records[i]
		if r.State == Superseded && r.KeyChange && r.Key == key && c.now.Sub(r.Replaced) <= nearly {
			return r
		}
	}
	return nil
}

// contest lets a fresh mail by a former key speak against the key change that
// is to replace it or has replaced it within 30 days. Fresh means signed
// after the mail that began the change: a late one is no objection.
func (c *casefile) contest() {
	for i := range c.records {
		if r := &c.records[i]; r.State == Waiting && r.Former == c.facts.Key && r.Key != c.facts.Key {
			c.object(r, r.FirstSigned)
		}
	}
	s := c.replacedOf(c.facts.Key)
	if s == nil {
		return
	}
	// The replacing certificate may have been renewed since: its key counts.
	by, now := c.find(s.ReplacedBy), c.preferred()
	if by != nil && now != nil && by.Key == now.Key && now.Key != c.facts.Key {
		c.object(now, by.FirstSigned)
	}
}

func (c *casefile) object(r *Record, since time.Time) {
	if r.Contested || !c.e.SignedAt.After(since) {
		return
	}
	r.Contested = true
	r.note(c.now, "contested: fresh mail by the former key", c.e.Reference)
	c.event("key change contested: fresh mail by the former key arrived; the operator decides")
}

// settle restores what always holds: only active certificates are preferred,
// exactly one of them is, at most MaxActive are active, few are pending.
func (c *casefile) settle() {
	var active, waiting []*Record
	for i := range c.records {
		switch r := &c.records[i]; r.State {
		case Active:
			active = append(active, r)
		case Waiting:
			r.Preferred = false
			waiting = append(waiting, r)
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
	for i, r := range waiting {
		if i >= maxPending {
			c.supersede(r, "", false, "the oldest of too many pending")
		}
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
