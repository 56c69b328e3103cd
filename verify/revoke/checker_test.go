package revoke

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify"
)

func TestGoodListSuffices(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", []string{r.at("/ca.crl")}, r.at("/ocsp"))
	r.page("/ca.crl", r.ca.CRL(testmail.List{Entries: []testmail.ListEntry{revoked(r.ca, 1)}}))
	a := r.want(bob, verify.Good)
	if a.Method != "crl" || a.Source != r.at("/ca.crl") || !a.Produced.Equal(testmail.Instant().Add(-time.Hour)) ||
		!a.NextUpdate.Equal(testmail.Instant().AddDate(0, 0, 7)) || a.Reason != "" || !a.Revoked.IsZero() || a.Answer != nil {
		t.Errorf("%+v", a)
	}
	r.want(bob, verify.Good)
	r.wantRequests("/ca.crl", 1)
	r.wantRequests("/ocsp", 0)
}

func TestWholePath(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	r.page("/ca.crl", r.ca.CRL(testmail.List{OnlyUser: true}))
	for title, c := range map[string]struct {
		list testmail.List
		want string
	}{
		"both stand":         {testmail.List{OnlyCA: true, Number: number(1)}, verify.Good},
		"the CA is revoked":  {testmail.List{Entries: []testmail.ListEntry{revoked(r.ca, 2)}, Number: number(2)}, verify.Revoked},
		"a list for persons": {testmail.List{OnlyUser: true, Number: number(3)}, verify.Unknown},
	} {
		t.Run(title, func(t *testing.T) {
			r.options.Dir = t.TempDir()
			r.open()
			r.page("/root.crl", r.root.CRL(c.list))
			answers, err := r.c.Ask(t.Context(), pathOf(bob, r.ca, r.root), r.clock.now())
			if err != nil || len(answers) != 2 || answers[0].Status != verify.Good || answers[1].Status != c.want ||
				answers[1].Serial != fmt.Sprintf("%x", r.ca.Cert.SerialNumber.Bytes()) {
				t.Errorf("%v, %+v", err, answers)
			}
			if c.want == verify.Revoked && (answers[1].Reason != "cACompromise" || !answers[1].Revoked.Equal(testmail.Instant().AddDate(0, 0, -1))) {
				t.Errorf("%+v", answers[1])
			}
		})
	}
}

func TestNobodyToAsk(t *testing.T) {
	r := newRig(t)
	a := r.want(r.leaf("Bob", []string{"ldap://x.example/cn=CA"}), verify.NoSource)
	if a.Method != "" || a.Source != "" {
		t.Errorf("%+v", a)
	}
	if answers, err := r.c.Ask(t.Context(), pathOf(r.root), r.clock.now()); answers != nil || err != nil {
		t.Errorf("an anchor alone: %v, %v", answers, err)
	}
}

func TestResponderAfterTheList(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", []string{r.at("/ca.crl")}, r.at("/ocsp"))
	r.page("/ocsp", testmail.OCSPResponse{Responder: r.ca, Answers: []testmail.OCSPAnswer{{Cert: bob, Status: "revoked", Reason: 1}}}.DER())
	answers := r.ask(bob)
	if len(answers) != 2 || answers[0].Status != verify.Unknown || answers[0].Method != "crl" || !strings.Contains(answers[0].Detail, "404") ||
		answers[1].Status != verify.Revoked || answers[1].Method != "ocsp" || answers[1].Reason != "keyCompromise" || len(answers[1].Answer) == 0 {
		t.Errorf("%+v", answers)
	}
	for range 3 {
		r.want(bob, verify.Revoked)
	}
	r.wantRequests("/ca.crl", 1)
	r.wantRequests("/ocsp", 1)
	r.open()
	r.page("/ocsp", nil)
	r.want(bob, verify.Revoked) // from the disk
	r.wantRequests("/ocsp", 1)
}

// TestFailureAsksOnce: a source that is down is asked once, and again after the pause.
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

// TestUselessListAsksOnce: what does not verify is not fetched by every message,
// and it does not bar the same URL for another issuer.
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
	untilTrue(t, "both wait for one download", func() bool {
		r.c.downloads.mu.Lock()
		defer r.c.downloads.mu.Unlock()
		d := r.c.downloads.byURL[r.at("/ca.crl")]
		return d != nil && d.users == 2
	})
	close(release)
	wg.Wait()
	r.wantRequests("/ca.crl", 1)
}

