package store

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestDeleteLeavesNothing(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	m := newMaker()
	now := noon()
	d.o.Now = func() time.Time { return now }
	ring, err := d.Reports()
	if err != nil {
		t.Fatal(err)
	}
	e := mail("alice@example.com", m.year(t, "alice", "Org"), noon(), "Q1")
	put(t, d, e)
	other := mail("malice@example.com", m.year(t, "other", "Org"), noon(), "Q9")
	put(t, d, other)
	for ref, text := range map[string]string{"Q1": "kept", "Q2": "refused mail from <Alice@Example.com>", "Q9": "from malice@example.com, not alice@example.com.org"} {
		if err := ring.Put(ref, nil, text); err != nil {
			t.Fatal(err)
		}
	}
	now = noon().Add(time.Hour)
	removal, err := d.Delete(t.Context(), e.Address, false)
	if err != nil || removal.Certificates != 1 || removal.Reports != 2 {
		t.Fatalf("%+v, %v", removal, err)
	}
	grep(t, d.root, "alice@example.com", "malice@example.com", "alice@example.com.org")
	if _, err := ring.Get("Q9"); err != nil {
		t.Errorf("somebody else's report: %v", err)
	}
	if _, err := d.Path(e.Address); !errors.Is(err, ErrNotFound) {
		t.Errorf("path: %v", err)
	}
	if a, err := d.Show(e.Address); err != nil || a.Deleted.IsZero() || len(a.Records) != 0 {
		t.Errorf("show: %+v, %v", a, err)
	}
	late := mail(e.Address, e.Certificate, noon().Add(2*time.Hour), "late")
	late.SignedAt = now
	if c := put(t, d, late); c.Reason != ReasonBlocked {
		t.Errorf("mail signed before the deletion: %+v", c)
	}
	late.SignedAt = now.Add(time.Second)
	if c := put(t, d, late); c.Kind != Added {
		t.Errorf("mail signed after the deletion: %+v", c)
	}
	put(t, d, other)
}

// TestDeleteBesideAReportThatCannotBeRead: it is told of, and all else is deleted.
func TestDeleteBesideAReportThatCannotBeRead(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	e := mail("alice@example.com", newMaker().year(t, "a", "Org"), noon(), "Q1")
	put(t, d, e)
	loop := d.path("reports", "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Delete(t.Context(), e.Address, false); !errors.Is(err, syscall.ELOOP) || !strings.Contains(err.Error(), loop) {
		t.Errorf("%v", err)
	}
	if states, published := standing(d, e.Address); states != "" || published != "" {
		t.Errorf("%s, published %s", states, published)
	}
	if c := put(t, d, e); c.Kind != Blocked {
		t.Errorf("%+v", c)
	}
	intact(t, d, true)
}

