package store

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

// locksTouched says whether f made or removed a lock's file.
func locksTouched(t *testing.T, d *Directory, f func()) bool {
	t.Helper()
	old := time.Unix(1e9, 0)
	if err := os.Chtimes(d.path("locks"), old, old); err != nil {
		t.Fatal(err)
	}
	f()
	fi, err := os.Stat(d.path("locks"))
	if err != nil {
		t.Fatal(err)
	}
	return !fi.ModTime().Equal(old)
}

// TestUnchangedTakesNoLock: whatever keeps nothing is answered without a lock,
// as it is with one; what keeps something is not.
func TestUnchangedTakesNoLock(t *testing.T) {
	const alice = "alice@example.com"
	m := newMaker()
	a, b := m.year(t, "a", "Org"), m.year(t, "b", "Other")
	first, changed := mail(alice, a, noon(), "Q1"), mail(alice, b, noon().Add(time.Hour), "Q2")
	for _, tc := range []struct {
		name    string
		rules   Rules
		prepare func(*Directory) error
		e       Entry
		kind    Kind
		locks   bool
	}{
		{name: "repeated", e: first, kind: Repeated},
		{name: "seen", e: mail(alice, a, noon().Add(time.Minute), "Q3"), kind: Seen, locks: true},
		{name: "key change", e: changed, kind: Pending, locks: true},
		{name: "key change refused", rules: Rules{KeyChange: "reject"}, e: changed, kind: Blocked},
		{name: "of another address", e: mail("bob@example.com", a, noon(), "Q4"), kind: Added, locks: true},
		{name: "address blocked", e: first, kind: Blocked,
			prepare: func(d *Directory) error { return d.Block(t.Context(), BlockAddress, alice) }},
		{name: "blocked and no longer", e: first, kind: Repeated, prepare: func(d *Directory) error {
			return errors.Join(d.Block(t.Context(), BlockAddress, alice), d.Unblock(t.Context(), BlockAddress, alice))
		}},
		{name: "revoked", e: mail(alice, a, noon().Add(3*time.Hour), "Q5"), kind: Blocked, prepare: func(d *Directory) error {
			_, err := d.RecheckAddress(t.Context(), alice, noon().Add(2*time.Hour), says(answer(StatusRevoked), nil), nil)
			return err
		}},
		{name: "deleted", e: first, kind: Blocked, locks: true, prepare: func(d *Directory) error {
			_, err := d.Delete(t.Context(), alice, true)
			return err
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := openTest(t, tempDir(t), Options{Rules: tc.rules})
			put(t, d, first)
			if tc.prepare != nil {
				if err := tc.prepare(d); err != nil {
					t.Fatal(err)
				}
			}
			if !tc.locks { // the way of the lock says the same
				mark := d.path("locks", alice)
				if err := os.WriteFile(mark, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				if c := put(t, d, tc.e); c.Kind != tc.kind || exists(mark) {
					t.Errorf("with a lock: %+v, its file is there: %v", c, exists(mark))
				}
			}
			if got := locksTouched(t, d, func() {
				if c := put(t, d, tc.e); c.Kind != tc.kind {
					t.Errorf("%+v", c)
				}
			}); got != tc.locks {
				t.Errorf("a lock was taken: %v", got)
			}
		})
	}
}

// TestUnchangedWaitsForWhoChanges: nothing is answered from a history whose
// writer has not finished, alive or dead.
func TestUnchangedWaitsForWhoChanges(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	e := mail("alice@example.com", newMaker().year(t, "a", "Org"), noon(), "Q1")
	put(t, d, e)
	l, err := acquire(t.Context(), d.path("locks", e.Address))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if c, err := d.Put(ctx, e); !errors.Is(err, errBusy) {
		t.Errorf("while it is held: %+v, %v", c, err)
	}
	if err := os.Remove(d.path("certs", e.Address+".crt")); err != nil {
		t.Fatal(err)
	}
	l.leave() // its holder died
	if c := put(t, d, e); c.Kind != Repeated || !exists(d.path("certs", e.Address+".crt")) {
		t.Errorf("%+v, and what was left is not finished", c)
	}
	intact(t, d, true)
	if err := os.WriteFile(d.entry(e.Address, stateFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := d.Put(t.Context(), e); err == nil {
		t.Errorf("from a damaged history: %+v", c)
	}
}

// TestUnchangedReadsTheHistoryFirst: whoever takes the lock, deletes or blocks after
// the history was opened and before it was read is not passed over. A pipe in place
// of the state file holds the Put at that point.
func TestUnchangedReadsTheHistoryFirst(t *testing.T) {
	const alice = "alice@example.com"
	der := newMaker().year(t, "a", "Org")
	for _, tc := range []struct {
		name      string
		meanwhile func(context.Context, *Directory) error
		busy      bool
	}{
		{"locked", func(ctx context.Context, d *Directory) error {
			l, err := acquire(ctx, d.path("locks", alice))
			if err == nil {
				t.Cleanup(l.finish)
			}
			return err
		}, true},
		{"deleted", func(ctx context.Context, d *Directory) error { return d.bury(ctx, alice, false) }, false},
		{"blocked", func(ctx context.Context, d *Directory) error { return d.editBlocked(ctx, BlockAddress, alice, true) }, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := openTest(t, tempDir(t), Options{})
			e := mail(alice, der, noon(), "Q1")
			put(t, d, e)
			path := d.entry(alice, stateFile)
			state, err := os.ReadFile(path)
			if err := errors.Join(err, os.Remove(path), syscall.Mkfifo(path, 0o600)); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			var c Change
			var perr error
			done := make(chan struct{})
			go func() {
				defer close(done)
				c, perr = d.Put(ctx, e)
			}()
			pipe, err := os.OpenFile(path, os.O_WRONLY, 0) // waits until the Put has opened it
			if err != nil {
				t.Fatal(err)
			}
			if err := tc.meanwhile(t.Context(), d); err != nil {
				t.Error(err)
			}
			if err := errors.Join(os.Remove(path), os.WriteFile(path, state, 0o600)); err != nil {
				t.Error(err)
			}
			_, err = pipe.Write(state)
			if err := errors.Join(err, pipe.Close()); err != nil {
				t.Error(err)
			}
			<-done
			if errors.Is(perr, errBusy) != tc.busy || !tc.busy && (perr != nil || c.Kind != Blocked) {
				t.Errorf("%+v, %v", c, perr)
			}
		})
	}
}

func TestUnchangedOfReadOnly(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	e := mail("alice@example.com", newMaker().year(t, "a", "Org"), noon(), "Q1")
	put(t, d, e)
	if c, err := openTest(t, d.root, Options{ReadOnly: true}).Put(t.Context(), e); !errors.Is(err, errReadOnly) {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestUnchangedBesideOthers: beside one who blocks, unblocks, deletes and keeps,
// a repeated mail is never answered as if what was done before had not been.
func TestUnchangedBesideOthers(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	ctx, der := t.Context(), newMaker().year(t, "a", "Org")
	e := mail("alice@example.com", der, noon().Add(-time.Hour), "Q1")
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if c, err := d.Put(ctx, e); err != nil || c.Kind != Repeated && c.Kind != Blocked && c.Kind != Added {
					t.Errorf("%+v, %v", c, err)
				}
			}
		})
	}
	expect := func(i int, when string, kinds ...Kind) {
		c, err := d.Put(ctx, e)
		for _, k := range kinds {
			if err == nil && c.Kind == k {
				return
			}
		}
		t.Errorf("%d, %s: %+v, %v", i, when, c, err)
	}
	check := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	for i := range 40 {
		expect(i, "at first", Added, Repeated)
		expect(i, "again", Repeated)
		check(d.Block(ctx, BlockKey, describe(t, der).Key))
		expect(i, "blocked", Blocked)
		check(d.Unblock(ctx, BlockKey, describe(t, der).Key))
		expect(i, "no longer blocked", Repeated)
		_, err := d.Delete(ctx, e.Address, false)
		check(err)
		expect(i, "deleted", Blocked)
		check(d.Readmit(ctx, e.Address))
	}
	close(done)
	wg.Wait()
	intact(t, d, true)
}
