package revoke

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
// TestUselessListAsksOnce: what does not verify is not fetched by every message,
// and it does not bar the same URL for another issuer.
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
// TestHungSourceIsAskedBeside: once it kept somebody waiting in vain, nobody
// waits for it until it has answered.
// TestHangingListLeavesTimeForTheResponder.
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
// TestNoTimeNoFetch: who has no time left asks nobody, and blames nobody.
// TestNoRoomIsNotRemembered: what other fetches take is no fault of a source.
