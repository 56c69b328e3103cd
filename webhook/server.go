// Package webhook takes mail over HTTP: the relay posts of SparkPost and Bird
// Reach, PowerMTA's http-delivery, and one raw message for MTAs that ask before
// they accept (POST /v1/check).
//
// It trusts a client that presents a configured secret to say what was in the
// envelope, one that posts for a relay only the addresses; the message is judged as
// any other. It knows no check by name, keeps nothing itself, and opens no socket:
// it is an http.Handler.
package webhook

import (
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/certinbox/certinbox/internal/collect"
)

// A Config is what the operator decides, and what carries it out. Every bound
// must be positive but Rate.
type Config struct {
	Collector *collect.Collector
	Log       *slog.Logger
	Counter   collect.Counter // counts what the Collector is not asked about; nil: nobody
	Paths     []string        // where relay posts go; /v1/check is there always
	Auth      []Credential    // one of them lets in; none: everybody, which is for loopback only
	Proxies   []netip.Prefix  // whose X-Forwarded-For is believed
	Body      int64           // bytes of one request
	InFlight  int64           // bytes of message held by all requests, beside the Collector's own; by one: Longest
	Posts     int             // requests at once
	PerClient int             // of one client network; this host is none
	Rate      int             // requests a minute and client network; 0: no limit
	// Now is the clock for the limits, and for how long a message was put off. It
	// must go on, also where messages are judged at another time.
	Now func() time.Time
}

// A Server is the handler. It is safe for concurrent use.
type Server struct {
	settings atomic.Pointer[settings]
	gate     *gate
	memory   *memory
	attempts *attempts
	sweeper  sweeper

	scratches sync.Pool // of *scratch, at most one for each request under way
}

// settings are a Config prepared for use.
type settings struct {
	Config
	door doorkeeper
}

// checkPath is where one raw message is judged.
const checkPath = "/v1/check"

// New returns a Server.
func New(c Config) *Server {
	s := &Server{gate: newGate(), memory: &memory{}, attempts: newAttempts()}
	s.Set(c)
	return s
}

// Set replaces the settings for requests that begin from now on.
func (s *Server) Set(c Config) {
	s.settings.Store(&settings{Config: c, door: newDoorkeeper(c.Auth)})
}

// ServeHTTP implements http.Handler. It judges within the request, so it may take
// as long as the body and, for each message, Limits.Time of the Policy. A client
// that hangs up does not end the judgement of what has come.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{server: s, settings: s.settings.Load(), w: w, r: r, began: time.Now()}
	x.client = clientOf(r, x.settings.Proxies)
	defer x.finish()
	x.serve()
}

// An exchange is one request with its answer.
type exchange struct {
	server   *Server
	settings *settings
	w        http.ResponseWriter
	r        *http.Request
	client   netip.Addr // invalid: of this host, over a unix socket
	began    time.Time
	body     *countingReader // nil before the body is read
	status   int             // 0: not answered yet
	tally    tally
	trouble  string // why it was not taken, for the log
}

// serve goes from what costs nothing to what costs most.
func (x *exchange) serve() {
	check := x.r.URL.Path == checkPath
	switch {
	case !check && !slices.Contains(x.settings.Paths, x.r.URL.Path):
		x.fail(http.StatusNotFound, "there is nothing at this path")
		return
	case x.r.Method != http.MethodPost:
		x.w.Header().Set("Allow", http.MethodPost)
		x.fail(http.StatusMethodNotAllowed, "only POST is taken here")
		return
	case !check && x.r.Header.Get("Content-Type") == "":
		x.alive()
		return
	}
	if ofBrowser(x.r.Header) {
		x.fail(http.StatusForbidden, "a page in a browser has sent this")
		return
	}
	network := neighbourhood(x.client)
	if refused := x.server.gate.enter(network, &x.settings.Config, x.settings.Now()); refused != nil {
		x.turnAway(refused)
		return
	}
	defer x.server.gate.leave(network)
	if err := x.settings.door.admits(x.r, check); err != nil {
		x.settings.door.challenge(x.w.Header(), check)
		x.fail(http.StatusUnauthorized, err.Error())
		return
	}
	if !x.acceptable(check) {
		return
	}
	x.body = &countingReader{from: http.MaxBytesReader(x.w, x.r.Body, x.settings.Body)}
	if check {
		x.check()
	} else {
		x.relay()
	}
}

// ofBrowser says whether a page in a browser has made a request: none may hand in
// mail where no secret is asked for. Its own origin is no excuse: whoever owns a
// name can point it at this host once the page is loaded, and then it is.
func ofBrowser(h http.Header) bool {
	return len(h.Values("Origin")) > 0 || len(h.Values("Sec-Fetch-Site")) > 0
}

// acceptable answers a request whose header says that its body cannot be read.
func (x *exchange) acceptable(check bool) bool {
	kind, _, _ := strings.Cut(x.r.Header.Get("Content-Type"), ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	encodings := x.r.Header.Values("Content-Encoding")
	encoded := slices.ContainsFunc(encodings, func(e string) bool { return !strings.EqualFold(strings.TrimSpace(e), "identity") })
	switch {
	case !check && kind != "application/json":
		x.fail(http.StatusBadRequest, unknownType)
	case check && kind != "" && kind != "message/rfc822" && kind != "application/octet-stream":
		x.fail(http.StatusUnsupportedMediaType, "the Content-Type is none that is taken here: send the message as message/rfc822")
	case encoded:
		x.w.Header().Set("Accept-Encoding", "identity")
		x.fail(http.StatusUnsupportedMediaType, "a Content-Encoding is not taken: send the body as it is")
	case x.r.ContentLength > x.settings.Body:
		x.failBody(&http.MaxBytesError{Limit: x.settings.Body})
	default:
		return true
	}
	return false
}

// turnAway answers a request for which there is no place.
func (x *exchange) turnAway(why *refusal) {
	if why.tooMany {
		x.retry(why.retry)
		x.fail(http.StatusTooManyRequests, "too many requests a minute from this network")
		return
	}
	x.retry(why.retry)
	x.fail(http.StatusServiceUnavailable, "too many requests at once")
}
