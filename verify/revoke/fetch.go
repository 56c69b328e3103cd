package revoke

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// maxRedirects is how many redirects one fetch follows.
const maxRedirects = 2

// headerTime is how long a server has, from the connection on, for the head of
// its response.
const headerTime = 5 * time.Second

// fetchOptions are what a fetcher needs.
type fetchOptions struct {
	allow   []Allowed
	servers []string      // name servers, IP or IP:PORT; none: those of the system
	dial    time.Duration // for a connection
	total   time.Duration // for a fetch, redirects and body included; as much before it for a place
	pace    *pace         // of the requests to one host, redirects included; nil: none
}

// A fetcher gets what a certificate names, under rules that keep a certificate
// from pointing us at our own network. It is safe for concurrent use.
//
// The rules are about the URL (parseTarget, check), about the address at the
// moment of connecting to it (gate) and about the answer (acceptable, body). No
// proxy is used, no cookie kept, no referrer sent, no connection used twice.
type fetcher struct {
	allow      allowList
	reserved   []netip.Prefix
	interfaces func() ([]net.Addr, error)
	limits     limits
	resolver   *net.Resolver
	dialer     net.Dialer
	roots      *x509.CertPool // of https; nil: the system's
	places     *places
	pace       *pace
}

// limits are the times of a fetch.
type limits struct{ dial, header, total time.Duration }

func newFetcher(o fetchOptions) *fetcher {
	return &fetcher{
		allow:      o.allow,
		reserved:   reservedNetworks(),
		interfaces: net.InterfaceAddrs,
		limits:     limits{dial: o.dial, header: headerTime, total: o.total},
		resolver:   newResolver(o.servers),
		places:     newPlaces(),
		pace:       o.pace,
	}
}

// get opens the body of url, of at most limit bytes: reading beyond is an error.
// The caller closes it. An error of kind refusedURL will not go away by itself,
// one that is errNoPlace or errPace is not the source's. Every other may be tried again later.
//
// Waiting for a place among other fetches takes the total of fetchOptions at
// most, and the fetch itself once more: however long it waited, a source has the
// same time. The end of that or of ctx ends the body, too.
func (f *fetcher) get(ctx context.Context, url string, limit int64) (io.ReadCloser, error) {
	return f.fetch(ctx, url, question{method: http.MethodGet}, limit)
}

// post is get for a question in the body. A redirect is not followed: a question
// would arrive as none (RFC 9110 section 15.4.4).
func (f *fetcher) post(ctx context.Context, url, contentType string, body []byte, limit int64) (io.ReadCloser, error) {
	return f.fetch(ctx, url, question{http.MethodPost, contentType, body}, limit)
}

// within returns f with another total for a fetch. The places are the same.
func (f *fetcher) within(total time.Duration) *fetcher {
	g := *f
	g.limits.total = total
	return &g
}

// usable says whether url is one that may be fetched by its looks: scheme, port,
// host. It asks no name server. Errors are of kind refusedURL.
func (f *fetcher) usable(url string) error {
	_, err := f.check(url)
	return err
}

// A question is what a request says beside its URL.
type question struct {
	method      string
	contentType string // of the body
	body        []byte
}

// request makes the request for a target.
func (q question) request(ctx context.Context, t target) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, q.method, t.url.String(), bytes.NewReader(q.body))
	if err != nil {
		return nil, &refusedURL{shown(t.host) + ": not a URL"}
	}
	r.Close = true
	r.Header.Set("User-Agent", "certinbox")
	r.Header.Set("Accept-Encoding", "identity")
	if q.contentType != "" {
		r.Header.Set("Content-Type", q.contentType)
	}
	return r, nil
}

// fetch follows a URL to a body.
func (f *fetcher) fetch(ctx context.Context, url string, q question, limit int64) (io.ReadCloser, error) {
	t, err := f.check(url)
	if err != nil {
		return nil, err
	}
	wait, waited := context.WithTimeout(ctx, f.limits.total)
	leave, err := f.admit(wait, t)
	waited()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, f.limits.total, errSlow)
	for redirects := 0; ; redirects++ {
		a, next, err := f.step(ctx, t, q, limit)
		if err == nil && a != nil {
			return f.open(ctx, t, a, limit, func() { a.close(); cancel(); leave() }), nil
		}
		// The place is given back before another is waited for: two hosts that
		// redirect to each other would wait for each other.
		leave()
		if err == nil && redirects == maxRedirects {
			err = failed(t.host, "", errRedirects)
		}
		if err == nil {
			t = next
			leave, err = f.admit(ctx, t)
		}
		if err != nil {
			cancel()
			return nil, err
		}
	}
}

// admit counts a request to a target and waits for a place for it.
func (f *fetcher) admit(ctx context.Context, t target) (leave func(), err error) {
	if f.pace != nil {
		if err := f.pace.take(t.host); err != nil {
			return nil, failed(t.host, "not asked: ", err)
		}
	}
	if leave, err = f.places.take(ctx, t.host); err != nil {
		return nil, failed(t.host, "not asked: ", err)
	}
	return leave, nil
}

// step asks one target. It returns an answer whose body is wanted, or the target
// that the answer redirects to.
func (f *fetcher) step(ctx context.Context, t target, q question, limit int64) (*answer, target, error) {
	r, err := q.request(ctx, t)
	if err != nil {
		return nil, target{}, err
	}
	a, err := f.exchange(ctx, t, r)
	if err != nil {
		if ctx.Err() != nil {
			err = failed(t.host, "no answer: ", ended(ctx))
		}
		return nil, target{}, err
	}
	switch a.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		a.close()
		next, err := f.follow(t, q, a)
		return nil, next, err
	}
	if err := a.acceptable(limit); err != nil {
		a.close()
		return nil, target{}, failed(t.host, "not the answer: ", err)
	}
	return a, target{}, nil
}

// follow reads where a redirect leads; the rules hold for that as for the first.
func (f *fetcher) follow(t target, q question, a *answer) (target, error) {
	if q.method != http.MethodGet {
		return target{}, failed(t.host, "", errRedirect)
	}
	to := a.Header.Values("Location")
	if len(to) != 1 || to[0] == "" || len(to[0]) > maxURL {
		return target{}, failed(t.host, "", errRedirect)
	}
	u, err := t.url.Parse(to[0])
	if err != nil {
		return target{}, failed(t.host, "", errRedirect)
	}
	next, err := f.check(u.String())
	var refused *refusedURL
	if errors.As(err, &refused) {
		return target{}, &refusedURL{shown(t.host) + ": redirects to " + refused.text}
	}
	return next, err
}

// open returns the body of an answer. The end of ctx ends it as Close does.
func (f *fetcher) open(ctx context.Context, t target, a *answer, limit int64, end func()) io.ReadCloser {
	stop := context.AfterFunc(ctx, end)
	return &body{answer: a, ctx: ctx, host: t.host, left: limit, limit: limit, release: func() { stop(); end() }}
}
