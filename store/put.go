package store

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Put applies the rules to an acceptance and keeps what they say. It returns
// after everything is on disk, so that the answer may be given. It may be
// repeated after any error: the same entry leads to the same state.
//
// An error means trouble of ours and that nothing may be promised. It wraps
// ErrFull when room is lacking; Change.Reason then says store-full. A refusal
// by the rules is no error: Change.Kind is Blocked and Change.Reason says why.
func (d *Directory) Put(ctx context.Context, e Entry) (Change, error) {
	change, err := d.put(ctx, e)
	if err != nil {
		change = Change{}
		if errors.Is(err, ErrFull) {
			change.Reason = ReasonFull
		}
	}
	return change, err
}

func (d *Directory) put(ctx context.Context, e Entry) (Change, error) {
	facts, err := examine(e)
	if err != nil {
		return Change{}, err
	}
	e.Capabilities = capabilities(e.Capabilities)
	if e.SignedAt.After(e.At) {
		e.SignedAt = e.At // nobody signs ahead of what is kept later
	}
	w := &writing{d: d, name: Name(e.Address), e: e, facts: facts}
	if change, ok := w.unchanged(); ok {
		return change, nil
	}
	var change Change
	err = d.locked(ctx, w.name, func() error {
		change, err = w.put(ctx)
		return err
	})
	return change, err
}

// examine holds an entry against its bounds.
func examine(e Entry) (Facts, error) {
	if _, err := key(e.Address); err != nil {
		return Facts{}, err
	}
	if !utf8.ValidString(e.Address) {
		return Facts{}, errors.New("store: address is no UTF-8")
	}
	if e.At.IsZero() || e.SignedAt.IsZero() || e.At.Year() > 9999 || e.SignedAt.Year() > 9999 || e.SignedAt.Year() < 0 {
		return Facts{}, errors.New("store: entry without a usable time of acceptance and of signing")
	}
	if len(e.Chain) > MaxChain {
		return Facts{}, fmt.Errorf("store: chain of %d certificates, at most %d", len(e.Chain), MaxChain)
	}
	for _, der := range e.Chain {
		if len(der) > MaxCertificate {
			return Facts{}, fmt.Errorf("store: chain: certificate of %d bytes, at most %d", len(der), MaxCertificate)
		}
	}
	for _, s := range []string{e.Bound, e.Chosen, e.Via, e.Reference} {
		if len(s) > maxWord {
			return Facts{}, fmt.Errorf("store: a text of %d bytes, at most %d", len(s), maxWord)
		}
	}
	return Describe(e.Certificate)
}

// capabilities keeps the first MaxCapabilities of usual length. A sender
// chooses them: too many of them are no trouble of ours.
func capabilities(list []string) []string {
	var kept []string
	for _, c := range list {
		if len(kept) < MaxCapabilities && len(c) <= maxWord {
			kept = append(kept, words(c))
		}
	}
	return kept
}

// A writing is one Put.
type writing struct {
	d     *Directory
	name  string
	e     Entry
	facts Facts
}

// put is what is done under the lock of the address.
func (w *writing) put(ctx context.Context) (Change, error) {
	h, err := w.d.history(w.name)
	if err != nil {
		return Change{}, trouble("read", err)
	}
	list, err := w.d.blocked()
	if err != nil {
		return Change{}, err
	}
	dec, err := w.decide(ctx, h, list)
	if err != nil || !dec.Keeps {
		return dec.Change, err
	}
	old := shown(h)
	next := &History{Version: historyVersion, Address: w.e.Address, Records: dec.Records, Messages: h.Messages}
	next.remember(w.e, dec.Kind, w.d.o.Rules)
	if err := w.commit(next, old); err != nil {
		return Change{}, trouble("keep "+w.name, err)
	}
	// Somebody may have blocked it since the list was read; whoever blocks
	// now will find it on disk.
	if again, err := w.d.blocked(); err != nil {
		return Change{}, err
	} else if again.stamp != list.stamp {
		if next, err = w.d.applyBlocks(w.name, next, again, w.e.At); err != nil {
			return Change{}, trouble("block "+w.name, err)
		}
		if recordOf(next, w.facts.Fingerprint).State == Barred {
			dec.Change = Change{Kind: Blocked, Reason: ReasonBlocked, Detail: "put on the block list at this moment"}
		}
	}
	files, err := w.d.publish(w.name, next, old, false)
	if err != nil {
		return Change{}, trouble("publish "+w.name, err)
	}
	if err := w.d.sweepEntry(w.name, next); err != nil {
		return Change{}, trouble("clean "+w.name, err)
	}
	dec.Change.Files = files
	return dec.Change, nil
}

