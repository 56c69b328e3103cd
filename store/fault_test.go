package store

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A scene is a past and what is then attempted on a disk that fails.
type scene struct {
	name string
	past []Entry
	act  func(*Directory) error
	want func(*Directory) string // what holds after it succeeded, "" if so
}

func scenes(t *testing.T) []scene {
	m := newMaker()
	a, b, c := m.year(t, "a", "Org"), m.year(t, "b", "Org"), m.year(t, "c", "Other")
	first, seen := mail(alice, a, noon(), "Q1"), mail(alice, a, noon().Add(time.Hour), "Q2")
	third := mail(alice, a, noon().Add(90*time.Minute), "Q3")
	changed, pending := mail(alice, b, noon().Add(2*time.Hour), "Q4"), mail(alice, c, noon().Add(3*time.Hour), "Q5")
	putting := func(e Entry) func(*Directory) error {
		return func(d *Directory) error {
			c, err := d.Put(t.Context(), e)
			if err == nil && c.Reason != "" {
				t.Errorf("refused: %+v", c)
			}
			if err != nil && errors.Is(err, ErrFull) != (c.Reason == ReasonFull) {
				t.Errorf("%v with reason %q", err, c.Reason)
			}
			return err
		}
	}
	rechecking := func(s Standing) func(*Directory) error {
		return func(d *Directory) error {
			_, err := d.Recheck(t.Context(), noon().Add(2*time.Hour), says(s, nil), nil)
			return err
		}
	}
	stands := func(states string, published []byte) func(*Directory) string {
		return func(d *Directory) string {
			got, pub := standing(d, alice)
			want := ""
			if published != nil {
				want = describe(t, published).Fingerprint
			}
			if got != states || pub != want {
				return fmt.Sprintf("%s, published %s; want %s, %s", got, pub, states, want)
			}
			return ""
		}
	}
	withheld := waits(third)
	compromised := answer(StatusRevoked, func(s *Standing) { s.KeyCompromise = true })
	return []scene{
		{"withheld", nil, putting(withheld), stands("pending", nil)},
		{"answered", []Entry{withheld}, rechecking(answer(StatusGood)), stands("active", a)},
		{"answered by a mail", []Entry{withheld}, putting(mail(alice, a, noon().Add(3*time.Hour), "Q6")), stands("active", a)},
		{"revoked", []Entry{withheld}, rechecking(answer(StatusRevoked)), stands("revoked", nil)},
		{"revoked by its CA", []Entry{first, seen}, func(d *Directory) error {
			_, err := d.RecheckAddress(t.Context(), alice, noon().Add(2*time.Hour), says(answer(StatusRevoked), nil), nil)
			return err
		}, stands("revoked", nil)},
		{"its key is in other hands", []Entry{withheld}, rechecking(compromised), func(d *Directory) string {
			if list, err := d.blocked(); err != nil || !list.entries[BlockKey+" "+describe(t, a).Key] {
				return fmt.Sprintf("its key is not blocked, %v", err)
			}
			return stands("revoked", nil)(d)
		}},
		{"suspended", []Entry{withheld}, rechecking(answer(StatusHold)), stands("revoked", nil)},
		{"a CA is blocked", []Entry{withheld}, rechecking(answer(StatusBlocked)), stands("blocked", nil)},
		{"first", nil, putting(first), stands("active", a)},
		{"seen", []Entry{first}, putting(seen), stands("active", a)},
		{"seen again", []Entry{first, seen}, putting(third), stands("active", a)},
		{"changed", []Entry{first, seen}, putting(changed), stands("superseded active", b)},
		{"pending", []Entry{first}, putting(pending), stands("active pending", a)},
		{"delete", []Entry{first, changed}, func(d *Directory) error { _, err := d.Delete(t.Context(), alice, false); return err }, stands("", nil)},
		{"block", []Entry{first, seen}, func(d *Directory) error { return d.Block(t.Context(), BlockAddress, alice) }, stands("blocked", nil)},
		{"sweep", []Entry{first, pending}, func(d *Directory) error { return d.Sweep(t.Context(), noon().Add(80*time.Hour), nil) }, stands("superseded active", c)},
	}
}

// standing describes an address: its states, and which certificate is published.
func standing(d *Directory, address string) (states, published string) {
	a, err := d.Show(address)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err.Error(), ""
	}
	var words []string
	for _, r := range a.Records {
		words = append(words, string(r.State))
	}
	if path, err := d.Path(address); err == nil {
		b, err := os.ReadFile(path)
		if err != nil {
			return err.Error(), ""
		}
		block, _ := pem.Decode(b)
		if block == nil {
			return "half a certificate is published", ""
		}
		f, err := Describe(block.Bytes)
		if err != nil {
			return err.Error(), ""
		}
		published = f.Fingerprint
	}
	return strings.Join(words, " "), published
}

