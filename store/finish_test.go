package store

import (
	"os"
	"testing"
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
