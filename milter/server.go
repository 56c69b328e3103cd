package milter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	gomilter "github.com/d--j/go-milter"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/verify"
)

// Config is what a Server needs. Zero durations take the stated default.
type Config struct {
	Collector *collect.Collector
	Log       *slog.Logger // nil: nothing is logged

	// Name stands in Authentication-Results when neither the operator nor the
	// MTA names the host.
	Name string

	// Idle is how long a connection may be silent between two frames. The
	// MTA waits for its SMTP client there, so it is long: 65 minutes, more than
	// the hour for which Sendmail waits.
	Idle time.Duration
	// Frame is how long one frame may take from its first byte to its last: 1 minute.
	Frame time.Duration
	// Write is how long the MTA may take to read an answer: 10 seconds.
	Write time.Duration
}

// collector is the part of collect.Collector that a transport uses. Tests put
// their own behind it.
type collector interface {
	Wants(rcpt string) bool
	Mentions(path string) bool
	Misspelt() *verify.Reply
	Split(env verify.Envelope) *verify.Reply
	Begin(env verify.Envelope) intake
}

// intake is the part of collect.Intake that a transport uses.
type intake interface {
	AuthservID() string
	SetID(id string)
	Write(p []byte) (int, error)
	End(ctx context.Context) collect.Outcome
	Abort()
}

// begin lets a collect.Collector be a collector.
type begin struct{ *collect.Collector }

func (b begin) Begin(env verify.Envelope) intake { return b.Collector.Begin(env) }

// A Server answers MTAs on any number of listeners.
type Server struct {
	collector collector
	log       *slog.Logger
	name      string
	library   *gomilter.Server
	guard     *guard

	ctx    context.Context // ends when nobody waits for an answer any more
	cancel context.CancelFunc

	mu     sync.Mutex
	warned map[lack]bool // what MTAs lacked, so that each is said once

	foreign atomic.Uint64
	panics  atomic.Uint64
}

// New makes a Server. It opens nothing.
func New(cfg Config) *Server { return newServer(cfg, begin{cfg.Collector}) }

func newServer(cfg Config, c collector) *Server {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{collector: c, log: cfg.Log, name: cfg.Name, warned: map[lack]bool{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.guard = &guard{
		log:   cfg.Log,
		idle:  either(cfg.Idle, 65*time.Minute),
		frame: either(cfg.Frame, time.Minute),
		write: either(cfg.Write, 10*time.Second),
		conns: map[*conn]struct{}{},
	}
	s.library = gomilter.NewServer(append(macroRequests(),
		gomilter.WithDynamicMilter(s.session),
		gomilter.WithActions(wantedActions),
		gomilter.WithProtocols(wantedSteps),
		gomilter.WithNegotiationCallback(s.negotiate),
		gomilter.WithWriteTimeout(0), // the guard keeps the time
	)...)
	return s
}

func either(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

// Serve answers the MTAs that connect to ln until Shutdown or Close, then
// returns nil. Temporary trouble in accepting does not end it. Several
// listeners may be served at once, each by a call of its own.
func (s *Server) Serve(ln net.Listener) error {
	err := s.library.Serve(s.guard.listener(ln))
	if errors.Is(err, gomilter.ErrServerClosed) { // before it began; then the library leaves ln open
		ln.Close()
		return nil
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("milter: serve %s: %w", ln.Addr(), err)
}

// Shutdown closes the listeners, lets each connection finish the message it
// is in the middle of, and returns when all are closed. What is not finished
// when ctx ends is cut off: the MTA tells those senders to try again.
func (s *Server) Shutdown(ctx context.Context) error {
	s.guard.stopListening()
	s.guard.drain()
	err := s.library.Shutdown(ctx)
	s.cancel()
	s.logTraffic()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("milter: shutdown: %w", err)
	}
	return nil
}

// Close cuts everything off at once.
func (s *Server) Close() error {
	s.cancel()
	err := s.library.Close()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("milter: close: %w", err)
	}
	return nil
}

// Traffic is what a Server has seen since it was made. Frames are counted
// before the library or we look at them.
type Traffic struct {
	Connections uint64
	Mails       uint64 // MAIL frames: one a transaction
	Recipients  uint64 // RCPT frames
	Headers     uint64 // HEADER frames: one a field
	Bodies      uint64 // BODY frames: one a chunk
	Ends        uint64 // end-of-message frames
	Refused     uint64 // malformed frames; the connection was closed each time
	Foreign     uint64 // content frames of messages that are not for us; 0 unless the MTA lacks the DATA event
	Panics      uint64
}

// Traffic returns the counters of this moment.
func (s *Server) Traffic() Traffic {
	g := s.guard
	return Traffic{
		Connections: g.accepted.Load(),
		Mails:       g.frames[cmdMail].Load(),
		Recipients:  g.frames[cmdRcpt].Load(),
		Headers:     g.frames[cmdHeader].Load(),
		Bodies:      g.frames[cmdBody].Load(),
		Ends:        g.frames[cmdEOM].Load(),
		Refused:     g.refused.Load(),
		Foreign:     s.foreign.Load(),
		Panics:      s.panics.Load(),
	}
}

// Frames counts the well-formed frames with this command byte, such as 'L' for HEADER.
func (s *Server) Frames(command byte) uint64 { return s.guard.frames[command].Load() }

func (s *Server) logTraffic() {
	t := s.Traffic()
	s.log.Info("milter traffic", "connections", t.Connections, "mails", t.Mails, "recipients", t.Recipients,
		"headers", t.Headers, "bodies", t.Bodies, "ends", t.Ends, "refused", t.Refused, "foreign", t.Foreign, "panics", t.Panics)
}
