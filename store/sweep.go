package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// An Event is something that the operator should hear.
type Event struct {
	Address string
	Kind    string // of what Recheck tells, one of the constants below; "" for the rest
	Text    string
}

// The kinds of what Recheck tells.
const (
	EventRevoked    = "revoked"    // unpublished for good
	EventHold       = "hold"       // unpublished until its CA takes that back
	EventReinstated = "reinstated" // it did, or the block of a CA was lifted
	EventChecked    = "checked"    // published: its CA answered
	EventUntrusted  = "untrusted"  // its path leads to no anchor any more; it stays as it is
	EventBlocked    = "blocked"    // unpublished, as a CA of its path is blocked
)

// Sweep applies the passing of time to every address (see Age), finishes what
// a crash left, gives what is published to the group of readers, and removes
// counters and deletions that are no longer needed.
// It is meant for once a day and may run beside everything else. Events are
// told once each, after they have become durable. Trouble with one address
// does not keep it from the others; the first is returned.
func (d *Directory) Sweep(ctx context.Context, now time.Time, tell func(Event)) error {
	errs := &firstError{}
	errs.add(d.finishAll())
	errs.add(trouble("sweep", d.regrant(ctx)))
	err := eachName(d.path("entries"), func(name string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		errs.add(d.sweepOne(ctx, name, now, tell, nil))
		return nil
	})
	errs.add(trouble("sweep", err))
	errs.add(trouble("sweep", d.sweepQuota(now)))
	errs.add(trouble("sweep", d.sweepTombstones(now)))
	return errs.result()
}

// regrant gives what was published before Options.Group was set, or while it was
// another, to that group: nothing else would write these files again.
func (d *Directory) regrant(ctx context.Context) error {
	if d.o.Group <= 0 {
		return nil
	}
	return eachName(d.path("certs"), func(file string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		path := d.path("certs", file)
		fi, err := os.Lstat(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if st, ok := fi.Sys().(*syscall.Stat_t); !ok || !fi.Mode().IsRegular() || int(st.Gid) == d.o.Group {
			return nil
		}
		if err := os.Lchown(path, -1, d.o.Group); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	})
}

// sweepOne looks without the lock first: on most days nothing is to be done.
// counts, if there are any, get what was published.
func (d *Directory) sweepOne(ctx context.Context, name string, now time.Time, tell func(Event), counts *Rechecked) error {
	h, err := d.history(name)
	if err != nil {
		return trouble("sweep", err)
	}
	if _, _, changed := Age(h.Records, now); !changed {
		return nil
	}
	n := 0
	err = d.amend(ctx, name, tell, func(h *History) ([]string, error) {
		records, events, _ := Age(h.Records, now)
		n = released(h.Records, records)
		h.Records = records
		return events, nil
	})
	if err == nil && counts != nil {
		counts.Published += n
	}
	return err
}

// amend changes the history of an address under its lock and publishes what
// follows.
func (d *Directory) amend(ctx context.Context, name string, tell func(Event), change func(*History) ([]string, error)) error {
	var events []Event
	err := d.locked(ctx, name, func() error {
		h, err := d.history(name)
		if err != nil || len(h.Records) == 0 { // deleted meanwhile
			return trouble("amend", err)
		}
		texts, err := change(h)
		if err != nil {
			return err
		}
		for _, text := range texts {
			events = append(events, Event{Address: h.Address, Text: text})
		}
		return trouble("amend", d.writeAndPublish(name, h))
	})
	if err == nil && tell != nil {
		for _, e := range events {
			tell(e)
		}
	}
	return err
}

// writeAndPublish makes a changed history durable, and certs/ say what it says.
// A crash in between leaves the lock, so that the next to come finishes it.
func (d *Directory) writeAndPublish(name string, h *History) error {
	if err := d.syncLock(name); err != nil {
		return err
	}
	if err := d.writeHistory(name, h); err != nil {
		return err
	}
	if _, err := d.publish(name, h, "", true); err != nil {
		return fmt.Errorf("publish %s: %w", name, err)
	}
	return nil
}

// Prefer is the operator's word on a contested or pending key change, or on
// which of several certificates is published: the one with this fingerprint
// becomes the preferred one, the former is superseded.
func (d *Directory) Prefer(ctx context.Context, address, fingerprint string) error {
	name, err := key(address)
	if err != nil {
		return err
	}
	now := d.o.Now()
	found := false
	err = d.amend(ctx, name, nil, func(h *History) ([]string, error) {
		c := &casefile{now: now.UTC(), records: cloneRecords(h.Records)}
		r := c.find(fingerprint)
		if r == nil {
			return nil, nil
		}
		found = true
		if r.State == Barred || r.State == Revoked || r.State == Expired {
			return nil, fmt.Errorf("store: %s is %s: it cannot be published", fingerprint, r.State)
		}
		if former := c.preferred(); former != nil && former != r {
			c.supersede(former, fingerprint, former.Key != r.Key, "replaced by the operator")
		}
		r.State, r.Preferred, r.Contested, r.Until, r.Former = Active, true, false, time.Time{}, ""
		r.Withheld, r.Beside = time.Time{}, false
		r.note(c.now, "preferred by the operator", "")
		c.settle()
		h.Records = c.records
		return nil, nil
	})
	if err == nil && !found {
		err = fmt.Errorf("store: %s: certificate: %w", words(address), ErrNotFound)
	}
	return err
}

// Rebuild makes certs/ anew from the entries, applies the block list to them,
// and removes from certs/ what no entry stands for. It returns how many
// addresses it went through.
func (d *Directory) Rebuild(ctx context.Context) (int, error) {
	errs, n := &firstError{}, 0
	one := func(name string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		errs.add(d.rebuildOne(ctx, name))
		return nil
	}
	err := eachName(d.path("entries"), func(name string) error {
		n++
		return one(name)
	})
	errs.add(trouble("rebuild", err))
	err = eachName(d.path("certs"), func(file string) error {
		name, ours := endingOf(file)
		if !ours || exists(d.entry(name)) {
			return nil
		}
		return one(name)
	})
	errs.add(trouble("rebuild", err))
	return n, errs.result()
}

// rebuildOne does for an address whatever a crash may have left undone.
func (d *Directory) rebuildOne(ctx context.Context, name string) error {
	return d.locked(ctx, name, func() error {
		// Not the rest of a crash, or locked would have removed it.
		if exists(d.entry(name)) && !exists(d.entry(name, stateFile)) {
			return fmt.Errorf("store: %s: missing: restore it from a backup, or delete the address", d.entry(name, stateFile))
		}
		return d.finishOne(name)
	})
}

type firstError struct {
	err error
	n   int
}

func (f *firstError) add(err error) {
	if err == nil {
		return
	}
	if f.n++; f.err == nil {
		f.err = err
	}
}

func (f *firstError) result() error {
	if f.n > 1 {
		return fmt.Errorf("%w (and %d more)", f.err, f.n-1)
	}
	return f.err
}
