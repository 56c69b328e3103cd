package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Options are what a Directory needs to know besides its path.
type Options struct {
	Rules    Rules
	Group    int              // gid that may read certs/; -1 or 0: the process's own group
	Now      func() time.Time // for commands; Put judges by Entry.At. Nil: the clock
	ReadOnly bool             // Open makes and finishes nothing: for those who may read certs/ only
	Reports  ReportLimits
}

// A Directory is the store in a directory. It is safe for concurrent use, also
// by several processes at once. It holds no state in memory but its settings and
// room to work in: what is on disk is the truth. Use Open.
type Directory struct {
	root   string
	o      Options
	disk   disk
	packer packer
}

// Open opens the store in dir, an absolute or relative path, and makes what is
// missing of it. It finishes changes that a crash cut short; it does not walk
// the entries, so its time does not grow with them.
func Open(dir string, o Options) (*Directory, error) { return open(dir, o, realDisk{}) }

func open(dir string, o Options, on disk) (*Directory, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("store: %s: %w", dir, err)
	}
	o.Rules = o.Rules.withDefaults()
	switch o.Rules.KeyChange {
	case "", "accept", "hold", "reject":
	default:
		return nil, fmt.Errorf("store: key_change: %q: use accept, hold or reject", o.Rules.KeyChange)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &Directory{root: root, o: o, disk: on}
	if o.ReadOnly {
		if _, err := os.Stat(d.path("certs")); err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
		return d, nil
	}
	if err := d.layout(); err != nil {
		return nil, trouble("open "+root, err)
	}
	if err := d.finishAll(); err != nil {
		return nil, err
	}
	return d, nil
}

// layout makes the directories. An existing root keeps its mode.
func (d *Directory) layout() error {
	if err := makeParents(d.disk, d.root); err != nil {
		return err
	}
	for _, sub := range parts() {
		mode := os.FileMode(0o700)
		if sub == "certs" {
			mode = 0o750
		}
		if err := makeDir(d.disk, d.root, d.path(sub), mode); err != nil {
			return err
		}
	}
	return d.grant(d.path("certs"))
}

// Usable says whether this process may write everywhere in the store. It opens
// and writes nothing.
func (d *Directory) Usable() error {
	for _, sub := range parts() {
		if err := syscall.Access(d.path(sub), 7); err != nil { // rwx
			return fmt.Errorf("store: %s: %w: it has to belong to the user of the daemon, on a disk that can be written to", d.path(sub), err)
		}
	}
	return nil
}

// parts are the directories of a store.
func parts() []string { return []string{"entries", "reports", "locks", "deleted", "quota", "certs"} }

// makeParents makes a directory and its missing parents durably. They may be
// passed through, not listed: readers of certs/ come by here.
func makeParents(on disk, path string) error {
	if _, err := os.Stat(path); err == nil || !errors.Is(err, os.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := makeParents(on, parent); err != nil {
			return err
		}
	}
	return makeDir(on, parent, path, 0o711)
}

// grant gives certs/ to the group of readers.
func (d *Directory) grant(path string) error {
	if d.o.Group <= 0 {
		return nil
	}
	if err := os.Chown(path, -1, d.o.Group); err != nil {
		return fmt.Errorf("%w: run as a member of group %d, or as root", err, d.o.Group)
	}
	return nil
}

func (d *Directory) path(parts ...string) string {
	return filepath.Join(append([]string{d.root}, parts...)...)
}

func (d *Directory) entry(name string, parts ...string) string {
	return d.path(append([]string{"entries", name}, parts...)...)
}

func (d *Directory) history(name string) (*History, error) {
	return readHistory(d.entry(name, stateFile), name)
}

// The files of an entry.
const (
	stateFile       = "state.json"
	certificateFile = "certificate.crt"
	chainFile       = "chain.pem"
)

// temporary says whether a name is one that we write under before a rename.
// No address and nothing else we keep begins with a dot.
func temporary(name string) bool { return strings.HasPrefix(name, ".") }

// key checks an address given to a command.
func key(address string) (name string, err error) {
	if address == "" || len(address) > MaxAddress {
		return "", fmt.Errorf("store: address of %d bytes: give one of 1 to %d", len(address), MaxAddress)
	}
	return Name(address), nil
}
