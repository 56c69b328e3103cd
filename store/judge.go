package store

import "time"

// A judged is what an answer does to the certificates of an address.
type judged struct {
	records []Record
	events  []Event // without their address
	applied bool    // the answer counts
	states  bool    // more than times changed
	counts  Rechecked
}

// judge applies an answer to the certificates of an address. before is the
// record as it was when the CA was asked: an answer in favour of a certificate
// is dropped when another one came in meanwhile, one against it never is. It is
// pure and changes nothing that it is given.
func judge(records []Record, before *Record, s Standing, list blockList, address string, now time.Time) judged {
	c := &casefile{now: now.UTC(), records: cloneRecords(records)}
	j := judged{records: records}
	r := c.find(before.Fingerprint)
	if r == nil || r.State == Revoked && !r.OnHold {
		return j
	}
	against := s.Status == StatusRevoked || s.Status == StatusHold || s.Status == StatusBlocked
	if !against && (!r.Asked.Equal(before.Asked) || r.OnHold != before.OnHold || r.BlockedCA != before.BlockedCA) {
		return j
	}
	was := cloneRecords(c.records)
	r.Asked, r.AskAgain = c.now, s.AskAgain.UTC()
	if s.Status == StatusNone { // nobody can answer any sooner
		r.AskAgain = c.now.Add(recheckEvery)
	}
	tell := func(kind, text string) {
		j.events = append(j.events, Event{Kind: kind, Text: text + ": " + r.Fingerprint})
	}
	if kind, text := c.against(r, s); kind != "" {
		tell(kind, text)
	}
	back := c.favour(r, s, list.matches(r.Facts, address) != "")
	c.enforce(address, list)
	if back {
		c.events = nil // said here, with its kind
		if back = r.State != Barred; back {
			tell(EventReinstated, "reinstated as "+string(r.State))
		}
	}
	c.mature()
	c.settle()
	if recordIn(was, r.Fingerprint).State == Waiting && r.State == Active && s.Status == StatusGood {
		tell(EventChecked, "published, as its CA answered")
	}
	for _, text := range c.events {
		j.events = append(j.events, Event{Text: text})
	}
	j.records, j.applied, j.states = c.records, true, statesDiffer(was, c.records)
	if j.counts = count(was, c.records, r, s); back {
		j.counts.Reinstated = 1
	}
	return j
}

// against applies an answer that speaks against a certificate, and says what the
// operator should hear, "" if he did already.
func (c *casefile) against(r *Record, s Standing) (kind, text string) {
	detail := words(s.Detail)
	told := r.Untrusted
	r.Untrusted = s.Status == StatusUntrusted
	switch {
	case r.Untrusted && !told:
		kind, text = EventUntrusted, "its path leads to no anchor any more ("+detail+")"
		r.note(c.now, text, "")
	case s.Status == StatusBlocked && !r.BlockedCA:
		r.BlockedCA = true
		kind, text = EventBlocked, "a CA of its path is blocked ("+detail+")"
		r.note(c.now, text, "")
	case s.Status == StatusRevoked:
		c.revoke(r, s)
		kind, text = EventRevoked, "revoked by its CA ("+detail+")"
	case s.Status == StatusHold && !r.OnHold:
		c.suspend(r, s)
		kind, text = EventHold, "suspended by its CA ("+detail+")"
	}
	return kind, text
}

// favour applies an answer that lets a certificate stand, and says whether that
// brought it back. One that is barred by name too stays so. Where the path names
// nobody to ask, it is at least no longer blocked.
func (c *casefile) favour(r *Record, s Standing, listed bool) bool {
	if s.Status != StatusGood && s.Status != StatusNone {
		return false
	}
	good := s.Status == StatusGood
	if good {
		r.stands(c.now, s.AskAgain.UTC())
	}
	back := false
	if r.State == Barred && !listed || r.State == Revoked && good {
		back = c.revive(r)
	}
	r.BlockedCA = false
	if good && r.State == Waiting {
		r.Withheld = time.Time{}
	}
	return back
}

func recordIn(records []Record, fingerprint string) *Record {
	return recordOf(&History{Records: records}, fingerprint)
}

// revoke is the CA's last word.
func (c *casefile) revoke(r *Record, s Standing) {
	r.State, r.Preferred, r.Was, r.BlockedCA = Revoked, false, "", false
	r.OnHold, r.HeldFrom, r.HeldFirst = false, "", false
	// A key that has signed mail here was in the hands of whom the certificate names.
	// One that a signature merely named may be somebody else's, certified by a CA that
	// asked for no proof: revoking that must not block the other's.
	r.RevokedAt, r.RevokedWhy, r.BlockKey = s.Revoked.UTC(), words(s.Detail), s.KeyCompromise && r.Chosen == chosenSigner
	r.note(c.now, words("revoked "+since(r.RevokedAt)+": "+r.RevokedWhy), "")
}

