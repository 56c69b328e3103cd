package milter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/certinbox/certinbox/milter/miltertest"
)

// frame writes one frame whose length is right.
func frame(command byte, data string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(1+len(data)))
	return append(append(b, command), data...)
}

func offer() []byte { return frame('O', string(miltertest.Options{}.Offer())) }

func connect() []byte { return frame('C', "h\x004\x00\x19192.0.2.1\x00") }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// malformed are byte streams that a guard has to stop. The first six of them kill
// a process that has the library alone.
func malformed() map[string][]byte {
	return map[string][]byte{
		"empty frame before negotiation": {0, 0, 0, 0},
		"empty frame after negotiation":  join(offer(), []byte{0, 0, 0, 0}),
		"CONNECT without NUL":            join(offer(), frame('C', "host")),
		"CONNECT that ends after host":   join(offer(), frame('C', "host\x00")),
		"MAIL without NUL":               join(offer(), connect(), frame('M', "<a@b>")),
		"RCPT without NUL":               join(offer(), connect(), frame('M', "<a@b>\x00"), frame('R', "<a@b>")),

		"512 MB announced":               join(offer(), []byte{0x20, 0, 0, 0, 'B'}),
		"4 GB announced":                 {0xff, 0xff, 0xff, 0xff},
		"one byte over the limit":        join(offer(), []byte{0, 0x10, 0, 2, 'B'}),
		"http":                           []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		"negotiation not first":          connect(),
		"negotiation twice":              join(offer(), offer()),
		"short negotiation":              frame('O', "12345678901"),
		"protocol version 1":             frame('O', "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"),
		"unknown command":                join(offer(), frame('z', "")),
		"CONNECT without port":           join(offer(), frame('C', "host\x004\x00")),
		"CONNECT without address end":    join(offer(), frame('C', "host\x004\x00\x19192.0.2.1")),
		"CONNECT with a bad ip4":         join(offer(), frame('C', "host\x004\x00\x19192.0.2.300\x00")),
		"CONNECT with a bad ip6":         join(offer(), frame('C', "host\x006\x00\x19IPv6:xyz\x00")),
		"CONNECT of family X":            join(offer(), frame('C', "host\x00X\x00\x19a\x00")),
		"HELO without NUL":               join(offer(), connect(), frame('H', "x")),
		"HELO empty":                     join(offer(), connect(), frame('H', "")),
		"MAIL with an unended argument":  join(offer(), connect(), frame('M', "<a@b>\x00SIZE=1")),
		"macros without command":         join(offer(), frame('D', "")),
		"macros for no command":          join(offer(), frame('D', "?i\x001\x00")),
		"odd number of macro strings":    join(offer(), frame('D', "Mi\x00")),
		"macro without NUL":              join(offer(), frame('D', "Mi\x00x")),
		"too many macros":                join(offer(), frame('D', "M"+strings.Repeat("i\x001\x00", maxMacros))),
		"HEADER without value":           join(offer(), connect(), frame('L', "Subject\x00")),
		"HEADER empty":                   join(offer(), connect(), frame('L', "")),
		"HEADER with NUL in the value":   join(offer(), connect(), frame('L', "Subject\x00a\x00b\x00")),
		"HEADER without last NUL":        join(offer(), connect(), frame('L', "Subject\x00a\x00b")),
		"end of message with a chunk":    join(offer(), connect(), frame('E', "lost")),
		"unknown SMTP command, no NUL":   join(offer(), connect(), frame('U', "XYZ")),
		"RCPT longer than any path":      join(offer(), connect(), frame('R', strings.Repeat("a", maxShort)+"\x00")),
		"macros longer than any value":   join(offer(), frame('D', "Mi\x00"+strings.Repeat("a", maxValues)+"\x00")),
		"HEADER of 1 MiB without end":    join(offer(), connect(), frame('L', "X\x00"+strings.Repeat("a", 1<<20-2))),
		"BODY announced longer than 1MB": join(offer(), connect(), []byte{0, 0x20, 0, 0, 'B'}),
	}
}

func TestMalformedFramesOnlyCostTheirConnection(t *testing.T) {
	r := start(t, Config{})
	refused := uint64(0)
	for name, stream := range malformed() {
		conn, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(hangGuard))
		_, _ = conn.Write(stream) // may fail when the refusal is quicker
		if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: connection not closed: %v", name, err)
		}
		conn.Close()
		refused++
		if got := r.Traffic().Refused; got != refused {
			t.Errorf("%s: %d refusals counted, want %d", name, got, refused)
			refused = got
		}
	}
	if res := send(t, r.dial(t, miltertest.Options{}), mail(ours)); !res.Accepted || len(res.AddedHeaders) != 1 {
		t.Errorf("after all that: %+v", res)
	}
	if r.Traffic().Panics != 0 {
		t.Errorf("panics: %s", r.log)
	}
}

