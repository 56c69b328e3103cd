// Package webhook takes mail over HTTP: the relay posts of SparkPost and Bird
// Reach, PowerMTA's http-delivery, and one raw message for MTAs that ask before
// they accept (POST /v1/check).
//
// It trusts a client that presents a configured secret to say what was in the
// envelope; the message is judged as any other. It knows no check by name, keeps
// nothing itself, and opens no socket: it is an http.Handler.
package webhook

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/certinbox/certinbox/internal/collect"
)

// A Config is what the operator decides, and what carries it out. Every bound
// must be positive but Rate.
type Config struct {
	Collector *collect.Collector
	Log       *slog.Logger
	Paths     []string       // where relay posts go; /v1/check is there always
	Auth      []Credential   // one of them lets in; none: everybody, which is for loopback only
	Proxies   []netip.Prefix // whose X-Forwarded-For is believed
	Body      int64          // bytes of one request
	InFlight  int64          // bytes of message held by all requests, beside the Collector's own
	Posts     int            // requests at once
	PerClient int            // of one client network
	Rate      int            // requests a minute and client; 0: no limit
	Now       func() time.Time
}

// A Server is the handler. It is safe for concurrent use.
type Server struct{}

// New returns a Server.
func New(c Config) *Server { return &Server{} }

// Set replaces the settings for requests that begin from now on.
func (s *Server) Set(c Config) {}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	http.Error(w, `{"message":"not there yet"}`, http.StatusServiceUnavailable)
}
