package main

import (
	"context"
	"errors"
	"io/fs"

	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/store"
)

// maxLookedThrough bounds the kept addresses among which the certificates of
// blocks are looked for: each is a file to be read.
const maxLookedThrough = 20000

// blocks is what of the block list is about certificates and keys, in its order.
type blocks struct {
	list []described
	at   map[string]int // by word and value, "key 1234…"
	kept *store.Directory
}

// readBlocks reads the block list; nothing where there is none. Every block says
// that no certificate of it is at hand until one is found.
func readBlocks(c *config.Config) (*blocks, error) {
	b := &blocks{at: map[string]int{}}
	kept, err := store.Open(c.Store.Path, store.Options{ReadOnly: true})
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	var list []store.BlockEntry
	if err == nil {
		list, err = kept.BlockList()
	}
	if err != nil && withoutRight(c, err) {
		return b, nil // said when it was put together
	}
	if err != nil {
		return nil, fromStore(err)
	}
	b.kept = kept
	for _, e := range list {
		if e.What == store.BlockAddress {
			continue
		}
		b.at[e.What+" "+e.Value] = len(b.list)
		b.list = append(b.list, described{Kind: "block", What: e.What, SHA256: e.Value, NotAtHand: true})
	}
	return b, nil
}

// mark says of a CA in force whether it is blocked, and of the blocks that name
// it whose they are.
func (b *blocks) mark(d *described) {
	d.Blocked = b.found(d.SHA256, d.KeySHA256, d.Subject, d.Issuer, d.Kind+": "+d.Source)
}

// found tells the blocks of a certificate or its key whose they are, and says
// whether there are any. Of several certificates of one key the first counts.
func (b *blocks) found(sum, key, subject, issuer, source string) (blocked bool) {
	for _, name := range []string{store.BlockCertificate + " " + sum, store.BlockKey + " " + key} {
		i, ok := b.at[name]
		if !ok {
			continue
		}
		blocked = true
		if d := &b.list[i]; d.NotAtHand {
			d.NotAtHand, d.Subject, d.Issuer, d.Source = false, subject, issuer, source
		}
	}
	return blocked
}

// search looks among the kept certificates of people for those that are blocked
// and not at hand yet. A state file that is damaged is passed over: certinbox
// list names it.
func (b *blocks) search(ctx context.Context) {
	missing := func() bool {
		for _, d := range b.list {
			if d.NotAtHand {
				return true
			}
		}
		return false
	}
	if !missing() {
		return
	}
	looked := 0
	for h, err := range b.kept.List(ctx) {
		if looked++; looked > maxLookedThrough {
			return
		}
		if err != nil {
			continue
		}
		hit := false
		for _, r := range h.Records {
			hit = b.found(r.Fingerprint, r.Key, foreign(r.Subject), foreign(r.Issuer), "kept of "+foreign(h.Address)) || hit
		}
		if hit && !missing() {
			return
		}
	}
}
