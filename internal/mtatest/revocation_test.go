package mtatest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
)

// A registry serves the revocation lists of a world's CA and root as they are
// at the moment, and counts who asks.
type registry struct {
	*httptest.Server
	mu      sync.Mutex
	world   *world
	revoked []testmail.ListEntry
	until   time.Time // nextUpdate of the lists
	down    bool
	asked   int
}

// newRegistry gives the world a CA and people whose certificates name lists.
func newRegistry(w *world) *registry {
	r := &registry{world: w, until: w.now.Add(24 * time.Hour)}
	r.Server = httptest.NewServer(r)
	w.t.Cleanup(r.Close)
	w.ca = w.root.Intermediate(testmail.Profile{Name: "Example Mail CA", Organisation: "Example Trust", Kind: "p256", CRL: []string{r.URL + "/root.crl"}})
	w.lists = []string{r.URL + "/ca.crl"}
	return r
}

// ServeHTTP implements http.Handler.
func (r *registry) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	l := testmail.List{ThisUpdate: r.world.now.Add(-time.Hour), NextUpdate: r.until}
	switch {
	case r.down:
		http.Error(w, "down", http.StatusServiceUnavailable)
	case q.URL.Path == "/ca.crl":
		l.Entries = r.revoked
		w.Write(r.world.ca.CRL(l))
	case q.URL.Path == "/root.crl":
		w.Write(r.world.root.CRL(l))
	default:
		http.NotFound(w, q)
	}
}

func (r *registry) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

func (r *registry) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

// revoke puts a person's certificate on the list.
func (r *registry) revoke(person string, reason int) {
	serial := r.world.certificate(person).Cert.SerialNumber
	r.set(func() {
		r.revoked = append(r.revoked, testmail.ListEntry{Serial: serial, At: r.world.now.Add(-2 * time.Hour), Reason: reason})
	})
}

const asking = `revocation: {mode: %s, allow: ["127.0.0.1:*"]}`

// RFC 5280 section 5.3.1.
const (
	keyCompromise   = 1
	certificateHold = 6
)

// TestRevocationThroughPostfix: what the CAs say reaches the sender's server.
func TestRevocationThroughPostfix(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newRegistry(w)
	r.revoke("bob", keyCompromise)
	r.revoke("carol", certificateHold)
	d, addr, store := w.serve(fmt.Sprintf(asking, "soft"))
	listen := FreeAddr(t)
	StartPostfix(t, nil, Service{Addr: listen, Options: milterOption(addr)})
	send := func(person string) string {
		s := DialSMTP(t, listen)
		defer s.Quit()
		return s.Send(person+"@example.org", w.honest(person), collectAddress).String()
	}

	if a := send("alice"); !strings.HasPrefix(a, "250") {
		t.Fatal(a)
	}
	w.kept(store, "alice@example.org")
	d.AwaitLog("answer: good for serial")
	if a := send("bob"); !strings.HasPrefix(a, "550 5.7.5") || !strings.Contains(a, "has revoked the certificate") || !strings.Contains(a, "(cert-revoked; ref ") {
		t.Error(a)
	}
	if a := send("carol"); !strings.HasPrefix(a, "550 5.7.5") || !strings.Contains(a, "(cert-hold; ref ") {
		t.Error(a)
	}
	asked := r.count()
	if asked != 2 {
		t.Errorf("%d fetches for three messages under two lists", asked)
	}

	// A restart keeps the answers: the CA may be away.
	r.set(func() { r.down = true })
	d.Stop()
	d.Start()
	if a := send("dave"); !strings.HasPrefix(a, "250") {
		t.Fatal(a)
	}
	w.kept(store, "dave@example.org")
	if r.count() != asked {
		t.Errorf("asked %d times again, although the lists are good for a day", r.count()-asked)
	}
}

// TestNoAnswer: soft keeps and waits, hard puts off, and neither asks for each
// message anew.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newRegistry(w)
	r.down = true
	d, addr, store := w.serve(fmt.Sprintf(asking, "soft"))
	hard := w.elsewhere()
	_, hardAddr, hardStore := hard.serve(fmt.Sprintf(asking, "hard"))
	soft, strict := FreeAddr(t), FreeAddr(t)
	StartPostfix(t, nil, Service{Addr: soft, Options: milterOption(addr)}, Service{Addr: strict, Options: milterOption(hardAddr)})
	send := func(listen, person string) string {
		s := DialSMTP(t, listen)
		defer s.Quit()
		return s.Send(person+"@example.org", w.honest(person), collectAddress).String()
	}

	if a := send(strict, "erin"); !strings.HasPrefix(a, "451 4.7.5") || !strings.Contains(a, "(cert-revocation-unknown; ref ") {
		t.Error(a)
	}
	if _, err := os.Stat(filepath.Join(hardStore, "certs", "erin@example.org.crt")); err == nil {
		t.Error("kept without an answer")
	}

	if a := send(soft, "erin"); !strings.HasPrefix(a, "250") {
		t.Fatal(a)
	}
	asked := r.count()
	if a := send(soft, "frank"); !strings.HasPrefix(a, "250") {
		t.Fatal(a)
	}
	if r.count() != asked {
		t.Errorf("the second message asked %d times", r.count()-asked)
	}
	published := filepath.Join(store, "certs", "erin@example.org.crt")
	if _, err := os.Stat(published); err == nil {
		t.Fatal("published although no CA answered")
	}

	// The CA comes back; what failed is remembered in memory only.
	r.set(func() { r.down = false })
	d.Stop()
	d.Start()
	await(t, "the certificate to be published", func() bool { _, err := os.Stat(published); return err == nil })
	w.kept(store, "erin@example.org")
}

