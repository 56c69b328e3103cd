package store

import (
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

// seen is row 3: the certificate keeps its place, whatever that is. Only what
// waited for its CA no longer does once a mail of it is no longer withheld.
func (c *casefile) seen(same *Record) Decision {
	c.refresh(same)
	same.note(c.now, "seen", c.e.Reference)
	c.contest()
	if same.State == Waiting && !withholds(c.e) && !same.Withheld.IsZero() {
		same.Withheld = time.Time{}
		if why := "its CA answered"; c.ripe(same) {
			if c.e.Unchecked {
				why = "no CA is waited for any more"
			}
			c.release(same, why)
		}
	}
	return c.decided(3, Seen, "the same certificate is kept already ("+string(same.State)+")")
}

// publish makes the certificate the preferred one: rows 4, 6 and 7. At once,
// unless its CA may still say that it must not be used.
func (c *casefile) publish(row int, kind Kind, detail string) Decision {
	if until := c.deadline(); c.now.Before(until) {
		return c.withhold(row, kind, detail, until)
	}
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

// beside is row 5: active, but not the one to encrypt to. As long as the one
// to encrypt to waits for its CA, or this one for its own, it waits too: else it
// would be published for want of another.
func (c *casefile) beside(detail string) Decision {
	if until := c.deadline(); c.now.Before(until) {
		return c.withhold(5, Additional, detail, until)
	}
	c.contest()
	r := c.take()
	r.State = Active
	if c.preferred() == nil {
		r.State, r.Beside = Waiting, true
		detail += "; it waits, as the one to encrypt to waits for its CA"
	}
	r.note(c.now, string(Additional)+": "+detail, c.e.Reference)
	return c.decided(5, Additional, detail)
}

// hold makes a key change wait, whose place former has: row 8. It waits for its
// CA besides, if that has not answered.
func (c *casefile) hold(row int, former *Record, detail string) Decision {
	c.contest()
	key, until := former.Key, c.deadline()
	flapping := c.replacedOf(c.facts.Key) != nil
	r := c.take()
	r.State, r.Former, r.Until = Waiting, key, c.now.Add(c.rules.Hold)
	if c.now.Before(until) {
		r.Withheld = until
		detail += "; its CA has not answered"
	}
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
			Private: c.e.Private, Unchecked: true, Via: words(c.e.Via), Reference: words(c.e.Reference),
			Since: c.now, FirstSigned: c.e.SignedAt.UTC(),
		})
		r = &c.records[len(c.records)-1]
	}
	r.Contested, r.Was, r.Until, r.Former = false, "", time.Time{}, ""
	r.Withheld, r.Beside = time.Time{}, false
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
	r.Untrusted = false
	if !c.e.Unchecked && !c.e.At.Before(r.Asked) {
		r.stands(c.e.At.UTC(), c.e.AskAgain.UTC())
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
