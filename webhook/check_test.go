package webhook_test

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/webhook"
)

func TestCheckKeeps(t *testing.T) {
	r := start(t, nil)
	sender := "alice@example.org"
	want := reportOf(t, r, r.honest.Message, verify.Envelope{Sender: &sender, Client: "192.0.2.1", Recipients: []string{ours}})
	var first result
	for i, c := range []struct {
		query   string
		message []byte
		fields  []string
	}{
		{"?rcpt=" + ours + "&sender=alice@example.org&client=192.0.2.1", r.honest.Message, nil},
		{"", r.honest.Message, []string{"X-Certinbox-Rcpt: " + ours, "X-Certinbox-Sender: <alice@example.org>", "X-Certinbox-Client: 192.0.2.1"}},
		{"?rcpt=" + url.QueryEscape("<"+ours+">") + "&sender=alice@example.org", r.honest.Message, []string{"X-Certinbox-Client: 192.0.2.1", "Content-Type: application/octet-stream"}},
		{"?rcpt=" + ours + "&sender=alice@example.org&keep=1&after_queue=0", bytes.ReplaceAll(r.honest.Message, []byte("\r\n"), []byte("\n")), []string{"Content-Type: "}},
	} {
		got := r.check(c.query, c.message, c.fields...)
		a := got.one
		if got.status != 200 || a.Verdict != "accept" || a.Action != "keep" || a.Code != 250 || a.Enhanced != "2.0.0" || !a.Deliver || a.Reference == "" {
			t.Fatalf("%d: %d %s", i, got.status, got.text)
		}
		if string(a.Report) != want {
			t.Errorf("%d: the report differs:\n%s\n%s", i, a.Report, want)
		}
		if i == 0 {
			first = got
		} else if got.text != first.text {
			t.Errorf("the same message again: %s, at first %s", got.text, first.text)
		}
	}
	if r.entries() != 1 {
		t.Errorf("%d entries", r.entries())
	}
	if log := r.log.String(); !strings.Contains(log, "via=check client=192.0.2.1 sender=<alice@example.org>") || !strings.Contains(log, "path=/v1/check status=200 events=1 kept=1") {
		t.Error(log)
	}
}

func TestCheckVerdicts(t *testing.T) {
	unsigned := message(t, "demo-09-unsigned").Message
	for name, c := range map[string]struct {
		query  string
		good   bool
		silent bool // DNS
		want   string
		code   int
		not    bool // delivered
		text   string
	}{
		"refused":                  {query: "?rcpt=" + ours, want: "reject reject smime-none", code: 550, not: true, text: "is not signed with S/MIME"},
		"refused, after the queue": {query: "?rcpt=" + ours + "&after_queue=1", want: "reject swallow smime-none", code: 250, not: true},
		"put off":                  {query: "?rcpt=" + ours, good: true, silent: true, want: "defer defer dkim-temperror", code: 451, not: true},
		"put off, after the queue": {query: "?rcpt=" + ours + "&after_queue=1", good: true, silent: true, want: "defer defer dkim-temperror", code: 451, not: true},
		"trial":                    {query: "?keep=0&rcpt=" + ours, good: true, want: "accept pass ", code: 250},
		"trial of a bad one":       {query: "?keep=0&rcpt=" + ours, want: "reject reject smime-none", code: 550, not: true},
		"for others":               {query: "?rcpt=bob@example.com&rcpt=carol@example.com", want: "ignored pass ", code: 250, text: "Not for a collection address."},
		"mixed":                    {query: "?rcpt=bob@example.com&rcpt=" + ours, want: "reject swallow mixed-dropped", code: 250, not: true},
		"mixed and good":           {query: "?rcpt=bob@example.com&rcpt=" + ours, good: true, want: "accept keep ", code: 250},
		"misspelt":                 {query: "?rcpt=bob@example.com&rcpt=" + url.QueryEscape(`sec\ureme@example.com`), good: true, want: "reject reject recipient-syntax", code: 550, not: true},
		"misspelt, after the queue": {query: "?after_queue=1&rcpt=" + url.QueryEscape("x(secureme@example.com"), good: true,
			want: "reject swallow recipient-syntax", code: 250, not: true},
		"quoted": {query: "?keep=0&rcpt=" + url.QueryEscape(`"secureme"@example.com`), good: true, want: "accept pass ", code: 250},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, nil)
			r.dnsFails.Store(c.silent)
			m := unsigned
			if c.good {
				m = r.honest.Message
			}
			got := r.check(c.query+"&id=1tXy-0001", m)
			a := got.one
			if is := a.Verdict + " " + a.Action + " " + a.Reason; got.status != 200 || is != c.want || a.Code != c.code || a.Deliver == c.not || !strings.Contains(a.Text, c.text) {
				t.Errorf("%d %s: %s", got.status, is, got.text)
			}
			judged := a.Verdict != "ignored" && a.Reason != "recipient-syntax"
			if judged != (a.Reference == "1tXy-0001") || judged != (len(a.Report) > 0) {
				t.Errorf("reference %q, report %t", a.Reference, len(a.Report) > 0)
			}
			if kept := r.entries() > 0; kept != (a.Action == "keep") {
				t.Errorf("%s, kept: %t", a.Action, kept)
			}
		})
	}
}

