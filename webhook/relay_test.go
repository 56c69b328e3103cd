package webhook_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/webhook"
)

func TestRelayKeeps(t *testing.T) {
	r := start(t, nil)
	sender := "alice@example.org"
	want := reportOf(t, r, r.honest.Message, verify.Envelope{Sender: &sender, Recipients: []string{ours}})
	plain := strings.Replace(event(ours, nil), `"email_rfc822_is_base64":true,"email_rfc822":""`, `"email_rfc822":`+quote(string(r.honest.Message)), 1)
	power := `{"msg_from":"alice@example.org","rcpt_to":"` + ours + `","content":{"email_rfc822":` + quote(string(r.honest.Message)) + `}}`
	var first result
	for i, body := range []string{array(event(ours, r.honest.Message)), array(plain), power, event(ours, r.honest.Message)} {
		got := r.post(body)
		if got.status != 200 || len(got.events) != 1 {
			t.Fatalf("%d: %d %s", i, got.status, got.text)
		}
		a := got.events[0]
		if a.Verdict != "accept" || a.Action != "keep" || a.Code != 250 || a.Enhanced != "2.0.0" || a.Recipient != ours || a.Text == "" || a.Reference == "" {
			t.Errorf("%d: %+v", i, a)
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
		t.Errorf("%d entries, want one", r.entries())
	}
	if log := r.log.String(); !strings.Contains(log, "written file") || !strings.Contains(log, first.events[0].Reference+": kept") ||
		!strings.Contains(log, "webhook client=127.0.0.1 method=POST path=/ status=200 events=1 kept=1 bytes=") {
		t.Error(log)
	}
}

func TestRelayStatus(t *testing.T) {
	unsigned, tampered := message(t, "demo-09-unsigned"), message(t, "demo-05-tampered-body")
	r := start(t, nil)
	for name, c := range map[string]struct {
		body   string
		fields []string
		status int
		want   []string // verdict action reason of each event
		text   string   // in the answer
	}{
		"ping":                        {body: `[{"msys":{}}]`, status: 200, text: `{"events":[],"ignored":0}`},
		"nothing":                     {body: `[]`, status: 200},
		"refused":                     {body: array(event(ours, unsigned.Message)), status: 200, want: []string{"reject swallow smime-none"}},
		"refused for other reasons":   {body: array(event(ours, tampered.Message)), status: 200, want: []string{"reject swallow cms-integrity"}},
		"for others":                  {body: array(event("bob@example.com", unsigned.Message)), status: 200, want: []string{"ignored ignored "}, text: `"ignored":1`},
		"for somebody like us":        {body: array(event("<secureme@example.com", unsigned.Message)), status: 200, want: []string{"reject swallow recipient-syntax"}},
		"no mail at all":              {body: array(event(ours, []byte("x"))), status: 200, want: []string{"reject swallow message-malformed"}},
		"type with parameters":        {body: `[]`, fields: []string{"Content-Type: Application/JSON ; charset=utf-8"}, status: 200},
		"identity":                    {body: `[]`, fields: []string{"Content-Encoding: identity"}, status: 200},
		"other type":                  {body: `[]`, fields: []string{"Content-Type: text/plain"}, status: 400, text: `{"message":"Unknown Content-Type in request headers"}`},
		"compressed":                  {body: `[]`, fields: []string{"Content-Encoding: gzip"}, status: 415, text: "Content-Encoding"},
		"compressed twice":            {body: `[]`, fields: []string{"Content-Encoding: identity, gzip"}, status: 415},
		"no JSON":                     {body: `[{"msys"`, status: 400, text: `"message":"byte `},
		"no relay post":               {body: `{"a":1}`, status: 400},
		"lone surrogate":              {body: array(strings.Replace(event(ours, nil), `"email_rfc822":""`, `"email_rfc822":"\ud800"`, 1)), status: 400},
		"no token":                    {body: `[]`, fields: []string{"X-MessageSystems-Webhook-Token: "}, status: 401},
		"damaged base64":              {body: array(strings.Replace(event(ours, nil), `"email_rfc822":""`, `"email_rfc822":"%%%%"`, 1)), status: 400, text: `"message":"byte `},
		"nothing, and a wrong token":  {body: `[]`, fields: []string{"X-MessageSystems-Webhook-Token: nearly"}, status: 401},
		"wrong type, and wrong token": {body: `[]`, fields: []string{"Content-Type: text/plain", "X-MessageSystems-Webhook-Token: nearly"}, status: 401},
	} {
		t.Run(name, func(t *testing.T) {
			got := r.post(c.body, c.fields...)
			var verdicts []string
			for _, a := range got.events {
				verdicts = append(verdicts, a.Verdict+" "+a.Action+" "+a.Reason)
			}
			if got.status != c.status || !slices.Equal(verdicts, c.want) || !strings.Contains(got.text, c.text) {
				t.Errorf("%d %q: %s", got.status, verdicts, got.text)
			}
			if got.header.Get("Content-Type") != "application/json" {
				t.Errorf("the answer is %s", got.header.Get("Content-Type"))
			}
		})
	}
	if r.entries() != 0 {
		t.Errorf("%d entries", r.entries())
	}
	if r.counted.of("ignored ") != 1 || r.counted.of("swallow recipient-syntax") != 1 || r.counted.of("swallow smime-none") != 1 {
		t.Errorf("counted %v", r.counted.n)
	}
}

// TestEventsAreIndependent: bad ones beside good ones change nothing for these.
func TestEventsAreIndependent(t *testing.T) {
	unsigned := message(t, "demo-09-unsigned")
	r := start(t, nil)
	damaged := strings.Replace(event(ours, nil), `"email_rfc822":""`, `"email_rfc822":"%%%%"`, 1)
	got := r.post(array(event(ours, unsigned.Message), damaged, `{"msys":{}}`, event("bob@example.com", unsigned.Message), event(ours, r.honest.Message)))
	var verdicts []string
	for _, a := range got.events {
		verdicts = append(verdicts, fmt.Sprint(a.Index)+" "+a.Action)
	}
	if got.status != 400 || !strings.Contains(got.err, "event 1:") || !slices.Equal(verdicts, []string{"0 swallow", "3 ignored", "4 keep"}) {
		t.Errorf("%d %s %q", got.status, got.err, verdicts)
	}
	if r.entries() != 1 {
		t.Errorf("%d entries", r.entries())
	}
	// A body that breaks off has been judged as far as it came.
	got = r.post("[" + event(ours, unsigned.Message) + `,{"msys":`)
	if got.status != 400 || len(got.events) != 1 || got.err == "" {
		t.Errorf("%d %s", got.status, got.text)
	}
}

func TestBatchNames(t *testing.T) {
	r := start(t, nil)
	got := r.post(array(event(ours, r.honest.Message), event(ours, r.honest.Message)), "X-MessageSystems-Batch-ID: 4f1b-7")
	if len(got.events) != 2 || got.events[0].Reference != "4f1b-7" || got.events[1].Reference != "4f1b-7-1" {
		t.Error(got.text)
	}
	got = r.post(array(event(ours, r.honest.Message)), "X-MessageSystems-Batch-ID: "+strings.Repeat("9", 49))
	if len(got.events) != 1 || !strings.HasPrefix(got.events[0].Reference, "w") {
		t.Error(got.text)
	}
}

// TestThirdDeferral: an author's broken DNS does not hold up others for ever, and
// trouble of ours is not charged to the message.
func TestThirdDeferral(t *testing.T) {
	r := start(t, nil)
	body := array(event(ours, r.honest.Message), event("bob@example.com", r.honest.Message))
	try := func(status int, what string) {
		t.Helper()
		got := r.post(body)
		if len(got.events) != 2 {
			t.Fatalf("%d %s", got.status, got.text)
		}
		a := got.events[0]
		if is := a.Verdict + " " + a.Action + " " + a.Reason; got.status != status || is != what || got.events[1].Action != "ignored" {
			t.Errorf("%d %s, want %d %s", got.status, is, status, what)
		}
		if (got.header.Get("Retry-After") == "300") != (status == 503) {
			t.Errorf("Retry-After: %s", got.header.Get("Retry-After"))
		}
	}
	r.dnsFails.Store(true)
	try(503, "defer defer dkim-temperror")
	try(503, "defer defer dkim-temperror")
	try(200, "reject swallow dkim-temperror")
	try(200, "reject swallow dkim-temperror") // the answer was lost, or others of the post were put off

	r.dnsFails.Store(false)
	try(200, "accept keep ") // judged by itself: what comes then begins anew
	r.dnsFails.Store(true)
	try(503, "defer defer dkim-temperror")
	r.clock.Add(3601)
	try(200, "reject swallow dkim-temperror")

	r.dnsFails.Store(false)
	try(200, "accept keep ")
	r.dnsPanics.Store(true) // a fault that the message may bring about
	try(503, "defer defer internal")
	try(503, "defer defer internal")
	try(200, "reject swallow internal")
	try(200, "reject swallow internal")
	r.dnsPanics.Store(false)
	try(200, "accept keep ")

	s := r.settings
	s.InFlight = 1 << 10
	r.config.Collector.Set(s)
	for range 4 {
		try(503, "defer defer busy")
	}
	r.config.Collector.Set(r.settings)
	r.dnsFails.Store(true)
	try(503, "defer defer dkim-temperror")
	r.dnsFails.Store(false)
	try(200, "accept keep ")
	if r.entries() != 1 {
		t.Errorf("%d entries", r.entries())
	}
}

func TestObserve(t *testing.T) {
	r := start(t, func(_ *webhook.Config, s *collect.Settings) { s.Observe = true })
	got := r.post(array(event(ours, r.honest.Message), event("<"+ours, r.honest.Message)))
	if got.status != 200 || len(got.events) != 2 || got.events[0].Action != "pass" || got.events[0].Verdict != "accept" || got.events[1].Action != "pass" {
		t.Error(got.text)
	}
	if r.entries() != 0 {
		t.Error("observe keeps")
	}
}

// TestManyEvents: an answer has an end. What is left out is found by its reference.
func TestManyEvents(t *testing.T) {
	r := start(t, func(_ *webhook.Config, s *collect.Settings) { s.Reports = nil })
	one := event(ours, message(t, "demo-09-unsigned").Message)
	const n = 2000
	got := r.post("[" + strings.Repeat(one+",", n-1) + one + "]")
	if got.status != 200 || len(got.events) != n || len(got.text) > 2<<20 {
		t.Fatalf("%d, %d events, %d bytes", got.status, len(got.events), len(got.text))
	}
	first, last := got.events[0], got.events[n-1]
	if len(first.Report) == 0 || len(last.Report) != 0 || last.Index != n-1 || last.Reference == "" || last.Action != "swallow" {
		t.Errorf("%.200v %.200v", first, last)
	}
}

// TestFiftyClients: each is answered, whatever the others send, and nothing is
// lost. It ends with nothing held.
func TestFiftyClients(t *testing.T) {
	unsigned := message(t, "demo-09-unsigned")
	r := start(t, func(c *webhook.Config, _ *collect.Settings) { c.Posts = 50 })
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			for j := range 4 {
				body, want := array(event(ours, r.honest.Message)), 200
				switch (i + j) % 5 {
				case 1:
					body = array(event(ours, unsigned.Message))
				case 2:
					body, want = `[{"msys":{"relay_message"`, 400
				case 3:
					body = array(event("bob@example.com", unsigned.Message))
				}
				if got := r.post(body); got.status != want {
					t.Errorf("%d, want %d: %s", got.status, want, got.text)
				}
			}
		})
	}
	wg.Wait()
	if r.entries() != 1 || r.server.Held() != 0 {
		t.Errorf("%d entries, %d bytes held", r.entries(), r.server.Held())
	}
	if got := r.counted.of("keep "); got != 80 {
		t.Errorf("%d kept, want 80", got)
	}
	if leftovers, err := os.ReadDir(r.dir + "/reports"); err != nil || len(leftovers) == 0 {
		t.Errorf("no reports: %v", err)
	}
}
