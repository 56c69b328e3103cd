package revoke

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify"
)

func TestFailureAsksOnce(t *testing.T) {
	r := newRig(t)
	bob, eve := r.leaf("Bob", []string{r.at("/ca.crl")}), r.leaf("Eve", []string{r.at("/ca.crl")})
	for range 5 {
		r.want(bob, verify.Unknown)
		r.want(eve, verify.Unknown)
	}
	r.wantRequests("/ca.crl", 1)
	r.clock.add(firstPause)
	r.want(eve, verify.Unknown)
	r.clock.add(firstPause)
	r.want(bob, verify.Unknown)
	r.wantRequests("/ca.crl", 2)
	r.page("/ca.crl", r.ca.CRL(testmail.List{}))
	r.clock.add(firstPause)
	r.want(bob, verify.Good)
	r.want(eve, verify.Good)
	r.wantRequests("/ca.crl", 3)
	if bad, back := r.log.count("cannot be reached"), r.log.count("can be reached again"); bad != 1 || back != 1 {
		t.Errorf("%d lines that it went bad, %d that it came back", bad, back)
	}
}

func TestUselessListAsksOnce(t *testing.T) {
	r := newRig(t)
	other := r.root.Intermediate(testmail.Profile{Name: "Other CA"})
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	eve := other.Issue(testmail.Profile{Name: "Eve", Kind: "p256", CRL: []string{r.at("/ca.crl")}})
	r.page("/ca.crl", other.CRL(testmail.List{}))
	for range 3 {
		r.want(bob, verify.Unknown)
	}
	r.wantRequests("/ca.crl", 1)
	for range 2 {
		answers, err := r.c.Ask(t.Context(), pathOf(eve, other), r.clock.now())
		if err != nil || answers[0].Status != verify.Good {
			t.Errorf("%v, %+v", err, answers)
		}
	}
	r.wantRequests("/ca.crl", 2)
	if n := r.log.count("no usable answer"); n != 1 {
		t.Errorf("%d lines", n)
	}
}

func TestSingleFlight(t *testing.T) {
	r := newRig(t)
	entered, release := make(chan struct{}, 1), make(chan struct{})
	der := r.ca.CRL(testmail.List{})
	r.handle("/ca.crl", func(w http.ResponseWriter, _ *http.Request) {
		entered <- struct{}{}
		<-release
		_, _ = w.Write(der)
	})
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() { r.want(r.leaf(fmt.Sprint("Person ", i%10), []string{r.at("/ca.crl")}), verify.Good) })
	}
	<-entered
	close(release)
	wg.Wait()
	r.wantRequests("/ca.crl", 1)
}

func TestTwoIssuersOfOneURL(t *testing.T) {
	r := newRig(t)
	other := r.root.Intermediate(testmail.Profile{Name: "Other CA"})
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	eve := other.Issue(testmail.Profile{Name: "Eve", Kind: "p256", CRL: []string{r.at("/ca.crl")}})
	entered, release := make(chan struct{}, 2), make(chan struct{})
	der := r.ca.CRL(testmail.List{})
	r.handle("/ca.crl", func(w http.ResponseWriter, _ *http.Request) {
		entered <- struct{}{}
		<-release
		_, _ = w.Write(der)
	})
	var wg sync.WaitGroup
	wg.Go(func() { r.want(bob, verify.Good) })
	wg.Go(func() {
		answers, err := r.c.Ask(t.Context(), pathOf(eve, other), r.clock.now())
		if err != nil || answers[0].Status != verify.Unknown {
			t.Errorf("%v, %+v", err, answers)
		}
	})
	<-entered
	eventually(t, "both wait for one download", func() bool {
		r.c.downloads.mu.Lock()
		defer r.c.downloads.mu.Unlock()
		d := r.c.downloads.byURL[r.at("/ca.crl")]
		return d != nil && d.users == 2
	})
	close(release)
	wg.Wait()
	r.wantRequests("/ca.crl", 1)
}

func TestHangingSource(t *testing.T) {
	r := newRig(t)
	bob, eve := r.leaf("Bob", []string{r.at("/ca.crl")}), r.leaf("Eve", []string{r.at("/ca.crl")})
	release, entered := make(chan struct{}), make(chan struct{}, 8)
	der := r.ca.CRL(testmail.List{})
	r.handle("/ca.crl", func(w http.ResponseWriter, q *http.Request) {
		entered <- struct{}{}
		select {
		case <-release:
			_, _ = w.Write(der)
		case <-q.Context().Done():
		}
	})
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if a := r.askWithin(short, bob)[0]; a.Status != verify.Unknown || a.Detail != errLate.Error() {
		t.Errorf("%+v", a)
	}
	<-entered
	// Had these to wait they would wait until the hang guard.
	for _, id := range []*testmail.Identity{bob, eve, bob} {
		if a := r.want(id, verify.Unknown); a.Detail != errHanging.Error() {
			t.Errorf("%+v", a)
		}
	}
	r.wantRequests("/ca.crl", 1)
	close(release)
	eventually(t, "what came late is kept", func() bool { return lastOf(r.ask(eve)).Status == verify.Good })
	r.want(bob, verify.Good)
	r.wantRequests("/ca.crl", 1)
}

