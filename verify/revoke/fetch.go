package revoke

import (
	"context"
	"errors"
	"io"
	"time"
)

// fetchOptions are what a fetcher needs.
type fetchOptions struct {
	allow []Allowed
	dial  time.Duration // for a connection
	total time.Duration // for a fetch, redirects and body included
}

// A fetcher gets what a certificate names, under rules that keep a certificate
// from pointing us at our own network. It is safe for concurrent use.
type fetcher struct{}

func newFetcher(o fetchOptions) *fetcher { return &fetcher{} }

// get opens the body of url, of at most limit bytes: reading beyond is an error.
// The caller closes it. An error of kind refusedURL will not go away by itself.
func (f *fetcher) get(ctx context.Context, url string, limit int64) (io.ReadCloser, error) {
	return nil, errors.New("not there yet")
}

// post is get for a question in the body.
func (f *fetcher) post(ctx context.Context, url, contentType string, body []byte, limit int64) (io.ReadCloser, error) {
	return nil, errors.New("not there yet")
}

// usable says whether url is one that may be fetched by its looks: scheme, port,
// host. It asks no name server.
func (f *fetcher) usable(url string) error { return errors.New("not there yet") }

// A refusedURL is a URL or address that the rules forbid.
type refusedURL struct{ text string }

func (e *refusedURL) Error() string { return e.text }