func TestWellFormedFramesPass(t *testing.T) {
	for name, stream := range map[string][]byte{
		"unknown client":       frame('C', "host\x00U"),
		"unix client":          frame('C', "localhost\x00L\x00\x00/run/x\x00"),
		"ip6":                  frame('C', "h\x006\x00\x19IPv6:2001:db8::1\x00"),
		"ip6 in brackets":      frame('C', "h\x006\x00\x19[2001:db8::1]\x00"),
		"no macros":            frame('D', "M"),
		"empty macro value":    frame('D', "Mi\x00\x00"),
		"empty header value":   frame('L', "X\x00\x00"),
		"MAIL with arguments":  frame('M', "<>\x00SIZE=1\x00BODY=8BITMIME\x00"),
		"BODY of 1 MiB":        frame('B', strings.Repeat("a", 1<<20)),
		"RCPT of 16 KB":        frame('R', strings.Repeat("a", maxShort-2)+"\x00"),
		"HEADER of 1 MiB":      frame('L', "X\x00"+strings.Repeat("a", 1<<20-3)+"\x00"),
		"HEADER of 60000 byte": frame('L', "X\x00"+strings.Repeat("a", 60000)+"\x00"),
		"empty BODY":           frame('B', ""),
	} {
		g := newServer(Config{}, &fake{}).guard
		c := g.wrap(&stub{in: bytes.NewReader(join(offer(), stream))})
		got, err := io.ReadAll(c)
		if err != nil || !bytes.Equal(got, join(offer(), stream)) {
			t.Errorf("%s: %d bytes of %d came through, %v", name, len(got), len(offer())+len(stream), err)
		}
		if n := g.refused.Load(); n != 0 {
			t.Errorf("%s: refused", name)
		}
	}
}

// stub is a socket that has all its input at once, or a byte at a time.
type stub struct {
	net.Conn
	in    *bytes.Reader
	slow  bool
	reads int
	out   [][]byte
	done  chan struct{} // closed by Close, if it is there
}

func (s *stub) Read(p []byte) (int, error) {
	s.reads++
	if s.slow && len(p) > 0 {
		p = p[:1]
	}
	return s.in.Read(p)
}

func (s *stub) Write(p []byte) (int, error) {
	s.out = append(s.out, bytes.Clone(p))
	return len(p), nil
}
func (s *stub) Close() error {
	if s.done != nil {
		close(s.done)
	}
	return nil
}
func (s *stub) RemoteAddr() net.Addr             { return &net.UnixAddr{} }
func (s *stub) SetReadDeadline(time.Time) error  { return nil }
func (s *stub) SetWriteDeadline(time.Time) error { return nil }

func TestSlowClient(t *testing.T) {
	// A byte at a time is understood like everything at once.
	stream := join(offer(), connect(), frame('M', "<a@b.example>\x00"), frame('B', strings.Repeat("x", 10000)), frame('Q', ""))
	g := newServer(Config{}, &fake{}).guard
	got, err := io.ReadAll(g.wrap(&stub{in: bytes.NewReader(stream), slow: true}))
	if err != nil || !bytes.Equal(got, stream) {
		t.Errorf("%d bytes of %d, %v", len(got), len(stream), err)
	}

	// A frame that stalls costs its connection; so does silence beyond Idle. The
	// first frame may take longer than the library's own second.
	r := start(t, Config{Frame: 50 * time.Millisecond, Idle: hangGuard})
	stalled := r.dial(t, miltertest.Options{})
	if err := stalled.Raw(connect()[:7]); err != nil {
		t.Fatal(err)
	}
	if f, err := stalled.ReadFrame(); err == nil {
		t.Errorf("stalled frame was answered by %q", f.Code)
	}
	r = start(t, Config{Idle: 50 * time.Millisecond})
	silent := r.dial(t, miltertest.Options{})
	if f, err := silent.ReadFrame(); err == nil {
		t.Errorf("silence was answered by %q", f.Code)
	}
	eventually(t, "the log says that nothing came", func() bool { return strings.Contains(r.log.String(), "nothing came in time") })

	r = start(t, Config{})
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(1200 * time.Millisecond)
	late, err := miltertest.New(conn, miltertest.Options{})
	if err != nil {
		t.Fatalf("first frame after 1.2 s: %v", err)
	}
	late.Close()
}

// badListener fails like a process that has no descriptors left.
type badListener struct {
	net.Listener
	failures atomic.Int32
}

