package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// A disk changes files. There is one for real; tests have one that fails or
// dies at a chosen step. Reading needs no seam: it changes nothing.
type disk interface {
	mkdir(path string, mode os.FileMode) error
	create(path string, mode os.FileMode, gid int) (sink, error) // must not exist
	rename(from, to string) error
	remove(path string) error // of a file that may be absent
	removeAll(path string) error
	syncDir(path string) error
	syncFile(path string) error
}

// A sink is a file being written.
type sink interface {
	io.Writer
	Sync() error
	Close() error
}

type realDisk struct{}

func (realDisk) mkdir(path string, mode os.FileMode) error {
	if err := os.Mkdir(path, mode); err != nil {
		return err
	}
	return os.Chmod(path, mode) // whatever the umask
}

func (realDisk) create(path string, mode os.FileMode, gid int) (sink, error) {
	f, err := openFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if gid > 0 {
		err = f.Chown(-1, gid)
	}
	if err == nil && mode != 0o600 {
		err = f.Chmod(mode)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (realDisk) rename(from, to string) error { return os.Rename(from, to) }

func (realDisk) remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (realDisk) removeAll(path string) error { return os.RemoveAll(path) }

func (realDisk) syncDir(path string) error { return syncPath(path) }

func (realDisk) syncFile(path string) error { return syncPath(path) }

func syncPath(path string) error {
	f, err := openFile(path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	err = f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// A draft is a file to be: written under temp, and then standing under path.
type draft struct {
	temp, path string
	content    []byte
}

// writeNew writes files under their temp, where nothing may be yet, and syncs
// them, not their directories. The first is synced when all are written: a
// journal then takes them in one step.
func writeNew(d disk, mode os.FileMode, gid int, drafts ...draft) (err error) {
	sinks := make([]sink, 0, len(drafts))
	defer func() {
		for _, f := range sinks {
			if cerr := f.Close(); err == nil {
				err = cerr
			}
		}
	}()
	for _, draft := range drafts {
		f, err := d.create(draft.temp, mode, gid)
		if err != nil {
			return err
		}
		sinks = append(sinks, f)
		if _, err := f.Write(draft.content); err != nil {
			return err
		}
	}
	for _, f := range sinks {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// replace puts files under their path by way of their temp, a name in the same
// directory that only the holder of the lock uses, one after the other in the
// order given. The directory is not synced yet: the caller does it once for all
// files of a step.
func replace(d disk, mode os.FileMode, gid int, drafts ...draft) error {
	for _, draft := range drafts {
		if err := d.remove(draft.temp); err != nil { // of one who died
			return err
		}
	}
	if err := writeNew(d, mode, gid, drafts...); err != nil {
		for _, draft := range drafts {
			d.remove(draft.temp) // best effort: on a full disk every block counts
		}
		return err
	}
	for _, draft := range drafts {
		if err := d.rename(draft.temp, draft.path); err != nil {
			return err
		}
	}
	return nil
}

// makeDir makes a directory durably if it is missing.
func makeDir(d disk, parent, path string, mode os.FileMode) error {
	made, err := makeMissing(d, path, mode)
	if err != nil || !made {
		return err
	}
	return d.syncDir(parent)
}

// makeMissing makes a directory if it is missing, and says whether its parent is
// still to be synced.
func makeMissing(d disk, path string, mode os.FileMode) (made bool, err error) {
	if fi, err := os.Stat(path); err == nil {
		if !fi.IsDir() {
			return false, fmt.Errorf("%s is no directory: move it away", path)
		}
		return false, nil
	}
	if err := d.mkdir(path, mode); err != nil && !errors.Is(err, os.ErrExist) {
		return false, err
	}
	return true, nil
}

// readBounded reads a file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := openFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readFile(f, limit)
}

// readFile reads an open file to its end, at most limit bytes.
func readFile(f *os.File, limit int64) ([]byte, error) {
	// Room for what is usual, and for the buffer to see the end.
	b := bytes.NewBuffer(make([]byte, 0, min(limit+1, 4<<10-bytes.MinRead)+bytes.MinRead))
	_, err := b.ReadFrom(io.LimitReader(f, limit+1))
	if err == nil && int64(b.Len()) > limit {
		err = fmt.Errorf("%s: longer than %d bytes", f.Name(), limit)
	}
	return b.Bytes(), err
}

// openFile is os.OpenFile for regular files and directories, which need not be
// offered to the poller of the runtime: it takes none, and finding out costs more than opening.
func openFile(path string, flag int, mode uint32) (*os.File, error) {
	for {
		fd, err := syscall.Open(path, flag|syscall.O_CLOEXEC, mode)
		if err == nil {
			return os.NewFile(uintptr(fd), path), nil
		}
		if !errors.Is(err, syscall.EINTR) {
			return nil, &os.PathError{Op: "open", Path: path, Err: err}
		}
	}
}

// links is how many names a file has: 0 once it was removed.
func links(fi os.FileInfo) uint64 {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink)
	}
	return 0
}

// trouble wraps an error of the disk, as ErrFull when that is what it means.
func trouble(what string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("store: %s: %w: %w", what, ErrFull, err)
	}
	return fmt.Errorf("store: %s: %w", what, err)
}
