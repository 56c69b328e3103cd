package revoke

import (
	"context"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/trust"
)

// A clock stands until it is moved.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// A logbook keeps the lines of a log.
type logbook struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logbook) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), s)
}

// A rig is a checker, and a server on loopback that it asks.
type rig struct {
	t       *testing.T
	url     string
	clock   *clock
	log     *logbook
	options Options
	c       *Checker
	root    *testmail.Identity
	ca      *testmail.Identity

	mu       sync.Mutex
	pages    map[string]http.HandlerFunc
	requests map[string]int
}

// sharedKeys are made once: RSA keys take a while.
var sharedKeys = sync.OnceValue(testmail.NewKeys)

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, clock: &clock{t: testmail.Instant()}, log: &logbook{}, pages: map[string]http.HandlerFunc{}, requests: map[string]int{}}
	server := httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(func() {
		closed := make(chan struct{})
		go func() { server.Close(); close(closed) }()
		select { // a test that failed half-way may have left somebody waiting
		case <-closed:
		case <-time.After(guard):
			t.Error("a request is still being answered")
		}
	})
	r.url = server.URL
	r.root = sharedKeys().Root(testmail.Profile{Name: "Root"})
	r.ca = r.root.Intermediate(testmail.Profile{Name: "CA", CRL: []string{r.at("/root.crl")}})
	r.page("/root.crl", r.root.CRL(testmail.List{}))
	r.options = Options{Dir: t.TempDir(), Allow: []Allowed{{Host: "127.0.0.1", Port: "*"}}, CRLBytes: 100 << 20, CacheBytes: 200 << 20,
		Now: r.clock.now, Log: slog.New(slog.NewTextHandler(r.log, nil))}
	r.open()
	return r
}

// open makes the checker; the one before is closed.
func (r *rig) open() {
	r.t.Helper()
	if r.c != nil {
		r.close()
	}
	c, err := New(r.options)
	if err != nil {
		r.t.Fatal(err)
	}
	r.c = c
	r.t.Cleanup(r.close)
}

func (r *rig) close() {
	if r.c == nil {
		return
	}
	if err := r.c.Close(); err != nil {
		r.t.Error(err)
	}
	r.c = nil
}

func (r *rig) at(path string) string { return r.url + path }

func (r *rig) serve(w http.ResponseWriter, q *http.Request) {
	name := q.URL.Path
	if strings.HasPrefix(name, "/ocsp") {
		name = name[:len("/ocsp")]
	}
	r.mu.Lock()
	r.requests[name]++
	page := r.pages[name]
	r.mu.Unlock()
	if page == nil {
		http.NotFound(w, q)
		return
	}
	page(w, q)
}

func (r *rig) handle(path string, h http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pages[path] = h
}

func (r *rig) page(path string, body []byte) {
	r.handle(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
}

func (r *rig) count(path string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests[path]
}

func (r *rig) wantRequests(path string, n int) {
	r.t.Helper()
	if got := r.count(path); got != n {
		r.t.Errorf("%s was asked for %d times, want %d", path, got, n)
	}
}

// leaf issues a certificate that names lists and responders.
func (r *rig) leaf(name string, lists []string, responders ...string) *testmail.Identity {
	p := testmail.Profile{Name: name, CRL: lists, Key: sharedKeys().Key("p256", name), Mailboxes: []string{"bob@example.org"}}
	if len(responders) > 0 {
		p.Extra = append(p.Extra, testmail.OCSPURLs(responders...))
	}
	return r.ca.Issue(p)
}

func pathOf(ids ...*testmail.Identity) trust.Path {
	var p trust.Path
	for _, id := range ids {
		p.Chain = append(p.Chain, id.Cert)
	}
	p.Anchor = &trust.Anchor{Certificate: p.Chain[len(p.Chain)-1]}
	return p
}

// ask asks about a leaf alone, below its CA as an anchor.
func (r *rig) ask(leaf *testmail.Identity) []verify.Revocation {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), guard)
	defer cancel()
	return r.askWithin(ctx, leaf)
}

func (r *rig) askWithin(ctx context.Context, leaf *testmail.Identity) []verify.Revocation {
	r.t.Helper()
	answers, err := r.c.Ask(ctx, pathOf(leaf, r.ca), r.clock.now())
	if err != nil {
		r.t.Error(err)
	}
	if len(answers) == 0 {
		r.t.Fatal("no answer")
	}
	return answers
}

func lastOf(answers []verify.Revocation) verify.Revocation { return answers[len(answers)-1] }

func (r *rig) want(leaf *testmail.Identity, status string) verify.Revocation {
	r.t.Helper()
	a := lastOf(r.ask(leaf))
	if a.Status != status || a.Detail == "" {
		r.t.Errorf("%+v, want %s", a, status)
	}
	return a
}

// revoked is a list entry.
func revoked(id *testmail.Identity, reason int) testmail.ListEntry {
	return testmail.ListEntry{Serial: id.Cert.SerialNumber, Reason: reason}
}

func number(n int64) *big.Int { return big.NewInt(n) }
