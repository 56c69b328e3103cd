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
)

const short = 50 * time.Millisecond

// TestSlowServers: whatever a server does slowly, its time ends, the error says
// which time it was, and its connection is closed.
func TestSlowServers(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\n"
	for name, c := range map[string]struct {
		handle func(net.Conn)
		scheme string
		limits limits
		want   error
	}{
		"no head":                {hanging(""), "http", limits{guard, short, guard}, errSilent},
		"half a head":            {hanging(head), "http", limits{guard, short, guard}, errSilent},
		"head by drops":          {dripping(head, "A: b\r\n"), "http", limits{guard, short, guard}, errSilent},
		"no head, no time":       {hanging(""), "http", limits{guard, guard, short}, errSlow},
		"no body":                {hanging(head + "\r\n"), "http", limits{guard, guard, short}, errSlow},
		"body by drops":          {dripping(head+"\r\n", "x"), "http", limits{guard, guard, short}, errSlow},
		"chunks by drops":        {dripping(head+"Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"), "http", limits{guard, guard, short}, errSlow},
		"chunk extension, drops": {dripping(head+"Transfer-Encoding: chunked\r\n\r\n1;", "x"), "http", limits{guard, guard, short}, errSlow},
		"redirects by drops":     {dripping("HTTP/1.1 302 Found\r\n", "A: b\r\n"), "http", limits{guard, guard, short}, errSlow},
		"no TLS":                 {hanging(""), "https", limits{short, guard, guard}, context.DeadlineExceeded},
		"no TLS, no time":        {hanging(""), "https", limits{guard, guard, short}, errSlow},
	} {
		t.Run(name, func(t *testing.T) {
			w := serveWire(t, "127.0.0.1", c.handle)
			f := loopbackFetcher()
			f.limits = c.limits
			_, err := fetched(t, f, c.scheme+"://"+w.addr+"/", 1<<30)
			if !errors.Is(err, c.want) || refusal(err) {
				t.Fatalf("%v; want %v", err, c.want)
			}
			eventually(t, "the connection is closed", func() bool { return w.open.Load() == 0 })
		})
	}
}

// TestSlowNames: a name server that says nothing costs the time of a connection.
func TestSlowNames(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	f := loopbackFetcher()
	f.limits.dial = short
	f.resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", silent.LocalAddr().String())
	}}
	if _, err := fetched(t, f, "http://crl.example.com/", 10); err == nil || refusal(err) {
		t.Error(err)
	}
}

// TestNothingIsLeftBehind: once ctx has ended, whoever forgot to read or close,
// there is no connection, no goroutine and no place taken.
func TestNothingIsLeftBehind(t *testing.T) {
	wires := []*wire{
		serveWire(t, "127.0.0.1", hanging("")),
		serveWire(t, "127.0.0.1", hanging("HTTP/1.1 200 OK\r\n\r\nhello")),
		serveWire(t, "127.0.0.1", dripping("HTTP/1.1 200 OK\r\n\r\n", "x")),
		serveWire(t, "127.0.0.1", dripping("HTTP/1.1 200 OK\r\n", "A: b\r\n")),
	}
	f := loopbackFetcher()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var bodies atomic.Int32
	for _, w := range wires {
		for _, scheme := range []string{"http", "https"} {
			for range 3 {
				wg.Go(func() {
					r, err := f.get(ctx, scheme+"://"+w.addr+"/", 1<<30)
					if err != nil {
						return
					}
					if n := bodies.Add(1); n%2 == 0 {
						if _, err := io.Copy(io.Discard, r); !errors.Is(err, context.Canceled) {
							t.Errorf("a body that was given up: %v", err)
						}
					}
				})
			}
		}
	}
	eventually(t, "two connections to the host", func() bool {
		n := int32(0)
		for _, w := range wires {
			n += w.open.Load()
		}
		return n == 2
	})
	cancel()
	wg.Wait()
	eventually(t, "nothing is left", func() bool {
		for _, w := range wires {
			if w.open.Load() != 0 {
				return false
			}
		}
		f.places.hosts.mu.Lock()
		defer f.places.hosts.mu.Unlock()
		return ours() == 0 && len(f.places.all) == 0 && len(f.places.hosts.byKey) == 0
	})
}

// ours counts the goroutines that run or were begun by a fetch.
func ours() int {
	all := make([]byte, 1<<20)
	n := 0
	for _, g := range strings.Split(string(all[:runtime.Stack(all, true)]), "\n\n") {
		if strings.Contains(g, "revoke.(*fetcher)") || strings.Contains(g, "revoke.(*body)") || strings.Contains(g, "crypto/tls.(*Conn)") {
			n++
		}
	}
	return n
}

