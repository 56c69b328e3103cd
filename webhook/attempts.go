package webhook

import (
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
	"time"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/verify"
)

// How long a message is put off for trouble that is not ours: others in the same
// post are brought again with it, each time.
const (
	maxDeferrals = 2         // the try after these is the last
	maxPutOff    = time.Hour // and so is one that begins later than this after the first
	maxAttempts  = 10_000    // messages remembered; the oldest goes
)

// An identity is the hash of a message and its envelope.
type identity [sha256.Size]byte

// newIdentity begins the hash; the bytes of the message are to follow.
func newIdentity(sender *string, recipient string) hash.Hash {
	h := sha256.New()
	said := byte(0)
	if sender != nil {
		said = 1
	} else {
		sender = new(string)
	}
	head := []byte{said}
	for _, s := range []string{*sender, recipient} {
		head = binary.BigEndian.AppendUint64(head, uint64(len(s)))
		head = append(head, s...)
	}
	h.Write(head)
	return h
}

// attempts remembers the messages that were put off.
type attempts struct {
	mu    sync.Mutex
	known map[identity]*list.Element // of *attempt
	order *list.List                 // the oldest first
}

type attempt struct {
	id    identity
	first time.Time
	count int
}

func newAttempts() *attempts {
	return &attempts{known: map[identity]*list.Element{}, order: list.New()}
}

// last says whether a message that is here again at now is not to be put off
// once more.
func (a *attempts) last(id identity, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.known[id]
	if e == nil {
		return false
	}
	t := e.Value.(*attempt)
	return t.count >= maxDeferrals || now.Sub(t.first) > maxPutOff
}

// note remembers what became of a message. Trouble of ours is not counted: a full
// disk must not use up the tries of a good mail. What was refused at its last try
// stays known as such: it may come again with others of its post, or because the
// answer was lost, and is to be answered the same.
func (a *attempts) note(id identity, out collect.Outcome, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.known[id]
	switch {
	case out.Action != collect.Defer:
		if e != nil && !causedByMessage(out) {
			a.order.Remove(e)
			delete(a.known, id)
		}
	case !causedByMessage(out):
	case e != nil:
		e.Value.(*attempt).count++
	default:
		if a.order.Len() >= maxAttempts {
			oldest := a.order.Front()
			delete(a.known, a.order.Remove(oldest).(*attempt).id)
		}
		a.known[id] = a.order.PushBack(&attempt{id: id, first: now, count: 1})
	}
}

// causedByMessage says whether a message is put off, or was at its last try refused,
// for what the judgement found, or for a fault that perhaps the message brings about.
func causedByMessage(out collect.Outcome) bool {
	if out.Report == nil {
		return out.Reason == "internal"
	}
	return out.Report.Verdict() == verify.Defer
}