// decide gathers the past and asks the rules. A certificate that is new is
// first counted for its domain.
func (w *writing) decide(ctx context.Context, h *History, list blockList) (Decision, error) {
	past, err := w.past(h, list)
	if err != nil {
		return Decision{}, err
	}
	dec := Decide(past, w.e, w.facts, w.d.o.Rules, w.e.At)
	if !dec.Keeps || knows(h.Records, w.facts.Fingerprint) {
		return dec, nil
	}
	counted, err := w.d.count(ctx, w.e.Address, w.e.At)
	if err != nil || counted {
		return dec, err
	}
	past.NewToday = w.d.o.Rules.NewPerDomainDay
	return Decide(past, w.e, w.facts, w.d.o.Rules, w.e.At), nil
}

// past gathers what the rules look at, but for the count of new certificates.
func (w *writing) past(h *History, list blockList) (past Past, err error) {
	past = Past{Records: h.Records, Messages: h.Messages, Blocked: list.matches(w.facts, w.e.Address)}
	past.DeletedAt, past.Suppressed, err = w.d.deletion(w.e.Address)
	return past, err
}

func knows(records []Record, fingerprint string) bool {
	for _, r := range records {
		if r.Fingerprint == fingerprint {
			return true
		}
	}
	return false
}

// commit writes the documents of the acceptance and then the state that names
// them. old is what is published so far, as shown says.
func (w *writing) commit(next *History, old string) error {
	d := w.d
	made, err := makeMissing(d.disk, d.entry(w.name), 0o700)
	if err != nil {
		return err
	}
	r := recordOf(next, w.facts.Fingerprint)
	archive, err := w.archive()
	if err != nil {
		return err
	}
	ev := &Evidence{At: w.e.At.UTC(), Reference: words(w.e.Reference)}
	if r.First == nil {
		ev.File = "first.tar.gz"
		r.First, err = ev, w.writeCertificate(archive, ev.File)
	} else {
		ev.File = fmt.Sprintf("newest-%d-%s.tar.gz", w.e.At.Unix(), hex.EncodeToString(w.e.Identity[:8]))
		r.Newest, err = ev, w.writeNewest(archive, ev.File)
	}
	if err != nil {
		return err
	}
	if made {
		if err := d.disk.syncDir(d.path("entries")); err != nil {
			return err
		}
	}
	if shown(next) != old {
		if err := d.syncLock(w.name); err != nil { // certs/ is to follow
			return err
		}
	}
	return d.writeHistory(w.name, next)
}

func recordOf(h *History, fingerprint string) *Record {
	for i := range h.Records {
		if h.Records[i].Fingerprint == fingerprint {
			return &h.Records[i]
		}
	}
	return nil
}

func (w *writing) archive() ([]byte, error) {
	docs, err := documents(w.e)
	if err != nil {
		return nil, err
	}
	return w.d.packer.pack(docs, w.e.At)
}

// writeCertificate makes the directory of a new certificate with all that is in
// it. It is out of sight until state.json names it.
func (w *writing) writeCertificate(archive []byte, evidence string) error {
	d, dir := w.d.disk, w.d.entry(w.name, w.facts.Fingerprint)
	if err := d.removeAll(dir); err != nil { // left by one who died
		return err
	}
	if err := d.mkdir(dir, 0o700); err != nil {
		return err
	}
	err := writeNew(d, 0o600, 0,
		draft{temp: dir + "/" + certificateFile, content: pemOf(w.e.Certificate)},
		draft{temp: dir + "/" + chainFile, content: pemOf(w.e.Chain...)},
		draft{temp: dir + "/" + evidence, content: archive})
	if err != nil {
		return err
	}
	if err := d.syncDir(dir); err != nil {
		return err
	}
	return d.syncDir(w.d.entry(w.name))
}

func (w *writing) writeNewest(archive []byte, evidence string) error {
	dir := w.d.entry(w.name, w.facts.Fingerprint)
	if err := replace(w.d.disk, 0o600, 0, draft{dir + "/.newest", dir + "/" + evidence, archive}); err != nil {
		return err
	}
	return w.d.disk.syncDir(dir)
}

func pemOf(ders ...[]byte) []byte {
	var b bytes.Buffer
	for _, der := range ders {
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der}) // a bytes.Buffer never fails
	}
	return b.Bytes()
}

// writeHistory replaces the state file: the one step that makes a change real.
func (d *Directory) writeHistory(name string, h *History) error {
	b, err := h.marshal()
	if err != nil {
		return err
	}
	dir := d.entry(name)
	if err := replace(d.disk, 0o600, 0, draft{dir + "/.state", dir + "/" + stateFile, b}); err != nil {
		return err
	}
	return d.disk.syncDir(dir)
}

// day is the UTC day of a moment.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
