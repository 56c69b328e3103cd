package milter

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A guard stands between the sockets and the library. It hands over only
// well-formed frames, keeps the time, counts, and closes connections between
// two messages when the server drains.
type guard struct {
	log                *slog.Logger
	idle, frame, write time.Duration

	accepted atomic.Uint64
	refused  atomic.Uint64
	frames   [256]atomic.Uint64
	stopping atomic.Bool // the listeners are closed
	draining atomic.Bool

	mu        sync.Mutex
	conns     map[*conn]struct{}
	listeners []*listener
}

// stopListening closes every socket that listens. It comes before the drain: who
// connects in between would be accepted and cut off, while a socket that systemd
// holds lets the MTA wait for the next process.
func (g *guard) stopListening() {
	g.stopping.Store(true)
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range g.listeners {
		_ = l.Listener.Close()
	}
}

// drain makes every connection close at its next pause between messages.
func (g *guard) drain() {
	g.draining.Store(true)
	g.mu.Lock()
	defer g.mu.Unlock()
	for c := range g.conns {
		// Wakes those that wait; they look at draining and go on waiting if they may.
		_ = c.Conn.SetReadDeadline(time.Unix(1, 0))
	}
}

func (g *guard) wrap(nc net.Conn) *conn {
	c := &conn{Conn: nc, guard: g, buf: make([]byte, bufferSize)}
	g.accepted.Add(1)
	g.mu.Lock()
	g.conns[c] = struct{}{}
	g.mu.Unlock()
	return c
}

func (g *guard) forget(c *conn) {
	g.mu.Lock()
	delete(g.conns, c)
	g.mu.Unlock()
}

// listener wraps ln.
func (g *guard) listener(ln net.Listener) *listener {
	l := &listener{Listener: ln, guard: g, done: make(chan struct{})}
	g.mu.Lock()
	g.listeners = append(g.listeners, l)
	g.mu.Unlock()
	return l
}

// A listener accepts guarded connections. Trouble in accepting, of which
// running out of descriptors is the usual one, makes it pause, never end: the
// library gives up at the first error.
type listener struct {
	net.Listener
	guard *guard
	done  chan struct{}
	once  sync.Once
}

const (
	firstPause = 5 * time.Millisecond
	maxPause   = time.Second
)

func (l *listener) Accept() (net.Conn, error) {
	pause := firstPause
	for failures := 0; ; failures++ {
		nc, err := l.Listener.Accept()
		if err == nil {
			return l.guard.wrap(nc), nil
		}
		if errors.Is(err, net.ErrClosed) {
			if l.guard.stopping.Load() {
				<-l.done // the library is told that it shuts down before it learns of this
			}
			return nil, err
		}
		if failures%60 == 0 { // at first, then about once a minute
			l.guard.log.Error("milter: accept failed, will try again", "listener", l.Addr().String(), "err", err)
		}
		timer := time.NewTimer(pause)
		select {
		case <-l.done:
			timer.Stop()
			return nil, net.ErrClosed
		case <-timer.C:
		}
		pause = min(2*pause, maxPause)
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}
