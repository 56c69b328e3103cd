package trust

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// maxFolderFileBytes bounds a file of one certificate with its settings.
const maxFolderFileBytes = 256 << 10

// How long a change waits for that of another process.
const (
	lockPause = 20 * time.Millisecond
	lockTries = 500
)

// change makes the folder where it is missing, and does what changes it while
// no other process does.
func (f *Folder) change(do func() error) error {
	if f.readOnly {
		return fmt.Errorf("trust: %s: opened for reading only", f.root)
	}
	for _, dir := range []string{f.root, f.path(anchorsPart), f.path(intermediatesPart), f.path(learntPart)} {
		if err := makePrivate(dir); err != nil {
			return fmt.Errorf("trust: %w", err)
		}
	}
	lock, err := os.OpenFile(f.path(".lock"), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("trust: %w", err)
	}
	defer lock.Close() // which gives the lock up
	if err := waitLock(lock); err != nil {
		return fmt.Errorf("trust: %w", err)
	}
	if err := do(); err != nil {
		return fmt.Errorf("trust: %w", err)
	}
	return nil
}

func waitLock(lock *os.File) error {
	for range lockTries {
		err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil || !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		time.Sleep(lockPause)
	}
	return fmt.Errorf("%s: another process holds it; try again", lock.Name())
}

// makePrivate makes a directory durably if it is missing.
func makePrivate(dir string) error {
	if err := os.Mkdir(dir, 0o700); errors.Is(err, fs.ErrExist) {
		return nil
	} else if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(dir))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

// write replaces a file of the folder as one step, by way of a name that begins
// with a dot, which nobody reads. durable: it is on disk when write returns.
func (f *Folder) write(path string, content []byte, durable bool) error {
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path))
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) { // of one who died
		return err
	}
	if err := writePrivate(temp, content, durable); err != nil {
		os.Remove(temp) // best effort: on a full disk every block counts
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	if !durable {
		return nil
	}
	return syncFolder(filepath.Dir(path))
}

func writePrivate(path string, content []byte, durable bool) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil && durable {
		err = file.Sync()
	}
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	return err
}

// remove removes a file of the folder durably; it may be absent.
func (f *Folder) remove(path string) error {
	if err := os.Remove(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// folderNames returns the names in a directory in order, those with a leading
// dot left out. A directory that is missing has none; one of more than max is
// an error.
func folderNames(dir string, max int) ([]string, error) {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer d.Close()
	const ours = 16 // temporary files and the lock
	names, err := d.Readdirnames(max + ours + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(n string) bool { return strings.HasPrefix(n, ".") })
	if len(names) > max {
		return nil, fmt.Errorf("%s: over %d files", dir, max)
	}
	slices.Sort(names)
	return names, nil
}

// readPrivate reads a regular file of at most max bytes. It follows no link and
// waits for nobody: who may write in the folder may not lead others out of it.
func readPrivate(path string, max int) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	data, err := io.ReadAll(io.LimitReader(file, int64(max)+1))
	if err == nil && len(data) > max {
		err = fmt.Errorf("%s: over %d bytes", path, max)
	}
	return data, err
}
