package store

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// ReportLimits bound the ring of reports. Zero fields mean the defaults.
type ReportLimits struct {
	Count int   // reports kept, 10000
	Bytes int64 // of all of them, 256 MiB
}

func (l ReportLimits) withDefaults() ReportLimits {
	if l.Count <= 0 {
		l.Count = 10000
	}
	if l.Bytes <= 0 {
		l.Bytes = 256 << 20
	}
	return l
}

// Reports is a bounded ring on disk of the latest reports by reference: for
// the phone call after a bounce. Each is a file of its own below reports/,
// written in place under a lock, so that no reader meets half of one.
// Nothing is synced: a power failure may cost the last seconds of it, and who
// dies while writing costs the report that he was at, in its old form too. It
// is safe for concurrent use, by several processes too; while more than one
// writes, the bounds hold within a tenth for each of them, and what another has
// put anew may be taken for as old as it was.
type Reports struct {
	dir    string
	limits ReportLimits

	mu    sync.Mutex
	kept  []reportFile   // oldest first; without a name where it was put anew since
	gone  int            // how many have left the front of kept since the folder was read
	place map[string]int // of each name in kept, those that are gone counted, too
	bytes int64
	ready bool // kept is what the folder held when it was last read; since then:
	puts  int
	fresh int   // of them, those under a name that was not there
	grown int64 // bytes that they added
}

type reportFile struct {
	name string
	size int64
	at   int64
}

// A Stored is a report as kept.
type Stored struct {
	Reference string
	At        time.Time // when it was put
	JSON      []byte
	Text      string
}

// OpenReports returns the ring in dir, which must exist. It reads nothing yet.
func OpenReports(dir string, limits ReportLimits) (*Reports, error) {
	if fi, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("store: reports: %w", err)
	} else if !fi.IsDir() {
		return nil, fmt.Errorf("store: reports: %s is no directory", dir)
	}
	return &Reports{dir: dir, limits: limits.withDefaults()}, nil
}

// Reports returns the ring of this store.
func (d *Directory) Reports() (*Reports, error) { return OpenReports(d.path("reports"), d.o.Reports) }

// maxRef bounds a reference in bytes.
const maxRef = maxWord

// Put keeps a report under its reference, in place of an older one with the
// same; the oldest reports go when the ring is full. JSON and text together
// are at most MaxReport bytes. After an error there may be neither.
func (r *Reports) Put(ref string, json []byte, text string) error {
	if ref == "" || len(ref) > maxRef {
		return fmt.Errorf("store: reports: reference of %d bytes, want 1 to %d", len(ref), maxRef)
	}
	if len(json)+len(text) > MaxReport {
		return fmt.Errorf("store: reports: %d bytes, at most %d", len(json)+len(text), MaxReport)
	}
	now := time.Now()
	b := encodeReport(Stored{Reference: ref, At: now, JSON: json, Text: text})
	name := Name(ref)
	if err := writeReport(filepath.Join(r.dir, name), b, now); err != nil {
		return trouble("reports", err)
	}
	return trouble("reports", r.admit(reportFile{name: name, size: int64(len(b)), at: now.UnixNano()}))
}

// admit counts a report in and the oldest out.
func (r *Reports) admit(f reportFile) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.puts++
	i, old := r.place[f.name]
	if old {
		r.grown += max(0, f.size-r.kept[i-r.gone].size)
	} else {
		r.fresh++
		r.grown += f.size
	}
	if !r.ready || r.puts > r.limits.Count || r.fresh > r.limits.Count/10 || r.grown > r.limits.Bytes/10 {
		if err := r.load(); err != nil { // f is in the folder too
			return err
		}
	} else {
		if old {
			r.bytes -= r.kept[i-r.gone].size
			r.kept[i-r.gone] = reportFile{}
		}
		r.add(f)
	}
	for len(r.kept) > 0 && (len(r.place) > r.limits.Count || r.bytes > r.limits.Bytes) {
		if err := r.drop(r.kept[0]); err != nil {
			return err
		}
		r.kept = r.kept[1:]
		r.gone++
	}
	return nil
}

// add counts a report in as the newest.
func (r *Reports) add(f reportFile) {
	r.place[f.name] = r.gone + len(r.kept)
	r.kept = append(r.kept, f)
	r.bytes += f.size
}

// drop removes a report and counts it out.
func (r *Reports) drop(f reportFile) error {
	if f.name == "" {
		return nil
	}
	if err := os.Remove(filepath.Join(r.dir, f.name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	r.bytes -= f.size
	delete(r.place, f.name)
	return nil
}

// load reads what is in the folder and removes what writers who died left.
func (r *Reports) load() error {
	r.ready = false
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return err
	}
	found := make([]reportFile, 0, len(entries))
	for _, e := range entries {
		fi, err := e.Info()
		if err != nil {
			continue // gone meanwhile
		}
		if temporary(e.Name()) {
			if time.Since(fi.ModTime()) > time.Hour {
				os.Remove(filepath.Join(r.dir, e.Name()))
			}
			continue
		}
		found = append(found, reportFile{name: e.Name(), size: fi.Size(), at: fi.ModTime().UnixNano()})
	}
	slices.SortStableFunc(found, func(a, b reportFile) int { return cmp.Compare(a.at, b.at) })
	r.kept, r.place, r.gone, r.bytes = r.kept[:0], make(map[string]int, len(found)), 0, 0
	for _, f := range found {
		r.add(f)
	}
	r.ready, r.puts, r.fresh, r.grown = true, 0, 0, 0
	return nil
}

// Get returns the report that was last put under a reference, ErrNotFound
// when there is none or its bytes did not survive a power failure.
func (r *Reports) Get(ref string) (Stored, error) {
	s, err := readReport(filepath.Join(r.dir, Name(ref)))
	if err == nil && s.Reference == ref {
		return s, nil
	}
	if err == nil || errors.Is(err, os.ErrNotExist) {
		err = ErrNotFound
	}
	return Stored{}, fmt.Errorf("store: report %s: %w", words(ref), err)
}

// Forget removes the reports with these references and all that name the
// address, also what writers who died left of one. It returns how many went. What
// cannot be read is an error, after all others were looked at; a report that is put
// while it runs may stay.
func (r *Reports) Forget(address string, refs []string) (int, error) {
	doomed := map[string]bool{}
	for _, ref := range refs {
		doomed[Name(ref)] = true
	}
	n, errs := 0, &firstError{}
	err := everyName(r.dir, func(name string) error {
		path := filepath.Join(r.dir, name)
		if !doomed[name] {
			// Not decoded: half of a report names people too.
			b, err := readShared(path)
			if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.EISDIR) {
				return nil
			}
			if err != nil {
				errs.add(err)
				return nil
			}
			if !mentions(b, address) {
				return nil
			}
		}
		n++
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs.add(err)
		}
		return nil
	})
	errs.add(err)
	return n, trouble("reports", errs.result())
}
