package verify

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
)

// TestDKIMSeveral: which of several signatures count. The last one to sign
// stands on top.
func TestDKIMSeveral(t *testing.T) {
	spoilt := func(d testmail.DKIM) testmail.DKIM { d.SpoilSignature = true; return d }
	tagged := func(d testmail.DKIM, tags ...string) testmail.DKIM { d.Tags = tags; return d }
	tests := []struct {
		name string
		sign func(r *dkimRig) []testmail.DKIM
		want string
		keys int // key records asked for
	}{
		{"only another domain's", func(r *dkimRig) []testmail.DKIM {
			return []testmail.DKIM{r.signer("mailer.example.net", "m")}
		}, isForeign, 1},
		{"two of other domains: one is enough to say who", func(r *dkimRig) []testmail.DKIM {
			return []testmail.DKIM{r.signer("mailer.example.net", "m"), r.signer("other.example", "m")}
		}, isForeign, 1},
		{"another domain's fails", func(r *dkimRig) []testmail.DKIM {
			return []testmail.DKIM{spoilt(r.signer("mailer.example.net", "m"))}
		}, isFail, 1},
		{"another domain's key is missing", func(r *dkimRig) []testmail.DKIM {
			return []testmail.DKIM{r.unpublished("mailer.example.net", "m")}
		}, isBadKey, 1},
		{"another domain's has l=", func(r *dkimRig) []testmail.DKIM {
			return []testmail.DKIM{tagged(r.signer("mailer.example.net", "m"), "l=3")}
		}, isPolicy, 0},
		{"DNS trouble of another domain does not defer", func(r *dkimRig) []testmail.DKIM {
			d := r.unpublished("mailer.example.net", "m")
			r.zone.Add(d.Name(), testmail.TempError)
			return []testmail.DKIM{d}
		}, isForeign, 1},
		{"another domain's is not looked at beside ours", func(r *dkimRig) []testmail.DKIM {
			return []testmail.DKIM{r.signer("example.org", "s1"), r.signer("mailer.example.net", "m")}
		}, isAligned, 1},
		{"another domain's holds, ours fails", func(r *dkimRig) []testmail.DKIM {
			return []testmail.DKIM{spoilt(r.signer("example.org", "s1")), r.signer("mailer.example.net", "m")}
		}, isFail, 1},
		{"another domain's holds, ours is not acceptable", func(r *dkimRig) []testmail.DKIM {
			return []testmail.DKIM{tagged(r.signer("example.org", "s1"), "l=3"), r.signer("mailer.example.net", "m")}
		}, isPolicy, 0},
		{"another domain's holds, ours has DNS trouble", func(r *dkimRig) []testmail.DKIM {
			d := r.unpublished("example.org", "s1")
			r.zone.Add(d.Name(), testmail.TempError)
			return []testmail.DKIM{d, r.signer("mailer.example.net", "m")}
		}, isTemp, 1},
		{"one of ours fails, one holds", func(r *dkimRig) []testmail.DKIM {
			return []testmail.DKIM{r.signer("example.org", "s1"), spoilt(r.signer("example.org", "s2"))}
		}, isAligned, 2},
		{"one of ours has DNS trouble, one holds", func(r *dkimRig) []testmail.DKIM {
			d := r.unpublished("example.org", "s2")
			r.zone.Add(d.Name(), testmail.TempError)
			return []testmail.DKIM{r.signer("example.org", "s1"), d}
		}, isAligned, 2},
		{"one of ours has DNS trouble, one fails", func(r *dkimRig) []testmail.DKIM {
			d := r.unpublished("example.org", "s2")
			r.zone.Add(d.Name(), testmail.TempError)
			return []testmail.DKIM{spoilt(r.signer("example.org", "s1")), d}
		}, isTemp, 2},
		{"no key for one of ours, the other fails", func(r *dkimRig) []testmail.DKIM {
			return []testmail.DKIM{spoilt(r.signer("example.org", "s1")), r.unpublished("example.org", "s2")}
		}, isFail, 2},
		{"the nearest domain is verified first", func(r *dkimRig) []testmail.DKIM {
			return []testmail.DKIM{r.signer("example.org", "s1"), r.signer("mail.example.org", "s2")}
		}, isAligned, 1},
		{"twelve bad ones of others before ours", func(r *dkimRig) []testmail.DKIM {
			return append([]testmail.DKIM{r.signer("example.org", "s1")},
				slices.Repeat([]testmail.DKIM{spoilt(r.signer("mailer.example.net", "m"))}, 12)...)
		}, isAligned, 1},
		{"four bad ones of ours before the good one", func(r *dkimRig) []testmail.DKIM {
			return append([]testmail.DKIM{r.signer("example.org", "s1")},
				slices.Repeat([]testmail.DKIM{spoilt(r.unpublished("example.org", "s1"))}, 4)...)
		}, isAligned, 5},
		{"five bad ones of ours before the good one", func(r *dkimRig) []testmail.DKIM {
			return append([]testmail.DKIM{r.signer("example.org", "s1")},
				slices.Repeat([]testmail.DKIM{spoilt(r.unpublished("example.org", "s1"))}, 5)...)
		}, isFail, 5},
		{"nineteen of others above ours", func(r *dkimRig) []testmail.DKIM {
			return append([]testmail.DKIM{r.signer("example.org", "s1")},
				slices.Repeat([]testmail.DKIM{spoilt(r.signer("mailer.example.net", "m"))}, 19)...)
		}, isAligned, 1},
		{"twenty of others above ours", func(r *dkimRig) []testmail.DKIM {
			return append([]testmail.DKIM{r.signer("example.org", "s1")},
				slices.Repeat([]testmail.DKIM{r.signer("mailer.example.net", "m")}, 20)...)
		}, isForeign, 1},
	}
	base := newDKIMRig()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := base.again()
			m := letter("example.org")
			for _, d := range tt.sign(r) {
				m = d.Sign(m)
			}
			f := r.expect(t, m, tt.want)
			keys := slices.DeleteFunc(slices.Clone(r.asked), func(name string) bool { return strings.HasPrefix(name, "_dmarc.") })
			if len(keys) != tt.keys || f.queries != len(r.asked) {
				t.Errorf("asked %q, %d counted, want %d keys", r.asked, f.queries, tt.keys)
			}
			if len(f.signatures) > 20 {
				t.Errorf("%d signatures looked at", len(f.signatures))
			}
		})
	}
}

