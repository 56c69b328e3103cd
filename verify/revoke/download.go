package revoke

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"
)

// downloads fetch files, one of a URL at a time. The bytes of a URL are the
// same for everybody; what they prove is asked by each.
type downloads struct {
	fetcher *fetcher
	cache   *cache
	limit   int64 // bytes of a file

	mu    sync.Mutex
	byURL map[string]*download
}

// A download is a file in the folder of the cache, there until everybody who
// got it has released it.
type download struct {
	done chan struct{}
	file *os.File
	size int64
	err  error // of the way
	disk error // of our own disk

	users int // under downloads.mu
}

func newDownloads(f *fetcher, c *cache, limit int64) *downloads {
	return &downloads{fetcher: f, cache: c, limit: limit, byURL: map[string]*download{}}
}

// get fetches url or waits for who does. It takes as long
// as a fetch does, or until ctx ends. If neither err nor disk is set there is a file. The caller releases what it got.
func (d *downloads) get(ctx context.Context, url string) *download {
	d.mu.Lock()
	one, there := d.byURL[url]
	if !there {
		one = &download{done: make(chan struct{})}
		d.byURL[url] = one
	}
	one.users++
	d.mu.Unlock()
	if there {
		<-one.done // it is bounded as this one is
		return one
	}
	defer close(one.done)
	defer func() {
		if p := recover(); p != nil {
			one.err, one.disk = errFault, fmt.Errorf("revoke: panic: %v\n%s", p, debug.Stack())
		}
	}()
	one.err, one.disk = d.fetch(ctx, url, one)
	return one
}

func (d *downloads) fetch(ctx context.Context, url string, one *download) (err, disk error) {
	body, err := d.fetcher.get(ctx, url, d.limit)
	if err != nil {
		return err, nil
	}
	defer body.Close()
	if one.file, disk = d.cache.temp(); disk != nil {
		return nil, disk
	}
	w := &reserved{cache: d.cache, file: one.file, size: &one.size}
	_, err = io.Copy(w, struct{ io.Reader }{body})
	if w.disk != nil {
		return nil, w.disk
	}
	if err != nil {
		return err, nil
	}
	return nil, one.file.Sync()
}

// release gives the file back. It must not be used afterwards.
func (d *downloads) release(url string, one *download) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if one.users--; one.users > 0 {
		return nil
	}
	delete(d.byURL, url)
	if one.file == nil {
		return nil
	}
	_ = d.cache.reserve(-one.size) // giving back is never refused
	return errors.Join(one.file.Close(), os.Remove(one.file.Name()))
}

// reserved writes to a file what the cache has room for, and tells trouble of
// the disk from that of who is copied from.
type reserved struct {
	cache *cache
	file  *os.File
	size  *int64
	disk  error
}

func (w *reserved) Write(p []byte) (int, error) {
	if err := w.cache.reserve(int64(len(p))); err != nil {
		return 0, err
	}
	*w.size += int64(len(p))
	n, err := w.file.Write(p)
	w.disk = err
	return n, err
}