func (l *badListener) Accept() (net.Conn, error) {
	if l.failures.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

func TestServeSurvivesLackOfDescriptors(t *testing.T) {
	ln, err := Listen("inet:127.0.0.1:0", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	bad := &badListener{Listener: ln}
	bad.failures.Store(4)
	r := startOn(t, Config{}, bad)
	if res := send(t, r.dial(t, miltertest.Options{}), mail("bob@example.net")); !res.Accepted {
		t.Errorf("got %+v", res)
	}
	if n := strings.Count(r.log.String(), "accept failed"); n != 1 {
		t.Errorf("logged %d times, want once", n)
	}
	// Shutdown does not wait for the pause to end: the cleanup asserts that Serve returns.
	bad.failures.Store(1 << 20)
	conn, err := net.Dial("tcp", r.addr) // ends the Accept that waits; the next ones fail
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	eventually(t, "accepting fails again", func() bool { return strings.Count(r.log.String(), "accept failed") == 2 })
}

func TestEnvelopeCostsFewReadsAndWholeWrites(t *testing.T) {
	stream := join(offer(),
		frame('D', "Cj\x00mx\x00"), connect(), frame('H', "x\x00"),
		frame('M', "<a@b.example>\x00"), frame('R', "<b@b.example>\x00"), frame('T', ""), frame('Q', ""))
	s := newServer(Config{}, &fake{})
	conn := &stub{in: bytes.NewReader(stream)}
	ln := &oneConn{conn: conn, done: make(chan struct{})}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	eventually(t, "the session ends", func() bool { return s.guard.frames['Q'].Load() == 1 && ended(s) })
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if conn.reads != 1 {
		t.Errorf("%d reads for one packet of input, want 1", conn.reads)
	}
	if len(conn.out) != 3 {
		t.Fatalf("%d writes, want one each for negotiation, RCPT and DATA", len(conn.out))
	}
	for _, w := range conn.out {
		if len(w) < 5 || int(binary.BigEndian.Uint32(w)) != len(w)-4 {
			t.Errorf("write %q is no whole frame", w)
		}
	}
}

// ended says whether no connection is left.
func ended(s *Server) bool {
	s.guard.mu.Lock()
	defer s.guard.mu.Unlock()
	return len(s.guard.conns) == 0
}

// oneConn accepts one connection.
type oneConn struct {
	conn net.Conn
	done chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.done
	return nil, net.ErrClosed
}
func (l *oneConn) Close() error   { close(l.done); return nil }
func (l *oneConn) Addr() net.Addr { return &net.UnixAddr{Name: "one", Net: "unix"} }

// FuzzGuard: whatever comes in, no malformed frame goes through, what goes
// through is what came in, and a server on top of it does not die.
func FuzzGuard(f *testing.F) {
	for _, stream := range malformed() {
		if len(stream) < 1<<16 {
			f.Add(stream)
		}
	}
	f.Add(join(offer(), connect(), frame('D', "Mi\x001\x00"), frame('M', "<a@b>\x00"), frame('R', "<"+ours+">\x00"), frame('T', ""),
		frame('L', "Subject\x00 x\x00"), frame('N', ""), frame('B', "body"), frame('E', ""), frame('A', ""), frame('K', ""), frame('Q', "")))
	f.Fuzz(func(t *testing.T, stream []byte) {
		began := time.Now()
		g := newServer(Config{}, &fake{}).guard
		got, err := io.ReadAll(g.wrap(&stub{in: bytes.NewReader(stream)}))
		if err != nil || !bytes.HasPrefix(stream, got) {
			t.Fatalf("passed %q, %v of %q", got, err, stream)
		}
		passedFramesAreWellFormed(t, got)

		fk := &fake{outcome: keep(), split: splitReply()}
		s := newServer(Config{}, fk)
		conn := &stub{in: bytes.NewReader(stream), done: make(chan struct{})}
		ln := &oneConn{conn: conn, done: make(chan struct{})}
		served := make(chan error, 1)
		go func() { served <- s.Serve(ln) }()
		select {
		case <-conn.done:
		case <-time.After(hangGuard):
			t.Fatal("the session does not end")
		}
		_ = s.Close()
		if err := <-served; err != nil {
			t.Fatal(err)
		}
		if s.Traffic().Panics != 0 {
			t.Fatal("panic in a callback")
		}
		if d := time.Since(began); d > 5*time.Second {
			t.Fatalf("%d bytes took %v", len(stream), d)
		}
	})
}

// passedFramesAreWellFormed looks at what the library was given.
func passedFramesAreWellFormed(t *testing.T, b []byte) {
	for first := true; len(b) > 0; first = false {
		if len(b) < 5 {
			t.Fatalf("half a frame passed: %q", b)
		}
		n := int(binary.BigEndian.Uint32(b))
		if n < 1 || n > maxFrame {
			t.Fatalf("frame of %d bytes passed", n)
		}
		if (b[4] == 'O') != first {
			t.Fatalf("frame %q passed at the wrong place", b[4])
		}
		if len(b) < 4+n {
			if b[4] != 'B' { // a chunk that is cut off by the end of the connection is read as it comes
				t.Fatalf("cut frame passed: %q", b)
			}
			return
		}
		if err := vet(b[4], b[5:4+n]); err != nil {
			t.Fatalf("frame passed: %v", err)
		}
		b = b[4+n:]
	}
}