// TestDKIMOfSignatures: a signature that covers another one.
func TestDKIMOfSignatures(t *testing.T) {
	r := newDKIMRig()
	inner := r.signer("mailer.example.net", "m")
	outer := r.signer("example.org", "s1")
	outer.Headers = []string{"From", "To", "DKIM-Signature"}
	m := outer.Sign(inner.Sign(letter("example.org")))
	f := r.expect(t, m, isAligned)
	if !f.aligned.covers("DKIM-Signature") {
		t.Error("does not cover the other signature")
	}
	// A later hop signs too, above; that one is not covered, nor in the way.
	f = r.expect(t, inner.Sign(m), isAligned)
	if f.aligned.covers("DKIM-Signature") {
		t.Error("covers a signature that came later")
	}
	m.Fields[1] += "x" // now the inner one
	r.expect(t, m, isFail)
}

func TestDKIMInternationalDomain(t *testing.T) {
	r := newDKIMRig()
	d := r.signer("xn--bcher-kva.example", "s1")
	published := d.Sign(letter("xn--bcher-kva.example"))
	r.expect(t, published, "aligned xn--bcher-kva.example")
	d.Tags = []string{"d=b\u00fccher.example"}
	r.expect(t, d.Sign(letter("xn--bcher-kva.example")), "aligned xn--bcher-kva.example")
	r.expect(t, d.Sign(letter("b\u00fccher.example")), "aligned xn--bcher-kva.example")
	d.Tags = []string{"d=b\u00fccher\u3002example"}
	r.expect(t, d.Sign(letter("xn--bcher-kva.example")), "aligned xn--bcher-kva.example")
	d.Tags = []string{"d=\u202e.example"}
	r.expect(t, d.Sign(letter("xn--bcher-kva.example")), isPolicy)
}