func TestAsksAgainAfterNextUpdate(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	next := testmail.Instant().Add(2 * time.Hour)
	r.page("/ca.crl", r.ca.CRL(testmail.List{NextUpdate: next}))
	r.want(bob, verify.Good)
	r.clock.add(2*time.Hour - time.Second)
	r.want(bob, verify.Good)
	r.wantRequests("/ca.crl", 1)
	r.clock.add(time.Second)
	r.want(bob, verify.Unknown)
	r.want(bob, verify.Unknown)
	r.wantRequests("/ca.crl", 2)
	r.page("/ca.crl", r.ca.CRL(testmail.List{Number: number(2), ThisUpdate: next, Entries: []testmail.ListEntry{revoked(bob, 0)}}))
	r.clock.add(firstPause)
	if a := r.want(bob, verify.Revoked); a.Reason != "" {
		t.Errorf("%+v", a)
	}
	r.wantRequests("/ca.crl", 3)
}

// TestRefresh: a CA may revoke long before nextUpdate. While the new list is not
// to be had the old one counts, ten days long.
func TestRefresh(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	year := testmail.Instant().AddDate(1, 0, 0)
	r.page("/ca.crl", r.ca.CRL(testmail.List{NextUpdate: year}))
	r.want(bob, verify.Good)
	r.clock.add(refreshAfter)
	r.handle("/ca.crl", nil)
	r.want(bob, verify.Good)
	r.want(bob, verify.Good)
	r.wantRequests("/ca.crl", 2)
	r.clock.add(longestKept - refreshAfter)
	r.want(bob, verify.Unknown)
	r.page("/ca.crl", r.ca.CRL(testmail.List{NextUpdate: year, Number: number(2), Entries: []testmail.ListEntry{revoked(bob, 4)}}))
	r.clock.add(longPause)
	r.want(bob, verify.Revoked)
}

func TestOlderListIsNotTaken(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	year := testmail.Instant().AddDate(1, 0, 0)
	r.page("/ca.crl", r.ca.CRL(testmail.List{NextUpdate: year, Number: number(9), Entries: []testmail.ListEntry{revoked(bob, 6)}}))
	r.want(bob, verify.Hold)
	r.page("/ca.crl", r.ca.CRL(testmail.List{NextUpdate: year, Number: number(8)}))
	r.clock.add(refreshAfter)
	r.want(bob, verify.Hold)
	r.wantRequests("/ca.crl", 2)
	r.options.CacheBytes = 1 // the list itself goes, what is known of it stays
	r.options.CRLBytes = 100 << 20
	r.open()
	r.options.CacheBytes = 200 << 20
	r.open()
	if a := r.want(bob, verify.Unknown); !strings.Contains(a.Detail, "older") {
		t.Errorf("%+v", a)
	}
	r.wantRequests("/ca.crl", 3)
}

func TestRestartKeepsTheCache(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	r.page("/ca.crl", r.ca.CRL(testmail.List{}))
	r.want(bob, verify.Good)
	r.open()
	r.handle("/ca.crl", nil)
	r.want(bob, verify.Good)
	r.wantRequests("/ca.crl", 1)
}

// TestTheDiskIsNotTrusted: a list that was changed on disk is fetched anew.
func TestTheDiskIsNotTrusted(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	r.page("/ca.crl", r.ca.CRL(testmail.List{Entries: []testmail.ListEntry{revoked(bob, 1)}}))
	r.want(bob, verify.Revoked)
	files, err := filepath.Glob(filepath.Join(r.options.Dir, "*"+answerFile))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	forged := r.root.CRL(testmail.List{Name: r.ca.Cert.RawSubject})
	if err := os.WriteFile(files[0], forged, 0o600); err != nil {
		t.Fatal(err)
	}
	r.want(bob, verify.Revoked)
	r.wantRequests("/ca.crl", 2)
	r.want(bob, verify.Revoked)
	r.wantRequests("/ca.crl", 2)
}

// TestHangingSource: it takes one message its budget, and the next nothing.
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
	untilTrue(t, "what came late is kept", func() bool { return lastOf(r.ask(eve)).Status == verify.Good })
	r.want(bob, verify.Good)
	r.wantRequests("/ca.crl", 1)
}