// suspend takes a certificate out until its CA says otherwise.
func (c *casefile) suspend(r *Record, s Standing) {
	r.HeldFrom, r.HeldFirst = r.State, r.Preferred
	if r.State == Barred {
		r.HeldFrom = r.Was
	}
	if !r.HeldFrom.known() || r.HeldFrom == Revoked || r.HeldFrom == Barred {
		r.HeldFrom = Superseded
	}
	r.State, r.Preferred, r.Was, r.OnHold = Revoked, false, "", true
	r.RevokedAt, r.RevokedWhy = s.Revoked.UTC(), words(s.Detail)
	r.note(c.now, words("suspended "+since(r.RevokedAt)+": "+r.RevokedWhy), "")
}

func since(t time.Time) string {
	if t.IsZero() {
		return "at an unsaid time"
	}
	return "since " + stamp(t)
}

// revive brings back what was suspended by its CA, or blocked for a CA above it,
// and says whether it did. Who was the preferred one is so again, unless another
// was let in later and took its place.
func (c *casefile) revive(r *Record) bool {
	switch {
	case r == nil:
		return false
	case r.State == Revoked && r.OnHold:
		first := r.HeldFirst
		r.State, r.OnHold, r.HeldFrom, r.HeldFirst = r.HeldFrom, false, "", false
		r.RevokedAt, r.RevokedWhy, r.BlockedCA = time.Time{}, "", false
		r.note(c.now, "reinstated: its CA no longer suspends it", "")
		if first {
			c.resume(r)
		}
	case r.State == Barred && r.BlockedCA:
		others := c.anyActive() != nil
		r.State, r.Was, r.BlockedCA = r.Was, "", false
		if !r.State.known() || r.State == Barred || r.State == Revoked {
			r.State = Superseded
		}
		r.Preferred = r.State == Active && !others
		r.note(c.now, "no longer blocked: no CA of its path is", "")
	default:
		return false
	}
	c.event("reinstated as " + string(r.State) + ": " + r.Fingerprint)
	return true
}

// resume puts a certificate that was the preferred one into its place.
func (c *casefile) resume(r *Record) {
	other := c.preferred()
	switch {
	case other == nil:
		r.Preferred = true
	case other.FirstSigned.After(r.FirstSigned):
		c.supersede(r, other.Fingerprint, other.Key != r.Key, "another took its place meanwhile")
	default:
		other.Preferred, r.Preferred = false, true
		r.note(c.now, "preferred", "")
	}
}

// statesDiffer says whether more than the times of asking changed.
func statesDiffer(a, b []Record) bool {
	if len(a) != len(b) || shown(&History{Records: a}) != shown(&History{Records: b}) {
		return true
	}
	for i := range a {
		x, y := &a[i], &b[i]
		if x.Fingerprint != y.Fingerprint || x.State != y.State || x.Preferred != y.Preferred ||
			x.OnHold != y.OnHold || x.BlockedCA != y.BlockedCA || x.Untrusted != y.Untrusted || !x.Withheld.Equal(y.Withheld) {
			return true
		}
	}
	return false
}

// count says what an answer came to.
func count(was, is []Record, r *Record, s Standing) Rechecked {
	var n Rechecked
	w := recordIn(was, r.Fingerprint)
	switch {
	case s.Status == StatusGood:
		n.Good = 1
	case r.State == Revoked && !r.OnHold && (w.State != Revoked || w.OnHold):
		n.Revoked = 1
	case r.OnHold && !w.OnHold:
		n.Held = 1
	case r.BlockedCA && !w.BlockedCA:
		n.Blocked = 1
	case r.Untrusted && !w.Untrusted:
		n.Untrusted = 1
	case s.Status == StatusUnknown, s.Status == StatusNone:
		n.Unanswered = 1
	}
	n.Published = released(was, is)
	return n
}

// released counts the certificates that waited and are active now.
func released(was, is []Record) int {
	n := 0
	for i := range was {
		if r := recordIn(is, was[i].Fingerprint); was[i].State == Waiting && r != nil && r.State == Active {
			n++
		}
	}
	return n
}

// chosenSigner is the word of a Record whose certificate has signed the mail.
const chosenSigner = "signer"
