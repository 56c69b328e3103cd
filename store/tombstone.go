package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// Of a deleted address only a keyed hash remains: deleted/HASH holds a word,
// "deleted" or "suppressed", and the time. Who has the folder but not
// deleted/.key cannot try addresses.

const (
	hashKeyFile = ".key"
	hashKeySize = 32
)

// errNoKey says that deletions can no longer be recognised.
var errNoKey = errors.New("missing beside recorded deletions: restore it from a backup")

// hashKey reads the key; nil without one, which is right only while nothing
// was deleted.
func (d *Directory) hashKey() ([]byte, error) {
	path := d.path("deleted", hashKeyFile)
	key, err := readBounded(path, hashKeySize)
	if errors.Is(err, os.ErrNotExist) {
		err = eachName(d.path("deleted"), func(string) error { return fmt.Errorf("%s: %w", path, errNoKey) })
		return nil, trouble("deletions", err)
	}
	if err == nil && len(key) != hashKeySize {
		err = fmt.Errorf("%s: %d bytes instead of %d: restore it from a backup", path, len(key), hashKeySize)
	}
	return key, trouble("deletions", err)
}

// makeHashKey reads the key or makes one.
func (d *Directory) makeHashKey(ctx context.Context) ([]byte, error) {
	l, err := acquire(ctx, d.path("locks", ".key"))
	if err != nil {
		return nil, trouble("deletions", err)
	}
	defer l.finish()
	key, err := d.hashKey()
	if err != nil || key != nil {
		return key, err
	}
	key = make([]byte, hashKeySize)
	rand.Read(key) // never fails
	dir := d.path("deleted")
	if err := replace(d.disk, 0o600, 0, draft{dir + "/.newkey", dir + "/" + hashKeyFile, key}); err != nil {
		return nil, trouble("deletions", err)
	}
	return key, trouble("deletions", d.disk.syncDir(dir))
}

func tombstone(key []byte, address string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(address))
	return hex.EncodeToString(m.Sum(nil))
}

// deletion says when an address was deleted, zero if never, and whether for good.
func (d *Directory) deletion(address string) (at time.Time, suppressed bool, err error) {
	key, err := d.hashKey()
	if err != nil || key == nil {
		return time.Time{}, false, err
	}
	return readTombstone(d.path("deleted", tombstone(key, address)))
}

func readTombstone(path string) (at time.Time, suppressed bool, err error) {
	b, err := readBounded(path, 128)
	if errors.Is(err, os.ErrNotExist) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, trouble("deletions", err)
	}
	word, when, _ := strings.Cut(strings.TrimSuffix(string(b), "\n"), " ")
	at, err = time.Parse(time.RFC3339Nano, when)
	if err != nil || word != "deleted" && word != "suppressed" {
		return time.Time{}, false, fmt.Errorf("store: %s: unreadable: delete the address again", path)
	}
	return at, word == "suppressed", nil
}

// bury records a deletion. One for good stays for good.
func (d *Directory) bury(ctx context.Context, address string, suppress bool) error {
	key, err := d.makeHashKey(ctx)
	if err != nil {
		return err
	}
	hash := tombstone(key, address)
	word := "deleted"
	if _, already, err := readTombstone(d.path("deleted", hash)); suppress || already || err != nil {
		word = "suppressed" // an unreadable one may have been for good
	}
	dir := d.path("deleted")
	line := fmt.Sprintf("%s %s\n", word, d.o.Now().UTC().Format(time.RFC3339Nano))
	if err := replace(d.disk, 0o600, 0, draft{dir + "/." + hash, dir + "/" + hash, []byte(line)}); err != nil {
		return trouble("deletions", err)
	}
	return trouble("deletions", d.disk.syncDir(dir))
}

// Readmit takes back that an address is suppressed: its owner may send again.
func (d *Directory) Readmit(ctx context.Context, address string) error {
	name, err := key(address)
	if err != nil {
		return err
	}
	return d.locked(ctx, name, func() error {
		key, err := d.hashKey()
		if err != nil || key == nil {
			return err
		}
		if err := d.disk.remove(d.path("deleted", tombstone(key, address))); err != nil {
			return trouble("readmit", err)
		}
		return trouble("readmit", d.disk.syncDir(d.path("deleted")))
	})
}

// sweepTombstones removes deletions that no mail still fresh can precede.
func (d *Directory) sweepTombstones(now time.Time) error {
	return eachName(d.path("deleted"), func(name string) error {
		path := d.path("deleted", name)
		at, suppressed, err := readTombstone(path)
		if err != nil || suppressed || at.IsZero() || now.Sub(at) <= 2*d.o.Rules.FreshFor {
			return nil // what cannot be read stays: it refuses
		}
		return d.disk.remove(path)
	})
}
