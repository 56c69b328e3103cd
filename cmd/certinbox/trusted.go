package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify/trust"
)

// trusted is who may vouch for a mailbox, put together from all that says so.
type trusted struct {
	anchors *trust.Anchors // with shelf and block list
	folder  *trust.Folder  // store.path/trust; nil: --anchors, or it may not be read
	shelf   *trust.Shelf   // nil with folder
	bundle  trust.Bundle   // the public e-mail roots; zero: off
	file    string         // of the bundle
}

// embeddedName stands for a file where the program's own roots are meant.
const embeddedName = config.Mozilla

// trusted puts together what the configuration, store.path/trust and the block
// list say, or reads --anchors in the place of all of it. Problems that stop
// nothing go to tell.
func (w *world) trusted(c *config.Config, now time.Time, tell func(string)) (trusted, error) {
	if w.anchors != "" {
		return w.onlyGiven(now, tell)
	}
	var t trusted
	folder, err := openTrust(c, true, tell)
	if err != nil {
		return t, err
	}
	t.folder = folder
	sources, err := t.sources(c, tell)
	if err != nil {
		return t, err
	}
	if len(sources) == 0 {
		return t, &failure{exitConfig, errors.New("trust.roots is off and trust.anchors is empty: no CA is trusted, so no certificate could be kept"),
			"set trust.roots to mozilla, or name CA certificates under trust.anchors, with certinbox trust add, or with --anchors"}
	}
	anchors, problems, err := trust.Load(sources, now)
	say(problems, tell)
	if err != nil {
		return t, fail(exitConfig, err)
	}
	blocked, err := blockedCAs(c, tell)
	if err != nil {
		return t, err
	}
	if folder != nil {
		t.shelf, problems, err = folder.Shelf(anchors, now)
		say(problems, tell)
		if err != nil {
			return t, fail(exitConfig, err)
		}
	}
	t.anchors = anchors.With(t.shelf, blocked)
	return t, nil
}

func (w *world) onlyGiven(now time.Time, tell func(string)) (trusted, error) {
	if _, err := os.Stat(w.anchors); err != nil {
		return trusted{}, fail(exitNoInput, fmt.Errorf("--anchors: %w", err))
	}
	anchors, problems, err := trust.Load([]trust.Source{{File: w.anchors}}, now)
	say(problems, tell)
	if err != nil {
		return trusted{}, fail(exitConfig, err)
	}
	return trusted{anchors: anchors}, nil
}

func say(problems []trust.Problem, tell func(string)) {
	for _, p := range problems {
		tell(p.String())
	}
}

// sources lists everything from which anchors come, the roots first.
func (t *trusted) sources(c *config.Config, tell func(string)) ([]trust.Source, error) {
	var sources []trust.Source
	if c.Trust.Roots != config.Off {
		s, err := t.roots(c, tell)
		if err != nil {
			return nil, err
		}
		sources = append(sources, s)
	}
	for _, a := range c.Trust.Anchors {
		s := trust.Source{File: a.File, AllowMissingEKU: a.AllowMissingEKU, AllowSubjectAddress: a.AllowSubjectAddress}
		if len(a.Domains) != 1 || a.Domains[0] != config.AnyDomain {
			s.Domains = a.Domains
		}
		sources = append(sources, s)
	}
	if t.folder == nil {
		return sources, nil
	}
	added, problems, err := t.folder.Sources()
	if err != nil {
		return nil, fail(exitConfig, err)
	}
	if len(problems) > 0 { // a limit that nobody knows: going on without it would fail open
		var errs []error
		for _, p := range problems {
			errs = append(errs, fmt.Errorf("trust: %s", p))
		}
		return nil, &failure{exitConfig, errors.Join(errs...), "add the CA again with its limits afterwards: certinbox trust add"}
	}
	return append(sources, added...), nil
}

// roots chooses the bundle of public roots and remembers it.
func (t *trusted) roots(c *config.Config, tell func(string)) (trust.Source, error) {
	var data []byte // nil: Load reads the file, and looks at its age
	var err error
	if c.Trust.Roots == config.Mozilla {
		t.bundle, t.file, data, err = mozillaRoots(t.folder, tell)
	} else {
		t.file = c.Trust.Roots
		t.bundle, _, err = readRoots(t.file)
	}
	if err != nil {
		return trust.Source{}, err
	}
	if len(t.bundle.Roots) == 0 {
		return trust.Source{}, fail(exitConfig, fmt.Errorf("trust.roots: %s holds no usable root", t.file))
	}
	return trust.Source{File: t.file, Public: true, Contents: data}, nil
}

