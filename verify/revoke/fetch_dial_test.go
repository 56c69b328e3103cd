package revoke

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

const hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

// staysHere makes connections to other machines over IPv4 fail before a packet
// leaves: the kernel sends none from a loopback address to elsewhere.
func staysHere(f *fetcher) { f.dialer.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func TestLoopbackIsRefused(t *testing.T) {
	four := serveWire(t, "127.0.0.1", answering(hello))
	six := serveWire(t, "::1", answering(hello))
	for _, w := range []*wire{four, six} {
		f := newFetcher(fetchOptions{dial: guard, total: guard})
		if _, err := fetched(t, f, w.url, 10); !refusal(err) {
			t.Errorf("%s by its address: %v", w.url, err)
		}
		if b, err := fetched(t, loopbackFetcher(), w.url, 10); b != "hello" || err != nil {
			t.Errorf("%s allowed: %q %v", w.url, b, err)
		}
	}
	before := four.accepted.Load() + six.accepted.Load()
	// By names, with the port not in the way: what is left is the address.
	for name, addresses := range map[string][]string{
		"four.example":   {"127.0.0.1"},
		"six.example":    {"::1"},
		"mapped.example": {"::ffff:127.0.0.1"},
		"both.example":   {"127.0.0.1", "::1"},
		"zero.example":   {"0.0.0.0"},
		"many.example":   {"10.0.0.1", "192.168.1.1", "169.254.169.254"},
	} {
		f := newFetcher(fetchOptions{dial: guard, total: guard})
		f.resolver = resolving(t, func(string) []string { return addresses })
		if name == "many.example" {
			staysHere(f)
		}
		_, err := fetched(t, f, "http://"+name+"/", 10)
		if !refusal(err) || !strings.HasPrefix(err.Error(), name+": leads to ") {
			t.Errorf("%s: %v", name, err)
		}
		// Another port is open to names while some address is allowed on it.
		for _, w := range []*wire{four, six} {
			f.allow = allowList{{"127.9.9.9", w.port()}}
			if _, err := fetched(t, f, "http://"+name+":"+w.port()+"/", 10); !refusal(err) {
				t.Errorf("%s on port %s: %v", name, w.port(), err)
			}
		}
	}
	if n := four.accepted.Load() + six.accepted.Load(); n != before {
		t.Errorf("%d connections to what is refused", n-before)
	}
}

// TestAllowedHosts: exceptions by name and by address, each on its port only.
func TestAllowedHosts(t *testing.T) {
	w := serveWire(t, "127.0.0.1", answering(hello))
	for _, c := range []struct {
		allow Allowed
		url   string
		want  bool
	}{
		{Allowed{"crl.corp.example", w.port()}, "http://crl.corp.example:" + w.port(), true},
		{Allowed{"crl.corp.example", "*"}, "http://CRL.corp.example:" + w.port(), true},
		{Allowed{"crl.corp.example", ""}, "http://crl.corp.example:" + w.port(), false},
		{Allowed{"crl.corp.example", "1"}, "http://crl.corp.example:" + w.port(), false},
		{Allowed{"other.corp.example", "*"}, "http://crl.corp.example:" + w.port(), false},
		{Allowed{"127.0.0.1", w.port()}, "http://crl.corp.example:" + w.port(), true},
		{Allowed{"127.0.0.1", w.port()}, "http://127.0.0.1:" + w.port(), true},
		{Allowed{"127.0.0.1", w.port()}, "http://[::ffff:127.0.0.1]:" + w.port(), true},
		{Allowed{"127.0.0.1", "1"}, "http://crl.corp.example:" + w.port(), false},
		{Allowed{"127.0.0.2", "*"}, "http://crl.corp.example:" + w.port(), false},
		{Allowed{"crl.corp.example", "*"}, "http://127.0.0.1:" + w.port(), false},
	} {
		f := newFetcher(fetchOptions{allow: []Allowed{c.allow}, dial: guard, total: guard})
		f.resolver = resolving(t, func(string) []string { return []string{"127.0.0.1"} })
		b, err := fetched(t, f, c.url, 10)
		if (err == nil && b == "hello") != c.want || err != nil && !refusal(err) {
			t.Errorf("%s with %v: %q %v", c.url, c.allow, b, err)
		}
	}
}

// TestForbiddenAddressesAreSkipped: of a name's addresses the allowed one serves.
func TestForbiddenAddressesAreSkipped(t *testing.T) {
	bad := serveWire(t, "127.0.0.1", answering(hello))
	l, err := net.Listen("tcp", "127.0.0.2:"+bad.port())
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })}
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	f := newFetcher(fetchOptions{allow: []Allowed{{"127.0.0.2", bad.port()}}, dial: guard, total: guard})
	f.resolver = resolving(t, func(string) []string { return []string{"127.0.0.1", "::1", "10.0.0.1", "127.0.0.2"} })
	if b, err := fetched(t, f, "http://crl.example.com:"+bad.port()+"/", 10); b != "hello" || err != nil {
		t.Errorf("%q %v", b, err)
	}
	if bad.accepted.Load() != 0 {
		t.Error("a forbidden address was connected to")
	}
}

