package revoke

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// guard is how long a test waits for what must happen at once.
const guard = 30 * time.Second

// loopbackFetcher fetches from this machine, with more time than a test takes.
func loopbackFetcher(more ...Allowed) *fetcher {
	allow := append([]Allowed{{"127.0.0.1", "*"}, {"::1", "*"}}, more...)
	f := newFetcher(fetchOptions{allow: allow, dial: guard, total: guard})
	f.limits.header = guard
	return f
}

// fetched is what get brings of a URL, to the end.
func fetched(t *testing.T, f *fetcher, url string, limit int64) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*guard)
	defer cancel()
	r, err := f.get(ctx, url, limit)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

// A wire is a server that does with a connection what handle does, and counts.
type wire struct {
	addr     string // host:port
	url      string
	accepted atomic.Int32
	open     atomic.Int32
}

// serveWire listens on host, a loopback address, until the test ends. handle
// must end when the connection is closed.
func serveWire(t *testing.T, host string, handle func(net.Conn)) *wire {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{addr: l.Addr().String(), url: "http://" + l.Addr().String() + "/"}
	var mu sync.Mutex
	var conns []net.Conn
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.accepted.Add(1)
			w.open.Add(1)
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			wg.Go(func() {
				defer w.open.Add(-1)
				defer c.Close()
				handle(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return w
}

// port is the port of a wire.
func (w *wire) port() string {
	_, port, _ := net.SplitHostPort(w.addr)
	return port
}

// answering reads a request and says response, then closes.
func answering(response string) func(net.Conn) {
	return func(c net.Conn) {
		if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(c, response)
		}
	}
}

// hanging reads until the other side goes away and says first, if anything.
func hanging(first string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, first)
		_, _ = io.Copy(io.Discard, c)
	}
}

// dripping says first and then piece after piece for as long as somebody listens.
func dripping(first, piece string) func(net.Conn) {
	return func(c net.Conn) {
		_, err := io.WriteString(c, first)
		for err == nil {
			time.Sleep(5 * time.Millisecond)
			_, err = io.WriteString(c, piece)
		}
	}
}

// resolving returns a resolver whose name server says what answer says about
// the A and AAAA records of a name, in lower case without a final dot.
func resolving(t *testing.T, answer func(name string) []string) *net.Resolver {
	t.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{PacketConn: packets, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		m.RecursionAvailable = true
		name := q.Question[0].Name
		addresses := answer(strings.TrimSuffix(strings.ToLower(name), "."))
		if len(addresses) == 0 {
			m.Rcode = dns.RcodeNameError
		}
		for _, a := range addresses {
			ip := net.ParseIP(a)
			header := dns.RR_Header{Name: name, Rrtype: q.Question[0].Qtype, Class: dns.ClassINET}
			switch {
			case ip.To4() != nil && q.Question[0].Qtype == dns.TypeA:
				m.Answer = append(m.Answer, &dns.A{Hdr: header, A: ip})
			case ip.To4() == nil && q.Question[0].Qtype == dns.TypeAAAA:
				m.Answer = append(m.Answer, &dns.AAAA{Hdr: header, AAAA: ip})
			}
		}
		_ = w.WriteMsg(m)
	})}
	done := make(chan error, 1)
	ready := make(chan struct{})
	server.NotifyStartedFunc = func() { close(ready) }
	go func() { done <- server.ActivateAndServe() }()
	<-ready
	t.Cleanup(func() {
		_ = server.Shutdown()
		<-done
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", packets.LocalAddr().String())
	}}
}

// eventually waits until it is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	for !so() {
		if ctx.Err() != nil {
			all := make([]byte, 1<<16)
			t.Fatalf("%s: not after %v\n%s", what, guard, all[:runtime.Stack(all, true)])
		}
		time.Sleep(time.Millisecond)
	}
}

func refusal(err error) bool {
	var refused *refusedURL
	return errors.As(err, &refused)
}