// TestHungSourceIsAskedBeside: once it kept somebody waiting in vain, nobody
// waits for it until it has answered.
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
	untilTrue(t, "the failure is remembered", func() bool { return strings.Contains(lastOf(r.ask(bob)).Detail, "503") })
	r.wantRequests("/ocsp", 1)
	r.clock.add(firstPause)
	r.page("/ocsp", testmail.OCSPResponse{Responder: r.ca, Answers: []testmail.OCSPAnswer{{Cert: bob}}}.DER())
	if a := r.want(bob, verify.Unknown); a.Detail != errBesides.Error() {
		t.Errorf("%+v", a)
	}
	untilTrue(t, "the answer is found", func() bool { return lastOf(r.ask(bob)).Status == verify.Good })
	r.wantRequests("/ocsp", 2)
}

// TestHangingListLeavesTimeForTheResponder.
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

// TestBrokenDisk: our trouble is an error, and answers that need no disk count.
func TestBrokenDisk(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", []string{r.at("/ca.crl")}, r.at("/ocsp"))
	r.page("/ca.crl", r.ca.CRL(testmail.List{}))
	r.page("/ocsp", testmail.OCSPResponse{Responder: r.ca, Answers: []testmail.OCSPAnswer{{Cert: bob}}}.DER())
	if err := os.RemoveAll(r.options.Dir); err != nil {
		t.Fatal(err)
	}
	answers, err := r.c.Ask(t.Context(), pathOf(bob, r.ca), r.clock.now())
	if err == nil || !strings.Contains(err.Error(), r.options.Dir) {
		t.Errorf("error %v", err)
	}
	if len(answers) != 2 || answers[0].Detail != errOurs.Error() || answers[1].Status != verify.Good {
		t.Errorf("%+v", answers)
	}
}

func TestQuestionAboutThePast(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	r.page("/ca.crl", r.ca.CRL(testmail.List{}))
	for range 3 {
		answers, err := r.c.Ask(t.Context(), pathOf(bob, r.ca), r.clock.now().AddDate(0, 0, -1))
		if err != nil || answers[0].Status != verify.Unknown {
			t.Errorf("%v, %+v", err, answers)
		}
	}
	r.want(bob, verify.Good) // nothing bars the present
	r.wantRequests("/ca.crl", 1)
}

func TestTemporaryFolderGoes(t *testing.T) {
	r := newRig(t)
	r.options.Dir = ""
	r.open()
	dir := r.c.gone
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	r.page("/ca.crl", r.ca.CRL(testmail.List{}))
	r.want(bob, verify.Good)
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
	r.close()
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
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
	case <-time.After(hangGuard):
		t.Fatal("Close waits")
	}
	if files, _ := filepath.Glob(filepath.Join(r.options.Dir, "*")); len(files) != 0 {
		t.Errorf("%q are left", files)
	}
}

func TestNoGoodOptions(t *testing.T) {
	for _, o := range []Options{{}, {CRLBytes: 1, CacheBytes: 1}, {CRLBytes: 1, Now: time.Now}, {CacheBytes: 1, Now: time.Now}} {
		if c, err := New(o); err == nil || c != nil {
			t.Errorf("%+v", o)
		}
	}
}

func TestForeignTextIsPrintable(t *testing.T) {
	got := printable("http://x/\r\n\x00ü\"" + strings.Repeat("a", 300))
	if len(got) > 256 || strings.ContainsFunc(got, func(r rune) bool { return r <= ' ' || r > '~' }) {
		t.Errorf("%q", got)
	}
	if !slices.Equal([]string{printable("http://a.example/x?y=1")}, []string{"http://a.example/x?y=1"}) {
		t.Error("a plain URL is changed")
	}
}

// TestRefreshKeepsNobodyWaiting: an answer that is kept and still good is given
// although the new one is slow to come.
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
	untilTrue(t, "the list is asked for again", func() bool { return r.count("/ca.crl") == 2 })
	close(release)
	untilTrue(t, "the new list counts", func() bool { return lastOf(r.ask(bob)).Reason == "affiliationChanged" })
	r.wantRequests("/ca.crl", 2)
}

// TestNoTimeNoFetch: who has no time left asks nobody, and blames nobody.
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

// TestNoRoomIsNotRemembered: what other fetches take is no fault of a source.
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
