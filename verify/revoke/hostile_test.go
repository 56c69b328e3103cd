package revoke

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify"
)

// A stranger is a CA that the operator trusts for its own domain, and whose
// certificates may name what they like.
func (r *rig) stranger(name string, lists []string, responders ...string) (leaf, ca *testmail.Identity) {
	ca = sharedKeys().Root(testmail.Profile{Name: "Stranger"})
	p := testmail.Profile{Name: name, CRL: lists, Key: sharedKeys().Key("p256", name), Mailboxes: []string{"eve@example.com"}}
	if len(responders) > 0 {
		p.Extra = append(p.Extra, testmail.OCSPURLs(responders...))
	}
	return ca.Issue(p), ca
}

func (r *rig) askBelow(leaf, ca *testmail.Identity) verify.Revocation {
	r.t.Helper()
	answers, err := r.c.Ask(r.t.Context(), pathOf(leaf, ca), r.clock.now())
	if err != nil || len(answers) == 0 {
		r.t.Fatalf("%v, %+v", err, answers)
	}
	return lastOf(answers)
}

// TestListNamedAsResponder: a question that a server of lists does not
// understand says nothing about the list that lies there.
func TestListNamedAsResponder(t *testing.T) {
	r := newRig(t)
	r.page("/ca.crl", r.ca.CRL(testmail.List{}))
	eve, stranger := r.stranger("Eve", nil, r.at("/ca.crl"))
	if a := r.askBelow(eve, stranger); a.Status != verify.Unknown {
		t.Errorf("%+v", a)
	}
	r.want(r.leaf("Bob", []string{r.at("/ca.crl")}), verify.Good)
}

// TestResponderThatRefusesOneQuestion: a responder may refuse what it has never
// heard of by a status of HTTP. It still answers other questions; one that is
// down, or asked too often, is left alone by all.
func TestResponderThatRefusesOneQuestion(t *testing.T) {
	for status, want := range map[int]string{
		http.StatusBadRequest: verify.Good, http.StatusNotFound: verify.Good,
		http.StatusTooManyRequests: verify.Unknown, http.StatusServiceUnavailable: verify.Unknown,
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			r := newRig(t)
			r.handle("/ocsp", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
			eve, stranger := r.stranger("Eve", nil, r.at("/ocsp"))
			for range 2 {
				if a := r.askBelow(eve, stranger); a.Status != verify.Unknown {
					t.Errorf("%+v", a)
				}
			}
			r.wantRequests("/ocsp", 1)
			bob := r.leaf("Bob", nil, r.at("/ocsp"))
			r.page("/ocsp", testmail.OCSPResponse{Responder: r.ca, Answers: []testmail.OCSPAnswer{{Cert: bob}}}.DER())
			r.want(bob, want)
		})
	}
}

// TestOlderResponseLiftsNoHold: what the responder said before the hold is still
// within its days, and can be served again by anybody on the way.
func TestOlderResponseLiftsNoHold(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", nil, r.at("/ocsp"))
	answer := func(status string, reason int, before time.Duration) []byte {
		at := testmail.Instant().Add(-before)
		return testmail.OCSPResponse{Responder: r.ca, Answers: []testmail.OCSPAnswer{
			{Cert: bob, Status: status, Reason: reason, ThisUpdate: at, NextUpdate: at.AddDate(0, 0, 7)}}}.DER()
	}
	r.page("/ocsp", answer("revoked", reasonHold, time.Hour))
	r.want(bob, verify.Hold)
	r.page("/ocsp", answer("", 0, 2*time.Hour))
	r.clock.add(refreshAfter)
	for range 2 {
		r.want(bob, verify.Hold)
	}
	r.wantRequests("/ocsp", 2)
	r.page("/ocsp", answer("", 0, time.Minute))
	r.clock.add(firstPause)
	r.want(bob, verify.Good)
}

// TestKeptListBehindItsNote: a crash between note and answer, or a second daemon
// over the same folder, leaves an older list under a newer note.
func TestKeptListBehindItsNote(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	year := testmail.Instant().AddDate(1, 0, 0)
	older := r.ca.CRL(testmail.List{NextUpdate: year, Number: number(8)})
	r.page("/ca.crl", r.ca.CRL(testmail.List{NextUpdate: year, Number: number(9), Entries: []testmail.ListEntry{revoked(bob, 1)}}))
	r.want(bob, verify.Revoked)
	r.close()
	overwriteAnswers(t, r.options.Dir, older)
	r.open()
	r.want(bob, verify.Revoked)
	r.wantRequests("/ca.crl", 2)
}

// TestResponseBehindItsNote is the same for responses.
func TestResponseBehindItsNote(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", nil, r.at("/ocsp"))
	answer := func(status string, before time.Duration) []byte {
		return testmail.OCSPResponse{Responder: r.ca, Answers: []testmail.OCSPAnswer{
			{Cert: bob, Status: status, ThisUpdate: testmail.Instant().Add(-before)}}}.DER()
	}
	r.page("/ocsp", answer("revoked", time.Hour))
	r.want(bob, verify.Revoked)
	r.close()
	overwriteAnswers(t, r.options.Dir, answer("", 2*time.Hour))
	r.open()
	r.want(bob, verify.Revoked)
	r.wantRequests("/ocsp", 2)
}

