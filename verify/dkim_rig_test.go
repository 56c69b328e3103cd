package verify

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
)

// rigTime is the clock of these tests.
var rigTime = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// A dkimRig is a message on its way to the rows dkim and alignment.
type dkimRig struct {
	keys   *testmail.Keys
	zone   testmail.Zone
	policy Policy
	env    Envelope
	at     time.Time
	asked  []string // DNS questions, in order
}

func newDKIMRig() *dkimRig {
	return &dkimRig{keys: testmail.NewKeys(), zone: testmail.Zone{}, policy: DefaultPolicy(), at: rigTime}
}

// again returns a fresh rig with the keys of r, which take a while to make.
func (r *dkimRig) again() *dkimRig {
	fresh := newDKIMRig()
	fresh.keys = r.keys
	return fresh
}

// signer returns a signer whose key record is in the zone.
func (r *dkimRig) signer(domain, selector string, recordTags ...string) testmail.DKIM {
	d := r.unpublished(domain, selector)
	r.zone.Add(d.Name(), d.Record(recordTags...))
	return d
}

func (r *dkimRig) unpublished(domain, selector string) testmail.DKIM {
	return testmail.DKIM{Domain: domain, Selector: selector, Key: r.keys.Key("rsa1024", domain)}
}

// letter is an ordinary message by anna@author.
func letter(author string) testmail.Message {
	return testmail.Message{Fields: []string{
		"From: Anna <anna@" + author + ">",
		"To: collect@example.com",
		"Subject: my  certificate",
		"Date: Fri, 20 Nov 2026 11:59:00 +0000",
		"Message-ID: <1@" + author + ">",
		"MIME-Version: 1.0",
		"Content-Type: text/plain",
	}, Body: []byte("Hello,\r\n\r\nthis is  mine. \r\n\r\n")}
}

// judge asks the first, third and fourth row, as Report would.
func (r *dkimRig) judge(t *testing.T, message []byte) *facts {
	t.Helper()
	return r.judgeContext(t.Context(), message)
}

func (r *dkimRig) judgeContext(ctx context.Context, message []byte) *facts {
	v := &Verifier{Policy: r.policy, Now: func() time.Time { return r.at }}
	v.TXT = func(ctx context.Context, name string) ([]string, error) {
		r.asked = append(r.asked, name)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return r.zone.TXT(ctx, name)
	}
	x := v.Begin(r.env)
	if _, err := x.Write(message); err != nil {
		panic(err)
	}
	f := newFacts(x)
	for _, c := range table() {
		if c.name != "message" && c.name != "dkim" && c.name != "alignment" {
			continue
		}
		row := notReached()
		if f.asks(c.name) {
			row = c.ask(ctx, f)
		}
		row.Check = c.name
		f.report.Results = append(f.report.Results, row)
	}
	return f
}

// verdict is the first row that does not hold: "check status reason". It is
// "aligned d=" if all hold.
func (f *facts) verdict() string {
	if d := f.report.Decisive(); d != nil {
		return d.Check + " " + string(d.Status) + " " + d.Reason
	}
	if f.aligned == nil {
		return "aligned"
	}
	return "aligned " + f.aligned.domain
}

// expect judges a message and compares.
func (r *dkimRig) expect(t *testing.T, m testmail.Message, want string) *facts {
	t.Helper()
	f := r.judge(t, m.Bytes())
	if got := f.verdict(); got != want {
		t.Errorf("%s, want %s; %+v", got, want, f.report.Results)
	}
	for _, row := range f.report.Results {
		checkSafe(t, row)
	}
	return f
}

// checkSafe holds that a row says something if it refuses, and nothing that
// could break a line.
func checkSafe(t *testing.T, row Result) {
	t.Helper()
	if row.Detail == "" {
		t.Errorf("row %s says nothing", row.Check)
	}
	for _, s := range []string{row.Detail, row.Plain} {
		if strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' }) {
			t.Errorf("row %s says %q", row.Check, s)
		}
	}
	for _, p := range row.Props {
		if strings.ContainsFunc(p.Value, func(c rune) bool { return c <= ' ' || c > '~' }) && p.Name != "policy.key-weak" {
			t.Errorf("row %s has %s %q", row.Check, p.Name, p.Value)
		}
	}
}
