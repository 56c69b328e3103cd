package store

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"
)

// A Kept is a certificate that is kept, as its CA is asked about it again.
type Kept struct {
	Address     string
	Fingerprint string
	Certificate []byte   // DER
	Chain       [][]byte // DER, the certificates above, anchor last
	State       State
	Unchecked   bool // no CA ever said that it stands
}

// A Standing is what came of asking.
type Standing struct {
	Status        string    // good, revoked, hold, unknown, none: the words of verify.Revocation; untrusted, blocked
	Detail        string    // our own words
	Revoked       time.Time // since when, as the CA says
	KeyCompromise bool      // the leaf was revoked because its key is in other hands
	AskAgain      time.Time // when the answer ends; zero: none was given
}

// Rechecked counts what Recheck did.
type Rechecked struct {
	Asked, Good, Revoked, Held, Reinstated, Blocked, Untrusted, Unanswered, Published int
}

func (n *Rechecked) add(m Rechecked) {
	n.Asked += m.Asked
	n.Good += m.Good
	n.Revoked += m.Revoked
	n.Held += m.Held
	n.Reinstated += m.Reinstated
	n.Blocked += m.Blocked
	n.Untrusted += m.Untrusted
	n.Unanswered += m.Unanswered
	n.Published += m.Published
}

// A recheck is one walk.
type recheck struct {
	d      *Directory
	now    time.Time
	ask    func(context.Context, Kept) Standing
	tell   func(Event)
	all    bool // also what is not due
	counts Rechecked
}

// Recheck asks about every certificate that is kept and due (see Record.due),
// some addresses at a time, and applies the answers. It also publishes what has waited
// long enough for its CA. No lock is held while ask runs, which may take its time:
// what came meanwhile stands, and an answer in favour of a certificate is dropped
// if another one came. Events are told once each, after they have become durable.
// When ctx ends, the answer of that moment is not applied. Trouble with one
// address does not keep it from the others; the first is returned.
func (d *Directory) Recheck(ctx context.Context, now time.Time, ask func(context.Context, Kept) Standing, tell func(Event)) (Rechecked, error) {
	w := &recheck{d: d, now: now, ask: ask, tell: tell}
	return w.walk(ctx)
}

// RecheckAll is Recheck for every certificate, due or not: when it changed who is
// trusted.
func (d *Directory) RecheckAll(ctx context.Context, now time.Time, ask func(context.Context, Kept) Standing, tell func(Event)) (Rechecked, error) {
	w := &recheck{d: d, now: now, ask: ask, tell: tell, all: true}
	return w.walk(ctx)
}

// abreast is how many addresses a walk is at in the same moment: who asks about
// certificates of one long list at once is answered by one reading of it.
const abreast = 32

