package revoke

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/trust"
)

// Bounds that Options do not set.
const (
	dialTime   = 3 * time.Second
	listTime   = 60 * time.Second // for fetching a list, whoever waits for it, and before it for a place
	answerTime = 15 * time.Second // the same for an OCSP response
)

// Options are what a Checker needs. Every bound must be positive.
type Options struct {
	Dir        string           // where answers are kept, made if missing; "": a folder that Close removes
	Allow      []Allowed        // exceptions from the rules about addresses and ports
	Servers    []string         // name servers, IP or IP:PORT; none: those of the system
	CRLBytes   int64            // the longest list that is read
	CacheBytes int64            // of all answers on disk, and as much again while they are fetched
	Now        func() time.Time // when answers are fetched and failures forgotten; the judgement brings its own time
	Log        *slog.Logger     // what goes wrong with a source; nil: nowhere
}

// A Checker asks CAs. It is safe for concurrent use.
type Checker struct {
	now       func() time.Time
	log       *slog.Logger
	fetcher   *fetcher
	cache     *cache
	failures  *failures
	flights   *flights
	downloads *downloads
	scans     *scans
	anchors   *rooms // places by anchor

	patience, refreshPatience time.Duration // see the constants

	ctx    context.Context // of what is being fetched
	cancel context.CancelFunc
	gone   string // the folder that Close removes
}

// New returns a Checker over the folder of Options, whose answers it takes over.
func New(o Options) (*Checker, error) {
	if o.CRLBytes <= 0 || o.CacheBytes <= 0 || o.Now == nil {
		return nil, errors.New("revoke: CRLBytes, CacheBytes and Now must be set")
	}
	c := &Checker{now: o.Now, log: o.Log, patience: listPatience, refreshPatience: refreshPatience}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if o.Dir == "" {
		dir, err := os.MkdirTemp("", "certinbox-")
		if err != nil {
			return nil, fmt.Errorf("revoke: cache: %w", err)
		}
		o.Dir, c.gone = dir, dir
	}
	var err error
	if c.cache, err = openCache(o.Dir, o.CacheBytes, o.Now); err != nil {
		if c.gone != "" {
			err = errors.Join(err, os.RemoveAll(c.gone))
		}
		return nil, err
	}
	c.fetcher = newFetcher(fetchOptions{allow: o.Allow, servers: o.Servers, dial: dialTime, total: listTime, pace: newPace(o.Now)})
	c.failures, c.flights, c.scans, c.anchors = newFailures(o.Now), newFlights(), newScans(), newRooms(maxFetchesAnchor)
	c.downloads = newDownloads(c.fetcher, c.cache, o.CRLBytes)
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c, nil
}

// Close ends what is being fetched and waits for it.
func (c *Checker) Close() error {
	c.cancel()
	c.flights.close()
	c.scans.close()
	if c.gone == "" {
		return nil
	}
	return os.RemoveAll(c.gone)
}

// Ask returns what is known about every certificate of a path below its anchor,
// leaf first, one Revocation or more each. It takes until ctx ends at most;
// what is being fetched then goes on for the next who asks. The error is about
// our own machine (the cache cannot be written); the answers count all the same.
//
// Lists come before responders (RFC 5280, RFC 6960), and the first source that
// has a current answer is the last that is asked. At most four sources are
// fetched, two of them for the leaf.
func (c *Checker) Ask(ctx context.Context, path trust.Path, at time.Time) ([]verify.Revocation, error) {
	below := len(path.Chain) - 1
	if below < 1 {
		return nil, nil
	}
	answers, errs := make([][]verify.Revocation, below), make([]error, below)
	leaf, others := &quota{left: leafFetches}, &quota{left: otherFetches}
	var wg sync.WaitGroup
	for i := range below {
		q := others
		if i == 0 {
			q = leaf
		}
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					errs[i] = fmt.Errorf("revoke: panic: %v\n%s", p, debug.Stack())
				}
			}()
			answers[i], errs[i] = c.certificate(ctx, path, i, at, q)
		})
	}
	wg.Wait()
	var all []verify.Revocation
	for i, a := range answers {
		if len(a) == 0 {
			a = []verify.Revocation{about(path.Chain[i], "", "", "a fault of certinbox")}
		}
		all = append(all, a...)
	}
	return all, errors.Join(errs...)
}

// certificate asks the sources of the certificate i of a path in turn until one
// answers.
func (c *Checker) certificate(ctx context.Context, path trust.Path, i int, at time.Time, q *quota) ([]verify.Revocation, error) {
	cert, issuer := path.Chain[i], path.Chain[i+1]
	anchor := string(path.Chain[len(path.Chain)-1].RawSubjectPublicKeyInfo)
	var out []verify.Revocation
	var errs []error
	points, urls := listPoints(cert), responders(cert)
	lists := ctx
	if len(points) > 0 && len(urls) > 0 {
		var cancel context.CancelFunc
		lists, cancel = context.WithTimeout(ctx, c.patience)
		defer cancel()
	}
	for _, p := range points {
		r, err := c.ask(lists, c.listSource(cert, issuer, p).below(anchor), at, q)
		out, errs = append(out, r), append(errs, err)
		if r.Status != verify.Unknown {
			return out, errors.Join(errs...)
		}
	}
	for _, u := range urls {
		r, err := c.ask(ctx, c.responderSource(cert, issuer, u).below(anchor), at, q)
		out, errs = append(out, r), append(errs, err)
		if r.Status != verify.Unknown {
			return out, errors.Join(errs...)
		}
	}
	if len(out) == 0 {
		r := about(cert, "", "", "the certificate names neither a list nor a responder that could be asked by http")
		r.Status = verify.NoSource
		out = append(out, r)
	}
	return out, errors.Join(errs...)
}
