package collect

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/trust"
)

const (
	ours  = "<secureme@example.com>"
	other = "<bob@example.com>"
)

// verdict builds a report whose named row has a status and a reason. Without
// a row, everything passes.
func verdict(row string, status verify.Status, reason string) *verify.Report {
	r := &verify.Report{At: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), Author: "alice@example.org"}
	asked := true
	for _, c := range verify.Checks() {
		res := verify.Result{Check: c, Status: verify.Pass, Detail: "holds"}
		switch {
		case !asked:
			res = verify.Result{Check: c, Status: verify.None, Detail: "not reached"}
		case c == row:
			res = verify.Result{Check: c, Status: status, Reason: reason, Detail: "does not hold", Plain: "It does not hold"}
			asked = false
		}
		r.Results = append(r.Results, res)
	}
	return r
}

// accepted is a report with all that an Entry needs.
func accepted(t *testing.T) *verify.Report {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Alice"}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	r := verdict("", "", "")
	r.Signer, r.Encryption, r.Chosen, r.Bound = c, c, "signer", "domain"
	r.Path = trust.Path{Chain: []*x509.Certificate{c, c}, Anchor: &trust.Anchor{Certificate: c, Source: "ca.pem"}}
	r.Evidence = verify.Evidence{Signed: []byte("From: alice@example.org\r\n"), CMS: []byte{0x30, 0}, TXT: []string{"k._domainkey.example.org TXT v=DKIM1"}, Policy: "alignment=relaxed"}
	return r
}

// exam is an examination whose report is known beforehand.
type exam struct {
	report  *verify.Report
	explode bool
	written int
}

func (e *exam) Expect(int) {}

func (e *exam) Write(p []byte) (int, error) { e.written += len(p); return len(p), nil }

func (e *exam) Report(context.Context) *verify.Report {
	if e.explode {
		panic("fault for the test")
	}
	return e.report
}

type keeper struct {
	change store.Change
	err    error
	put    []store.Entry
	panics bool
}

func (k *keeper) Put(_ context.Context, e store.Entry) (store.Change, error) {
	if k.panics {
		panic("fault for the test")
	}
	k.put = append(k.put, e)
	return k.change, k.err
}

// settings are usable ones, with the log in out.
func settings(k Keeper, out *bytes.Buffer) Settings {
	p := verify.DefaultPolicy()
	p.Collect = []string{"secureme@example.com"}
	return Settings{
		Verifier: &verify.Verifier{Policy: p, Now: func() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }},
		Keeper:   k, Log: NewLog(out, "human", "info"), Refuse: RefuseAll, Judged: 16, InFlight: 256 << 20,
	}
}

func begin(s Settings, env verify.Envelope, e examination) *Intake {
	i := New(s).Begin(env)
	i.exam = e
	return i
}

