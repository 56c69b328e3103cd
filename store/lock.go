package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// A lock is held by one goroutine of one process. Its file exists while it is
// held, and goes on existing if the holder dies or gives up in the middle: so
// whoever gets it next knows that there is something to finish.
type lock struct {
	path  string
	file  *os.File
	dirty bool // the file was there before: a former holder did not finish
}

// errBusy says that somebody else holds a lock.
var errBusy = errors.New("locked by another process")

// maxWait bounds the wait for a lock beside the caller's context.
const maxWait = 30 * time.Second

// acquire waits for the lock until ctx ends.
func acquire(ctx context.Context, path string) (*lock, error) {
	var l *lock
	err := await(ctx, path, func() (err error) {
		l, err = tryAcquire(path)
		return err
	})
	return l, err
}

// await tries until that gives something else than errBusy, as long as ctx and
// maxWait let it. path is for the error.
func await(ctx context.Context, path string, try func() error) error {
	err := try()
	if !errors.Is(err, errBusy) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	for pause := 200 * time.Microsecond; errors.Is(err, errBusy); pause = min(2*pause, 5*time.Millisecond) {
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return fmt.Errorf("%s: %w: %w", path, errBusy, ctx.Err())
		case <-t.C:
		}
		err = try()
	}
	return err
}

// tryAcquire takes the lock if nobody holds it, else errBusy.
func tryAcquire(path string) (*lock, error) {
	f, err := openFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	dirty := false
	if errors.Is(err, os.ErrExist) {
		dirty = true
		f, err = openFile(path, os.O_RDWR, 0)
		if errors.Is(err, os.ErrNotExist) {
			return nil, errBusy // released this moment
		}
	}
	if err != nil {
		return nil, err
	}
	if err := tryFlock(f, syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	// The former holder may have removed the file between our open and flock.
	mine, err := f.Stat()
	if err == nil {
		var there os.FileInfo
		if there, err = os.Stat(path); err == nil && os.SameFile(mine, there) {
			return &lock{path: path, file: f, dirty: dirty}, nil
		}
	}
	f.Close()
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return nil, errBusy
}

// tryFlock locks an open file, as LOCK_EX or LOCK_SH, until it is closed; else
// errBusy. See flock(2).
func tryFlock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errBusy
		case !errors.Is(err, syscall.EINTR):
			return fmt.Errorf("lock %s: %w", f.Name(), err)
		}
	}
}

// finish gives the lock back after everything is done.
func (l *lock) finish() {
	os.Remove(l.path) // before the lock goes: the next holder makes a file of its own
	l.file.Close()
}

// leave gives the lock back with its file as a mark that something is left to do.
func (l *lock) leave() { l.file.Close() }

// errReadOnly is the answer to whoever opened for reading and changes something.
var errReadOnly = errors.New("store: opened for reading only")

func (d *Directory) lock(ctx context.Context, name string) (*lock, error) {
	if d.o.ReadOnly {
		return nil, errReadOnly
	}
	l, err := acquire(ctx, d.path("locks", name))
	return l, trouble("lock", err)
}

// syncLock lets the file of a lock that is held survive a power failure: the mark
// that something has to follow what is written now. Without a journal a synced
// directory alone may name a file that is not there.
func (d *Directory) syncLock(name string) error {
	if err := d.disk.syncFile(d.path("locks", name)); err != nil {
		return err
	}
	return d.disk.syncDir(d.path("locks"))
}

// locked runs f under the lock of a name, after finishing what a former holder
// left. The lock's file stays as a mark if f fails.
func (d *Directory) locked(ctx context.Context, name string, f func() error) error {
	l, err := d.lock(ctx, name)
	if err != nil {
		return err
	}
	done := false
	defer func() { // also when f panics
		if done {
			l.finish()
		} else {
			l.leave()
		}
	}()
	if l.dirty {
		if err := d.finishOne(name); err != nil {
			return err
		}
	}
	if err := f(); err != nil {
		return err
	}
	done = true
	return nil
}