func TestFaultAtEachStep(t *testing.T) {
	for _, s := range scenes(t) {
		t.Run(s.name, func(t *testing.T) {
			prepare := func(on disk) *Directory {
				o := withDeadline()
				o.Now = func() time.Time { return noon().Add(4 * time.Hour) }
				d := openTest(t, tempDir(t), o)
				for _, e := range s.past {
					put(t, d, e)
				}
				d.disk = on
				return d
			}
			counter := &faultyDisk{}
			d := prepare(counter)
			before := func() string { states, pub := standing(prepare(realDisk{}), "alice@example.com"); return states + pub }()
			if err := s.act(d); err != nil {
				t.Fatal(err)
			}
			if wrong := s.want(d); wrong != "" {
				t.Fatal(wrong)
			}
			states, pub := standing(d, "alice@example.com")
			after := states + pub
			if counter.done < 8 {
				t.Fatalf("only %d steps pass the seam", counter.done)
			}
			for at := 1; at <= counter.done; at++ {
				fault := []error{syscall.ENOSPC, syscall.EIO, syscall.EDQUOT}[at%3]
				broken := &faultyDisk{at: at, err: fault}
				d := prepare(broken)
				err := s.act(d)
				if err == nil {
					t.Fatalf("step %d (%s) failed unnoticed", at, broken.last)
				}
				if errors.Is(err, ErrFull) != (fault != syscall.EIO) {
					t.Errorf("step %d (%s): %v", at, broken.last, err)
				}
				intact(t, d, false)
				d = openTest(t, d.root, d.o)
				if t.Failed() {
					t.Fatalf("after step %d (%s)", at, broken.last)
				}
				intact(t, d, true)
				states, pub := standing(d, "alice@example.com")
				if got := states + pub; got != before && got != after {
					t.Errorf("step %d (%s): neither the old nor the new state: %s", at, broken.last, got)
				}
				if err := s.act(d); err != nil {
					t.Errorf("step %d (%s), tried again: %v", at, broken.last, err)
				}
				if wrong := s.want(d); wrong != "" {
					t.Errorf("step %d (%s), tried again: %s", at, broken.last, wrong)
				}
				intact(t, d, true)
				if t.Failed() {
					t.Fatalf("after step %d (%s)", at, broken.last)
				}
			}
			t.Logf("%d steps", counter.done)
		})
	}
}

// intact fails if anything that is in sight is not whole. Once finished, also
// if anything is left over or certs/ is not what the entries say.
func intact(t *testing.T, d *Directory, finished bool) {
	t.Helper()
	published := map[string]bool{}
	err := eachName(d.path("entries"), func(name string) error {
		if finished || exists(d.entry(name, stateFile)) {
			return intactEntry(d, name, finished, published)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	files, err := os.ReadDir(d.path("certs"))
	if err != nil {
		t.Error(err)
	}
	for _, f := range files {
		if err := intactPublished(d, f.Name()); err != nil {
			t.Error(err)
		}
		if finished && !published[f.Name()] {
			t.Errorf("%s is left over", f.Name())
		}
	}
	if !finished {
		return
	}
	for _, sub := range []string{"locks", "entries"} {
		names, err := os.ReadDir(d.path(sub))
		if err != nil {
			t.Error(err)
		}
		for _, n := range names {
			if sub == "locks" && n.Name() != ".blocked" && n.Name() != ".key" || sub == "entries" && temporary(n.Name()) {
				t.Errorf("%s/%s is left over", sub, n.Name())
			}
		}
	}
}

func intactEntry(d *Directory, name string, finished bool, published map[string]bool) error {
	h, err := d.history(name)
	if err != nil {
		return err
	}
	wanted := map[string]bool{stateFile: true}
	for _, r := range h.Records {
		wanted[r.Fingerprint] = true
		b, err := os.ReadFile(d.entry(name, r.Fingerprint, certificateFile))
		if err != nil {
			return err
		}
		block, rest := pem.Decode(b)
		if block == nil || len(rest) > 0 {
			return fmt.Errorf("%s: half a certificate", name)
		}
		if f, err := Describe(block.Bytes); err != nil || f.Fingerprint != r.Fingerprint {
			return fmt.Errorf("%s: another certificate, %v", name, err)
		}
		if _, err := os.Stat(d.entry(name, r.Fingerprint, chainFile)); err != nil {
			return err
		}
		first, newest, err := d.Evidence(h.Address, r.Fingerprint)
		if err != nil || len(first) != 3 || r.Newest != nil && len(newest) != 3 {
			return fmt.Errorf("%s: evidence: %d, %d, %v", name, len(first), len(newest), err)
		}
	}
	if !finished {
		return nil
	}
	names, err := os.ReadDir(d.entry(name))
	if err != nil || len(names) != len(wanted) {
		return fmt.Errorf("%s: %v besides %v, %v", name, names, wanted, err)
	}
	want, err := d.view(name, h)
	if err != nil {
		return err
	}
	for i, ending := range endings() {
		got, err := os.ReadFile(d.path("certs", name+ending))
		if want[i] == nil && errors.Is(err, os.ErrNotExist) {
			continue
		}
		published[name+ending] = true
		if err != nil || !bytes.Equal(got, want[i]) {
			return fmt.Errorf("certs/%s%s is not what the entry says: %v", name, ending, err)
		}
	}
	return nil
}

func intactPublished(d *Directory, file string) error {
	if temporary(file) {
		return nil
	}
	b, err := os.ReadFile(d.path("certs", file))
	if err != nil {
		return err
	}
	if strings.HasSuffix(file, ".json") {
		if !json.Valid(b) {
			return fmt.Errorf("%s: half a file", file)
		}
		return nil
	}
	block, rest := pem.Decode(b)
	if block == nil || len(rest) > 0 {
		return fmt.Errorf("%s: half a file", file)
	}
	_, err = Describe(block.Bytes)
	return err
}

func TestCancelledWhileWaiting(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	l, err := acquire(t.Context(), d.path("locks", "alice@example.com"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.finish()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := d.Put(ctx, mail("alice@example.com", newMaker().year(t, "a", "Org"), noon(), "Q1")); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errBusy) {
		t.Errorf("%v", err)
	}
}