func TestDecision(t *testing.T) {
	relays := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	added := store.Change{Kind: store.Added, Files: []string{"/var/lib/certinbox/certs/alice@example.org.crt"}}
	full := fmt.Errorf("store: write: %w", store.ErrFull)
	tests := []struct {
		name    string
		set     func(*Settings)
		report  *verify.Report // nil: accepted
		rcpt    []string
		change  store.Change
		err     error
		action  Action
		reason  string
		code    int
		deliver bool
		puts    int
	}{
		{name: "good", change: added, action: Keep, code: 250, deliver: true, puts: 1},
		{name: "good, discard", set: func(s *Settings) { s.Discard = true }, change: added, action: Keep, code: 250, puts: 1},
		{name: "good, observe", set: func(s *Settings) { s.Observe = true }, action: Pass, code: 250, deliver: true},
		{name: "good, mixed", rcpt: []string{ours, other}, change: added, action: Keep, code: 250, deliver: true, puts: 1},
		{name: "good, refuse none", set: func(s *Settings) { s.Refuse = RefuseNone }, change: added, action: Keep, code: 250, deliver: true, puts: 1},
		{name: "blocked", change: store.Change{Kind: store.Blocked, Reason: "cert-blocked"}, action: Reject, reason: "cert-blocked", code: 550, puts: 1},
		{name: "blocked, mixed", rcpt: []string{ours, other}, change: store.Change{Kind: store.Blocked, Reason: "cert-blocked"}, action: Swallow, reason: "mixed-dropped", code: 250, puts: 1},
		{name: "rate", change: store.Change{Reason: "rate-limited"}, action: Defer, reason: "rate-limited", code: 451, puts: 1},
		{name: "full", err: full, action: Defer, reason: "store-full", code: 452, puts: 1},
		{name: "full, said both ways", err: full, change: store.Change{Reason: "store-full"}, action: Defer, reason: "store-full", code: 452, puts: 1},
		{name: "full, refuse none", set: func(s *Settings) { s.Refuse = RefuseNone }, err: full, action: Defer, reason: "store-full", code: 452, puts: 1},
		{name: "disk broken", err: errors.New("input/output error"), action: Defer, reason: "internal", code: 451, puts: 1},
		{name: "disk broken, mixed", rcpt: []string{other, ours}, err: errors.New("input/output error"), action: Swallow, reason: "mixed-dropped", code: 250, puts: 1},

		{name: "forged", report: verdict("dkim", verify.Fail, "dkim-fail"), action: Reject, reason: "dkim-fail", code: 550},
		{name: "forged, observe", set: func(s *Settings) { s.Observe = true }, report: verdict("dkim", verify.Fail, "dkim-fail"), action: Pass, reason: "dkim-fail", code: 250, deliver: true},
		{name: "forged, refuse signed", set: func(s *Settings) { s.Refuse = RefuseSigned }, report: verdict("dkim", verify.Fail, "dkim-fail"), action: Reject, reason: "dkim-fail", code: 550},
		{name: "forged, refuse none", set: func(s *Settings) { s.Refuse = RefuseNone }, report: verdict("dkim", verify.Fail, "dkim-fail"), action: Pass, reason: "dkim-fail", code: 250, deliver: true},
		{name: "forged, mixed", rcpt: []string{ours, other}, report: verdict("dkim", verify.Fail, "dkim-fail"), action: Swallow, reason: "mixed-dropped", code: 250},
		{name: "forged, relay", set: func(s *Settings) { s.Relays = relays }, report: verdict("dkim", verify.Fail, "dkim-fail"), action: Swallow, reason: "dkim-fail", code: 250},
		{name: "forged, relay, observe", set: func(s *Settings) { s.Relays = relays; s.Observe = true }, report: verdict("dkim", verify.Fail, "dkim-fail"), action: Pass, reason: "dkim-fail", code: 250, deliver: true},

		{name: "unsigned", report: verdict("structure", verify.None, "smime-none"), action: Reject, reason: "smime-none", code: 550},
		{name: "unsigned, refuse signed", set: func(s *Settings) { s.Refuse = RefuseSigned }, report: verdict("structure", verify.None, "smime-none"), action: Pass, reason: "smime-none", code: 250, deliver: true},
		{name: "PGP, refuse signed", set: func(s *Settings) { s.Refuse = RefuseSigned }, report: verdict("structure", verify.None, "smime-pgp"), action: Pass, reason: "smime-pgp", code: 250, deliver: true},
		{name: "private key, refuse signed", set: func(s *Settings) { s.Refuse = RefuseSigned }, report: verdict("structure", verify.Fail, "private-key"), action: Reject, reason: "private-key", code: 550},
		{name: "too big, refuse signed", set: func(s *Settings) { s.Refuse = RefuseSigned }, report: verdict("message", verify.Fail, "too-big"), action: Reject, reason: "too-big", code: 552},

		{name: "DNS down", report: verdict("dkim", verify.TempError, "dkim-temperror"), action: Defer, reason: "dkim-temperror", code: 451},
		{name: "DNS down, relay", set: func(s *Settings) { s.Relays = relays }, report: verdict("dkim", verify.TempError, "dkim-temperror"), action: Defer, reason: "dkim-temperror", code: 451},
		{name: "DNS down, mixed", rcpt: []string{ours, other}, report: verdict("dkim", verify.TempError, "dkim-temperror"), action: Swallow, reason: "mixed-dropped", code: 250},
		{name: "DNS down, observe", set: func(s *Settings) { s.Observe = true }, report: verdict("dkim", verify.TempError, "dkim-temperror"), action: Pass, reason: "dkim-temperror", code: 250, deliver: true},
		{name: "DNS down, refuse none", set: func(s *Settings) { s.Refuse = RefuseNone }, report: verdict("dkim", verify.TempError, "dkim-temperror"), action: Pass, reason: "dkim-temperror", code: 250, deliver: true},

		{name: "no rows", report: &verify.Report{}, action: Defer, reason: "internal", code: 451},
		{name: "clock", set: func(s *Settings) { s.NotBefore = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC) }, action: Defer, reason: "clock", code: 451},
		{name: "clock, refuse none", set: func(s *Settings) {
			s.Refuse = RefuseNone
			s.NotBefore = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
		}, action: Defer, reason: "clock", code: 451},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := &keeper{change: tt.change, err: tt.err}
			var out bytes.Buffer
			s := settings(k, &out)
			if tt.set != nil {
				tt.set(&s)
			}
			if tt.report == nil {
				tt.report = accepted(t)
			}
			if tt.rcpt == nil {
				tt.rcpt = []string{ours}
			}
			i := begin(s, verify.Envelope{ID: "4bXyZ1", Via: "milter", Client: "192.0.2.7", Recipients: tt.rcpt, Mixed: slices.Contains(tt.rcpt, other)}, &exam{report: tt.report})
			got := i.End(t.Context())
			if got.Action != tt.action || got.Reason != tt.reason || got.Reply.Code != tt.code || got.Deliver != tt.deliver {
				t.Errorf("got %s %q %d deliver=%v, want %s %q %d deliver=%v", got.Action, got.Reason, got.Reply.Code, got.Deliver, tt.action, tt.reason, tt.code, tt.deliver)
			}
			if len(k.put) != tt.puts {
				t.Errorf("%d entries were kept, want %d", len(k.put), tt.puts)
			}
			if again := i.End(t.Context()); again.Action != got.Action || len(k.put) != tt.puts {
				t.Errorf("a second End answered %s and kept %d", again.Action, len(k.put))
			}
			for line := range strings.Lines(out.String()) {
				if !strings.HasPrefix(line, "4bXyZ1: ") {
					t.Errorf("log line without queue id: %q", line)
				}
			}
			if out.Len() == 0 {
				t.Error("nothing was logged")
			}
		})
	}
}

