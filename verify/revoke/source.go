package revoke

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/certinbox/certinbox/verify"
)

// How sources are asked.
const (
	leafFetches  = 2 // of one path, for its leaf
	otherFetches = 2 // of one path, for its other certificates

	// An answer is fetched anew when it is that old, since a CA may revoke long
	// before nextUpdate. Until the new one is there the old one counts.
	refreshAfter = 12 * time.Hour

	// The list of a CA that is not to be had any more does not count longer for
	// the certificates of people, whatever its nextUpdate says.
	longestKept = 10 * 24 * time.Hour

	listPatience    = 3 * time.Second // with a list, where a responder can be asked as well
	refreshPatience = time.Second     // with a source whose answer is kept and still good
)

// A source is one URL that can be asked about one certificate.
type source struct {
	blank   verify.Revocation // certificate, method and URL
	url     string
	way     string    // key in failures and flights of trouble on the way there
	invalid string    // key in failures of answers that are none
	flight  string    // key in flights
	anchor  string    // below which the certificate stands
	ca      bool      // the certificate is that of a CA
	seen    time.Time // when the answer was fetched that the cache had before a flight began

	// kept returns what the cache has, judged at the time, and when it was
	// fetched: a zero time if there is nothing.
	kept func(ctx context.Context, at time.Time) (verify.Revocation, time.Time, error)
	// fetch brings an answer, in a flight.
	fetch func(*flight)
	// fetched judges what a flight brought.
	fetched func(ctx context.Context, f *flight, at time.Time) (verify.Revocation, error)
}

// below notes the anchor of the path, by its key.
func (s *source) below(anchor string) *source {
	s.anchor = anchor
	return s
}

// A quota is how many fetches are left.
type quota struct {
	mu   sync.Mutex
	left int
}

func (q *quota) take() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.left--
	return q.left >= 0
}

// ask returns what the source says: from the cache, or fetched. The error is
// about our own machine.
func (c *Checker) ask(ctx context.Context, s *source, at time.Time, q *quota) (verify.Revocation, error) {
	kept, since, err := s.kept(ctx, at)
	age := c.now().Sub(since)
	dated := age > -maxSkew // else the clock has been put back, and nobody knows how old it is
	usable := kept.Status != verify.Unknown && (s.ca || dated && age < longestKept)
	if usable && (kept.Status == verify.Revoked || dated && age < refreshAfter) {
		return kept, err
	}
	if !since.IsZero() && at.Add(maxSkew).Before(kept.Produced) {
		return kept, err // a question about the past: nobody serves older answers
	}
	wait := ctx
	if usable {
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, c.refreshPatience)
		defer cancel()
	}
	fresh, trouble := c.fresh(wait, s, at, q)
	err = errors.Join(err, trouble)
	if fresh.Status == verify.Unknown && usable {
		return kept, err
	}
	return fresh, err
}

// fresh fetches an answer, unless there is a reason not to.
func (c *Checker) fresh(ctx context.Context, s *source, at time.Time, q *quota) (verify.Revocation, error) {
	none := s.blank
	if ctx.Err() != nil {
		none.Detail = "not asked: no time was left"
		return none, nil
	}
	for _, key := range []string{s.way, s.invalid} {
		if none.Detail = c.failures.paused(key); none.Detail != "" {
			return none, nil
		}
	}
	if !q.take() {
		none.Detail = "not asked: enough was fetched for one message"
		return none, nil
	}
	// Who gave up on a source speaks for those below the same anchor: with no time
	// left at all anybody gives up on anything.
	f, err := c.flights.do(ctx, s.flight, s.anchor+" "+s.way, s.anchor, c.failures.hung(s.way), s.fetch)
	if err != nil {
		none.Detail = err.Error()
		if f == nil {
			return none, nil
		}
		return none, f.trouble
	}
	r, err := s.fetched(ctx, f, at)
	return r, errors.Join(err, f.trouble)
}

// anchorPlace waits for one of the places of an anchor, for so long at most. It
// is taken before a download is joined or begun, so that nobody who joins one
// waits for the place of another anchor.
func (c *Checker) anchorPlace(anchor string, atMost time.Duration) (leave func(), err error) {
	ctx, cancel := context.WithTimeout(c.ctx, atMost)
	defer cancel()
	if leave, err = c.anchors.take(ctx, anchor); err != nil {
		return nil, failed("", "not asked: ", errNoPlace)
	}
	return leave, nil
}

// transport remembers that a source could not be reached. What is not its fault
// is not remembered.
func (c *Checker) transport(s *source, f *flight, err error) {
	f.err = err
	var refused *refusedURL
	switch {
	case c.ctx.Err() != nil, is(err, errNoPlace, errPace, errNoRoom, errFault):
	case errors.As(err, &refused):
		pause := refusedWayFor
		if c.fetcher.usable(s.url) != nil {
			pause = refusedFor
		}
		if c.failures.add(s.way, err.Error(), pause, false) {
			c.log.Warn("a CA's source is not asked", "source", s.blank.Source, "error", err.Error())
		}
	default:
		if c.failures.add(s.way, err.Error(), 0, c.flights.gaveUp(f)) {
			c.log.Warn("a CA's source cannot be reached", "source", s.blank.Source, "error", err.Error())
		}
	}
}

// reached forgets that a source could not be.
func (c *Checker) reached(s *source) {
	if c.failures.clear(s.way) {
		c.log.Info("a CA's source can be reached again", "source", s.blank.Source)
	}
}

// useless remembers that what a source says is no answer.
func (c *Checker) useless(s *source, err error) {
	if c.failures.add(s.invalid, err.Error(), 0, false) && !errors.Is(err, errNotKnown) {
		c.log.Warn("a CA's source gives no usable answer", "source", s.blank.Source, "error", err.Error())
	}
}

// useful forgets that a source gave no answer.
func (c *Checker) useful(s *source) {
	if c.failures.clear(s.invalid) {
		c.log.Info("a CA's source gives usable answers again", "source", s.blank.Source)
	}
}

// about returns a Revocation about a certificate that says nothing yet.
func about(c *x509.Certificate, method, url, detail string) verify.Revocation {
	sum := sha256.Sum256(c.Raw)
	return verify.Revocation{SHA256: hex.EncodeToString(sum[:]), Serial: hex.EncodeToString(c.SerialNumber.Bytes()),
		Method: method, Source: printable(url), Status: verify.Unknown, Detail: detail}
}

// printable makes a URL out of a certificate fit for logs and documents: ASCII
// without blanks, at most 256 bytes.
func printable(s string) string {
	s = s[:min(len(s), 256)]
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == '"' || r == '<' || r == '>' || r == '\\' {
			return '?'
		}
		return r
	}, s)
}

// reasonName returns a reason in the words of RFC 5280 section 5.3.1, "" for
// unspecified and for numbers without meaning.
func reasonName(reason int) string {
	switch reason {
	case 1:
		return "keyCompromise"
	case 2:
		return "cACompromise"
	case 3:
		return "affiliationChanged"
	case 4:
		return "superseded"
	case 5:
		return "cessationOfOperation"
	case 6:
		return "certificateHold"
	case 8:
		return "removeFromCRL"
	case 9:
		return "privilegeWithdrawn"
	case 10:
		return "aACompromise"
	}
	return ""
}
