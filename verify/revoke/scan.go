package revoke

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"runtime/debug"
	"slices"
	"sync"
)

// errNoTime says that other lists were being read.
var errNoTime = errors.New("no time left to read the list")

// scans read lists, one at a time: a list may be long, and a machine that
// filters mail has better things to do with all of its cores. Questions about
// the same list that come while another is read are answered by one reading.
type scans struct {
	turn chan struct{} // holds one token

	mu     sync.Mutex
	next   map[string]*scan // by list and question
	closed bool
	wg     sync.WaitGroup
}

// A scan is one reading of a list, for several certificates.
type scan struct {
	question listQuestion
	done     chan struct{}
	list     *list
	err      error
}

func newScans() *scans {
	return &scans{turn: make(chan struct{}, 1), next: map[string]*scan{}}
}

// read answers a question about one certificate with the list that open opens.
// What is waited for is only waited for until ctx ends; a reading under way is
// not cut off, since others may wait for it. key names the list and everything
// of the question but the certificate.
func (s *scans) read(ctx context.Context, key string, q listQuestion, open func() (io.ReadCloser, error)) (*list, error) {
	one := s.join(key, q, open)
	select {
	case <-one.done:
		return one.list, one.err
	case <-ctx.Done():
		return nil, errNoTime
	}
}

func (s *scans) join(key string, q listQuestion, open func() (io.ReadCloser, error)) *scan {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.next[key]
	if one != nil && slices.ContainsFunc(one.question.serials, func(n *big.Int) bool { return n.Cmp(q.serials[0]) == 0 }) {
		return one
	}
	if one != nil && len(one.question.serials) < maxSerials {
		one.question.serials = append(one.question.serials, q.serials[0])
		return one
	}
	one = &scan{question: q, done: make(chan struct{})}
	one.question.serials = slices.Clone(q.serials)
	if s.closed {
		one.err = errClosed
		close(one.done)
		return one
	}
	s.next[key] = one
	s.wg.Go(func() { s.run(key, one, open) })
	return one
}

func (s *scans) run(key string, one *scan, open func() (io.ReadCloser, error)) {
	defer close(one.done)
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	defer func() {
		if p := recover(); p != nil {
			one.list, one.err = nil, fmt.Errorf("revoke: panic: %v\n%s", p, debug.Stack())
		}
	}()
	s.mu.Lock()
	if s.next[key] == one {
		delete(s.next, key)
	}
	s.mu.Unlock()
	body, err := open()
	if err != nil {
		one.err = err
		return
	}
	defer body.Close()
	one.list, one.err = readList(body, one.question)
}

// close lets no further reading begin and waits for those under way.
func (s *scans) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.wg.Wait()
}
