package revoke

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"time"

	"github.com/certinbox/certinbox/verify"
)

// errNotKept says that a list is not in the cache.
var errNotKept = errors.New("not kept")

// listSource is the revocation list at one URL of a distribution point.
func (c *Checker) listSource(cert, issuer *x509.Certificate, p listPoint) *source {
	ca := cert.BasicConstraintsValid && cert.IsCA
	key := cacheKey("list", p.url, issuer)
	// The same list may be meant for one certificate and not for another.
	invalid := cacheKey("list for", p.url, issuer, append([]string{fmt.Sprint(ca)}, p.same...)...)
	q := listQuestion{issuer: issuer, serials: []*big.Int{cert.SerialNumber}, points: slices.Clone(p.same), ca: ca}
	s := &source{blank: about(cert, "crl", p.url, ""), url: p.url, way: p.url, invalid: invalid, flight: invalid, ca: ca}
	s.kept = func(ctx context.Context, at time.Time) (verify.Revocation, time.Time, error) {
		since, there := c.cache.fetched(key)
		s.seen = since // also of one that cannot be read
		if !there {
			return s.blank, time.Time{}, nil
		}
		l, err := c.keptList(ctx, key, invalid, q)
		if l == nil {
			r := s.blank
			r.Detail = "the list kept is not to be read"
			return r, time.Time{}, err
		}
		return s.judgeList(l, cert.SerialNumber, at), since, err
	}
	s.fetch = func(f *flight) { c.fetchList(f, s, key, q) }
	s.fetched = func(ctx context.Context, f *flight, at time.Time) (verify.Revocation, error) {
		if f.serial == serialKey(cert.SerialNumber) {
			return s.judgeList(f.list, cert.SerialNumber, at), nil
		}
		l, err := c.keptList(ctx, key, invalid, q)
		if l == nil {
			r := s.blank
			r.Detail = "the list was fetched, but there was no time or room to read it"
			return r, err
		}
		return s.judgeList(l, cert.SerialNumber, at), err
	}
	return s
}

// keptList reads the list of the cache, nil if there is none that can be used.
// The error is about our own machine.
func (c *Checker) keptList(ctx context.Context, key, scan string, q listQuestion) (*list, error) {
	l, err := c.scans.read(ctx, scan, q, func() (io.ReadCloser, error) {
		f, err := c.cache.open(key)
		if err == nil && f == nil {
			return nil, errNotKept
		}
		return f, err
	})
	var none *answerError
	if is(err, errNotKept, errNoTime, errClosed) || errors.As(err, &none) {
		return nil, nil // a file that does not verify is fetched anew
	}
	if err == nil && !c.cache.stands(key, noteOf(l)) {
		return nil, nil // so is one that is older than what is remembered
	}
	return l, err
}

// fetchList downloads a list, verifies it and keeps it.
func (c *Checker) fetchList(f *flight, s *source, key string, q listQuestion) {
	if since, there := c.cache.fetched(key); there && since.After(s.seen) {
		return // another flight brought it since the asker looked: fetched reads it there
	}
	leave, err := c.anchorPlace(s.anchor, listTime)
	if err != nil {
		f.err = err
		return
	}
	d := c.downloads.get(c.ctx, s.url)
	leave()
	defer func() {
		if err := c.downloads.release(s.url, d); err != nil {
			f.trouble = errors.Join(f.trouble, fmt.Errorf("revoke: cache: %w", err))
		}
	}()
	if d.disk != nil {
		f.err, f.trouble = errOurs, fmt.Errorf("revoke: cache: %w", d.disk)
		return
	}
	if d.err != nil {
		c.transport(s, f, d.err)
		return
	}
	c.reached(s)
	l, err := c.scans.read(context.WithoutCancel(c.ctx), "fetched "+key+s.invalid, q, func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(d.file, 0, d.size)), nil
	})
	var none *answerError
	if err != nil && !errors.As(err, &none) {
		f.err, f.trouble = errOurs, err
		return
	}
	if err == nil {
		err = l.current(c.now())
	}
	if err == nil {
		err = c.cache.put(key, noteOf(l), d.file.Name())
		if err != nil && !errors.As(err, &none) {
			f.trouble, err = err, nil // it counts although it cannot be kept
		}
	}
	if err != nil {
		f.err = err
		c.useless(s, err)
		return
	}
	c.useful(s)
	f.list, f.serial = l, serialKey(q.serials[0])
}

// noteOf returns what is to be remembered of a list; put adds the rest.
func noteOf(l *list) note {
	n := note{List: true, ThisUpdate: l.thisUpdate, NextUpdate: l.nextUpdate}
	if l.number != nil {
		n.Number = l.number.Text(16)
	}
	return n
}

// judgeList says what a list that was read for a certificate means at the time.
func (s *source) judgeList(l *list, serial *big.Int, at time.Time) verify.Revocation {
	r := s.blank
	r.Produced, r.NextUpdate = l.thisUpdate, l.nextUpdate
	if err := l.current(at); err != nil {
		r.Detail = err.Error()
		return r
	}
	entry, listed := l.entries[serialKey(serial)]
	r.Status, r.Detail = verify.Good, "not on the list"
	if listed && entry.reason != reasonRemoved {
		r.Status, r.Detail = verify.Revoked, "on the list"
		if entry.reason == reasonHold {
			r.Status = verify.Hold
		}
		r.Revoked, r.Reason = entry.at, reasonName(entry.reason)
	}
	r.Detail += " of " + moment(l.thisUpdate) + ", next update " + moment(l.nextUpdate)
	return r
}