func TestCheckIsAskedWrongly(t *testing.T) {
	r := start(t, nil)
	m := r.honest.Message
	many := strings.Repeat("&rcpt=a@example.com", 1001)
	for name, c := range map[string]struct {
		query   string
		fields  []string
		message []byte
		status  int
		text    string
	}{
		"no recipient":      {"", nil, m, 400, "rcpt is missing"},
		"empty recipient":   {"?rcpt=", nil, m, 400, "rcpt is missing"},
		"unknown key":       {"?rcpt=" + ours + "&sendr=x", nil, m, 400, `unknown key "sendr"`},
		"unknown field":     {"?rcpt=" + ours, []string{"X-Certinbox-Recipient: x"}, m, 400, "unknown field X-Certinbox-Recipient"},
		"said twice":        {"?rcpt=" + ours + "&id=a", []string{"X-Certinbox-Id: b"}, m, 400, "id is said in the query and in a field"},
		"twice":             {"?rcpt=" + ours + "&id=a&id=b", nil, m, 400, "id is there 2 times"},
		"too many":          {"?rcpt=" + ours + many, nil, m, 400, "rcpt is there 1002 times"},
		"too long":          {"?rcpt=" + ours + "&sender=" + strings.Repeat("a", 1025), nil, m, 400, "sender has 1025 bytes"},
		"client":            {"?rcpt=" + ours + "&client=localhost", nil, m, 400, `client "localhost" is not an IP address`},
		"flag":              {"?rcpt=" + ours + "&keep=no", nil, m, 400, "keep is to be 0 or 1"},
		"empty flag":        {"?rcpt=" + ours + "&authenticated=", nil, m, 400, "authenticated is to be 0 or 1"},
		"query":             {"?rcpt=%zz", nil, m, 400, "the query cannot be read"},
		"empty body":        {"?rcpt=" + ours, nil, nil, 400, "the body is empty"},
		"type of a form":    {"?rcpt=" + ours, []string{"Content-Type: application/x-www-form-urlencoded"}, m, 415, "message/rfc822"},
		"compressed":        {"?rcpt=" + ours, []string{"Content-Encoding: br"}, m, 415, "Content-Encoding"},
		"without the token": {"?rcpt=" + ours, []string{"X-MessageSystems-Webhook-Token: "}, m, 401, "credential"},
	} {
		t.Run(name, func(t *testing.T) {
			got := r.check(c.query, c.message, c.fields...)
			if got.status != c.status || !strings.Contains(got.err, c.text) {
				t.Errorf("%d %s", got.status, got.text)
			}
		})
	}
	if r.entries() != 0 || r.server.Held() != 0 {
		t.Errorf("%d entries, %d bytes held", r.entries(), r.server.Held())
	}
}

// TestCheckEnvelope: what is said of the message arrives at the judgement.
func TestCheckEnvelope(t *testing.T) {
	submission := message(t, "alignment-own-user")
	v, err := submission.Verifier()
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, func(_ *webhook.Config, s *collect.Settings) {
		s.Verifier = v
		s.Relays = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
	})
	if got := r.check("?rcpt="+ours+"&authenticated=1&tls_version=TLSv1.3&tls_cipher=x", submission.Message); got.one.Action != "keep" {
		t.Error(got.text)
	}
	if got := r.check("?rcpt="+ours+"&authenticated=0", submission.Message); got.one.Action != "reject" {
		t.Error(got.text)
	}
	if got := r.check("?rcpt="+ours+"&client=203.0.113.7", submission.Message); got.one.Action != "swallow" {
		t.Error(got.text)
	}
	for _, null := range []string{"&sender=", "&sender=%3C%3E"} {
		if got := r.check("?authenticated=1&rcpt="+ours+null, submission.Message); got.one.Reason != "auto-submitted" {
			t.Errorf("the null sender as %s: %s", null, got.text)
		}
	}
	if log := r.log.String(); !strings.Contains(log, "tls=TLSv1.3") {
		t.Error(log)
	}
}

// TestReportIsFoundLater: what an answer calls a message is what `why` finds.
func TestReportIsFoundLater(t *testing.T) {
	r := start(t, nil)
	unsigned := message(t, "demo-09-unsigned").Message
	ring, err := r.kept.Reports()
	if err != nil {
		t.Fatal(err)
	}
	references := []string{r.post(array(event(ours, unsigned))).events[0].Reference, r.check("?id=a/b:c&rcpt="+ours, unsigned).one.Reference}
	for _, ref := range references {
		stored, err := ring.Get(ref)
		if err != nil {
			t.Fatal(ref, err)
		}
		var v struct{ ID, Action string }
		if err := json.Unmarshal(stored.JSON, &v); err != nil || v.ID != ref || !slices.Contains([]string{"swallow", "reject"}, v.Action) {
			t.Errorf("%s: %+v %v", ref, v, err)
		}
	}
	if references[1] != "abc" {
		t.Errorf("%q", references)
	}
	if trial := r.check("?keep=0&rcpt="+ours, unsigned).one.Reference; trial == references[0] || trial == r.check("?rcpt="+ours, unsigned).one.Reference {
		t.Errorf("a trial is called %s, as what was decided: its report takes that one's place", trial)
	}
}
