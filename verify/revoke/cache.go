package revoke

import (
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of the cache that Options do not set.
const (
	maxCached   = 10_000         // answers, and lists that are remembered without being kept
	staleTemp   = time.Hour      // a temporary file that old is of a run that crashed: no fetch takes so long
	answerFile  = ".der"         // an answer as received
	noteFile    = ".json"        // what is remembered of it
	tempPattern = "fetch-*.temp" // what is being fetched
)

// A cache keeps answers as files until they end: KEY.der as received, and
// KEY.json with what is remembered of it. The number and date of a list are
// remembered beyond its end, since no older one may follow. Whoever reads an
// answer verifies it as if it had come just now: the disk is trusted no more
// than the wire. Of too much, what was used longest ago goes.
type cache struct {
	dir  string
	most int64 // bytes of all answers
	now  func() time.Time

	mu    sync.Mutex
	notes map[string]*note
	bytes int64
	temps int64 // bytes of what is being fetched
}

// cacheKey names an answer: of what kind, from where, and whose it must be.
func cacheKey(kind, url string, issuer *x509.Certificate, more ...string) string {
	h := sha256.New()
	for _, s := range append([]string{kind, url, string(issuer.RawSubjectPublicKeyInfo)}, more...) {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// openCache takes over the folder dir, and clears it of what a crash left.
func openCache(dir string, most int64, now func() time.Time) (*cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("revoke: cache: %w", err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("revoke: cache: %w", err)
	}
	c := &cache{dir: dir, most: most, now: now, notes: map[string]*note{}}
	for _, f := range files {
		if err := c.takeOver(f.Name()); err != nil {
			return nil, fmt.Errorf("revoke: cache: %w", err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c, c.trim()
}

// takeOver reads the note with its answer, and removes what belongs to none.
func (c *cache) takeOver(name string) error {
	if ok, _ := filepath.Match(tempPattern, name); ok {
		info, err := os.Stat(filepath.Join(c.dir, name))
		if err == nil && c.now().Sub(info.ModTime()) > staleTemp {
			return c.remove(name)
		}
		return nil // another process is at it, or has just ended
	}
	key, isNote := strings.CutSuffix(name, noteFile)
	if !isNote {
		if key, isAnswer := strings.CutSuffix(name, answerFile); isAnswer {
			if _, err := os.Stat(filepath.Join(c.dir, key+noteFile)); errors.Is(err, fs.ErrNotExist) {
				return c.remove(name)
			}
		}
		return nil // not ours
	}
	n, err := readNote(filepath.Join(c.dir, name))
	if err != nil {
		// Without its note an answer is fetched anew.
		return errors.Join(c.remove(name), c.remove(key+answerFile))
	}
	if info, err := os.Stat(filepath.Join(c.dir, key+answerFile)); err == nil {
		n.size, n.used = info.Size(), info.ModTime()
	}
	c.notes[key], c.bytes = n, c.bytes+n.size
	return nil
}

// fetched says when the answer of key was fetched, and whether one is kept.
func (c *cache) fetched(key string) (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.notes[key]
	if n == nil || n.size == 0 || !c.now().Before(n.NextUpdate) {
		return time.Time{}, false
	}
	return n.Fetched, true
}

// open returns the answer of key, nil if none is kept. The caller closes it.
func (c *cache) open(key string) (*os.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.notes[key]
	if n == nil || n.size == 0 {
		return nil, nil
	}
	now := c.now()
	if !now.Before(n.NextUpdate) {
		return nil, c.drop(key)
	}
	f, err := os.Open(filepath.Join(c.dir, key+answerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, c.drop(key)
	}
	if err != nil {
		return nil, fmt.Errorf("revoke: cache: %w", err)
	}
	n.used = now
	tellUse(f.Name(), now)
	return f, nil
}

// tellUse notes in a file when it was used, for a later run. Where that cannot
// be noted only the order of dropping suffers.
func tellUse(path string, at time.Time) { _ = os.Chtimes(path, at, at) }

// errOlder says that an answer is older than one that was seen before.
var errOlder = &answerError{"older than one seen before"}

// newest says whether no note about a newer answer than n is there: in memory,
// or on disk, where another run over the same folder may have left one.
func (c *cache) newest(key string, n note) bool {
	if old := c.notes[key]; old != nil && !n.follows(old) {
		return false
	}
	old, err := readNote(filepath.Join(c.dir, key+noteFile))
	return err != nil || n.follows(old)
}

// stands says whether what was read of the answer of key is not older than what
// is remembered of it: after a crash, or where somebody else changed the folder,
// the two may differ.
func (c *cache) stands(key string, n note) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.newest(key, n)
}

// put keeps the file temp, which stays where it is, as the answer of key. An
// answer older than the one that was there is refused with errOlder; any other
// error is the disk's.
func (c *cache) put(key string, n note, temp string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.newest(key, n) {
		return errOlder
	}
	info, err := os.Stat(temp)
	if err != nil {
		return fmt.Errorf("revoke: cache: %w", err)
	}
	n.Fetched, n.used, n.size = c.now(), c.now(), info.Size()
	text, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("revoke: cache: %w", err)
	}
	// The note comes first: after a crash between the two nothing older is taken.
	if err := c.replace(key+noteFile, func(path string) error { return writeFile(path, text) }); err != nil {
		return err
	}
	if err := c.replace(key+answerFile, func(path string) error { return os.Link(temp, path) }); err != nil {
		return err
	}
	tellUse(filepath.Join(c.dir, key+answerFile), n.used)
	if old := c.notes[key]; old != nil {
		c.bytes -= old.size
	}
	c.notes[key], c.bytes = &n, c.bytes+n.size
	return c.trim()
}

// replace makes the file name at once or not at all; write makes it elsewhere first.
func (c *cache) replace(name string, write func(path string) error) error {
	temp, err := c.temp()
	if err != nil {
		return fmt.Errorf("revoke: cache: %w", err)
	}
	if err = errors.Join(temp.Close(), os.Remove(temp.Name())); err == nil {
		err = write(temp.Name())
	}
	if err == nil {
		err = os.Rename(temp.Name(), filepath.Join(c.dir, name))
	}
	if err != nil {
		err = fmt.Errorf("revoke: cache: %w", err)
	}
	// What failed may be there in part, and a rename between two names of one
	// file leaves both (POSIX).
	return errors.Join(err, c.remove(filepath.Base(temp.Name())))
}

// writeFile writes a file that is not there yet, to the disk.
func writeFile(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// temp makes a file for what is being fetched.
func (c *cache) temp() (*os.File, error) { return os.CreateTemp(c.dir, tempPattern) }

// errNoRoom is no fault of the source.
var errNoRoom = errors.New("other lists that are being fetched take all the room of the cache")

// reserve counts n further bytes of a file that is being fetched, and refuses
// what would be more than all answers may have. Negative: they are gone.
func (c *cache) reserve(n int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n > 0 && c.temps+n > c.most {
		return errNoRoom
	}
	c.temps += n
	return nil
}

// drop removes the answer of key. What is remembered of a list stays.
func (c *cache) drop(key string) error {
	n := c.notes[key]
	if n == nil || n.List && n.size == 0 {
		return nil
	}
	err := c.remove(key + answerFile)
	c.bytes -= n.size
	n.size = 0
	if !n.List {
		delete(c.notes, key)
		err = errors.Join(err, c.remove(key+noteFile))
	}
	return err
}

// trim removes what has ended, and then what was used longest ago until the
// rest is within the bounds.
func (c *cache) trim() error {
	var errs []error
	now := c.now()
	for key, n := range c.notes {
		if n.size > 0 && !now.Before(n.NextUpdate) {
			errs = append(errs, c.drop(key))
		}
	}
	if c.bytes <= c.most && len(c.notes) <= maxCached {
		return errors.Join(errs...)
	}
	keys := make([]string, 0, len(c.notes))
	for key := range c.notes {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(c.notes[a].used.Compare(c.notes[b].used), cmp.Compare(a, b))
	})
	for _, key := range keys {
		if c.bytes > c.most {
			errs = append(errs, c.drop(key))
		}
	}
	for _, key := range keys {
		if len(c.notes) > maxCached {
			errs = append(errs, c.drop(key), c.remove(key+noteFile))
			delete(c.notes, key)
		}
	}
	return errors.Join(errs...)
}

func (c *cache) remove(name string) error {
	if err := os.Remove(filepath.Join(c.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("revoke: cache: %w", err)
	}
	return nil
}
