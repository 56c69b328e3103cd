package store

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The counters of new certificates: quota/DOMAIN holds a day and a number in
// one fixed-size line, overwritten in place while its file is locked. A crash may
// lose a count or count one too many, never more.

const quotaLine = len("2006-01-02 0000000000\n")

// count adds one to the new certificates of the address's domain on this day.
// It says false, and adds none, when the bound is reached.
func (d *Directory) count(ctx context.Context, address string, at time.Time) (bool, error) {
	name := Name(address[strings.LastIndexByte(address, '@')+1:])
	path := d.path("quota", name)
	var f *os.File
	err := await(ctx, path, func() (err error) {
		f, err = tryQuota(path, os.O_CREATE)
		return err
	})
	if err != nil {
		return false, trouble("quota", err)
	}
	defer f.Close()
	b := make([]byte, quotaLine)
	n, _ := f.ReadAt(b, 0) // shorter or unreadable: a new counter
	used := 0
	if today, number, ok := strings.Cut(strings.TrimSuffix(string(b[:n]), "\n"), " "); ok && today == day(at) {
		if used, err = strconv.Atoi(number); err != nil {
			return false, fmt.Errorf("store: %s: unreadable: remove it", path)
		}
	}
	if used >= d.o.Rules.NewPerDomainDay {
		return false, nil
	}
	_, err = f.WriteAt(fmt.Appendf(nil, "%s %010d\n", day(at), used+1), 0)
	return err == nil, trouble("quota", err)
}

// tryQuota opens and locks a counter until it is closed, errBusy if somebody
// else has it, or removed it between our open and lock.
func tryQuota(path string, flag int) (*os.File, error) {
	f, err := openFile(path, os.O_RDWR|flag, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockStanding(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// lockStanding locks an open file, errBusy also if it was removed since.
func lockStanding(f *os.File) error {
	if err := tryFlock(f, syscall.LOCK_EX); err != nil {
		return err
	}
	fi, err := f.Stat()
	if err == nil && links(fi) == 0 {
		err = errBusy
	}
	return err
}

// sweepQuota removes the counters of past days.
func (d *Directory) sweepQuota(now time.Time) error {
	return eachName(d.path("quota"), func(name string) error {
		path := d.path("quota", name)
		f, err := tryQuota(path, 0)
		if err != nil {
			return nil // in use: not of the past
		}
		defer f.Close()
		b, err := readFile(f, int64(quotaLine))
		if err != nil || strings.HasPrefix(string(b), day(now)) {
			return nil
		}
		return os.Remove(path)
	})
}
