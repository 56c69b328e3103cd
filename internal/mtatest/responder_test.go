package mtatest

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/milter/miltertest"
)

// A responder serves the lists of a world's CAs on loopback: at once, or, while
// it hangs, never to the end.
type responder struct {
	*httptest.Server
	lists map[string][]byte // by path; others: that of the CA

	mu    sync.Mutex
	asked map[string]int
	open  int    // requests that wait
	until *pause // nil: it does not hang
}

// A pause is what requests wait for.
type pause struct {
	over   chan struct{}
	broken bool // they get no answer afterwards
}

// newResponder listens on host, an address of loopback.
func newResponder(t testing.TB, w *world, host string) *responder {
	ln, err := net.Listen("tcp", host+":0")
	must(t, err)
	l := testmail.List{ThisUpdate: w.now.Add(-time.Hour), NextUpdate: w.now.Add(24 * time.Hour)}
	r := &responder{lists: map[string][]byte{"/root.crl": w.root.CRL(l), "": w.ca.CRL(l)}, asked: map[string]int{}}
	r.Server = &httptest.Server{Listener: ln, Config: &http.Server{Handler: r}}
	r.Start()
	t.Cleanup(func() {
		r.answer()
		r.Close()
	})
	return r
}

// ServeHTTP implements http.Handler. While it hangs the head of a response is
// there and its body does not come.
func (r *responder) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	until := r.until
	r.asked[q.URL.Path]++
	r.open++
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.open--
	}()
	if until != nil {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-until.over:
			if until.broken {
				panic(http.ErrAbortHandler)
			}
		case <-q.Context().Done():
			return
		}
	}
	list := r.lists[q.URL.Path]
	if list == nil {
		list = r.lists[""]
	}
	_, _ = w.Write(list)
}

// hang lets requests wait from now on.
func (r *responder) hang() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until == nil {
		r.until = &pause{over: make(chan struct{})}
	}
}

// answer answers those that wait, and all others.
func (r *responder) answer() { r.end(false) }

// breakOff gives those that wait no answer, and answers all others.
func (r *responder) breakOff() { r.end(true) }

func (r *responder) end(broken bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until != nil {
		r.until.broken = broken
		close(r.until.over)
		r.until = nil
	}
}

// state returns how often path was asked for, and how many requests wait.
func (r *responder) state(path string) (asked, open int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked[path], r.open
}

// deliver sends a message from a client and returns the code of the answer.
func deliver(addr string, m miltertest.Message) (int, error) {
	c, err := miltertest.Dial("tcp", addr, miltertest.Options{Timeout: hang})
	if err != nil {
		return 0, err
	}
	res, err := c.Send(m)
	if err != nil {
		return 0, fmt.Errorf("%w after %q", err, res.Text)
	}
	return res.Code, c.Quit()
}

func foreignMail() miltertest.Message {
	return miltertest.Message{From: "x@example.net", To: []string{"bob@example.com"}, Data: []byte("Subject: private\r\n\r\nnobody's business\r\n")}
}

// collected is a signed mail of a person whose certificate names the list at url.
func (w *world) collected(person, url string) miltertest.Message {
	sender := *w
	sender.lists = []string{url}
	return miltertest.Message{From: person + "@example.org", To: []string{collectAddress}, Data: sender.honest(person), ID: person}
}

// TestHangingSourceKeepsNobodyElseWaiting: while a CA does not answer, other
// people's mail is answered before the mail that waits for the CA. The next
// mail that would ask the same waits no more: it is answered while the only
// request still hangs, although it might wait for longer than the test may
// take. A restart forgets all that.
func TestHangingSourceKeepsNobodyElseWaiting(t *testing.T) {
	t.Parallel()
	w := fastWorld(t)
	r := newResponder(t, w, "127.0.0.1")
	r.hang()
	addr := FreeAddr(t)
	settings := func(timeout string) []string {
		return []string{"limits: {time: 2m}", `revocation: {allow: ["127.0.0.1:*"], timeout: ` + timeout + "}"}
	}
	config, _ := w.config("inet:"+addr, settings("1m")...)
	d := StartDaemon(t, Build(t), addr, "--config", config, "--dns", WriteFile(t, "zone", w.zone.String()))
	wait := func(timeout string) {
		next, err := os.ReadFile(config)
		must(t, err)
		before, _, _ := strings.Cut(string(next), "limits:")
		must(t, os.WriteFile(config, []byte(before+strings.Join(settings(timeout), "\n")+"\n"), 0o644))
		reloaded := strings.Count(d.Log(), "reloaded")
		d.Signal(syscall.SIGHUP)
		await(t, "the settings to be read", func() bool { return strings.Count(d.Log(), "reloaded") > reloaded })
	}
	taken := func(what string, m miltertest.Message) {
		t.Helper()
		if code, err := deliver(addr, m); code != 250 || err != nil {
			t.Fatalf("%s: %d, %v", what, code, err)
		}
	}

	waiting := make(chan error, 1)
	go func() {
		code, err := deliver(addr, w.collected("alice", r.URL+"/a"))
		if err == nil && code != 250 {
			err = fmt.Errorf("answered with %d", code)
		}
		waiting <- err
	}()
	await(t, "the CA to be asked", func() bool { n, _ := r.state("/a"); return n == 1 })
	for range 20 {
		taken("other people's mail", foreignMail())
	}
	select {
	case err := <-waiting:
		t.Fatalf("the mail that waits for the CA was answered: %v", err)
	default:
	}
	r.answer()
	must(t, <-waiting)

	r.hang()
	wait("100ms")
	taken("the first mail", w.collected("bob", r.URL+"/b"))
	wait("1m")
	taken("the second mail", w.collected("carol", r.URL+"/b"))
	taken("the third mail", w.collected("dave", r.URL+"/b"))
	if asked, open := r.state("/b"); asked != 1 || open != 1 {
		t.Errorf("%d requests, %d of them still wait; want one that does", asked, open)
	}
	d.Stop()
	d.Start()
	r.answer()
	taken("a mail after the restart", w.collected("erin", r.URL+"/b"))
	if asked, _ := r.state("/b"); asked != 2 {
		t.Errorf("%d requests after the restart, want 2", asked)
	}
}
