package store

import (
	"errors"
	"os"
)

// unchanged answers an acceptance of which nothing is kept, without the lock of
// its address. ok is false when something may have to be kept or finished, and
// also in any trouble: then it is for put to decide, from the beginning.
//
// Nothing is answered from a change that may yet be lost: whoever changes a
// history makes the lock's file before and removes it when all of it is on disk,
// and the file of one who died stays. The file is looked for after the history
// was read, so its absence says that whoever wrote what was read has finished.
// A change that ran its whole course in between, or begins now, is one that this
// Put came before.
//
// Nothing is missed that was in force when this Put began: history, block list
// and deletion are read after that, each as it is replaced as a whole. Delete and
// Block write theirs before they touch the history, and they are read in the
// opposite order: who still finds the history of before a deletion finds the
// deletion, unless that comes later than this Put.
func (w *writing) unchanged() (change Change, ok bool) {
	d := w.d
	if d.o.ReadOnly {
		return Change{}, false
	}
	h, err := d.history(w.name)
	if err != nil || len(h.Records) == 0 {
		return Change{}, false
	}
	list, err := d.blocked()
	if err != nil {
		return Change{}, false
	}
	past, err := w.past(h, list)
	if err != nil {
		return Change{}, false
	}
	if _, err := os.Lstat(d.path("locks", w.name)); !errors.Is(err, os.ErrNotExist) {
		return Change{}, false
	}
	dec := Decide(past, w.e, w.facts, d.o.Rules, w.e.At)
	return dec.Change, !dec.Keeps
}
