package store

import (
	"slices"
	"time"
)

// A certificate waits for up to two reasons that are independent of each other:
// Until is the end of a key change's hold (row 8), Withheld of the time that its
// CA has to answer. It is published when both are over. One without Until is not
// in doubt: rows 4 to 7 have decided, and that stands while it waits.

// withholds says whether an acceptance is one that a CA may still object to.
func withholds(e Entry) bool { return e.Withhold && e.Unchecked }

// deadline is when the certificate is published even without an answer, zero if
// it is not withheld. One that waits already keeps the deadline it has, also if it
// gave way to others only now, or before that deadline: mail that comes again never
// puts it off. A deadline that passed while it did not wait is none: its CA, asked
// about this mail and silent, has the full time.
func (c *casefile) deadline() time.Time {
	if !withholds(c.e) || c.rules.PublishUnchecked <= 0 {
		return time.Time{}
	}
	if r := c.find(c.facts.Fingerprint); r != nil && !r.Withheld.IsZero() {
		waits := r.State == Waiting || r.Replaced.Equal(c.now) // by settle, for this acceptance
		if waits || c.now.Before(r.Withheld) {
			return r.Withheld
		}
	}
	return c.now.Add(c.rules.PublishUnchecked)
}

// crowded says whether a certificate that is withheld finds no room to wait.
// It is then put off, as those that wait will not be there for long.
func (c *casefile) crowded(same *Record) bool {
	if !c.now.Before(c.deadline()) || same != nil && same.State == Waiting {
		return false
	}
	n := 0
	for i := range c.records {
		if r := &c.records[i]; r.State == Waiting && r.Until.IsZero() && !r.Untrusted {
			n++
		}
	}
	return n >= maxWithheld
}

// withhold keeps what rows 4 to 7 let in until its CA has answered.
func (c *casefile) withhold(row int, kind Kind, detail string, until time.Time) Decision {
	c.contest()
	former := ""
	if p := c.incumbent(); p != nil && kind == Changed {
		former = p.Key
	}
	r := c.take()
	r.State, r.Withheld, r.Former, r.Beside = Waiting, until, former, kind == Additional
	detail += "; published once its CA answered, at the latest at " + stamp(until)
	if kind == Additional {
		detail = "withheld: " + detail
	}
	r.note(c.now, string(kind)+": "+detail, c.e.Reference)
	if kind == Changed {
		c.event("key change pending until its CA answers, at the latest at " + stamp(until) + ": " + detail)
	}
	return c.decided(row, kind, detail)
}

// heir says whether a record is to be published and only waits for its CA.
func (r *Record) heir() bool {
	return r.State == Waiting && r.Until.IsZero() && !r.Beside && !r.Untrusted
}

// incumbent is the certificate that others are compared with: the preferred
// one, and without one the best of those that only wait for their CA. Else
// whoever comes while the first certificate of an address waits would be the
// first, and escape the hold of key changes.
func (c *casefile) incumbent() *Record {
	best := c.preferred()
	if best != nil {
		return best
	}
	for i := range c.records {
		if r := &c.records[i]; r.heir() && (best == nil || byRank(r, best) < 0) {
			best = r
		}
	}
	return best
}

// unexplained returns a certificate on its way to be published, with another
// key, that the incoming one may not replace by row 7; nil if there is none.
func (c *casefile) unexplained() *Record {
	for i := range c.records {
		r := &c.records[i]
		if !r.heir() || r.Key == c.facts.Key {
			continue
		}
		if row, _ := c.keyChange(r); row == 8 {
			return r
		}
	}
	return nil
}

// mature ends the wait of pending certificates.
func (c *casefile) mature() bool {
	var waiting []*Record
	for i := range c.records {
		if r := &c.records[i]; r.State == Waiting {
			waiting = append(waiting, r)
		}
	}
	slices.SortStableFunc(waiting, byRank)
	changed := false
	for _, besides := range []bool{false, true} { // who stands beside another comes after it
		for _, r := range waiting {
			if r.Beside == besides && c.ripe(r) {
				why := "the hold is over"
				if r.Until.IsZero() && r.Unchecked {
					why = "its CA did not answer in time"
				} else if r.Until.IsZero() {
					why = "its CA answered"
				}
				c.release(r, why)
				changed = true
			}
		}
	}
	return changed
}

// ripe says whether a pending certificate need not wait any longer. A key change
// that nothing stands against does not wait for its hold, but for its CA; a
// contested one waits for the operator.
func (c *casefile) ripe(r *Record) bool {
	if r.Untrusted || c.now.Before(r.Withheld) {
		return false
	}
	if r.Until.IsZero() {
		return !r.Beside || c.incumbent() == nil || c.anyActive() != nil
	}
	if r.Contested {
		return false
	}
	return !c.now.Before(r.Until) || c.anyActive() == nil && c.incumbent() == nil
}

// release makes a pending certificate active: preferred, unless newer mail has
// overtaken it. Of a held key change that is any mail by the former certificate.
// A withheld one was let in already: only a certificate that was let in later
// overtakes it, not a mail under the one whose place it takes.
func (c *casefile) release(r *Record, why string) {
	former := c.anyActive()
	late := former != nil && !r.SignedAt.After(former.SignedAt)
	if r.Until.IsZero() {
		late = former != nil && !r.FirstSigned.After(former.FirstSigned)
	}
	beside := r.Beside && former != nil
	r.State, r.Until, r.Former, r.Withheld, r.Beside = Active, time.Time{}, "", time.Time{}, false
	switch {
	case beside:
		r.note(c.now, "additional: "+why, "")
		return
	case late:
		r.note(c.now, "additional: "+why+", newer mail came meanwhile", "")
		return
	}
	keyChange := former != nil && former.Key != r.Key
	if former != nil {
		c.supersede(former, r.Fingerprint, keyChange, "replaced, "+why)
	}
	r.Preferred = true
	r.note(c.now, "preferred: "+why, "")
	switch {
	case keyChange || why == "the hold is over":
		c.event("key changed: the pending certificate became preferred: " + r.Fingerprint)
	case r.Unchecked:
		c.event("published although its CA did not answer in time: " + r.Fingerprint)
	}
}