// TestTwoCheckersOverOneFolder: at a reload the former one still ends what it
// began. What the newer one learnt holds for it, too.
func TestTwoCheckersOverOneFolder(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	former := r.c
	r.c = nil
	r.open()
	year := testmail.Instant().AddDate(1, 0, 0)
	r.page("/ca.crl", r.ca.CRL(testmail.List{NextUpdate: year, Number: number(9), Entries: []testmail.ListEntry{revoked(bob, 1)}}))
	r.want(bob, verify.Revoked)
	r.page("/ca.crl", r.ca.CRL(testmail.List{NextUpdate: year, Number: number(8)}))
	answers, err := former.Ask(t.Context(), pathOf(bob, r.ca), r.clock.now())
	if err != nil || lastOf(answers).Status == verify.Good {
		t.Errorf("%v, %+v", err, answers)
	}
	if err := former.Close(); err != nil {
		t.Error(err)
	}
	r.want(bob, verify.Revoked)
	r.open()
	r.want(bob, verify.Revoked)
}

// TestClockThatWasAhead: what was noted under a clock that ran ahead neither
// keeps a list from being asked for again nor a source from being tried.
func TestClockThatWasAhead(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	carol := r.leaf("Carol", []string{r.at("/other.crl")})
	r.clock.add(365 * 24 * time.Hour)
	r.page("/ca.crl", r.ca.CRL(testmail.List{NextUpdate: testmail.Instant().AddDate(2, 0, 0)}))
	r.want(bob, verify.Good)
	r.want(carol, verify.Unknown)
	r.clock.add(-365 * 24 * time.Hour)
	r.page("/ca.crl", r.ca.CRL(testmail.List{NextUpdate: testmail.Instant().AddDate(2, 0, 0), Number: number(2), Entries: []testmail.ListEntry{revoked(bob, 1)}}))
	r.page("/other.crl", r.ca.CRL(testmail.List{}))
	r.want(bob, verify.Revoked)
	r.want(carol, verify.Good)
}

// TestRedirectsAreCounted: many URLs that redirect to one host turn nobody
// against it, and the source is not the one to blame.
func TestRedirectsAreCounted(t *testing.T) {
	r := newRig(t)
	victim := serveWire(t, "127.0.0.2", func(net.Conn) {})
	r.options.Allow = append(r.options.Allow, Allowed{Host: "127.0.0.2", Port: "*"})
	r.open()
	for range maxPerHost {
		if err := r.c.fetcher.pace.take("127.0.0.2"); err != nil {
			t.Fatal(err)
		}
	}
	r.handle("/ca.crl", func(w http.ResponseWriter, q *http.Request) {
		http.Redirect(w, q, victim.url+"ca.crl", http.StatusFound)
	})
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	if a := r.want(bob, verify.Unknown); !strings.Contains(a.Detail, errPace.Error()) {
		t.Errorf("%+v", a)
	}
	if victim.accepted.Load() != 0 {
		t.Error("it was asked")
	}
	r.page("/ca.crl", r.ca.CRL(testmail.List{}))
	r.want(bob, verify.Good)
}

// besideHanging is a rig whose CA answers, and a server that hangs to which every
// name leads.
func besideHanging(t *testing.T) (*rig, *wire) {
	r := newRig(t)
	w := serveWire(t, "127.0.0.2", hanging("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"))
	r.options.Allow = append(r.options.Allow, Allowed{Host: "127.0.0.2", Port: "*"})
	r.open()
	r.c.fetcher.resolver = resolving(t, func(string) []string { return []string{"127.0.0.2"} })
	r.page("/ca.crl", r.ca.CRL(testmail.List{}))
	return r, w
}

// giveUp asks about Eve, below an anchor of her own, whose certificate names a list,
// and waits a moment only.
func (r *rig) giveUp(list string) {
	eve, stranger := r.stranger("Eve", []string{list})
	ctx, cancel := context.WithTimeout(r.t.Context(), short)
	defer cancel()
	_, _ = r.c.Ask(ctx, pathOf(eve, stranger), r.clock.now())
}

// TestHangingServersOfOneAnchor: whatever certificates below one anchor name,
// and however long it hangs, those below another one are asked about.
func TestHangingServersOfOneAnchor(t *testing.T) {
	r, w := besideHanging(t)
	var wg sync.WaitGroup
	for i := range maxFlights {
		wg.Go(func() { r.giveUp(fmt.Sprintf("http://x%d.example:%s/", i, w.port())) })
	}
	wg.Wait()
	r.want(r.leaf("Bob", []string{r.at("/ca.crl")}), verify.Good)
	if n := w.accepted.Load(); n > maxFetchesAnchor {
		t.Errorf("%d connections", n)
	}
}

// TestListNamedBelowABusyAnchor: a list that is named below an anchor whose
// places hang, too, is not waited for by those below another one.
func TestListNamedBelowABusyAnchor(t *testing.T) {
	r, w := besideHanging(t)
	var wg sync.WaitGroup
	for i := range maxFetchesAnchor {
		wg.Go(func() { r.giveUp(fmt.Sprintf("http://x%d.example:%s/", i, w.port())) })
	}
	wg.Wait()
	eventually(t, "all places of the anchor are taken", func() bool { return w.open.Load() == maxFetchesAnchor })
	r.giveUp(r.at("/ca.crl"))
	r.want(r.leaf("Bob", []string{r.at("/ca.crl")}), verify.Good)
}

// TestImpatienceIsNobodyElses: who gives up on a list after a moment keeps
// nobody below another anchor from waiting for it.
func TestImpatienceIsNobodyElses(t *testing.T) {
	r := newRig(t)
	answer := make(chan struct{})
	der := r.ca.CRL(testmail.List{})
	r.handle("/ca.crl", func(w http.ResponseWriter, _ *http.Request) {
		<-answer
		_, _ = w.Write(der)
	})
	r.giveUp(r.at("/ca.crl"))
	eventually(t, "Eve's list is asked for", func() bool { return r.count("/ca.crl") == 1 })
	var wg sync.WaitGroup
	wg.Go(func() { r.want(r.leaf("Bob", []string{r.at("/ca.crl")}), verify.Good) })
	time.Sleep(short)
	close(answer)
	wg.Wait()
}
