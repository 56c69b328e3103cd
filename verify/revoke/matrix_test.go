package revoke

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"net/http"
	"net/http/httputil"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify"
)

// expect compares a whole Revocation; of its Detail a part is wanted.
func expect(t *testing.T, got, want verify.Revocation, id *testmail.Identity) {
	t.Helper()
	sum := sha256.Sum256(id.DER)
	want.SHA256, want.Serial = hex.EncodeToString(sum[:]), hex.EncodeToString(id.Cert.SerialNumber.Bytes())
	if !strings.Contains(got.Detail, want.Detail) || got.Detail == "" {
		t.Errorf("it says %q, want %q", got.Detail, want.Detail)
	}
	want.Detail = got.Detail
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

func day(month time.Month, d, hour int) time.Time {
	return time.Date(2026, month, d, hour, 0, 0, 0, time.UTC)
}

// servedList is one list, made by openssl where it can make it.
type servedList struct {
	serial     int64
	extensions string
	args       []string
	list       func(o opensslCA) []byte // instead
	page       http.HandlerFunc         // instead
	limit      int64
	want       verify.Revocation
}

func servedLists() map[string]servedList {
	unknown := func(detail string) verify.Revocation {
		return verify.Revocation{Status: verify.Unknown, Detail: detail}
	}
	answer := func(status, reason string, at time.Time, detail string) verify.Revocation {
		return verify.Revocation{Status: status, Reason: reason, Revoked: at, Produced: day(3, 2, 11), NextUpdate: day(3, 3, 11),
			Detail: detail + " of 2026-03-02T11:00:00Z, next update 2026-03-03T11:00:00Z"}
	}
	stale := []string{"-crl_lastupdate", "260228110000Z", "-crl_nextupdate", "260302110000Z"}
	idp := func(lines string) string {
		return "issuingDistributionPoint=critical,@idp\n[idp]\n" + lines
	}
	return map[string]servedList{
		"good":                 {serial: 7, want: answer(verify.Good, "", time.Time{}, "not on the list")},
		"revoked":              {serial: 1, want: answer(verify.Revoked, "", day(3, 1, 10), "on the list")},
		"revoked, with reason": {serial: 2, want: answer(verify.Revoked, "keyCompromise", day(3, 1, 10), "on the list")},
		"hold":                 {serial: 3, want: answer(verify.Hold, "certificateHold", day(3, 1, 10), "on the list")},
		"removed":              {serial: 4, want: answer(verify.Good, "", time.Time{}, "not on the list")},
		"stale":                {serial: 1, args: stale, want: unknown("it was valid until 2026-03-02T11:00:00Z")},
		"of the future":        {serial: 1, args: []string{"-crl_lastupdate", "260303110000Z", "-crl_nextupdate", "260304110000Z"}, want: unknown("not valid before")},
		"its own point":        {serial: 2, extensions: idp("fullname=URI:URL"), want: answer(verify.Revoked, "keyCompromise", day(3, 1, 10), "on the list")},
		"another point":        {serial: 2, extensions: idp("fullname=URI:http://other.example/x.crl"), want: unknown("it is for another distribution point")},
		"for CAs":              {serial: 2, extensions: idp("onlyCA=TRUE"), want: unknown("for certificates of CAs only")},
		"for some reasons":     {serial: 2, extensions: idp("onlysomereasons=keyCompromise"), want: unknown("for some reasons only")},
		"indirect":             {serial: 2, extensions: idp("indirectCRL=TRUE"), want: unknown("it speaks for other issuers")},
		"delta":                {serial: 2, extensions: "2.5.29.27=critical,DER:020101", want: unknown("it only holds changes")},
		"wrong issuer": {serial: 2, list: func(opensslCA) []byte {
			return sharedKeys().Root(testmail.Profile{Name: "Stranger"}).CRL(testmail.List{})
		}, want: unknown("that of another issuer")},
		"wrong key": {serial: 2, list: func(o opensslCA) []byte {
			return o.ca.CRL(testmail.List{Signer: sharedKeys().Root(testmail.Profile{Name: "Stranger"})})
		}, want: unknown("its signature is not that of the issuer")},
		"garbage":   {serial: 2, list: func(opensslCA) []byte { return []byte("<html>our list has moved</html>") }, want: unknown("a list in DER is missing")},
		"empty":     {serial: 2, list: func(opensslCA) []byte { return nil }, want: unknown("it breaks off")},
		"cut off":   {serial: 2, list: func(o opensslCA) []byte { der := o.ca.CRL(testmail.List{}); return der[:len(der)-1] }, want: unknown("it breaks off")},
		"huge":      {serial: 2, limit: 300, want: unknown("more than 300 bytes")},
		"not found": {serial: 2, page: http.NotFound, want: unknown("status 404")},
		"redirect to a private address": {serial: 2, page: func(w http.ResponseWriter, q *http.Request) {
			http.Redirect(w, q, "http://10.0.0.1/ca.crl", http.StatusFound)
		}, want: unknown("redirects to 10.0.0.1")},
		"redirect to a file": {serial: 2, page: func(w http.ResponseWriter, q *http.Request) {
			http.Redirect(w, q, "file:///etc/passwd", http.StatusFound)
		}, want: unknown("redirects to")},
	}
}

// TestListMatrix: what a list says is exactly what is reported, and whatever it
// says, it is fetched once: an answer stays on disk, a failure in memory.
func TestListMatrix(t *testing.T) {
	o := newOpensslCA(t, "rsa2048")
	for title, c := range servedLists() {
		t.Run(title, func(t *testing.T) {
			r := newRig(t)
			if c.limit > 0 {
				r.options.CRLBytes = c.limit
				r.open()
			}
			at := r.at("/ca.crl")
			switch {
			case c.page != nil:
				r.handle("/ca.crl", c.page)
			case c.list != nil:
				r.page("/ca.crl", c.list(o))
			default:
				ext := c.extensions
				if ext == "" {
					ext = "authorityKeyIdentifier=keyid"
				}
				r.page("/ca.crl", o.list(t, strings.ReplaceAll(ext, "URI:URL", "URI:"+at), c.args...))
			}
			bob := o.ca.Issue(testmail.Profile{Name: "Bob", Kind: "p256", Serial: big.NewInt(c.serial), CRL: []string{at}})
			c.want.Method, c.want.Source = "crl", at
			for i := range 2 {
				answers, err := r.c.Ask(t.Context(), pathOf(bob, o.ca), r.clock.now())
				if err != nil || len(answers) != 1 {
					t.Fatalf("%v, %+v", err, answers)
				}
				got := answers[0]
				if got.Status == verify.Unknown { // what its times are is in the words
					got.Produced, got.NextUpdate = time.Time{}, time.Time{}
				}
				expect(t, got, c.want, bob)
				r.wantRequests("/ca.crl", 1)
				if i == 0 {
					if c.want.Status == verify.Unknown {
						continue
					}
					r.open() // what was good comes from the disk
				}
			}
		})
	}
}

// TestRebindingName: a name that leads to our own machine is not followed there.
func TestRebindingName(t *testing.T) {
	r := newRig(t)
	r.c.fetcher.resolver = resolving(t, func(string) []string {
		return []string{"127.0.0.2", "::1", "169.254.169.254"} // 127.0.0.1 is allowed here
	})
	for _, source := range []string{"http://crl.ca.example/ca.crl", "https://crl.ca.example/ca.crl"} {
		for range 2 {
			a := r.want(r.leaf("Bob", []string{source}), verify.Unknown)
			if r.c.failures.paused(source) == "" || a.Source != source {
				t.Errorf("%+v", a)
			}
		}
	}
	if n := r.log.count("is not asked"); n != 2 {
		t.Errorf("%d lines say so", n)
	}
}

// TestRedirectToAPrivateName: nor is a redirect to a name that leads there.
func TestRedirectToAPrivateName(t *testing.T) {
	r := newRig(t)
	r.c.fetcher.resolver = resolving(t, func(string) []string { return []string{"10.0.0.1"} })
	r.handle("/ca.crl", func(w http.ResponseWriter, q *http.Request) {
		http.Redirect(w, q, "http://intranet.ca.example/ca.crl", http.StatusFound)
	})
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	for range 3 {
		r.want(bob, verify.Unknown)
	}
	r.wantRequests("/ca.crl", 1)
	if n := r.log.count("is not asked"); n != 1 {
		t.Errorf("%d lines say so", n)
	}
}

// TestSlowList: drip by drip, beyond the budget of a message.
func TestSlowList(t *testing.T) {
	r := newRig(t)
	bob := r.leaf("Bob", []string{r.at("/ca.crl")})
	r.handle("/ca.crl", func(w http.ResponseWriter, q *http.Request) {
		for q.Context().Err() == nil {
			_, _ = w.Write([]byte{0x30})
			_ = http.NewResponseController(w).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	})
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	expect(t, r.askWithin(short, bob)[0], verify.Revocation{Method: "crl", Source: r.at("/ca.crl"), Status: verify.Unknown, Detail: errLate.Error()}, bob)
	expect(t, r.ask(bob)[0], verify.Revocation{Method: "crl", Source: r.at("/ca.crl"), Status: verify.Unknown, Detail: errHanging.Error()}, bob)
	eventually(t, "the list is asked for", func() bool { return r.count("/ca.crl") > 0 })
	r.close()
	r.wantRequests("/ca.crl", 1)
}

// TestResponderMatrix asks openssl ocsp. Its answers bear the time of the
// machine, so that is what the clock shows.
func TestResponderMatrix(t *testing.T) {
	ca := sharedKeys().Root(testmail.Profile{Name: "CA of the responder"})
	stranger := sharedKeys().Root(testmail.Profile{Name: "Stranger"})
	always := testmail.Profile{Name: "responder", EKU: []asn1.ObjectIdentifier{testmail.OCSPSigning()}, Extra: []pkix.Extension{testmail.OCSPNoCheck()},
		NotBefore: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC)}
	old, sibling := always, always
	old.Name, old.NotAfter = "old responder", time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	sibling.Name, sibling.EKU = "sibling", nil
	revokedAt := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for title, c := range map[string]struct {
		signer        *testmail.Identity
		state, reason string // "": another certificate's
		want          verify.Revocation
	}{
		"good":              {ca, "V", "", verify.Revocation{Status: verify.Good}},
		"good, by delegate": {ca.Issue(always), "V", "", verify.Revocation{Status: verify.Good}},
		"revoked":           {ca, "R", "keyCompromise", verify.Revocation{Status: verify.Revoked, Reason: "keyCompromise", Revoked: revokedAt}},
		"hold":              {ca, "R", "certificateHold", verify.Revocation{Status: verify.Hold, Reason: "certificateHold", Revoked: revokedAt}},
		"unknown":           {ca, "", "", verify.Revocation{Status: verify.Unknown, Detail: "does not know"}},
		"sibling":           {ca.Issue(sibling), "V", "", verify.Revocation{Status: verify.Unknown, Detail: "not made for OCSP"}},
		"expired responder": {ca.Issue(old), "V", "", verify.Revocation{Status: verify.Unknown, Detail: "certificate ended at 2001"}},
		"stranger":          {stranger, "V", "", verify.Revocation{Status: verify.Unknown, Detail: "of another issuer"}},
	} {
		t.Run(title, func(t *testing.T) {
			r := newRig(t)
			r.clock.add(time.Since(r.clock.now()))
			bob := ca.Issue(testmail.Profile{Name: "Bob", Kind: "p256", Extra: []pkix.Extension{testmail.OCSPURLs(r.at("/ocsp"))}})
			index := indexLine(sharedKeys().SelfSigned(testmail.Profile{Name: "Somebody"}), "V", "")
			if c.state != "" {
				index = indexLine(bob, c.state, c.reason)
			}
			server := ocspServer{ca: ca, signer: c.signer, index: []string{index}, args: []string{"-ndays", "1"}}
			to, err := url.Parse(server.start(t))
			if err != nil {
				t.Fatal(err)
			}
			r.handle("/ocsp", http.StripPrefix("/ocsp", &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(to) }}).ServeHTTP)
			for range 3 {
				answers, err := r.c.Ask(t.Context(), pathOf(bob, ca), r.clock.now())
				if err != nil || len(answers) != 1 {
					t.Fatalf("%v, %+v", err, answers)
				}
				got, want := answers[0], c.want
				want.Method, want.Source = "ocsp", r.at("/ocsp")
				if got.Status != verify.Unknown {
					if len(got.Answer) == 0 || got.Produced.IsZero() || !got.NextUpdate.Equal(got.Produced.AddDate(0, 0, 1)) {
						t.Errorf("%+v", got)
					}
					want.Answer, want.Produced, want.NextUpdate = got.Answer, got.Produced, got.NextUpdate
				}
				expect(t, got, want, bob)
			}
			r.wantRequests("/ocsp", 1)
		})
	}
}

