package store

import (
	"encoding/hex"
	"slices"
	"time"
)

// Rules are the operator's settings of the store. A zero field means its
// default, but for PublishUnchecked.
type Rules struct {
	KeyChange       string        // accept, hold or reject: overrides rows 7 and 8; "" leaves them as they are
	Hold            time.Duration // how long a pending key change waits, 72 h
	FreshFor        time.Duration // how long a message may be repeated: max_age and max_ahead together, 7 d 3 h
	NewPerDomainDay int           // new certificates per domain and day (UTC), 1000

	PublishUnchecked time.Duration // how long an Entry with Withhold waits for its CA, 24 h; 0: it does not
}

// DefaultRules are those of the specification.
func DefaultRules() Rules {
	return Rules{Hold: 72 * time.Hour, FreshFor: 7*24*time.Hour + 3*time.Hour, NewPerDomainDay: 1000, PublishUnchecked: 24 * time.Hour}
}

func (r Rules) withDefaults() Rules {
	d := DefaultRules()
	if r.Hold <= 0 {
		r.Hold = d.Hold
	}
	if r.FreshFor <= 0 {
		r.FreshFor = d.FreshFor
	}
	if r.NewPerDomainDay <= 0 {
		r.NewPerDomainDay = d.NewPerDomainDay
	}
	return r
}

// nearly is how long before its expiry a certificate may be replaced by one
// of another issuer at once, and for how long after a key change the former
// key may contest it.
const nearly = 30 * 24 * time.Hour

// A Past is all that the rules look at besides the acceptance.
type Past struct {
	Records    []Record
	Messages   []Message
	Blocked    string    // what of the acceptance is on the block list: certificate, key or address; "" nothing
	Suppressed bool      // the owner asked for deletion for good
	DeletedAt  time.Time // of an earlier deletion, zero without one
	NewToday   int       // certificates that became new for this domain today
}

// A Decision is what the rules make of an acceptance.
type Decision struct {
	Change
	Row     int      // of the table of rules that decided; 0: the bound of new certificates
	Records []Record // the certificates of the address from now on
	Keeps   bool     // Records differ from the past, the message is to be remembered
}

// Decide applies the ordered list of rules to one acceptance; the first that
// matches decides. It is total: whatever it is given, exactly one row decides.
// It changes nothing that it is given. Of the Records it returns, at most
// MaxActive are active and exactly one of these is preferred, if there is any.
func Decide(past Past, e Entry, facts Facts, rules Rules, now time.Time) Decision {
	rules = rules.withDefaults()
	c := &casefile{rules: rules, now: now.UTC(), e: e, facts: facts, records: cloneRecords(past.Records)}
	if why := barred(past, e, c.find(facts.Fingerprint)); why != "" { // row 1
		return refusal(1, ReasonBlocked, why, past)
	}
	if m := repeated(past.Messages, e, rules, now); m != nil { // row 2
		return Decision{Row: 2, Records: past.Records,
			Change: Change{Kind: Repeated, Detail: "the very same message was accepted before (" + string(m.Kind) + ")"}}
	}
	c.settle() // whatever the past looks like, reason from one preferred certificate
	same := c.find(facts.Fingerprint)
	revived := c.revive(same)
	former := c.incumbent()
	if same != nil && (former != nil || revived) { // row 3
		return c.seen(same)
	}
	if same == nil && past.NewToday >= rules.NewPerDomainDay {
		return refusal(0, ReasonRate, "too many new certificates of this domain today", past)
	}
	if c.crowded(same) {
		return refusal(0, ReasonRate, "too many certificates of this address wait for an answer of their CA", past)
	}
	if former == nil { // row 4
		return c.publish(4, Added, "first active certificate of this address")
	}
	if !e.SignedAt.After(newest(c.records)) { // row 5
		return c.beside("not signed later than what is kept")
	}
	if !bound(e.Bound) && bound(former.BestBound) {
		return c.beside("not bound to this collection, as the preferred certificate is")
	}
	if facts.Key == former.Key { // row 6
		if facts.NotAfter.After(former.NotAfter) {
			return c.publish(6, Renewed, "same key, valid for longer")
		}
		return c.beside("same key, not valid for longer than the preferred certificate")
	}
	row, why := c.keyChange(former) // rows 7 and 8
	if heir := c.unexplained(); row == 7 && heir != nil {
		row, why, former = 8, "not explained by a certificate that waits for its CA", heir
	}
	switch rules.KeyChange {
	case "accept":
		return c.publish(row, Changed, "another key ("+why+"), accepted as configured")
	case "reject":
		return refusal(row, ReasonBlocked, "another key is kept for this address; key changes are refused as configured", past)
	case "hold":
		return c.hold(row, former, "another key ("+why+"), held as configured")
	}
	if row == 7 {
		return c.publish(row, Changed, "another key: "+why)
	}
	return c.hold(row, former, "another key: "+why)
}

func refusal(row int, reason, detail string, past Past) Decision {
	return Decision{Row: row, Records: past.Records, Change: Change{Kind: Blocked, Reason: reason, Detail: detail}}
}

// barred is row 1. A certificate that stands as revoked or blocked stays so
// until that is taken back: a new mail does not revive it. Only what its CA had
// suspended or what was blocked for a CA above it comes back with a mail: that
// was judged by what the CAs say and what is blocked now.
func barred(past Past, e Entry, same *Record) string {
	switch {
	case past.Blocked != "":
		return past.Blocked + " is on the block list"
	case past.Suppressed:
		return "the address was deleted for good"
	case !past.DeletedAt.IsZero() && !e.SignedAt.After(past.DeletedAt):
		return "signed before the address was deleted"
	case same != nil && same.State == Revoked && !(same.OnHold && !e.Unchecked):
		return "the certificate is recorded as revoked"
	case same != nil && same.State == Barred && !(same.BlockedCA && !withholds(e)):
		return "the certificate is recorded as blocked"
	}
	return ""
}

// repeated is row 2.
func repeated(messages []Message, e Entry, rules Rules, now time.Time) *Message {
	id := hex.EncodeToString(e.Identity[:])
	for i := range messages {
		if m := &messages[i]; m.Identity == id && now.Sub(m.At) <= rules.FreshFor {
			return m
		}
	}
	return nil
}

// newest returns the latest signing time of all that is remembered: also of
// what was superseded since, or a replayed mail could roll back.
func newest(records []Record) time.Time {
	var t time.Time
	for _, r := range records {
		if r.SignedAt.After(t) {
			t = r.SignedAt
		}
	}
	return t
}

// keyChange tells row 7 from row 8. A key that was itself replaced a short
// while ago does not come back by row 7: that would be flapping, which the
// operator decides.
func (c *casefile) keyChange(former *Record) (row int, why string) {
	switch {
	case c.replacedOf(c.facts.Key) != nil:
		return 8, "a key that was replaced within 30 days"
	case c.now.After(former.NotAfter):
		return 7, "the former certificate has expired"
	case !former.NotAfter.After(c.now.Add(nearly)):
		return 7, "the former certificate expires within 30 days"
	case c.e.Private != former.Private:
		return 8, "from a public CA to a private one or back"
	case c.facts.IssuerOrganisation != "" && c.facts.IssuerOrganisation == former.IssuerOrganisation:
		return 7, "same issuer organisation"
	}
	return 8, "another issuer"
}

func cloneRecords(records []Record) []Record {
	out := slices.Clone(records)
	for i := range out {
		out[i].Journal = slices.Clone(out[i].Journal)
	}
	return out
}
