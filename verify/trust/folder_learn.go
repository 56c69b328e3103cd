package trust

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Bounds of what is learnt on disk; a Shelf bounds what it learns by itself.
const (
	maxLearntFiles  = 64   // under one anchor
	maxLearntInAll  = 2000 // files
	maxLearntUnders = 1000 // anchors under which something was learnt
)

// Shelf returns a shelf with the operator's intermediates and those learnt
// under the given anchors; expired ones are left out. Everything that cannot be
// used is a Problem. The error is about the folder itself.
func (f *Folder) Shelf(anchors *Anchors, now time.Time) (*Shelf, []Problem, error) {
	list, problems, err := f.Intermediates()
	if err != nil {
		return nil, problems, err
	}
	list = slices.DeleteFunc(list, func(c *x509.Certificate) bool {
		if !now.After(c.NotAfter) {
			return false
		}
		problems = append(problems, Problem{File: f.path(intermediatesPart, Fingerprint(c)+".pem"), Warning: true,
			Text: "the CA " + named(c) + " expired on " + c.NotAfter.UTC().Format("2 January 2006") + " and is not used"})
		return true
	})
	shelf := NewShelf(list)
	for _, a := range anchors.List() {
		learnt, more, err := f.Learnt(a)
		problems = append(problems, more...)
		if err != nil {
			return nil, problems, err
		}
		for _, c := range learnt {
			if !now.After(c.NotAfter) {
				// learnt again, as from a path: what the shelf refuses stays off
				shelf.Learn(Path{Chain: []*x509.Certificate{c, c, a.Certificate}, Anchor: a}, now)
			}
		}
	}
	return shelf, problems, nil
}

// Learnt returns the intermediates that were learnt under an anchor.
func (f *Folder) Learnt(a *Anchor) ([]*x509.Certificate, []Problem, error) {
	return f.certificates(filepath.Join(learntPart, Fingerprint(a.Certificate)))
}

// Learn puts the intermediates of an accepted path on the shelf and keeps those
// that are new to it. The caller has asked whether they were revoked. Of an
// error the shelf knows nothing: it helps until the program ends.
func (f *Folder) Learn(shelf *Shelf, p Path, at time.Time) error {
	fresh := shelf.Learn(p, at)
	if len(fresh) == 0 || p.Anchor == nil {
		return nil
	}
	return f.change(func() error {
		dir := f.path(learntPart, Fingerprint(p.Anchor.Certificate))
		if err := f.room(dir, at, len(fresh)); err != nil {
			return err
		}
		if err := makePrivate(dir); err != nil {
			return err
		}
		for _, c := range fresh {
			if err := f.write(filepath.Join(dir, Fingerprint(c)+".pem"), formatFolderFile(c, nil, at, "accepted mail"), true); err != nil {
				return err
			}
		}
		return nil
	})
}

// room sees to it that n more files may stand in dir: what has expired or
// cannot be read goes first.
func (f *Folder) room(dir string, at time.Time, n int) error {
	all, err := f.learntFiles(func(string) bool { return true })
	if err != nil {
		return err
	}
	here := slices.DeleteFunc(slices.Clone(all), func(path string) bool { return filepath.Dir(path) != dir })
	left := len(all)
	full := func() bool { return len(here)+n > maxLearntFiles || left+n > maxLearntInAll }
	if !full() {
		return nil
	}
	for _, path := range all {
		data, err := readPrivate(path, maxFolderFileBytes)
		if err == nil {
			var k folderFile
			if k, err = parseFolderFile(path, data, false); err == nil && !at.After(k.certificate.NotAfter) {
				continue
			}
		}
		if err := f.remove(path); err != nil {
			return err
		}
		here = slices.DeleteFunc(here, func(p string) bool { return p == path })
		left--
	}
	if full() {
		return fmt.Errorf("%s: no more intermediates are learnt (%d under one CA, %d in all)", dir, maxLearntFiles, maxLearntInAll)
	}
	return nil
}

// Expire takes learnt intermediates that have expired off the shelf and off the
// disk, under every anchor, and returns how many files that were.
func (f *Folder) Expire(shelf *Shelf, at time.Time) (int, error) {
	shelf.expire(at)
	all, err := f.learntFiles(func(string) bool { return true })
	if err != nil {
		return 0, fmt.Errorf("trust: %w", err)
	}
	expired := slices.DeleteFunc(all, func(path string) bool {
		data, err := readPrivate(path, maxFolderFileBytes)
		if err != nil {
			return true // whoever loads it says so
		}
		k, err := parseFolderFile(path, data, false)
		return err != nil || !at.After(k.certificate.NotAfter)
	})
	if len(expired) == 0 {
		return 0, nil
	}
	gone := 0
	err = f.change(func() error {
		for _, path := range expired {
			if err := f.remove(path); err != nil {
				return err
			}
			gone++
		}
		return nil
	})
	return gone, err
}

// learntFiles returns the files of learnt intermediates whose names are wanted.
func (f *Folder) learntFiles(wanted func(name string) bool) ([]string, error) {
	unders, err := folderNames(f.path(learntPart), maxLearntUnders)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, under := range unders {
		files, err := f.learntUnder(under)
		if err != nil {
			return nil, err
		}
		for _, path := range files {
			if wanted(filepath.Base(path)) {
				out = append(out, path)
			}
		}
	}
	return out, nil
}

func (f *Folder) learntUnder(anchor string) ([]string, error) {
	dir := f.path(learntPart, anchor)
	if info, err := os.Lstat(dir); err == nil && !info.IsDir() {
		return nil, errors.New(dir + ": no directory: move it away")
	}
	names, err := folderNames(dir, maxFolderFiles)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range names {
		out = append(out, filepath.Join(dir, name))
	}
	return out, nil
}