func TestFaultsOfOursDefer(t *testing.T) {
	for _, observe := range []bool{false, true} {
		want := Defer
		if observe { // a trial must not touch mail, whatever happens
			want = Pass
		}
		for name, i := range map[string]*Intake{
			"verifier": faulty(t, observe, &keeper{}, &exam{explode: true}),
			"keeper":   faulty(t, observe, &keeper{panics: true}, &exam{report: accepted(t)}),
			"no path":  faulty(t, observe, &keeper{}, &exam{report: verdict("", "", "")}),
		} {
			got := i.End(t.Context())
			if observe && name != "verifier" {
				continue // nothing is kept: not reached
			}
			if got.Action != want || got.Reason != "internal" {
				t.Errorf("%s, observe=%v: %s %s, want %s internal", name, observe, got.Action, got.Reason, want)
			}
			if got.Action == Defer && (got.Reply.Code != 451 || got.Reply.Enhanced != "4.3.0") {
				t.Errorf("%s: replied %s", name, got.Reply)
			}
		}
	}
}

func faulty(t *testing.T, observe bool, k Keeper, e examination) *Intake {
	t.Helper()
	s := settings(k, &bytes.Buffer{})
	s.Observe = observe
	return begin(s, verify.Envelope{Recipients: []string{ours}}, e)
}