// walk goes through all addresses. w.tell is called by one at a time.
func (w *recheck) walk(ctx context.Context) (Rechecked, error) {
	var mu sync.Mutex
	errs := &firstError{}
	tell := w.tell
	if tell != nil {
		w.tell = func(e Event) {
			mu.Lock()
			defer mu.Unlock()
			tell(e)
		}
	}
	names := make(chan string)
	var wg sync.WaitGroup
	for range abreast {
		wg.Go(func() {
			for name := range names {
				counts, err := w.apart(ctx, name)
				mu.Lock()
				w.counts.add(counts)
				errs.add(err)
				mu.Unlock()
			}
		})
	}
	err := eachName(w.d.path("entries"), func(name string) error {
		select {
		case names <- name:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	close(names)
	wg.Wait()
	if ctx.Err() != nil {
		return w.counts, errors.Join(ctx.Err(), errs.result())
	}
	errs.add(trouble("recheck", err))
	return w.counts, errs.result()
}

// apart asks about one address with counts of its own. A fault is an error: it is
// about that address.
func (w *recheck) apart(ctx context.Context, name string) (counts Rechecked, err error) {
	one := &recheck{d: w.d, now: w.now, ask: w.ask, tell: w.tell, all: w.all}
	defer func() {
		counts = one.counts
		if p := recover(); p != nil {
			err = fmt.Errorf("store: recheck: %s: panic: %v\n%s", name, p, debug.Stack())
		}
	}()
	return counts, one.address(ctx, name)
}

// RecheckAddress is Recheck for the certificates of one address, due or not: when
// a mail showed that something is wrong with one of them. An address of which
// nothing is kept is no error.
func (d *Directory) RecheckAddress(ctx context.Context, address string, now time.Time, ask func(context.Context, Kept) Standing, tell func(Event)) (Rechecked, error) {
	name, err := key(address)
	if err != nil {
		return Rechecked{}, err
	}
	w := &recheck{d: d, now: now, ask: ask, tell: tell, all: true}
	err = w.address(ctx, name)
	return w.counts, err
}

// address asks about the certificates of an address.
func (w *recheck) address(ctx context.Context, name string) error {
	h, err := w.d.history(name)
	if err != nil {
		return trouble("recheck", err)
	}
	errs, asked := &firstError{}, false
	for i := range h.Records {
		r := &h.Records[i]
		if r.BlockKey {
			errs.add(w.blockKey(ctx, name, r))
		}
		if r.due(w.now) || w.all && r.asked(w.now) {
			asked = true
			errs.add(w.certificate(ctx, name, h.Address, r))
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if _, _, changed := Age(h.Records, w.now); !changed && !asked {
		return errs.result()
	}
	errs.add(w.d.sweepOne(ctx, name, w.now, w.tell, &w.counts))
	return errs.result()
}

// certificate asks about one, r as it was found.
func (w *recheck) certificate(ctx context.Context, name, address string, r *Record) error {
	k, err := w.d.kept(name, address, r)
	if errors.Is(err, os.ErrNotExist) && w.gone(name, r.Fingerprint) {
		return nil
	}
	if err != nil {
		return trouble("recheck", err)
	}
	s := w.ask(ctx, k)
	w.counts.Asked++
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := w.apply(ctx, name, r, s); err != nil {
		return err
	}
	if s.Status == StatusRevoked && s.KeyCompromise && r.Chosen == chosenSigner {
		return w.blockKey(ctx, name, r)
	}
	return nil
}

// gone says whether a certificate was deleted or forgotten since it was found.
func (w *recheck) gone(name, fingerprint string) bool {
	h, err := w.d.history(name)
	return err == nil && recordOf(h, fingerprint) == nil
}

// kept reads a certificate as it is asked about.
func (d *Directory) kept(name, address string, r *Record) (Kept, error) {
	k := Kept{Address: address, Fingerprint: r.Fingerprint, State: r.State, Unchecked: r.Unchecked}
	path := d.entry(name, r.Fingerprint, certificateFile)
	ders, err := readPEM(path, 1)
	if err != nil {
		return Kept{}, err
	}
	if len(ders) != 1 {
		return Kept{}, fmt.Errorf("%s: no certificate in it: restore it from a backup", path)
	}
	k.Certificate = ders[0]
	if f, err := Describe(k.Certificate); err != nil || f.Fingerprint != r.Fingerprint {
		return Kept{}, fmt.Errorf("%s: not the certificate of this folder: restore it from a backup", path)
	}
	k.Chain, err = readPEM(d.entry(name, r.Fingerprint, chainFile), MaxChain)
	return k, err
}

// readPEM reads at most limit certificates.
func readPEM(path string, limit int) ([][]byte, error) {
	b, err := readBounded(path, int64(2*limit*MaxCertificate))
	if err != nil {
		return nil, err
	}
	var ders [][]byte
	for len(ders) < limit {
		block, rest := pem.Decode(b)
		if block == nil {
			break
		}
		ders, b = append(ders, block.Bytes), rest
	}
	return ders, nil
}

// apply writes what follows from an answer, under the lock and from what is kept
// by then.
func (w *recheck) apply(ctx context.Context, name string, before *Record, s Standing) error {
	d := w.d
	var j judged
	var address string
	err := d.locked(ctx, name, func() error {
		h, err := d.history(name)
		if err != nil || recordOf(h, before.Fingerprint) == nil { // deleted meanwhile
			return trouble("recheck", err)
		}
		list, err := d.blocked()
		if err != nil {
			return err
		}
		j = judge(h.Records, before, s, list, h.Address, w.now)
		h.Records, address = j.records, h.Address
		if !j.applied { // nothing follows from it any more
			return nil
		}
		if j.states {
			return trouble("recheck", d.writeAndPublish(name, h))
		}
		return trouble("recheck", d.writeHistory(name, h))
	})
	if err != nil {
		return err
	}
	w.counts.add(j.counts)
	for _, e := range j.events {
		if e.Address = address; w.tell != nil {
			w.tell(e)
		}
	}
	return nil
}

// blockKey puts the key of a certificate on the block list, as its CA says that
// others have it. The record remembers it until that is done.
func (w *recheck) blockKey(ctx context.Context, name string, r *Record) error {
	if err := w.d.Block(ctx, BlockKey, r.Key); err != nil {
		return err
	}
	return w.d.locked(ctx, name, func() error {
		h, err := w.d.history(name)
		if err != nil {
			return trouble("recheck", err)
		}
		is := recordOf(h, r.Fingerprint)
		if is == nil || !is.BlockKey {
			return nil
		}
		is.BlockKey = false
		is.note(w.now, "its key was put on the block list: its CA says that others have it", "")
		return trouble("recheck", w.d.writeHistory(name, h))
	})
}