// TestResponderMatrixByHand: answers that openssl ocsp does not give.
func TestResponderMatrixByHand(t *testing.T) {
	now := testmail.Instant()
	r := newRig(t)
	eve := r.leaf("Eve", nil)
	answers := func(a testmail.OCSPAnswer) []byte {
		return testmail.OCSPResponse{Responder: r.ca, Answers: []testmail.OCSPAnswer{a}}.DER()
	}
	for title, body := range map[string]func(bob *testmail.Identity) []byte{
		"wrong serial": func(*testmail.Identity) []byte { return answers(testmail.OCSPAnswer{Cert: eve}) },
		"stale": func(bob *testmail.Identity) []byte {
			return answers(testmail.OCSPAnswer{Cert: bob, ThisUpdate: now.Add(-48 * time.Hour), NextUpdate: now.Add(-24 * time.Hour)})
		},
		"future": func(bob *testmail.Identity) []byte {
			return answers(testmail.OCSPAnswer{Cert: bob, ThisUpdate: now.Add(time.Hour)})
		},
		"hashes": func(bob *testmail.Identity) []byte {
			return answers(testmail.OCSPAnswer{Cert: bob, KeyHash: make([]byte, 20)})
		},
		"garbage":   func(*testmail.Identity) []byte { return []byte("<html>") },
		"try later": func(*testmail.Identity) []byte { return testmail.OCSPFailure(3) },
		"huge":      func(*testmail.Identity) []byte { return bytes.Repeat([]byte{0x30}, maxOCSP+1) },
	} {
		path := "/ocsp" // the rig counts all of it
		before := r.count(path)
		bob := r.leaf("Bob of "+title, nil, r.at("/ocsp/"+url.PathEscape(title)))
		r.page(path, body(bob))
		for range 3 {
			if a := r.want(bob, verify.Unknown); a.Method != "ocsp" || a.Answer != nil {
				t.Errorf("%s: %+v", title, a)
			}
		}
		if n := r.count(path) - before; n != 1 {
			t.Errorf("%s: asked %d times", title, n)
		}
	}
}
