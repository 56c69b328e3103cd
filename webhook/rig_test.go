package webhook_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/internal/testmail/cases"
	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/testdata"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/webhook"
)

const (
	ours   = "secureme@example.com"
	secret = "correct-horse-battery"

	// hangGuard is longer than anything here takes; it only ends a test that hangs.
	hangGuard = 30 * time.Second
)

// A rig is a webhook over a real Collector and store, at the clock of the corpus.
type rig struct {
	t         *testing.T
	dir       string
	log       *lines
	kept      *store.Directory
	server    *webhook.Server
	config    webhook.Config
	settings  collect.Settings
	http      *httptest.Server
	honest    cases.Case
	clock     atomic.Int64 // seconds that went by
	dnsFails  atomic.Bool
	dnsPanics atomic.Bool
	held      atomic.Pointer[chan struct{}] // DNS waits for it
	asked     chan struct{}                 // something for every question to the DNS while held
	counted   *counter
}

// lines is a log that a test reads.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type counter struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *counter) Message(action, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n[action+" "+reason]++
}

func (c *counter) Answer(string, string) {}

func (c *counter) of(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[what]
}

// message returns the bytes of a case of the corpus.
func message(t testing.TB, name string) cases.Case {
	t.Helper()
	b, err := testdata.Cases().ReadFile("cases/" + name + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	c, err := cases.Parse(name, b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// start runs a webhook on loopback. change may be nil.
func start(t *testing.T, change func(*webhook.Config, *collect.Settings)) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), log: &lines{}, honest: message(t, "alignment-equal"),
		asked: make(chan struct{}, 1000), counted: &counter{n: map[string]int{}}}
	v, err := r.honest.Verifier()
	if err != nil {
		t.Fatal(err)
	}
	v.TXT = r.dns(v.TXT)
	if r.kept, err = store.Open(r.dir, store.Options{Rules: store.DefaultRules(), Group: -1, Now: v.Now}); err != nil {
		t.Fatal(err)
	}
	ring, err := r.kept.Reports()
	if err != nil {
		t.Fatal(err)
	}
	log := collect.NewLog(r.log, "human", "info")
	r.settings = collect.Settings{Verifier: v, Keeper: r.kept, Reports: ring, Log: log, Counter: r.counted,
		Refuse: collect.RefuseAll, Judged: 16, InFlight: 256 << 20}
	r.config = webhook.Config{Log: log.Logger(), Counter: r.counted, Paths: []string{"/", "/sparkpost"},
		Auth: []webhook.Credential{{Kind: webhook.KindHeader, Header: "X-MessageSystems-Webhook-Token", Secret: []byte(secret), Relay: true, Check: true}},
		Body: 64 << 20, InFlight: 256 << 20, Posts: 64, PerClient: 8,
		Now: func() time.Time { return time.Unix(1_700_000_000+r.clock.Load(), 0) }}
	if change != nil {
		change(&r.config, &r.settings)
	}
	r.config.Collector = collect.New(r.settings)
	r.server = webhook.New(r.config)
	r.http = httptest.NewServer(r.server)
	t.Cleanup(r.http.Close)
	return r
}

// dns is the DNS of the case, with the trouble that a test wants.
func (r *rig) dns(real func(context.Context, string) ([]string, error)) func(context.Context, string) ([]string, error) {
	return func(ctx context.Context, name string) ([]string, error) {
		if hold := r.held.Load(); hold != nil {
			r.asked <- struct{}{}
			select {
			case <-*hold:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		if r.dnsPanics.Load() {
			panic("made by the test")
		}
		if r.dnsFails.Load() {
			return nil, errors.New("no answer")
		}
		return real(ctx, name)
	}
}

// entries is how many certificates are kept.
func (r *rig) entries() int {
	n := 0
	for h, err := range r.kept.List(context.Background()) {
		if err != nil {
			r.t.Error(err)
		}
		n += len(h.Records)
	}
	return n
}

// event is a relay message as SparkPost posts it.
func event(rcpt string, message []byte) string {
	return `{"msys":{"relay_message":{"rcpt_to":` + quote(rcpt) + `,"msg_from":"alice@example.org","friendly_from":"alice@example.org",` +
		`"customer_id":"1026","webhook_id":85006171274531012,"protocol":"smtp","content":{"subject":"x","headers":[{"To":"y"}],` +
		`"email_rfc822_is_base64":true,"email_rfc822":"` + base64.StdEncoding.EncodeToString(message) + `"}}}}`
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func array(events ...string) string { return "[" + strings.Join(events, ",") + "]" }

// result is what a client gets to see.
type result struct {
	status int
	header http.Header
	text   string
	events []answered
	one    answered // of a check
	nIgn   int
	err    string // message
}

type answered struct {
	Index                                              int
	Recipient, Verdict, Action, Reason, Enhanced, Text string
	Code                                               int
	Deliver                                            bool
	Reference                                          string
	Report                                             json.RawMessage
}

func (a *answered) UnmarshalJSON(b []byte) error {
	var v struct {
		Index                                        int
		Recipient, Verdict, Action, Reason, Enhanced string
		Text                                         []string
		Code                                         int
		Deliver                                      bool
		Reference                                    string
		Report                                       json.RawMessage
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*a = answered{v.Index, v.Recipient, v.Verdict, v.Action, v.Reason, v.Enhanced, strings.Join(v.Text, "\n"), v.Code, v.Deliver, v.Reference, v.Report}
	return nil
}

// request makes a request to path with the token and the type of a relay post.
func (r *rig) request(path string, body io.Reader, fields ...string) *http.Request {
	r.t.Helper()
	q, err := http.NewRequest("POST", r.http.URL+path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("X-MessageSystems-Webhook-Token", secret)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		if value == "" {
			q.Header.Del(name)
			continue
		}
		q.Header.Set(name, value)
	}
	return q
}

func (r *rig) do(q *http.Request) result {
	r.t.Helper()
	res, err := (&http.Client{Timeout: hangGuard}).Do(q)
	if err != nil {
		r.t.Error(err)
		return result{}
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Error(err)
	}
	out := result{status: res.StatusCode, header: res.Header, text: string(b)}
	var v struct {
		Message string
		Events  []answered
		Ignored int
	}
	if err := json.Unmarshal(b, &v); err != nil {
		r.t.Errorf("the answer is not JSON: %v: %s", err, b)
	}
	out.err, out.events, out.nIgn = v.Message, v.Events, v.Ignored
	if err := json.Unmarshal(b, &out.one); err != nil {
		r.t.Error(err)
	}
	return out
}

func (r *rig) post(body string, fields ...string) result {
	r.t.Helper()
	return r.do(r.request("/", strings.NewReader(body), fields...))
}

func (r *rig) check(query string, body []byte, fields ...string) result {
	r.t.Helper()
	return r.do(r.request("/v1/check"+query, bytes.NewReader(body), append([]string{"Content-Type: message/rfc822"}, fields...)...))
}

// eventually waits until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(hangGuard); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// reportOf is what the judgement alone says of a message.
func reportOf(t *testing.T, r *rig, message []byte, env verify.Envelope) string {
	t.Helper()
	x := r.settings.Verifier.Begin(env)
	x.Write(message)
	b, err := json.Marshal(x.Report(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
