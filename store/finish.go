package store

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// finishAll finishes what holders of locks left when they died. What cannot be
// finished now stays marked, and fails again where somebody asks for it.
func (d *Directory) finishAll() error {
	return trouble("read locks", eachName(d.path("locks"), func(name string) error {
		l, err := tryAcquire(d.path("locks", name))
		if err != nil {
			return nil // its holder lives
		}
		if d.finishOne(name) != nil {
			l.leave()
			return nil
		}
		l.finish()
		return nil
	}))
}

// finishOne brings an address whose change was cut short into the state that
// its state file says, durably, under its lock. Nobody knows how far the
// former holder came, so everything is done again that may be missing.
func (d *Directory) finishOne(name string) error {
	if err := d.disk.removeAll(d.path("entries", deleting+name)); err != nil {
		return trouble("finish "+name, err)
	}
	h, err := d.history(name)
	if err != nil {
		return trouble("finish "+name, err)
	}
	if len(h.Records) == 0 { // it never came to a first certificate, or was deleted
		return trouble("finish "+name, d.erase(name))
	}
	deletedAt, _, err := d.deletion(h.Address)
	if err != nil {
		return err
	}
	if allBefore(h.Records, deletedAt) {
		_, err := d.eraseReports(h.Address, h)
		return trouble("finish deletion", errors.Join(err, d.erase(name))) // as delete does
	}
	for _, sync := range []func() error{
		func() error { return d.disk.syncFile(d.entry(name, stateFile)) },
		func() error { return d.disk.syncDir(d.entry(name)) },
		func() error { return d.disk.syncDir(d.path("entries")) },
	} {
		if err := sync(); err != nil {
			return trouble("finish "+name, err)
		}
	}
	list, err := d.blocked()
	if err != nil {
		return err
	}
	if h, err = d.applyBlocks(name, h, list, d.o.Now()); err != nil {
		return trouble("finish "+name, err)
	}
	if _, err := d.publish(name, h, "", true); err != nil {
		return trouble("finish "+name, err)
	}
	return trouble("finish "+name, d.sweepEntry(name, h))
}

// sweepEntry removes what the state of an address does not name.
func (d *Directory) sweepEntry(name string, h *History) error {
	for i := range h.Records {
		r := &h.Records[i]
		wanted := map[string]bool{certificateFile: true, chainFile: true}
		for _, e := range []*Evidence{r.First, r.Newest} {
			if e != nil {
				wanted[e.File] = true
			}
		}
		if err := d.removeOthers(d.entry(name, r.Fingerprint), wanted); err != nil {
			return err
		}
	}
	wanted := map[string]bool{stateFile: true}
	for i := range h.Records {
		wanted[h.Records[i].Fingerprint] = true
	}
	return d.removeOthers(d.entry(name), wanted)
}

func (d *Directory) removeOthers(dir string, wanted map[string]bool) error {
	names, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		if !wanted[n.Name()] {
			if err := d.disk.removeAll(filepath.Join(dir, n.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// eachName calls f for the names in a directory that are not temporary, in no
// order and in bounded memory.
func eachName(dir string, f func(name string) error) error {
	return everyName(dir, func(name string) error {
		if temporary(name) {
			return nil
		}
		return f(name)
	})
}

// everyName is eachName for all names, temporary ones too.
func everyName(dir string, f func(name string) error) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	for {
		names, err := folder.Readdirnames(1024)
		for _, name := range names {
			if err := f(name); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