func TestPanicLogsTheStack(t *testing.T) {
	var out bytes.Buffer
	i := begin(settings(&keeper{}, &out), verify.Envelope{ID: "4b", Recipients: []string{ours}}, &exam{explode: true})
	i.End(t.Context())
	if !strings.Contains(out.String(), "fault for the test") || !strings.Contains(out.String(), "decide_test.go") {
		t.Errorf("the log does not lead to the fault:\n%s", out.String())
	}
}

func TestAbortThenEnd(t *testing.T) {
	k := &keeper{}
	var out bytes.Buffer
	i := begin(settings(k, &out), verify.Envelope{Recipients: []string{ours}}, &exam{report: accepted(t)})
	i.Write([]byte("Subject: x\r\n"))
	i.Abort()
	if got := i.End(t.Context()); got.Action != Defer || len(k.put) != 0 || out.Len() != 0 {
		t.Errorf("after Abort: %s, %d kept, log %q", got.Action, len(k.put), out.String())
	}
}

func TestEntry(t *testing.T) {
	k := &keeper{change: store.Change{Kind: store.Added}}
	r := accepted(t)
	r.Author, r.Spelling = "alice@example.org", "Alice@example.org"
	i := begin(settings(k, &bytes.Buffer{}), verify.Envelope{Via: "milter", Recipients: []string{ours}}, &exam{report: r})
	i.SetID("4bQ")
	i.End(t.Context())
	if len(k.put) != 1 {
		t.Fatalf("kept %d", len(k.put))
	}
	e := k.put[0]
	if e.Address != "alice@example.org" || e.Spelling != "Alice@example.org" || e.Reference != "4bQ" || e.Via != "milter" {
		t.Errorf("entry for %q (%q), reference %q via %q", e.Address, e.Spelling, e.Reference, e.Via)
	}
	if !bytes.Equal(e.Certificate, r.Encryption.Raw) || len(e.Chain) != 1 || e.AnchorSource != "ca.pem" {
		t.Error("certificate, chain or anchor is not that of the report")
	}
	names := map[string]bool{}
	for _, d := range e.Evidence {
		if names[d.Name] = true; len(d.Bytes) == 0 {
			t.Errorf("evidence %s is empty", d.Name)
		}
	}
	for _, want := range []string{"header.txt", "dns.txt", "digests.txt", "policy.txt", "clock.txt", store.CMSDocument} {
		if !names[want] {
			t.Errorf("evidence %s is missing", want)
		}
	}
	if !bytes.HasPrefix(e.Report, []byte("{")) {
		t.Error("the report is not JSON")
	}
}

func TestReloadDoesNotTouchMessagesInProgress(t *testing.T) {
	s := settings(&keeper{}, &bytes.Buffer{})
	c := New(s)
	before := c.Begin(verify.Envelope{Recipients: []string{ours}})
	before.exam = &exam{report: verdict("dkim", verify.Fail, "dkim-fail")}
	s.Observe, s.AuthservID = true, "mx.example.net"
	c.Set(s)
	after := c.Begin(verify.Envelope{Recipients: []string{ours}})
	after.exam = &exam{report: verdict("dkim", verify.Fail, "dkim-fail")}
	if got := before.End(t.Context()).Action; got != Reject {
		t.Errorf("the message begun before the reload: %s, want reject", got)
	}
	if got := after.End(t.Context()).Action; got != Pass {
		t.Errorf("the message begun after the reload: %s, want pass", got)
	}
	if before.AuthservID() != "" || after.AuthservID() != "mx.example.net" {
		t.Errorf("authserv-ids %q and %q", before.AuthservID(), after.AuthservID())
	}
}
