package revoke

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
)

const (
	maxHeader   = 16 << 10 // bytes of the heads of all responses to one request, status lines included
	maxInterims = 4        // responses of 1xx before the one that counts
)

// An answer is an HTTP response whose head was read. Who has it closes it.
type answer struct {
	*http.Response
	plain net.Conn // the connection, used for nothing else
}

// close drops the connection, whatever is still to come on it.
func (a *answer) close() { _ = a.plain.Close() } // nothing is left to be told

// exchange sends a request and reads the head of the response. The connection is
// closed when ctx ends. One connection serves one request: there is nothing
// that a response could leave behind for the next.
func (f *fetcher) exchange(ctx context.Context, t target, q *http.Request) (*answer, error) {
	plain, stream, err := f.dial(ctx, t)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, f.limits.header, errSilent)
	defer cancel()
	hangUp := context.AfterFunc(ctx, func() { _ = plain.Close() })
	defer hangUp()
	r, err := readHead(stream, q)
	if err == nil && !hangUp() {
		err = net.ErrClosed
	}
	if err != nil {
		_ = plain.Close() // the first error is the one to tell
		if errors.Is(context.Cause(ctx), errSilent) {
			err = errSilent
		}
		return nil, failed(t.host, "no answer: ", err)
	}
	return &answer{r, plain}, nil
}

// readHead writes a request and reads the head of the response that counts.
func readHead(stream net.Conn, q *http.Request) (*http.Response, error) {
	if err := q.Write(stream); err != nil {
		return nil, err
	}
	bounded := &headReader{r: stream, left: maxHeader}
	b := bufio.NewReader(bounded)
	for range maxInterims + 1 {
		r, err := http.ReadResponse(b, q)
		if bounded.over {
			return nil, errLongHead
		}
		if err != nil {
			return nil, err
		}
		if r.StatusCode >= 200 || r.StatusCode == http.StatusSwitchingProtocols {
			bounded.done = true
			return r, nil
		}
	}
	return nil, errInterims
}

// headReader bounds what is read until done.
type headReader struct {
	r    io.Reader
	left int
	done bool
	over bool // more was wanted than there may be
}

func (h *headReader) Read(p []byte) (int, error) {
	if h.done {
		return h.r.Read(p)
	}
	if h.left == 0 {
		h.over = true
		return 0, errLongHead
	}
	n, err := h.r.Read(p[:min(len(p), h.left)])
	h.left -= n
	return n, err
}

// acceptable says why the body of an answer is not wanted. limit is in bytes.
func (a *answer) acceptable(limit int64) error {
	if a.StatusCode != http.StatusOK {
		return statusError(a.StatusCode)
	}
	for _, coding := range a.Header.Values("Content-Encoding") {
		if coding != "" && !strings.EqualFold(coding, "identity") {
			return errCoding
		}
	}
	if a.ContentLength > limit {
		return tooLong(limit)
	}
	return nil
}

// A body is what a fetch brings. It ends with an error, never quietly, where it
// is longer than its limit or shorter than announced.
type body struct {
	answer  *answer
	ctx     context.Context // of the fetch; its end closes the connection
	host    string
	left    int64 // bytes that may still come
	limit   int64
	err     error // what every further Read says
	release func()
}

func (b *body) Read(p []byte) (int, error) {
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	if int64(len(p)) > b.left {
		p = p[:b.left+1] // one more byte shows that there is more
	}
	n, err := b.answer.Body.Read(p)
	if int64(n) > b.left {
		n, err = int(b.left), tooLong(b.limit)
	}
	b.left -= int64(n)
	switch {
	case err == io.EOF && b.ctx.Err() == nil:
		b.err = io.EOF
	case b.ctx.Err() != nil:
		b.err = failed(b.host, "broke off: ", ended(b.ctx))
	case err != nil:
		b.err = failed(b.host, "broke off: ", err)
	}
	return n, b.err
}

// Close ends the fetch. What was not read is dropped with the connection.
func (b *body) Close() error {
	b.release()
	if b.err == nil {
		b.err = net.ErrClosed
	}
	return nil
}
