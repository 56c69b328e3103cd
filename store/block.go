package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// What a block names.
const (
	BlockCertificate = "certificate" // by SHA-256, hexadecimal
	BlockKey         = "key"         // by SHA-256 of the SubjectPublicKeyInfo
	BlockAddress     = "address"     // in its comparable form
)

// maxBlocked bounds the block list in bytes, some ten thousand lines.
const maxBlocked = 1 << 20

// A blockList is DATA/blocked as read: lines of a word and a value, comments
// behind '#'. It is read anew each time: an operator may edit it.
type blockList struct {
	text    []byte
	entries map[string]bool // "key 1234…"
	stamp   string          // differs when the file does
}

// blocked reads the block list. Without the file nothing is blocked; one that
// cannot be understood is an error, as nobody knows what it was to block.
func (d *Directory) blocked() (blockList, error) {
	path := d.path("blocked")
	fi, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return blockList{}, nil
	}
	if err != nil {
		return blockList{}, trouble("block list", err)
	}
	text, err := readBounded(path, maxBlocked)
	if err != nil {
		return blockList{}, trouble("block list", err)
	}
	list := blockList{text: text, stamp: fmt.Sprint(fi.ModTime().UnixNano(), fi.Size(), inode(fi))}
	list.entries, err = parseBlocked(text)
	if err != nil {
		return blockList{}, fmt.Errorf("store: %s: %w", path, err)
	}
	return list, nil
}

func inode(fi os.FileInfo) uint64 {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return 0
}

func parseBlocked(text []byte) (map[string]bool, error) {
	entries := map[string]bool{}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		fields := listed(line)
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 2 {
			return nil, fmt.Errorf("line %d: want a word and a value", number)
		}
		if err := checkBlock(fields[0], fields[1]); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		entries[fields[0]+" "+fields[1]] = true
	}
	return entries, nil
}

// listed returns the words of a line without its comment. A comment begins with
// a word that begins with '#': inside a word that is a character of addresses.
func listed(line []byte) []string {
	fields := strings.Fields(string(line))
	for i, f := range fields {
		if f[0] == '#' {
			return fields[:i]
		}
	}
	return fields
}

func checkBlock(what, value string) error {
	switch what {
	case BlockCertificate, BlockKey:
		if !isHex256(value) {
			return fmt.Errorf("%s: want a SHA-256 in 64 lower-case hexadecimal digits", what)
		}
	case BlockAddress:
		if value == "" || len(value) > MaxAddress || value[0] == '#' || strings.ContainsAny(value, " \t\r\n") {
			return errors.New("address: cannot be written in the list")
		}
	default:
		return fmt.Errorf("%q: use certificate, key or address", words(what))
	}
	return nil
}

// matches says what of a certificate of an address is on the list, "" nothing.
func (l blockList) matches(f Facts, address string) string {
	switch {
	case l.entries[BlockCertificate+" "+f.Fingerprint]:
		return BlockCertificate
	case l.entries[BlockKey+" "+f.Key]:
		return BlockKey
	case l.entries[BlockAddress+" "+address]:
		return BlockAddress
	}
	return ""
}

// Block puts a certificate, key or address on the block list and unpublishes
// what it names, at once and for all addresses. The words are BlockCertificate
// and the others.
func (d *Directory) Block(ctx context.Context, what, value string) error {
	if err := d.editBlocked(ctx, what, value, true); err != nil {
		return err
	}
	return d.enforceBlocks(ctx, what, value)
}

// Unblock takes it back: what was blocked for it alone returns to the state it
// had.
func (d *Directory) Unblock(ctx context.Context, what, value string) error {
	if err := d.editBlocked(ctx, what, value, false); err != nil {
		return err
	}
	return d.enforceBlocks(ctx, what, value)
}

func (d *Directory) editBlocked(ctx context.Context, what, value string, add bool) error {
	if err := checkBlock(what, value); err != nil {
		return fmt.Errorf("store: block: %w", err)
	}
	l, err := acquire(ctx, d.path("locks", ".blocked"))
	if err != nil {
		return trouble("block list", err)
	}
	defer l.finish()
	list, err := d.blocked()
	if err != nil {
		return err
	}
	if list.entries[what+" "+value] == add {
		return nil
	}
	text := list.text
	if add {
		if len(text) > 0 && text[len(text)-1] != '\n' {
			text = append(text, '\n')
		}
		text = fmt.Appendf(text, "%s %s # %s\n", what, value, stamp(d.o.Now()))
	} else {
		text = withoutLine(text, what, value)
	}
	if len(text) > maxBlocked {
		return fmt.Errorf("store: block list: over %d bytes: remove lines that are not needed", maxBlocked)
	}
	if err := replace(d.disk, 0o600, 0, draft{d.path(".blocked"), d.path("blocked"), text}); err != nil {
		return trouble("block list", err)
	}
	return trouble("block list", d.disk.syncDir(d.root))
}

func withoutLine(text []byte, what, value string) []byte {
	var out []byte
	for line := range bytes.Lines(text) {
		if f := listed(line); len(f) == 2 && f[0] == what && f[1] == value {
			continue
		}
		out = append(out, line...)
	}
	return out
}

// enforceBlocks applies the list to the addresses that a line may concern.
func (d *Directory) enforceBlocks(ctx context.Context, what, value string) error {
	if what == BlockAddress {
		return d.rebuildOne(ctx, Name(value))
	}
	return eachName(d.path("entries"), func(name string) error {
		h, err := d.history(name)
		if err != nil {
			return trouble("block", err)
		}
		for _, r := range h.Records {
			if r.Fingerprint == value || r.Key == value {
				return d.rebuildOne(ctx, name)
			}
		}
		return nil
	})
}

// applyBlocks brings the states of an address in line with the block list and
// writes them if that changes any.
func (d *Directory) applyBlocks(name string, h *History, list blockList, now time.Time) (*History, error) {
	records, changed := enforce(h.Records, h.Address, list, now)
	if !changed {
		return h, nil
	}
	if err := d.syncLock(name); err != nil { // certs/ is to follow
		return nil, err
	}
	next := *h
	next.Records = records
	return &next, d.writeHistory(name, &next)
}

// enforce brings states in line with the list. What is revoked stays revoked: it
// is not published anyway, and an answer that ends a hold asks the list again.
func enforce(records []Record, address string, list blockList, now time.Time) ([]Record, bool) {
	c := &casefile{now: now.UTC(), records: cloneRecords(records)}
	changed := c.enforce(address, list)
	c.settle()
	return c.records, changed
}

func (c *casefile) enforce(address string, list blockList) (changed bool) {
	for i := range c.records {
		r := &c.records[i]
		why := list.matches(r.Facts, address)
		if why == "" && r.BlockedCA {
			why = "a CA of its path"
		}
		switch {
		case r.State == Revoked: // that is more, and the list may be taken back
		case why != "" && r.State != Barred:
			r.Was, r.State, r.Preferred = r.State, Barred, false
			r.note(c.now, "blocked: "+why, "")
			changed = true
		case why == "" && r.State == Barred:
			r.State, r.Was = r.Was, ""
			if !r.State.known() || r.State == Barred {
				r.State = Superseded
			}
			r.note(c.now, "no longer blocked", "")
			changed = true
		}
	}
	return changed
}