// mozillaRoots returns the roots of trust update, or those of the program where
// there are none or older ones.
func mozillaRoots(folder *trust.Folder, tell func(string)) (b trust.Bundle, file string, data []byte, err error) {
	data = trust.Embedded()
	b, _, err = trust.ReadBundle(embeddedName, data)
	if err != nil {
		return b, "", nil, fail(exitInternal, fmt.Errorf("the roots of the program: %w", err))
	}
	if folder == nil {
		return b, embeddedName, data, nil
	}
	contents, path, err := folder.Roots()
	if err != nil {
		return b, "", nil, fail(exitConfig, err)
	}
	if contents == nil {
		return b, embeddedName, data, nil
	}
	updated, _, err := trust.ReadBundle(path, contents)
	if err != nil {
		return b, "", nil, &failure{exitConfig, fmt.Errorf("trust: %s: %w", path, err), "certinbox trust update FILE writes it anew; certinbox trust update --embedded goes back to the roots of the program"}
	}
	if updated.Date.Before(b.Date) {
		tell(fmt.Sprintf("%s, of %s, is older than the roots of the program, of %s, and is not used; certinbox trust update --embedded removes it",
			path, day(updated.Date), day(b.Date)))
		return b, embeddedName, data, nil
	}
	return updated, path, contents, nil
}

// readRoots reads a bundle that the operator names. One that does not say of
// when its data is, is of the file's time.
func readRoots(file string) (trust.Bundle, []trust.Problem, error) {
	data, modified, err := readFile(file)
	if err != nil {
		return trust.Bundle{}, nil, fail(exitConfig, fmt.Errorf("trust.roots: %w", err))
	}
	b, problems, err := trust.ReadBundle(file, data)
	if err != nil {
		return trust.Bundle{}, nil, fail(exitConfig, fmt.Errorf("trust.roots: %s: %w", file, err))
	}
	if b.Date.IsZero() {
		b.Date = modified
	}
	return b, problems, nil
}

// maxTrustFile bounds a file of certificates, in bytes; trust.Load has the same bound.
const maxTrustFile = 8 << 20

// readFile reads a regular file within its bound, with the time of its last change.
func readFile(name string) ([]byte, time.Time, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, time.Time{}, err
	}
	if !info.Mode().IsRegular() {
		return nil, time.Time{}, fmt.Errorf("%s: not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxTrustFile+1))
	if err == nil && len(data) > maxTrustFile {
		err = fmt.Errorf("%s: over %d bytes", name, maxTrustFile)
	}
	return data, info.ModTime(), err
}

// openTrust opens store.path/trust. Who is not the store's owner and may not
// read it is told, and goes on without; for the owner that is an error.
func openTrust(c *config.Config, readOnly bool, tell func(string)) (*trust.Folder, error) {
	folder, err := trust.OpenFolder(trustPath(c), readOnly)
	switch {
	case err == nil:
		return folder, nil
	case readOnly && withoutRight(c, err):
		tell(err.Error() + ": judged without what certinbox trust add, block and update put there")
		return nil, nil
	}
	return nil, fromStore(err)
}

// withoutRight says whether err is that somebody else than the store's owner
// may not read what is private there.
func withoutRight(c *config.Config, err error) bool {
	if !errors.Is(err, fs.ErrPermission) {
		return false
	}
	uid, _, ownerErr := owner(c.Store.Path)
	return ownerErr != nil || uid != os.Geteuid()
}

// blockedCAs reads the block list, if there is a store.
func blockedCAs(c *config.Config, tell func(string)) (func(*x509.Certificate) bool, error) {
	kept, err := store.Open(c.Store.Path, store.Options{ReadOnly: true}) // nothing but a list is read: no group matters
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var blocked func(*x509.Certificate) bool
	if err == nil {
		blocked, err = kept.BlockedCAs()
	}
	if err != nil && withoutRight(c, err) {
		tell(err.Error() + ": judged without the block list")
		return nil, nil
	}
	return blocked, fromStore(err)
}

// trustPath is the folder of what commands and daemon keep about trust.
func trustPath(c *config.Config) string { return filepath.Join(c.Store.Path, "trust") }
