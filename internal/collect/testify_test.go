package collect

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/trust"
)

// witness writes down what it hears.
type witness struct {
	heard  []string
	panics bool
}

func (w *witness) Accepted(_ trust.Path, checked bool, _ time.Time) {
	if w.panics {
		panic("fault for the test")
	}
	w.heard = append(w.heard, fmt.Sprint("accepted ", checked))
}

func (w *witness) Refused(c *x509.Certificate, reason, domain string, _ time.Time) {
	w.heard = append(w.heard, "refused "+c.Subject.CommonName+" "+reason+" "+domain)
}

func (w *witness) Withdrawn(address string) { w.heard = append(w.heard, "withdrawn "+address) }

func TestWitness(t *testing.T) {
	unchecked := accepted(t)
	unchecked.Unchecked = true
	refused := func(reason string, chain ...*x509.Certificate) *verify.Report {
		r := verdict("chain", verify.Fail, reason)
		r.Refusal = &trust.Refusal{Reason: reason, Chain: chain}
		return r
	}
	alice := accepted(t).Signer
	for name, c := range map[string]struct {
		report *verify.Report
		change store.Change
		set    func(*Settings)
		heard  string
	}{
		"accepted":            {report: accepted(t), heard: "accepted true"},
		"accepted unchecked":  {report: unchecked, heard: "accepted false"},
		"not kept after all":  {report: accepted(t), change: store.Change{Kind: store.Blocked, Reason: "cert-blocked"}},
		"accepted in observe": {report: accepted(t), set: func(s *Settings) { s.Observe = true }},
		"unknown issuer":      {report: refused("cert-untrusted", alice), heard: "refused Alice cert-untrusted example.org"},
		"incomplete":          {report: refused("cert-incomplete", alice), heard: "refused Alice cert-incomplete example.org"},
		"observed all the same": {report: refused("cert-untrusted", alice), set: func(s *Settings) { s.Observe = true },
			heard: "refused Alice cert-untrusted example.org"},
		"no path at all": {report: refused("cert-untrusted")},
		"expired":        {report: refused("cert-expired", alice)},
		"revoked":        {report: verdict("revocation", verify.Fail, "cert-revoked"), heard: "withdrawn alice@example.org"},
		"suspended":      {report: verdict("revocation", verify.Fail, "cert-hold"), heard: "withdrawn alice@example.org"},
		"no answer":      {report: verdict("revocation", verify.TempError, "cert-revocation-unknown")},
		"no DKIM":        {report: verdict("dkim", verify.None, "dkim-none")},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			w := &witness{}
			s := settings(&keeper{change: c.change}, &log)
			s.Witness = w
			if c.set != nil {
				c.set(&s)
			}
			begin(s, verify.Envelope{Recipients: []string{ours}}, &exam{report: c.report}).End(context.Background())
			want := []string{c.heard}
			if c.heard == "" {
				want = nil
			}
			if !slices.Equal(w.heard, want) {
				t.Errorf("heard %q, want %q", w.heard, want)
			}
		})
	}
}

// TestWitnessFault: what the witness does changes no decision.
func TestWitnessFault(t *testing.T) {
	var log bytes.Buffer
	s := settings(&keeper{change: store.Change{Kind: store.Added}}, &log)
	s.Witness = &witness{panics: true}
	out := begin(s, verify.Envelope{Recipients: []string{ours}}, &exam{report: accepted(t)}).End(context.Background())
	if out.Action != Keep || out.Reply.Code != 250 || !strings.Contains(log.String(), "fault for the test") {
		t.Errorf("%+v\n%s", out, log.String())
	}
}

// TestEntryOfAnswers: what the CAs said becomes part of the entry.
func TestEntryOfAnswers(t *testing.T) {
	r := accepted(t)
	noon := r.At
	r.Path.Anchor.Public = true
	r.Revocations = []verify.Revocation{
		{Serial: "7", Status: verify.Good, Method: "crl", Source: "http://crl.example/a.crl", Produced: noon, NextUpdate: noon.Add(48 * time.Hour), Detail: "not on the list"},
		{Serial: "8", Status: verify.Good, Method: "ocsp", Source: "http://ocsp.example/", Produced: noon, NextUpdate: noon.Add(5 * time.Hour), Answer: []byte{0x30, 0}},
		{Serial: "9", Status: verify.Unknown, NextUpdate: noon.Add(time.Hour)},
	}
	r.Unchecked, r.Awaited = true, true
	e, err := entry(r, verify.Envelope{ID: "ref"})
	if err != nil {
		t.Fatal(err)
	}
	if e.Private || !e.Withhold || !e.Unchecked || !e.AskAgain.Equal(noon.Add(5*time.Hour)) {
		t.Errorf("private %v, withhold %v, unchecked %v, ask again %v", e.Private, e.Withhold, e.Unchecked, e.AskAgain)
	}
	docs := map[string]string{}
	for _, d := range e.Evidence {
		docs[d.Name] = string(d.Bytes)
	}
	if !strings.Contains(docs["revocation.txt"], "good for serial 7 by crl http://crl.example/a.crl, of 2026-03-02T12:00:00Z, until 2026-03-04T12:00:00Z: not on the list") ||
		docs["ocsp-1.der"] != "0\x00" {
		t.Errorf("%q", docs)
	}
	var log bytes.Buffer
	s := settings(&keeper{change: store.Change{Kind: store.Added}}, &log)
	begin(s, verify.Envelope{ID: "ref", Recipients: []string{ours}}, &exam{report: r}).End(context.Background())
	if !strings.Contains(log.String(), "ref:     answer: good for serial 8 by ocsp http://ocsp.example/") {
		t.Errorf("the log does not say what the CAs said:\n%s", log.String())
	}
}
