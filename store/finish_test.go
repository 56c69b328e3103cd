package store

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"
)

// A syncedDisk notes what it was asked to sync.
type syncedDisk struct {
	realDisk
	synced map[string]bool
}

func (d syncedDisk) syncDir(path string) error {
	d.synced[path] = true
	return d.realDisk.syncDir(path)
}

func (d syncedDisk) syncFile(path string) error {
	d.synced[path] = true
	return d.realDisk.syncFile(path)
}

// TestFinishedIsOnDisk: who died may have done everything but a sync. It is made up
// for before anybody is answered from what he left.
func TestFinishedIsOnDisk(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	e := mail("alice@example.com", newMaker().year(t, "a", "Org"), noon(), "Q1")
	put(t, d, e)
	mark := d.path("locks", e.Address)
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	on := syncedDisk{synced: map[string]bool{}}
	d.disk = on
	if c := put(t, d, e); c.Kind != Repeated || exists(mark) {
		t.Errorf("%+v, not finished", c)
	}
	want := []string{d.entry(e.Address, stateFile), d.entry(e.Address), d.path("entries"), d.path("certs")}
	for _, ending := range endings() {
		want = append(want, d.path("certs", e.Address+ending))
	}
	for _, path := range want {
		if !on.synced[path] {
			t.Errorf("%s was not synced", path)
		}
	}
}

// TestDeletionIsFinishedBesideAReportThatCannotBeRead: what a deletion that was cut short
// has left goes, and whoever finishes it is told of the report.
func TestDeletionIsFinishedBesideAReportThatCannotBeRead(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	e := mail("alice@example.com", newMaker().year(t, "a", "Org"), noon(), "Q1")
	put(t, d, e)
	loop, mark := d.path("reports", "loop"), d.path("locks", e.Address)
	if err := errors.Join(d.bury(t.Context(), e.Address, false), os.WriteFile(mark, nil, 0o600), os.Symlink(loop, loop)); err != nil {
		t.Fatal(err)
	}
	if c, err := d.Put(t.Context(), e); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("%+v, %v", c, err)
	}
	if states, published := standing(d, e.Address); states != "" || published != "" {
		t.Errorf("%s, published %s", states, published)
	}
	if c := put(t, d, e); c.Kind != Blocked || exists(mark) {
		t.Errorf("%+v, not finished", c)
	}
	intact(t, d, true)
}

// TestRestOfACertificate: a power failure may leave a folder that no state file
// names, and take the mark. It is no obstacle and nothing of it stays.
func TestRestOfACertificate(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	m := newMaker()
	a, b := m.year(t, "a", "Org"), m.year(t, "b", "Org")
	put(t, d, mail("alice@example.com", a, noon(), "Q1"))
	for _, address := range []string{"alice@example.com", "bob@example.com"} {
		for _, name := range []string{describe(t, b).Fingerprint, hash("forgotten")} {
			dir := d.entry(address, name)
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{certificateFile, "first.tar.gz", ".newest"} {
				if err := os.WriteFile(dir+"/"+file, []byte("half"), 0o400); err != nil {
					t.Fatal(err)
				}
			}
		}
		put(t, d, mail(address, b, noon().Add(time.Hour), "Q2"))
	}
	intact(t, d, true)
}