// TestDKIMDNSTrouble: whatever goes wrong with asking is temporary.
func TestDKIMDNSTrouble(t *testing.T) {
	r := newDKIMRig()
	m := r.signer("example.org", "s1").Sign(letter("example.org"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := r.judgeContext(ctx, m.Bytes())
	if got := f.verdict(); got != isTemp || !errors.Is(f.report.Results[1].Err, context.Canceled) {
		t.Errorf("cancelled: %s, %v", got, f.report.Results[1].Err)
	}
	r.policy.Limits.DNSTime = time.Nanosecond
	if got := r.judge(t, m.Bytes()).verdict(); got != isTemp {
		t.Errorf("no time left: %s", got)
	}
	x := (&Verifier{Policy: DefaultPolicy(), Now: func() time.Time { return rigTime }}).Begin(Envelope{})
	if _, err := x.Write(m.Bytes()); err != nil {
		t.Fatal(err)
	}
	f = newFacts(x)
	checkMessage(t.Context(), f)
	if row := checkDKIM(t.Context(), f); row.Status != TempError || row.Reason != "dkim-temperror" {
		t.Errorf("without anybody to ask: %+v", row)
	}
}

func TestDKIMBudgets(t *testing.T) {
	r := newDKIMRig()
	m := letter("a.example.org")
	m = r.signer("example.org", "s1").Sign(m)
	r.policy.Limits.DNSQueries = 0
	r.expect(t, m, isPolicy)
	r.policy.Limits.DNSQueries = 1 // for the key; DMARC wants more
	r.expect(t, m, "alignment policy dkim-unacceptable")
	r.policy.Limits.DNSQueries = 3
	r.expect(t, m, isAligned)
	r.policy.Limits.PublicKeyOps = 0
	r.expect(t, m, isPolicy)
}

func TestDKIMNothing(t *testing.T) {
	r := newDKIMRig()
	f := r.expect(t, letter("example.org"), isNone)
	if got := f.report.Results[1].Plain; strings.Contains(got, "submission") {
		t.Error(got)
	}
	r.env.Authenticated = true
	f = r.expect(t, letter("example.org"), isNone)
	if got := f.report.Results[1].Plain; !strings.Contains(got, "own users: send through the submission service that signs") {
		t.Error(got)
	}
	if len(r.asked) != 0 {
		t.Errorf("asked %q", r.asked)
	}
}

// TestDKIMOwnUsers: authenticated clients with an author of an own domain are
// accepted whatever DKIM says, and nobody else.
func TestDKIMOwnUsers(t *testing.T) {
	r := newDKIMRig()
	d := r.signer("example.org", "s1")
	spoilt := d
	spoilt.SpoilSignature = true
	m := letter("example.org")
	for _, tt := range []struct {
		name          string
		authenticated bool
		own           []string
		message       testmail.Message
		want          string
	}{
		{"own user", true, []string{"example.net", "Example.ORG"}, m, "aligned"},
		{"own user with DKIM", true, []string{"example.org"}, d.Sign(m), isAligned},
		{"own user with a broken signature", true, []string{"example.org"}, spoilt.Sign(m), "aligned"},
		{"own user with another domain's", true, []string{"example.org"}, r.signer("other.example", "s").Sign(m), "aligned"},
		{"off by default", true, nil, m, isNone},
		{"not authenticated", false, []string{"example.org"}, m, isNone},
		{"authenticated, of another domain", true, []string{"example.net"}, m, isNone},
		{"a domain below an own one", true, []string{"org"}, m, isNone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r.env.Authenticated, r.policy.OwnDomains = tt.authenticated, tt.own
			f := r.expect(t, tt.message, tt.want)
			marked := slices.Contains(f.report.Result("alignment").Props, Prop{"policy.own-domain", "example.org"})
			if marked != (tt.want == "aligned") {
				t.Errorf("marked: %v", marked)
			}
		})
	}
}

// TestDKIMNotAsked: without an author or without the whole body there is
// nothing to ask, even where every row is.
func TestDKIMNotAsked(t *testing.T) {
	r := newDKIMRig()
	m := r.signer("example.org", "s1").Sign(letter("example.org"))
	for name, message := range map[string]testmail.Message{
		"no author": m.Set("From: nobody"),
		"too big":   {Fields: m.Fields, Body: make([]byte, DefaultPolicy().Limits.Message)},
	} {
		x := (&Verifier{Policy: r.policy, Now: func() time.Time { return r.at }, TXT: r.zone.TXT, All: true}).Begin(Envelope{})
		if _, err := x.Write(message.Bytes()); err != nil {
			t.Fatal(err)
		}
		report := x.Report(t.Context())
		for _, check := range []string{"dkim", "alignment"} {
			if row := report.Result(check); row.Status != None || row.Reason != "" {
				t.Errorf("%s: %+v", name, row)
			}
		}
	}
}
