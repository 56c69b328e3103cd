package store

import (
	"context"
	"errors"
	"time"
)

// A Removal says what a deletion found.
type Removal struct {
	Certificates int // kept certificates, of any state; 0 also when their list could not be read
	Reports      int // in the ring
}

// deleting begins the name of an entry on its way out.
const deleting = ".deleted-"

// Delete removes everything that is kept of an address: what is published,
// certificates, history, evidence, and the reports that name it. Mail signed
// before the deletion is refused from now on, and with suppress any mail, for
// which a keyed hash of the address remains. It works also when the address's
// state file is damaged. Deleting an unknown address is no error.
func (d *Directory) Delete(ctx context.Context, address string, suppress bool) (Removal, error) {
	name, err := key(address)
	if err != nil {
		return Removal{}, err
	}
	l, err := d.lock(ctx, name)
	if err != nil {
		return Removal{}, err
	}
	// Not what locked does: a state file that cannot be read must not stop us.
	removal, err := d.delete(ctx, name, address, suppress)
	if err != nil {
		l.leave()
		return removal, trouble("delete", err)
	}
	l.finish()
	return removal, nil
}

func (d *Directory) delete(ctx context.Context, name, address string, suppress bool) (Removal, error) {
	h, err := d.history(name)
	if err != nil {
		h = &History{}
	}
	removal := Removal{Certificates: len(h.Records)}
	if err := d.syncLock(name); err != nil {
		return removal, err
	}
	if err := d.bury(ctx, address, suppress); err != nil {
		return removal, err
	}
	removal.Reports, err = d.eraseReports(address, h)
	return removal, errors.Join(err, d.erase(name)) // a report in the way keeps no certificate
}

// erase removes all files of an address but its reports.
func (d *Directory) erase(name string) error {
	for _, ending := range endings() {
		err := errors.Join(d.disk.remove(d.path("certs", "."+name+ending)), d.disk.remove(d.path("certs", name+ending)))
		if err != nil {
			return err
		}
	}
	if err := d.disk.syncDir(d.path("certs")); err != nil {
		return err
	}
	out := d.path("entries", deleting+name)
	if err := d.disk.removeAll(out); err != nil {
		return err
	}
	if exists(d.entry(name)) {
		if err := d.disk.rename(d.entry(name), out); err != nil {
			return err
		}
	}
	if err := d.disk.removeAll(out); err != nil {
		return err
	}
	return d.disk.syncDir(d.path("entries"))
}

func (d *Directory) eraseReports(address string, h *History) (int, error) {
	ring, err := OpenReports(d.path("reports"), d.o.Reports)
	if err != nil {
		return 0, err
	}
	return ring.Forget(address, h.references())
}

// allBefore says whether records are left of a deletion that was cut short: a
// certificate kept since comes from mail signed after it.
func allBefore(records []Record, deletedAt time.Time) bool {
	if deletedAt.IsZero() {
		return false
	}
	for _, r := range records {
		if r.Since.After(deletedAt) {
			return false
		}
	}
	return true
}