func TestHungSourceIsAskedBeside(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", nil, r.at("/ocsp"))
	release := make(chan struct{})
	r.handle("/ocsp", func(w http.ResponseWriter, q *http.Request) {
		<-release
		http.Error(w, "down", http.StatusServiceUnavailable)
	})
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r.askWithin(short, bob)
	close(release)
	eventually(t, "the failure is remembered", func() bool { return strings.Contains(lastOf(r.ask(bob)).Detail, "503") })
	r.wantRequests("/ocsp", 1)
	r.clock.add(firstPause)
	r.page("/ocsp", testmail.OCSPResponse{Responder: r.ca, Answers: []testmail.OCSPAnswer{{Cert: bob}}}.DER())
	if a := r.want(bob, verify.Unknown); a.Detail != errBesides.Error() {
		t.Errorf("%+v", a)
	}
	eventually(t, "the answer is found", func() bool { return lastOf(r.ask(bob)).Status == verify.Good })
	r.wantRequests("/ocsp", 2)
}

func TestHangingListLeavesTimeForTheResponder(t *testing.T) {
	r := newRig(t)
	r.c.patience = 50 * time.Millisecond
	bob := r.leaf("Bob", []string{r.at("/ca.crl")}, r.at("/ocsp"))
	r.handle("/ca.crl", func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() })
	r.page("/ocsp", testmail.OCSPResponse{Responder: r.ca, Answers: []testmail.OCSPAnswer{{Cert: bob}}}.DER())
	r.want(bob, verify.Good)
	r.close() // ends what hangs
}

func TestFetchesOfOneMessageAreBounded(t *testing.T) {
	r := newRig(t)
	lists := []string{r.at("/1"), r.at("/2"), r.at("/3"), r.at("/4"), r.at("/5")}
	bob := r.leaf("Bob", lists, r.at("/ocsp"))
	total := func() (n int) {
		for _, p := range []string{"/1", "/2", "/3", "/4", "/5", "/ocsp"} {
			n += r.count(p)
		}
		return n
	}
	for _, want := range []int{2, 4, 5, 5} {
		r.want(bob, verify.Unknown)
		if total() != want {
			t.Errorf("%d requests, want %d", total(), want)
		}
	}
	r.wantRequests("/5", 0)
}

func TestRefusedURLIsRememberedForADay(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", []string{"http://169.254.169.254/latest"})
	r.want(bob, verify.Unknown)
	r.want(bob, verify.Unknown)
	if n := r.log.count("is not asked"); n != 1 {
		t.Errorf("%d lines", n)
	}
	if r.c.failures.paused("http://169.254.169.254/latest") == "" {
		t.Error("not remembered")
	}
}

func TestCloseEndsWhatHangs(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	r.handle("/ca.crl", func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() })
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r.askWithin(short, bob)
	closed := make(chan struct{})
	go func() { r.close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(guard):
		t.Fatal("Close waits")
	}
	if files, _ := filepath.Glob(filepath.Join(r.options.Dir, "*")); len(files) != 0 {
		t.Errorf("%q are left", files)
	}
}

func TestRefreshKeepsNobodyWaiting(t *testing.T) {
	r := newRig(t)
	r.c.refreshPatience = 50 * time.Millisecond
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	r.page("/ca.crl", r.ca.CRL(testmail.List{}))
	r.want(bob, verify.Good)
	der, release := r.ca.CRL(testmail.List{Number: number(2), Entries: []testmail.ListEntry{revoked(bob, 3)}}), make(chan struct{})
	r.handle("/ca.crl", func(w http.ResponseWriter, _ *http.Request) {
		<-release
		_, _ = w.Write(der)
	})
	r.clock.add(refreshAfter)
	r.want(bob, verify.Good) // waiting for it would end in the hang guard
	r.want(bob, verify.Good)
	eventually(t, "the list is asked for again", func() bool { return r.count("/ca.crl") == 2 })
	close(release)
	eventually(t, "the new list counts", func() bool { return lastOf(r.ask(bob)).Reason == "affiliationChanged" })
	r.wantRequests("/ca.crl", 2)
}

// TestLandedMeanwhile: who looked before a flight landed, and asks after, does not
// fetch a second time.
func TestLandedMeanwhile(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	r.page("/ca.crl", r.ca.CRL(testmail.List{}))
	s := r.c.listSource(bob.Cert, r.ca.Cert, listPoints(bob.Cert)[0])
	if _, _, err := s.kept(t.Context(), testmail.Instant()); err != nil {
		t.Fatal(err)
	}
	r.clock.add(time.Second)
	r.want(bob, verify.Good) // the flight of another message
	a, err := r.c.fresh(t.Context(), s, testmail.Instant(), &quota{left: 1})
	if err != nil || a.Status != verify.Good {
		t.Errorf("%+v %v", a, err)
	}
	r.wantRequests("/ca.crl", 1)
}

func TestNoTimeNoFetch(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", []string{r.at("/ca.crl")}, r.at("/ocsp"))
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	for _, a := range r.askWithin(late, bob) {
		if a.Status != verify.Unknown || !strings.Contains(a.Detail, "no time") {
			t.Errorf("%+v", a)
		}
	}
	r.page("/ca.crl", r.ca.CRL(testmail.List{}))
	r.want(bob, verify.Good)
	r.wantRequests("/ca.crl", 1)
}

func TestNoRoomIsNotRemembered(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	r.page("/ca.crl", r.ca.CRL(testmail.List{}))
	if err := r.c.cache.reserve(r.options.CacheBytes); err != nil {
		t.Fatal(err)
	}
	if a := r.want(bob, verify.Unknown); a.Detail != errNoRoom.Error() {
		t.Errorf("%+v", a)
	}
	if err := r.c.cache.reserve(-r.options.CacheBytes); err != nil {
		t.Fatal(err)
	}
	r.want(bob, verify.Good)
	if r.c.cache.temps != 0 {
		t.Errorf("%d bytes are still reserved", r.c.cache.temps)
	}
}
