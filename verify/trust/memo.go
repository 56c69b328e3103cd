package trust

import (
	"crypto/sha256"
	"crypto/x509"
	"sync"
)

// maxGeneration bounds each of the two generations of a pathMemo, in paths.
// Both of them full take less than 1 MiB, however long the certificates are.
const maxGeneration = 4096

// A pathMemo remembers the paths that crypto/x509 has accepted, so that the
// next message of a sender costs no public-key operation. What it says is a
// fact about bytes that no event can make untrue: each key made the signature
// below it, and extended key usages, policies and constraints on DNS names,
// URIs and addresses of hosts fit. All else is judged for every message anew,
// before and after: dates, the block list, the limits of the anchor, mailboxes.
//
// Only acceptance is remembered, never a refusal. A generation that is full
// becomes the old one, and what has been there goes: a flood of strangers costs
// others the operations that they would have cost without a memo, and no more. It is
// safe for concurrent use.
type pathMemo struct {
	mu         sync.Mutex
	young, old map[pathSum]struct{}
}

// A pathSum stands for the whole DER of every certificate of a path, in order.
type pathSum [sha256.Size]byte

// sumOf is the hash of the hashes of the certificates, all of one length, so
// that no two paths give the same bytes to hash.
func sumOf(chain []*x509.Certificate) pathSum {
	all := make([]byte, 0, 8*sha256.Size)
	for _, c := range chain {
		sum := sha256.Sum256(c.Raw)
		all = append(all, sum[:]...)
	}
	return sha256.Sum256(all)
}

func newPathMemo() *pathMemo { return &pathMemo{young: map[pathSum]struct{}{}} }

// holds says whether a path is remembered. One that is asked for stays.
func (m *pathMemo) holds(s pathSum) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.young[s]; ok {
		return true
	}
	_, ok := m.old[s]
	if ok {
		m.put(s)
	}
	return ok
}

// add remembers a path that crypto/x509 has accepted.
func (m *pathMemo) add(s pathSum) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(s)
}

func (m *pathMemo) put(s pathSum) {
	if len(m.young) >= maxGeneration {
		m.young, m.old = map[pathSum]struct{}{}, m.young
	}
	m.young[s] = struct{}{}
}