// TestRebinding: a name that led to a good address and then leads to us, between
// two fetches and between a request and its redirect.
func TestRebinding(t *testing.T) {
	inside := serveWire(t, "127.0.0.1", answering(hello))
	var changed atomic.Bool
	leading := func(first string) *net.Resolver {
		changed.Store(false)
		return resolving(t, func(string) []string {
			if changed.Load() {
				return []string{"127.0.0.1"}
			}
			return []string{first}
		})
	}
	f := newFetcher(fetchOptions{dial: guard, total: guard})
	staysHere(f)
	f.resolver = leading("9.9.9.9")
	if _, err := fetched(t, f, "http://crl.example.com/", 10); err == nil || refusal(err) {
		t.Errorf("a public address: %v; want a connection that fails", err)
	}
	changed.Store(true)
	if _, err := fetched(t, f, "http://crl.example.com/", 10); !refusal(err) {
		t.Errorf("the same name, our address: %v", err)
	}

	l, err := net.Listen("tcp", "127.0.0.2:"+inside.port())
	if err != nil {
		t.Fatal(err)
	}
	outside := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		changed.Store(true)
		http.Redirect(w, r, "/again", http.StatusFound)
	})}
	go func() { _ = outside.Serve(l) }()
	defer outside.Close()
	f = newFetcher(fetchOptions{allow: []Allowed{{"127.0.0.2", inside.port()}}, dial: guard, total: guard})
	f.resolver = leading("127.0.0.2")
	_, err = fetched(t, f, "http://crl.example.com:"+inside.port()+"/", 10)
	if !refusal(err) || !strings.Contains(err.Error(), "leads to 127.0.0.1") {
		t.Errorf("redirected to the name it came from: %v", err)
	}
	if inside.accepted.Load() != 0 {
		t.Error("a name that changed its mind got us connected to ourselves")
	}
}

// TestOwnAddressEndToEnd: a public address that is ours is refused before a
// connection, one that is not is tried.
func TestOwnAddressEndToEnd(t *testing.T) {
	f := newFetcher(fetchOptions{dial: guard, total: guard})
	staysHere(f)
	f.resolver = resolving(t, func(string) []string { return []string{"9.9.9.9"} })
	if _, err := fetched(t, f, "http://crl.example.com/", 10); err == nil || refusal(err) {
		t.Errorf("another's: %v", err)
	}
	f.interfaces = func() ([]net.Addr, error) {
		return []net.Addr{&net.IPNet{IP: net.IPv4(9, 9, 9, 9), Mask: net.CIDRMask(8, 32)}}, nil
	}
	if _, err := fetched(t, f, "http://crl.example.com/", 10); !refusal(err) || !strings.Contains(err.Error(), "of this machine") {
		t.Errorf("our own: %v", err)
	}
	f.interfaces = func() ([]net.Addr, error) { return nil, errors.New("no netlink") }
	if _, err := fetched(t, f, "http://crl.example.com/", 10); err == nil || refusal(err) || !strings.Contains(err.Error(), errInterfaces.Error()) {
		t.Errorf("not known: %v", err)
	}
}

// TestNotAllForbidden: an address that could have served, or might have, makes a
// failure one of the moment, whatever else the name leads to.
func TestNotAllForbidden(t *testing.T) {
	f := newFetcher(fetchOptions{dial: guard, total: guard})
	staysHere(f)
	f.resolver = resolving(t, func(string) []string { return []string{"10.0.0.1", "9.9.9.9"} })
	if _, err := fetched(t, f, "http://crl.example.com/", 10); err == nil || refusal(err) {
		t.Errorf("one address is public: %v", err)
	}
	f.interfaces = func() ([]net.Addr, error) { return nil, errors.New("no netlink") }
	if _, err := fetched(t, f, "http://crl.example.com/", 10); err == nil || refusal(err) {
		t.Errorf("one address cannot be judged: %v", err)
	}
}

// TestManyAddresses: a name with very many addresses is knocked at eight times.
func TestManyAddresses(t *testing.T) {
	var many []string
	for i := range 12 {
		many = append(many, "9.9.9."+strconv.Itoa(i+1))
	}
	f := newFetcher(fetchOptions{dial: guard, total: guard})
	staysHere(f)
	f.resolver = resolving(t, func(string) []string { return many })
	var judged atomic.Int32
	f.interfaces = func() ([]net.Addr, error) { judged.Add(1); return nil, nil }
	g := &gate{f: f, named: "crl.example.com"}
	tried := 0
	for _, a := range many {
		if g.control(t.Context(), "tcp4", a+":80", nil) == nil {
			tried++
		}
	}
	if tried != maxAddresses {
		t.Errorf("%d of 12 addresses are tried", tried)
	}
	judged.Store(0)
	if _, err := fetched(t, f, "http://crl.example.com/", 10); err == nil || refusal(err) || judged.Load() == 0 {
		t.Errorf("%v after %d addresses", err, judged.Load())
	}
}