// TestPlacesOfAHost: two fetches of a host run, the third waits, whatever the
// port, and goes on when one is closed. Who waits obeys ctx.
func TestPlacesOfAHost(t *testing.T) {
	w := serveWire(t, "127.0.0.1", hanging(hello))
	other := serveWire(t, "127.0.0.1", hanging(hello))
	f := loopbackFetcher()
	var open []io.ReadCloser
	for _, url := range []string{w.url, other.url} {
		r, err := f.get(t.Context(), url, 10)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, r)
	}
	ctx, cancel := context.WithTimeout(t.Context(), short)
	defer cancel()
	_, err := f.get(ctx, w.url, 10)
	if !errors.Is(err, errNoPlace) || !errors.Is(err, context.DeadlineExceeded) || refusal(err) {
		t.Errorf("the third: %v", err)
	}
	if n := w.accepted.Load() + other.accepted.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
	third := make(chan error, 1)
	go func() {
		_, err := fetched(t, f, w.url, 10)
		third <- err
	}()
	eventually(t, "the third waits", func() bool {
		f.places.hosts.mu.Lock()
		defer f.places.hosts.mu.Unlock()
		return f.places.hosts.byKey["127.0.0.1"].users == 3
	})
	_ = open[0].Close()
	_ = open[0].Close() // gives back no more than it took
	select {
	case err := <-third:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(guard):
		t.Fatal("the third still waits")
	}
	if got := len(f.places.all); got != 1 {
		t.Errorf("%d places taken", got)
	}
	_ = open[1].Close()
	if len(f.places.all) != 0 || len(f.places.hosts.byKey) != 0 {
		t.Error("places are left taken")
	}
	ended, end := context.WithCancel(t.Context())
	end()
	for range 20 { // a select with two open ways takes either
		if _, err := f.get(ended, w.url, 10); !errors.Is(err, errNoPlace) {
			t.Fatalf("after its time: %v", err)
		}
	}
}

// TestPlacesGivenBack: who found a place at a host but none of all leaves none taken.
func TestPlacesGivenBack(t *testing.T) {
	p := newPlaces()
	var leave []func()
	for i := range 16 {
		l, err := p.take(t.Context(), string(rune('a'+i)))
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, l)
	}
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), short)
		if _, err := p.take(ctx, "a"); !errors.Is(err, errNoPlace) {
			t.Fatal(err)
		}
		cancel()
	}
	leave[1]()
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	second, err := p.take(ctx, "a")
	if err != nil {
		t.Fatal("the second place at the host is lost:", err)
	}
	for _, l := range append(leave, second) {
		l()
		l()
	}
	if len(p.all) != 0 || len(p.hosts.byKey) != 0 {
		t.Error("places are left taken")
	}
}

// TestWaitingForAPlaceEnds: also where nobody else sets an end.
func TestWaitingForAPlaceEnds(t *testing.T) {
	f := loopbackFetcher()
	f.limits.total = short
	for range maxFetchesHost {
		leave, err := f.places.take(t.Context(), "127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		defer leave()
	}
	if _, err := f.get(context.Background(), "http://127.0.0.1:1/", 10); !errors.Is(err, errNoPlace) {
		t.Error(err)
	}
}

// TestPlacesOfAll: sixteen fetches run at once, of however many hosts.
func TestPlacesOfAll(t *testing.T) {
	w := serveWire(t, "127.0.0.1", hanging(hello))
	f := loopbackFetcher()
	f.resolver = resolving(t, func(string) []string { return []string{"127.0.0.1"} })
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var got atomic.Int32
	for i := range 40 {
		wg.Go(func() {
			name := string(rune('a'+i%26)) + ".example"
			r, err := f.get(ctx, "http://"+name+":"+w.port()+"/", 10)
			if err == nil {
				got.Add(1)
				<-ctx.Done()
				_ = r.Close()
			}
		})
	}
	eventually(t, "sixteen run", func() bool { return got.Load() == 16 })
	time.Sleep(short)
	if n := w.accepted.Load(); n != 16 {
		t.Errorf("%d connections", n)
	}
	cancel()
	wg.Wait()
	eventually(t, "all places are free", func() bool { return len(f.places.all) == 0 })
}

// TestRedirectsKeepNoPlace: hosts that redirect to each other, with all their
// places taken, do not wait for each other.
func TestRedirectsKeepNoPlace(t *testing.T) {
	const rounds = 20
	bothFull := make(chan struct{})
	var first atomic.Int32
	w := serveWire(t, "127.0.0.1", func(c net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		if first.Add(1) == 2*maxFetchesHost {
			close(bothFull)
		}
		select {
		case <-bothFull:
		case <-time.After(guard):
		}
		to := "http://a" + r.Host[1:] + "/"
		if r.Host[0] == 'a' {
			to = "http://b" + r.Host[1:] + "/"
		}
		_, _ = io.WriteString(c, "HTTP/1.1 302 Found\r\nLocation: "+to+"\r\n\r\n")
	})
	f := loopbackFetcher()
	f.resolver = resolving(t, func(string) []string { return []string{"127.0.0.1"} })
	var wg sync.WaitGroup
	for i := range rounds {
		wg.Go(func() {
			if _, err := fetched(t, f, "http://"+string(rune('a'+i%2))+".example:"+w.port()+"/", 10); !errors.Is(err, errRedirects) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := w.accepted.Load(); n != rounds*(1+maxRedirects) {
		t.Errorf("%d requests", n)
	}
}
