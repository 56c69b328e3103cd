package revoke

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/certinbox/certinbox/verify"
)

// errOurs stands where a source would have answered and we could not use it.
var errOurs = errors.New("trouble of certinbox itself; its log says which")

// responderSource is an OCSP responder.
func (c *Checker) responderSource(cert, issuer *x509.Certificate, url string) *source {
	// A responder that knows nothing of one certificate may know the next: the
	// failure is remembered of this certificate.
	key := cacheKey("response", url, issuer, string(cert.Raw))
	s := &source{blank: about(cert, "ocsp", url, ""), url: url, invalid: key, flight: key,
		// A list may lie at a URL that somebody names as a responder: that it
		// cannot be asked there is nothing against the list.
		way: "ocsp " + url,
		ca:  true} // a response says itself how long it counts, ten days at most
	s.kept = func(_ context.Context, at time.Time) (verify.Revocation, time.Time, error) {
		since, there := c.cache.fetched(key)
		if !there {
			return s.blank, time.Time{}, nil
		}
		der, err := c.keptResponse(key)
		if der == nil {
			return s.blank, time.Time{}, err
		}
		r := s.judgeResponse(der, cert, issuer, at)
		if !r.Produced.IsZero() && !c.cache.stands(key, note{ThisUpdate: r.Produced}) {
			return s.blank, time.Time{}, nil
		}
		return r, since, nil
	}
	s.fetch = func(f *flight) { c.fetchResponse(f, s, key, cert, issuer) }
	s.fetched = func(_ context.Context, f *flight, at time.Time) (verify.Revocation, error) {
		return s.judgeResponse(f.response, cert, issuer, at), nil
	}
	return s
}

// keptResponse returns the response of the cache, nil if there is none.
func (c *Checker) keptResponse(key string) ([]byte, error) {
	f, err := c.cache.open(key)
	if f == nil {
		return nil, err
	}
	defer f.Close()
	der, err := io.ReadAll(io.LimitReader(f, maxOCSP))
	if err != nil {
		return nil, fmt.Errorf("revoke: cache: %w", err)
	}
	return der, nil
}

// fetchResponse asks a responder, verifies what it says and keeps it.
func (c *Checker) fetchResponse(f *flight, s *source, key string, cert, issuer *x509.Certificate) {
	leave, err := c.anchorPlace(s.anchor, answerTime)
	if err != nil {
		f.err = err
		return
	}
	defer leave()
	request, err := ocspRequest(cert, issuer)
	if err != nil {
		f.err = err
		c.useless(s, err)
		return
	}
	der, err := c.response(c.ctx, s.url, request)
	if refusesQuestion(err) {
		// One certificate must not make a responder mute for all.
		c.reached(s)
		f.err = err
		c.useless(s, err)
		return
	}
	if err != nil {
		c.transport(s, f, err)
		return
	}
	c.reached(s)
	r, err := readResponse(der, cert, issuer, c.now())
	if err == nil && r.status == verify.Unknown {
		err = errNotKnown
	}
	if err != nil {
		f.err = err
		c.useless(s, err)
		return
	}
	// Who is on the way may repeat what was said before a revocation or a hold.
	err = c.keepResponse(key, der, r)
	if errors.Is(err, errOlder) {
		f.err = err
		c.useless(s, err)
		return
	}
	f.trouble = err // it counts although it cannot be kept
	c.useful(s)
	f.response = der
}

// response returns what a responder answers.
func (c *Checker) response(ctx context.Context, url string, request []byte) (der []byte, err error) {
	var body io.ReadCloser
	f := c.fetcher.within(answerTime)
	if get, short := ocspGET(url, request); short {
		body, err = f.get(ctx, get, maxOCSP)
	} else {
		body, err = f.post(ctx, url, "application/ocsp-request", request, maxOCSP)
	}
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// errNotKnown is no fault of the responder.
var errNotKnown = &answerError{"the responder does not know the certificate"}

// keepResponse keeps a response that readResponse took. The error is errOlder
// where a newer one was seen before, else the disk's.
func (c *Checker) keepResponse(key string, der []byte, r response) error {
	temp, err := c.cache.temp()
	if err != nil {
		return fmt.Errorf("revoke: cache: %w", err)
	}
	_, err = temp.Write(der)
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err == nil {
		err = c.cache.put(key, note{ThisUpdate: r.thisUpdate, NextUpdate: r.nextUpdate}, temp.Name())
	}
	gone := c.cache.remove(filepath.Base(temp.Name()))
	if errors.Is(err, errOlder) {
		return errOlder
	}
	if err != nil {
		err = fmt.Errorf("revoke: cache: %w", err)
	}
	return errors.Join(err, gone)
}

// judgeResponse says what a response means at the time.
func (s *source) judgeResponse(der []byte, cert, issuer *x509.Certificate, at time.Time) verify.Revocation {
	r := s.blank
	a, err := readResponse(der, cert, issuer, at)
	if err != nil {
		r.Detail = err.Error()
		return r
	}
	r.Status, r.Produced, r.NextUpdate, r.Answer = a.status, a.thisUpdate, a.nextUpdate, der
	switch a.status {
	case verify.Good:
		r.Detail = "good, says the responder"
	case verify.Unknown:
		r.Detail = errNotKnown.Error()
		return r
	default:
		r.Revoked, r.Reason, r.Detail = a.revoked, reasonName(a.reason), a.status+", says the responder"
	}
	r.Detail += ", as of " + moment(a.thisUpdate) + ", good until " + moment(a.nextUpdate)
	return r
}