// TestNames: how a name is asked for, and what is said where it leads nowhere.
func TestNames(t *testing.T) {
	w := serveWire(t, "127.0.0.1", answering(hello))
	var mu sync.Mutex
	var asked []string
	answers := map[string][]string{"pki": {"127.0.0.1"}, "crl.example.com": {"127.0.0.1"}}
	f := loopbackFetcher(Allowed{"pki", "*"})
	f.resolver = resolving(t, func(name string) []string {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, name)
		return answers[name]
	})
	for _, name := range []string{"pki", "crl.example.com"} {
		if b, err := fetched(t, f, "http://"+name+":"+w.port()+"/", 10); b != "hello" || err != nil {
			t.Errorf("%s: %q %v", name, b, err)
		}
	}
	mu.Lock()
	asked = nil
	mu.Unlock()
	_, err := fetched(t, f, "http://gone.example/", 10)
	if err == nil || refusal(err) || err.Error() != "gone.example: no connection: the name does not exist" {
		t.Error(err)
	}
	mu.Lock()
	for _, name := range asked {
		if name != "gone.example" {
			t.Errorf("%s was asked for", name)
		}
	}
	mu.Unlock()
	f.resolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("EVIL") }}
	_, err = fetched(t, f, "http://gone.example/", 10)
	if err == nil || refusal(err) || err.Error() != "gone.example: no connection: the name servers gave no answer" {
		t.Error(err)
	}
	long := strings.Repeat("a", 60) + "." + strings.Repeat("b", 60) + ".example"
	if _, err = fetched(t, f, "http://"+long+"/", 10); err == nil || !strings.HasPrefix(err.Error(), long[:61]+"...: ") {
		t.Error(err)
	}
}

func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	_, err = fetched(t, loopbackFetcher(), "http://"+addr+"/", 10)
	if err == nil || err.Error() != "127.0.0.1: no connection: refused by the other side" {
		t.Error(err)
	}
	reset := serveWire(t, "127.0.0.1", func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) })
	_, err = fetched(t, loopbackFetcher(), reset.url, 10)
	if err == nil || refusal(err) || !strings.HasPrefix(err.Error(), "127.0.0.1: no ") {
		t.Error(err)
	}
}

func TestTLS(t *testing.T) {
	serve := func(change func(*tls.Config)) (*httptest.Server, *fetcher) {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.Proto)
		}))
		s.TLS = &tls.Config{}
		change(s.TLS)
		s.EnableHTTP2 = true
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.StartTLS()
		t.Cleanup(s.Close)
		f := loopbackFetcher()
		f.roots = x509.NewCertPool()
		f.roots.AddCert(s.Certificate())
		f.resolver = resolving(t, func(string) []string { return []string{"127.0.0.1"} })
		return s, f
	}
	same := func(*tls.Config) {}
	s, f := serve(same)
	named := func(s *httptest.Server, name string) string {
		return strings.Replace(s.URL, "127.0.0.1", name, 1) + "/"
	}
	for _, url := range []string{s.URL, named(s, "example.com"), named(s, "www.example.com")} {
		if b, err := fetched(t, f, url, 10); b != "HTTP/1.1" || err != nil {
			t.Errorf("%s: %q %v", url, b, err)
		}
	}
	fails := func(f *fetcher, url, want string) {
		t.Helper()
		if _, err := fetched(t, f, url, 10); err == nil || refusal(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
	fails(f, named(s, "other.test"), "does not verify")
	f.roots = nil
	fails(f, s.URL, "does not verify")
	fails(loopbackFetcher(), strings.Replace(s.URL, "https", "http", 1), "status 400")
	old, f := serve(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 })
	fails(f, old.URL, "no TLS")
	twelve, f := serve(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 })
	if b, err := fetched(t, f, twelve.URL, 10); b != "HTTP/1.1" || err != nil {
		t.Errorf("TLS 1.2: %q %v", b, err)
	}
	plain := serveWire(t, "127.0.0.1", answering(hello))
	fails(loopbackFetcher(), "https://"+plain.addr+"/", "no TLS")

	// From https to http is fine: what is fetched is signed.
	redirecting := httptest.NewTLSServer(http.RedirectHandler(plain.url, http.StatusFound))
	defer redirecting.Close()
	f.roots = x509.NewCertPool()
	f.roots.AddCert(redirecting.Certificate())
	if b, err := fetched(t, f, redirecting.URL, 10); b != "hello" || err != nil {
		t.Errorf("from https to http: %q %v", b, err)
	}
}
