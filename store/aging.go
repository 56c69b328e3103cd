package store

import (
	"fmt"
	"time"
)

// Age applies the passing of time to the certificates of an address: what has
// expired is no longer active, a key change that waited out its hold without
// being contested becomes preferred, what waited long enough for its CA is
// published, an additional certificate takes the place of a preferred one that
// expired. It returns the records as they become, what the operator should hear,
// and whether anything changed. Like Decide it is pure and changes nothing that
// it is given.
func Age(records []Record, now time.Time) (aged []Record, events []string, changed bool) {
	c := &casefile{now: now.UTC(), records: cloneRecords(records)}
	lost := ""
	for i := range c.records {
		r := &c.records[i]
		if c.now.After(r.NotAfter) && (r.State == Active || r.State == Waiting || r.State == Superseded) {
			if r.Preferred {
				lost = r.Fingerprint
			}
			r.State, r.Preferred, changed = Expired, false, true
			r.note(c.now, "expired", "")
		}
	}
	if lost != "" {
		c.event("the preferred certificate has expired: " + lost)
	}
	changed = c.mature() || changed
	before := len(c.events)
	c.settle()
	changed = changed || len(c.events) > before
	changed = c.warn() || changed
	if !changed {
		return records, nil, false
	}
	return c.records, c.events, true
}

// anyActive returns the preferred certificate, else the best active one.
func (c *casefile) anyActive() *Record {
	var best *Record
	for i := range c.records {
		if r := &c.records[i]; r.State == Active && (best == nil || byRank(r, best) < 0) {
			best = r
		}
	}
	return best
}

// warn tells once each that the published certificate expires within 30, 14
// and 3 days.
func (c *casefile) warn() bool {
	r := c.preferred()
	if r == nil {
		return false
	}
	level := 0
	for _, days := range []int{30, 14, 3} {
		if !r.NotAfter.After(c.now.AddDate(0, 0, days)) {
			level = days
		}
	}
	if level == 0 || r.Warned != 0 && r.Warned <= level {
		return false
	}
	r.Warned = level
	c.event(fmt.Sprintf("the certificate expires within %d days, at %s", level, r.NotAfter.Format(time.RFC3339)))
	return true
}