// TestRevokedLater: a certificate that its CA revokes leaves certs/, its key is
// blocked, and a metric says so.
func TestRevokedLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newRegistry(w)
	r.until = w.now.Add(time.Hour)
	metrics := FreeAddr(t)
	d, addr, store := w.serve(fmt.Sprintf(asking, "soft"), `admin: {listen: "inet:`+metrics+`"}`)
	again := func(at time.Time) {
		d.Stop()
		d.args = append(d.args, "--revocation", "soft", "--at", at.Format(time.RFC3339))
		d.Start()
	}
	again(w.now)
	listen := FreeAddr(t)
	StartPostfix(t, nil, Service{Addr: listen, Options: milterOption(addr)})
	s := DialSMTP(t, listen)
	for _, person := range []string{"alice", "bob"} {
		if a := s.Send(person+"@example.org", w.honest(person), collectAddress); a.Code != 250 {
			t.Fatal(a)
		}
	}
	s.Quit()
	w.kept(store, "alice@example.org")
	w.kept(store, "bob@example.org")

	r.revoke("alice", keyCompromise)
	r.set(func() { r.until = w.now.Add(24 * time.Hour) })
	again(w.now.Add(2 * time.Hour)) // the lists have ended
	published := filepath.Join(store, "certs", "alice@example.org.crt")
	await(t, "the certificate to leave certs/", func() bool { _, err := os.Stat(published); return os.IsNotExist(err) })
	w.kept(store, "bob@example.org")
	await(t, "the metric", func() bool {
		return strings.Contains(get(t, metrics), "certinbox_rechecks_total{result=\"revoked\"} 1\n")
	})
	if !strings.Contains(get(t, metrics), "certinbox_anchors ") {
		t.Errorf("metrics:\n%s", get(t, metrics))
	}
	d.AwaitLog("event=revoked")
	blocked, err := os.ReadFile(filepath.Join(store, "blocked"))
	if err != nil || !strings.Contains(string(blocked), "key ") {
		t.Errorf("the key is not blocked: %v %q", err, blocked)
	}
	out, err := exec.Command(d.bin, "show", "--config", d.args[2], "alice@example.org").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "revoked") || !strings.Contains(string(out), "keyCompromise") {
		t.Errorf("show: %v\n%s", err, out)
	}
}

// TestLeafAlone: a mail program that sends its certificate alone is refused
// while its issuer is not known, and taken once other mail has shown the issuer.
func TestLeafAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	newRegistry(w)
	d, addr, store := w.serve(fmt.Sprintf(asking, "soft"))
	listen := FreeAddr(t)
	StartPostfix(t, nil, Service{Addr: listen, Options: milterOption(addr)})
	send := func(person string, alone bool) string {
		sender := *w
		sender.alone = alone
		s := DialSMTP(t, listen)
		defer s.Quit()
		return s.Send(person+"@example.org", sender.honest(person), collectAddress).String()
	}
	if a := send("alice", true); !strings.HasPrefix(a, "550 5.7.5") || !strings.Contains(a, "(cert-incomplete; ref ") {
		t.Fatal(a)
	}
	if a := send("bob", false); !strings.HasPrefix(a, "250") {
		t.Fatal(a)
	}
	learnt := filepath.Join(store, "trust", "learnt")
	await(t, "the intermediate to be learnt", func() bool {
		found, _ := filepath.Glob(filepath.Join(learnt, "*", "*.pem"))
		return len(found) == 1
	})
	if a := send("alice", true); !strings.HasPrefix(a, "250") {
		t.Fatal(a)
	}
	d.Stop()
	d.Start()
	if a := send("carol", true); !strings.HasPrefix(a, "250") {
		t.Fatal("after a restart: ", a)
	}
	w.kept(store, "carol@example.org")
	out, err := exec.Command(d.bin, "trust", "unknown", "--config", d.args[2]).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Example Mail CA") {
		t.Errorf("trust unknown: %v\n%s", err, out)
	}
}

func get(t *testing.T, addr string) string {
	res, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	must(t, err)
	return string(b)
}