// grep fails for each file under dir that names a word, by name or content,
// but as a part of others.
func grep(t *testing.T, dir, word string, unless ...string) {
	t.Helper()
	err := filepath.Walk(dir, func(path string, fi os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		text := path
		if fi.Mode().IsRegular() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += string(b)
		}
		text = strings.ToLower(text)
		for _, longer := range unless {
			text = strings.ReplaceAll(text, longer, "")
		}
		if strings.Contains(text, word) {
			t.Errorf("%s still names %s", path, word)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSuppressedForGood(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	der := newMaker().year(t, "alice", "Org")
	if _, err := d.Delete(t.Context(), "alice@example.com", true); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Delete(t.Context(), "alice@example.com", false); err != nil { // does not weaken it
		t.Fatal(err)
	}
	grep(t, d.root, "alice")
	if err := d.Sweep(t.Context(), noon().Add(1000*days), nil); err != nil {
		t.Fatal(err)
	}
	d = openTest(t, d.root, Options{})
	e := mail("alice@example.com", der, noon().Add(1001*days), "Q1")
	if c := put(t, d, e); c.Reason != ReasonBlocked {
		t.Fatalf("suppressed, yet %+v", c)
	}
	if err := d.Readmit(t.Context(), "alice@example.com"); err != nil {
		t.Fatal(err)
	}
	if c := put(t, d, e); c.Kind != Added {
		t.Errorf("readmitted, yet %+v", c)
	}
}

func TestLostHashKeyRefuses(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	if _, err := d.Delete(t.Context(), "alice@example.com", true); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(d.path("deleted", hashKeyFile)); err != nil {
		t.Fatal(err)
	}
	if c, err := d.Put(t.Context(), mail("alice@example.com", newMaker().year(t, "a", "Org"), noon(), "Q1")); err == nil || !strings.Contains(err.Error(), hashKeyFile) {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestBlock(t *testing.T) {
	m := newMaker()
	der := m.year(t, "alice", "Org")
	f := describe(t, der)
	for what, value := range map[string]string{BlockCertificate: f.Fingerprint, BlockKey: f.Key, BlockAddress: "alice@example.com"} {
		t.Run(what, func(t *testing.T) {
			d := openTest(t, tempDir(t), Options{})
			put(t, d, mail("alice@example.com", der, noon(), "Q1"))
			put(t, d, mail("bob@example.com", m.year(t, "bob", "Org"), noon(), "Q2"))
			if err := d.Block(t.Context(), what, value); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Path("alice@example.com"); !errors.Is(err, ErrNotFound) {
				t.Errorf("still published: %v", err)
			}
			if _, err := d.Path("bob@example.com"); err != nil {
				t.Errorf("somebody else is not: %v", err)
			}
			if c := put(t, d, mail("alice@example.com", der, noon().Add(time.Hour), "Q3")); c.Kind != Blocked || c.Reason != ReasonBlocked {
				t.Errorf("change %+v", c)
			}
			if err := d.Unblock(t.Context(), what, value); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Path("alice@example.com"); err != nil {
				t.Errorf("not published again: %v", err)
			}
			if c := put(t, d, mail("alice@example.com", der, noon().Add(time.Hour), "Q3")); c.Kind != Seen {
				t.Errorf("change %+v", c)
			}
		})
	}
}

func TestBlockListMustBeUnderstood(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	e := mail("alice@example.com", newMaker().year(t, "alice", "Org"), noon(), "Q1")
	for text, line := range map[string]string{"certificate abc\n": "line 1", "# x\n\naddress a@b c\n": "line 3", "adress a@b\n": "line 1"} {
		if err := os.WriteFile(d.path("blocked"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Put(t.Context(), e); err == nil || !strings.Contains(err.Error(), line) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := os.WriteFile(d.path("blocked"), []byte("# by hand\n address  alice@example.com # why"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c := put(t, d, e); c.Reason != ReasonBlocked {
		t.Errorf("%+v", c)
	}
	if err := d.Block(t.Context(), "colour", "red"); err == nil {
		t.Error("a block by colour")
	}
	if err := d.Unblock(t.Context(), BlockAddress, "alice@example.com"); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(d.path("blocked")); err != nil || string(b) != "# by hand\n" {
		t.Errorf("%q, %v", b, err)
	}
}

// TestBlockAddressWithHash: the sign of a comment is a character of addresses.
func TestBlockAddressWithHash(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	const address = "a#1@example.com"
	if err := d.Block(t.Context(), BlockAddress, address); err != nil {
		t.Fatal(err)
	}
	if c := put(t, d, mail(address, newMaker().year(t, "alice", "Org"), noon(), "Q1")); c.Reason != ReasonBlocked {
		t.Errorf("change %+v", c)
	}
	if err := d.Unblock(t.Context(), BlockAddress, address); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(d.path("blocked")); err != nil || len(b) != 0 {
		t.Errorf("left in the list: %q, %v", b, err)
	}
}

func TestSweep(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	m := newMaker()
	ends := noon().Add(20 * days)
	put(t, d, mail("alice@example.com", m.issue(t, "short", "Org", noon().Add(-days), ends), noon(), "Q1"))
	put(t, d, mail("bob@example.com", m.year(t, "bob", "Org"), noon(), "Q2"))
	pending := m.year(t, "bob2", "Other")
	if c := put(t, d, mail("bob@example.com", pending, noon().Add(time.Hour), "Q3")); c.Kind != Pending || len(c.Files) != 0 {
		t.Fatalf("change %+v", c)
	}
	var events []string
	sweep := func(at time.Time) {
		t.Helper()
		events = nil
		if err := d.Sweep(t.Context(), at, func(e Event) { events = append(events, e.Address+": "+e.Text) }); err != nil {
			t.Fatal(err)
		}
	}
	sweep(noon().Add(2 * time.Hour))
	if len(events) != 1 || !strings.Contains(events[0], "alice@example.com: the certificate expires within 30 days") {
		t.Errorf("events %q", events)
	}
	sweep(noon().Add(74 * time.Hour))
	if len(events) != 1 || !strings.HasPrefix(events[0], "bob@example.com: key changed") {
		t.Errorf("events %q", events)
	}
	if h, err := d.Show("bob@example.com"); err != nil || h.Preferred().Fingerprint != describe(t, pending).Fingerprint {
		t.Errorf("the pending one is not preferred: %v", err)
	}
	sweep(ends.Add(time.Hour))
	if len(events) != 1 || !strings.Contains(events[0], "has expired") {
		t.Errorf("events %q", events)
	}
	if names, err := os.ReadDir(d.path("certs")); err != nil || len(names) != 3 || !strings.HasPrefix(names[0].Name(), "bob@") {
		t.Errorf("published: %v, %v", names, err)
	}
	if names, err := os.ReadDir(d.path("quota")); err != nil || len(names) != 0 {
		t.Errorf("counters of past days: %v, %v", names, err)
	}
	sweep(ends.Add(2 * time.Hour))
	if len(events) != 0 {
		t.Errorf("told again: %q", events)
	}
}

func TestPreferIsTheOperatorsWord(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	m := newMaker()
	first, second := m.year(t, "a", "Org"), m.year(t, "b", "Other")
	put(t, d, mail("alice@example.com", first, noon(), "Q1"))
	put(t, d, mail("alice@example.com", second, noon().Add(time.Hour), "Q2"))
	if c := put(t, d, mail("alice@example.com", first, noon().Add(2*time.Hour), "Q3")); len(c.Events) != 1 || !strings.Contains(c.Events[0], "contested") {
		t.Fatalf("change %+v", c)
	}
	if err := d.Sweep(t.Context(), noon().Add(100*time.Hour), nil); err != nil {
		t.Fatal(err)
	}
	published := func() string {
		a, err := d.Show("alice@example.com")
		if err != nil {
			t.Fatal(err)
		}
		return a.Preferred().Fingerprint
	}
	if published() != describe(t, first).Fingerprint {
		t.Fatal("a contested change went through")
	}
	if err := d.Prefer(t.Context(), "alice@example.com", describe(t, second).Fingerprint); err != nil {
		t.Fatal(err)
	}
	if published() != describe(t, second).Fingerprint {
		t.Error("the operator was not heard")
	}
	if err := d.Prefer(t.Context(), "alice@example.com", hash("x")); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown certificate: %v", err)
	}
}

func TestRebuild(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	m := newMaker()
	for i := range 5 {
		put(t, d, mail(fmt.Sprintf("user%d@example.com", i), m.year(t, fmt.Sprint(i), "Org"), noon(), fmt.Sprint("Q", i)))
	}
	want := map[string]string{}
	names, err := os.ReadDir(d.path("certs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		b, err := os.ReadFile(d.path("certs", n.Name()))
		if err != nil {
			t.Fatal(err)
		}
		want[n.Name()] = string(b)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Remove(d.path("certs", "user1@example.com.crt")))
	must(os.WriteFile(d.path("certs", "user2@example.com.json"), []byte("{"), 0o640))
	must(os.WriteFile(d.path("certs", "ghost@example.com.crt"), []byte("x"), 0o640))
	must(os.WriteFile(d.path("certs", ".user3@example.com.crt"), []byte("x"), 0o640))
	if n, err := d.Rebuild(t.Context()); err != nil || n != 5 {
		t.Fatalf("%d, %v", n, err)
	}
	names, err = os.ReadDir(d.path("certs"))
	if err != nil || len(names) != len(want) {
		t.Errorf("%d files, want %d: %v", len(names), len(want), err)
	}
	for name, text := range want {
		if b, err := os.ReadFile(d.path("certs", name)); err != nil || string(b) != text {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(os.Remove(d.entry("user4@example.com", stateFile)))
	if _, err := d.Rebuild(t.Context()); err == nil || !strings.Contains(err.Error(), stateFile) {
		t.Errorf("a lost state file: %v", err)
	}
	if !exists(d.entry("user4@example.com")) {
		t.Error("certificates thrown away because their state file is lost")
	}
}

func TestListIsSortedAndBounded(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	m := newMaker()
	der := m.year(t, "a", "Org")
	for _, i := range []int{3, 1, 4, 0, 5, 9, 2, 6} {
		put(t, d, mail(fmt.Sprintf("user%d@example.com", i), der, noon(), fmt.Sprint("Q", i)))
	}
	if err := os.WriteFile(d.entry("user5@example.com", stateFile), []byte("?"), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	bad := 0
	for h, err := range d.List(t.Context()) {
		if err != nil {
			bad++
			continue
		}
		got = append(got, h.Address[4:5])
	}
	if strings.Join(got, "") != "0123469" || bad != 1 {
		t.Errorf("listed %q, %d errors", got, bad)
	}
}

func TestSortedNames(t *testing.T) {
	dir := tempDir(t)
	var want []string
	for i := range 100 {
		sum := sha256.Sum256([]byte{byte(i)})
		name := fmt.Sprintf("%x", sum[:4])
		want = append(want, name)
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(want)
	for _, size := range []int{1, 3, 50, 99, 100, 101, 1000} {
		var got []string
		for name, err := range sortedNames(dir, size) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("size %d: %d names, want %d in order", size, len(got), len(want))
		}
	}
}

func TestDailyBound(t *testing.T) {
	d := openTest(t, tempDir(t), Options{Rules: Rules{NewPerDomainDay: 3}})
	der := newMaker().year(t, "a", "Org")
	for i := range 5 {
		c := put(t, d, mail(fmt.Sprintf("user%d@example.com", i), der, noon(), fmt.Sprint("Q", i)))
		if want := map[bool]string{true: "", false: ReasonRate}[i < 3]; c.Reason != want {
			t.Errorf("%d: %+v", i, c)
		}
	}
	if c := put(t, d, mail("x@example.org", der, noon(), "Q8")); c.Kind != Added {
		t.Errorf("another domain: %+v", c)
	}
	if c := put(t, d, mail("user0@example.com", der, noon().Add(time.Hour), "Q9")); c.Kind != Seen {
		t.Errorf("one that is known: %+v", c)
	}
	if c := put(t, d, mail("user4@example.com", der, noon().Add(12*time.Hour), "Q10")); c.Kind != Added {
		t.Errorf("the next day: %+v", c)
	}
	if _, err := d.Show("user3@example.com"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a refused one left something: %v", err)
	}
}

func TestReadOnly(t *testing.T) {
	if _, err := Open(filepath.Join(tempDir(t), "none"), Options{ReadOnly: true}); err == nil {
		t.Error("opened what is not there")
	}
	d := openTest(t, tempDir(t), Options{})
	e := mail("alice@example.com", newMaker().year(t, "a", "Org"), noon(), "Q1")
	put(t, d, e)
	r := openTest(t, d.root, Options{ReadOnly: true})
	if _, err := r.Path(e.Address); err != nil {
		t.Error(err)
	}
	if _, err := r.Put(t.Context(), e); !errors.Is(err, errReadOnly) {
		t.Error(err)
	}
	if _, err := r.Delete(t.Context(), e.Address, false); !errors.Is(err, errReadOnly) {
		t.Error(err)
	}
}

func TestKeyChangeModeIsChecked(t *testing.T) {
	if _, err := Open(tempDir(t), Options{Rules: Rules{KeyChange: "perhaps"}}); err == nil || !strings.Contains(err.Error(), "key_change") {
		t.Error(err)
	}
}
