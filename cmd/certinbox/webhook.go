package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"

	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/webhook"
)

// Bounds of HTTP below the posts, which webhook bounds itself.
const (
	maxHTTPConnections = 4096             // of one listener
	maxHTTPHeader      = 64 << 10         // bytes
	headerWithin       = 10 * time.Second // TLS included
	idleHTTP           = 2 * time.Minute  // between two posts on a connection
)

// A webhookDoor is where mail comes in over HTTP: one handler behind all listeners
// of webhook.listen.
type webhookDoor struct {
	handler   *webhook.Server
	proxies   atomic.Pointer[[]netip.Prefix] // who may have any number of connections
	listeners []*httpListener
}

// An httpListener is an entry of webhook.listen with its server.
type httpListener struct {
	net.Listener
	certificate *certificate // nil: HTTP
	server      *http.Server
	connections int // at once; others wait to be accepted
}

// newWebhook puts the handler behind the opened sockets of webhook.listen. Nothing
// is served yet. It returns nil without any socket.
func newWebhook(c *config.Config, set webhook.Config, opened []net.Listener) (*webhookDoor, error) {
	if len(opened) == 0 {
		return nil, nil
	}
	d := &webhookDoor{handler: webhook.New(set)}
	d.proxies.Store(&set.Proxies)
	connections := httpConnections(openFiles(), len(opened))
	for i, l := range c.Webhook.Listen {
		h := &httpListener{Listener: newSharedListener(opened[i], connections/httpShare, &d.proxies), connections: connections}
		if l.Certificate != "" {
			h.certificate = certificateOf(i, l)
			if err := h.certificate.read(func(s string) { set.Log.Warn(s) }, set.Now()); err != nil {
				return nil, fail(exitConfig, err)
			}
		}
		h.server = newHTTPServer(d.handler, set.Log)
		d.listeners = append(d.listeners, h)
	}
	return d, nil
}

// newHTTPServer returns a server whose clients cannot hold it up.
func newHTTPServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           hurried{handler, usualHaste()},
		ReadHeaderTimeout: headerWithin,
		ReadTimeout:       maxBodyTime, // hurried gives less
		IdleTimeout:       idleHTTP,
		MaxHeaderBytes:    maxHTTPHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 100},
		ErrorLog:          log.New(httpComplaints{logger}, "", 0),
	}
}

// httpComplaints writes down what a server has to say. Most of it is about
// strangers who try what the port is.
type httpComplaints struct{ log *slog.Logger }

func (c httpComplaints) Write(p []byte) (int, error) {
	text := "webhook: " + strings.TrimRight(string(p), "\n")
	if strings.Contains(text, "TLS handshake error") || strings.Contains(text, "http2:") {
		c.log.Debug(text)
	} else {
		c.log.Warn(text)
	}
	return len(p), nil
}

// serve serves all listeners, and sends when one of them ends.
func (d *webhookDoor) serve(logger *slog.Logger, ended chan<- error) {
	if d == nil {
		return
	}
	for _, h := range d.listeners {
		logger.Info("listening", "on", h.Addr().Network()+":"+h.Addr().String(), "for", h.scheme())
		go func() { ended <- h.serve() }()
	}
}

func (h *httpListener) scheme() string {
	if h.certificate != nil {
		return "https"
	}
	return "http"
}

func (h *httpListener) serve() error {
	ln := netutil.LimitListener(h.Listener, h.connections)
	if h.certificate == nil {
		return h.server.Serve(ln)
	}
	h.server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: h.certificate.get}
	return h.server.ServeTLS(ln, "", "")
}

// readCertificates reads the certificates again. Where that fails, the old one
// stays, and the log says so.
func (d *webhookDoor) readCertificates(logger *slog.Logger) {
	if d == nil {
		return
	}
	for _, h := range d.listeners {
		if h.certificate == nil {
			continue
		}
		if err := h.certificate.read(func(s string) { logger.Warn(s) }, time.Now()); err != nil {
			logger.Error("reload: " + err.Error() + ": the certificate from before stays")
		}
	}
}

// allows says whether a configuration may be put in force on the sockets that are
// open: whoever is not asked for a secret has to be of this machine.
func (d *webhookDoor) allows(c *config.Config) error {
	if d == nil || len(c.Webhook.Auth) > 0 {
		return nil
	}
	for i, h := range d.listeners {
		if !allLocal([]net.Listener{h}) {
			return fmt.Errorf("webhook.auth is empty, and webhook.listen[%d] can be reached from other machines at %s", i, h.Addr())
		}
	}
	return nil
}

// set puts other settings in force for posts that begin from now on.
func (d *webhookDoor) set(c webhook.Config) {
	if d != nil {
		d.handler.Set(c)
		d.proxies.Store(&c.Proxies)
	}
}

// shutdown takes no more posts and lets those under way finish until ctx ends;
// the rest is then cut off.
func (d *webhookDoor) shutdown(ctx context.Context) error {
	if d == nil {
		return nil
	}
	errs := make([]error, len(d.listeners))
	var wg sync.WaitGroup
	for i, h := range d.listeners {
		wg.Go(func() {
			if errs[i] = h.server.Shutdown(ctx); errs[i] != nil {
				h.server.Close()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// close cuts everybody off.
func (d *webhookDoor) close() {
	if d == nil {
		return
	}
	for _, h := range d.listeners {
		h.server.Close()
	}
}

// webhookSettings is what the handler needs to know of a configuration. The clock
// of its limits goes on also where messages are judged at another time. Without
// listeners no secret is read.
func (d *service) webhookSettings(c *config.Config) (webhook.Config, error) {
	w := &c.Webhook
	if len(w.Listen) == 0 {
		return webhook.Config{}, nil
	}
	auth, err := readCredentials(w.Auth, func(s string) { d.log.Logger().Warn(s) })
	if err != nil {
		return webhook.Config{}, fail(exitConfig, err)
	}
	return webhook.Config{
		Collector: d.collector, Log: d.log.Logger(), Counter: d.metrics,
		Paths: w.Paths, Auth: auth, Proxies: prefixes(w.Proxies),
		Body: int64(w.Body), InFlight: heldByPosts(c),
		Posts: w.Posts, PerClient: w.PostsPerClient, Rate: w.Rate, Now: time.Now,
	}, nil
}

// heldByPosts is how many bytes of message all posts may hold, beside what is under
// judgement: one body of the size that is taken has to fit, or it never would be.
func heldByPosts(c *config.Config) int64 {
	const pieces = 1 << 20 // what a message takes beyond its own size
	all, body := int64(c.Limits.InFlight)/4, int64(c.Webhook.Body)+pieces
	if short := body - webhook.Longest(all); short > 0 {
		all += short + short/8 // of which a part is not for long ones
	}
	return all
}
