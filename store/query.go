package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"time"
)

// An Address is what Show knows.
type Address struct {
	History
	Deleted    time.Time // when it was deleted; zero if never
	Suppressed bool      // for good
	Folder     string    // where its certificates and evidence are
}

// Show returns everything that is remembered of an address, with all
// certificates of any state. An address of which nothing is known, not even a
// deletion, is ErrNotFound.
func (d *Directory) Show(address string) (Address, error) {
	name, err := key(address)
	if err != nil {
		return Address{}, err
	}
	h, err := d.history(name)
	if err != nil {
		return Address{}, trouble("show", err)
	}
	a := Address{History: *h, Folder: d.entry(name)}
	if a.Deleted, a.Suppressed, err = d.deletion(address); err != nil {
		return Address{}, err
	}
	if len(h.Records) == 0 && a.Deleted.IsZero() {
		return Address{}, fmt.Errorf("store: %s: %w", words(address), ErrNotFound)
	}
	a.Address = address
	return a, nil
}

// Path returns the path of the certificate to encrypt to, ErrNotFound if none
// is published. It asks the file system once.
func (d *Directory) Path(address string) (string, error) {
	name, err := key(address)
	if err != nil {
		return "", err
	}
	path := d.path("certs", name+".crt")
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			err = ErrNotFound
		}
		return "", fmt.Errorf("store: %s: %w", words(address), err)
	}
	return path, nil
}

// Evidence returns the documents of a certificate's first acceptance and of
// its newest one, which is empty while there was only one.
func (d *Directory) Evidence(address, fingerprint string) (first, newest []Document, err error) {
	a, err := d.Show(address)
	if err != nil {
		return nil, nil, err
	}
	r := recordOf(&a.History, fingerprint)
	if r == nil {
		return nil, nil, fmt.Errorf("store: %s: certificate: %w", words(address), ErrNotFound)
	}
	read := func(e *Evidence) (docs []Document, err error) {
		if e == nil {
			return nil, nil
		}
		path := a.Folder + "/" + fingerprint + "/" + e.File
		b, err := readBounded(path, 4*MaxCMS)
		if err == nil {
			docs, err = unpack(b)
		}
		if err != nil {
			return nil, fmt.Errorf("store: %s: %w", path, err)
		}
		return docs, nil
	}
	if first, err = read(r.First); err != nil {
		return nil, nil, err
	}
	newest, err = read(r.Newest)
	return first, newest, err
}

// batch is how many names List sorts at a time: what it holds in memory.
const batch = 1 << 16

// List yields the histories of all addresses in the order of their file
// names, in bounded memory. A damaged one is yielded as an error, after which
// the listing goes on.
func (d *Directory) List(ctx context.Context) iter.Seq2[History, error] {
	return func(yield func(History, error) bool) {
		for name, err := range sortedNames(d.path("entries"), batch) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(History{}, trouble("list", err))
				return
			}
			h, err := d.history(name)
			if err == nil && len(h.Records) == 0 {
				continue // deleted meanwhile, or not committed
			}
			if err != nil {
				h = &History{}
			}
			if !yield(*h, trouble("list", err)) {
				return
			}
		}
	}
}

// sortedNames yields the names in a directory in order while holding at most
// 2*size of them: each pass over the directory takes the next size names.
func sortedNames(dir string, size int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		last := ""
		for {
			names, more, err := nextNames(dir, last, size)
			if err != nil {
				yield("", err)
				return
			}
			for _, name := range names {
				if !yield(name, nil) {
					return
				}
			}
			if !more {
				return
			}
			last = names[len(names)-1]
		}
	}
}

// nextNames returns the size smallest names after last, and whether there are
// more.
func nextNames(dir, last string, size int) (names []string, more bool, err error) {
	folder, err := os.Open(dir)
	if err != nil {
		return nil, false, err
	}
	defer folder.Close()
	for {
		some, err := folder.Readdirnames(1024)
		for _, name := range some {
			if name > last && !temporary(name) {
				names = append(names, name)
			}
		}
		if len(names) > 2*size || errors.Is(err, io.EOF) {
			slices.Sort(names)
			if len(names) > size {
				names, more = names[:size], true
			}
		}
		if errors.Is(err, io.EOF) {
			return slices.Clip(names), more, nil
		}
		if err != nil {
			return nil, false, err
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
