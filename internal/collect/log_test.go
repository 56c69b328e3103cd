package collect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
)

func TestHumanLog(t *testing.T) {
	r := accepted(t)
	r.Seen = []verify.CertificateSeen{
		{Subject: "CN=Alice", Issuer: "CN=CA", Serial: "07", SHA256: "abcd", Mailboxes: []string{"alice@example.org"}, NotBefore: r.At, NotAfter: r.At.Add(time.Hour)},
		{SHA256: "ef01", Err: "odd curve"},
	}
	r.Results[2].Props = []verify.Prop{{Name: "header.d", Value: "example.org"}}
	k := &keeper{change: store.Change{Kind: store.Added, Files: []string{"/var/lib/certinbox/certs/alice@example.org.crt"}, Events: []string{"first of its domain"}}}
	var out bytes.Buffer
	begin(settings(k, &out), verify.Envelope{ID: "4bQ", Via: "milter", Client: "192.0.2.7", Recipients: []string{ours}}, &exam{report: r}).End(t.Context())
	for _, want := range []string{
		"4bQ: kept from=alice@example.org (added) via=milter client=192.0.2.7 took=",
		"4bQ:   dkim        pass      DKIM passed: holds header.d=example.org\n",
		"4bQ:   Certificate: subject email_address=[alice@example.org],not_valid_before=2026-03-02 12:00:00,not_valid_after=2026-03-02 13:00:00,subject=CN=Alice,issuer=CN=CA,serial=07,sha256=abcd\n",
		"4bQ:   Certificate: sha256=ef01 cannot be read: odd curve\n",
		"4bQ:   user certificate passed: sha256=",
		"4bQ:   written file /var/lib/certinbox/certs/alice@example.org.crt\n",
		"4bQ:   event: first of its domain\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, out.String())
		}
	}
	if n := strings.Count(out.String(), "\n"); n != 1+10+2+1+1+1 {
		t.Errorf("%d lines:\n%s", n, out.String())
	}

	out.Reset()
	begin(settings(k, &out), verify.Envelope{ID: "4bR", Recipients: []string{ours}}, &exam{report: verdict("dkim", verify.Fail, "dkim-fail")}).End(t.Context())
	for _, want := range []string{
		"4bR: rejected from=alice@example.org: dkim-fail: 550 5.7.20",
		"4bR:   dkim        fail      DKIM FAIL: does not hold (dkim-fail)\n",
		"4bR:   signature   none      not reached\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "user certificate passed") {
		t.Error("a refused message passed")
	}
}

// Whatever comes from outside, the log has only lines that begin with the
// queue id and hold nothing but printable characters.
func TestLogEscapes(t *testing.T) {
	evil := "a\r\nX: kept \x1b[31m\x00\x7f\xff\u202e\u2028é\\"
	r := accepted(t)
	r.Author = evil
	r.Results[0].Detail, r.Results[0].Err = evil, errors.New(evil)
	r.Results[0].Props = []verify.Prop{{Name: evil, Value: evil}}
	r.Seen = []verify.CertificateSeen{{Subject: evil, Issuer: evil, Serial: evil, SHA256: evil, Mailboxes: []string{evil}}, {Err: evil, SHA256: evil}}
	rec := &record{env: verify.Envelope{ID: evil, Via: evil, Client: evil, Sender: &evil, Recipients: []string{evil}},
		out: Outcome{Report: r, Action: Keep, Reason: evil, Change: store.Change{Kind: store.Added, Detail: evil, Files: []string{evil}, Events: []string{evil}}}, err: errors.New(evil)}
	rec.out.Reason = ""
	for line := range strings.Lines(rec.text()) {
		if !strings.HasPrefix(line, `a\r\nX: kept `) {
			t.Errorf("a line of its own: %q", line)
		}
		for _, r := range strings.TrimSuffix(line, "\n") {
			if r < ' ' || r == 0x7f || r == 0xfffd || r == 0x202e || r == 0x2028 {
				t.Errorf("%U in %q", r, line)
			}
		}
	}
	b, err := rec.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsAny(b, "\r\n\x1b\x00") {
		t.Errorf("control characters in %q", b)
	}
}

func TestJSONLog(t *testing.T) {
	var out bytes.Buffer
	s := settings(&keeper{change: store.Change{Kind: store.Added}}, &out)
	s.Log = NewLog(&out, "json", "info")
	begin(s, verify.Envelope{ID: "4bQ", Via: "milter", Recipients: []string{ours}}, &exam{report: accepted(t)}).End(t.Context())
	s.Log.Logger().Warn("something else", "id", "4bS")
	dec := json.NewDecoder(&out)
	var first, second map[string]any
	if err := errors.Join(dec.Decode(&first), dec.Decode(&second)); err != nil {
		t.Fatal(err)
	}
	if first["id"] != "4bQ" || first["action"] != "keep" || first["change"] != "added" || first["from"] != "alice@example.org" {
		t.Errorf("message: %v", first)
	}
	report, _ := first["report"].(map[string]any)
	if rows, _ := report["results"].([]any); len(rows) != len(verify.Checks()) {
		t.Errorf("report with %d rows", len(rows))
	}
	if second["id"] != "4bS" || second["msg"] != "something else" {
		t.Errorf("other line: %v", second)
	}
}

func TestLogLevel(t *testing.T) {
	var out bytes.Buffer
	s := settings(&keeper{}, &out)
	s.Log = NewLog(&out, "human", "error")
	begin(s, verify.Envelope{ID: "4bQ", Recipients: []string{ours}}, &exam{report: verdict("dkim", verify.Fail, "dkim-fail")}).End(t.Context())
	s.Log.Logger().Warn("not now")
	if out.Len() != 0 {
		t.Errorf("at level error: %q", out.String())
	}
	begin(s, verify.Envelope{ID: "4bQ", Recipients: []string{ours}}, &exam{explode: true}).End(t.Context())
	if out.Len() == 0 {
		t.Error("trouble of ours was not logged")
	}
}

func TestLineHandler(t *testing.T) {
	var out bytes.Buffer
	l := NewLog(&out, "human", "debug").Logger()
	l.With("id", "4bQ").WithGroup("store").LogAttrs(context.Background(), slog.LevelError, "cannot\nwrite", slog.String("path", "/var/lib/x y"), slog.Int("n", 3))
	if got, want := out.String(), `4bQ: error: cannot\nwrite store.path="/var/lib/x y" store.n=3`+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// whole fails the test if a write is a part of a block.
type whole struct {
	mu    sync.Mutex
	lines []string
}

func (w *whole) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, string(p))
	return len(p), nil
}

func TestBlocksAreWrittenWhole(t *testing.T) {
	var w whole
	s := settings(&keeper{}, &bytes.Buffer{})
	s.Log = NewLog(&w, "human", "info")
	c := New(s)
	var g sync.WaitGroup
	for range 20 {
		g.Go(func() {
			i := c.Begin(verify.Envelope{Recipients: []string{ours}})
			i.exam = &exam{report: verdict("dkim", verify.Fail, "dkim-fail")}
			i.End(context.Background())
		})
	}
	g.Wait()
	if len(w.lines) != 20 {
		t.Fatalf("%d writes for 20 messages", len(w.lines))
	}
	for _, b := range w.lines {
		if strings.Count(b, "\n") != 11 || !strings.HasSuffix(b, "\n") {
			t.Errorf("not a whole block: %q", b)
		}
	}
}

// ring fails, or remembers.
type ring struct {
	err  error
	refs []string
	json []byte
	text string
}

func (r *ring) Put(ref string, json []byte, text string) error {
	r.refs, r.json, r.text = append(r.refs, ref), json, text
	return r.err
}

func TestReportsAreRemembered(t *testing.T) {
	var out bytes.Buffer
	s := settings(&keeper{}, &out)
	good := &ring{}
	s.Reports = good
	got := begin(s, verify.Envelope{ID: "4bQ", Recipients: []string{ours}}, &exam{report: verdict("dkim", verify.Fail, "dkim-fail")}).End(t.Context())
	if len(good.refs) != 1 || good.refs[0] != "4bQ" || !json.Valid(good.json) || !strings.Contains(good.text, "DKIM FAIL") {
		t.Errorf("remembered %v %s", good.refs, good.text)
	}
	if !strings.Contains(got.Reply.String(), "(dkim-fail; ref 4bQ)") {
		t.Errorf("the reply does not say the reference: %s", got.Reply)
	}
	s.Reports = &ring{err: errors.New("disk full")}
	if got := begin(s, verify.Envelope{Recipients: []string{ours}}, &exam{report: verdict("dkim", verify.Fail, "dkim-fail")}).End(t.Context()); got.Action != Reject {
		t.Errorf("a full ring changed the decision to %s", got.Action)
	}
	if !strings.Contains(out.String(), "disk full") {
		t.Error("the operator does not hear of it")
	}
}

func TestReference(t *testing.T) {
	if got := reference("4bX\r\n550 5.1.1 <x>"); got != "4bX5505.1.1x" {
		t.Errorf("reference %q", got)
	}
	if got := reference(strings.Repeat("a", 1000)); len(got) != maxReference {
		t.Errorf("a reference of %d bytes", len(got))
	}
	if a, b := newReference(), newReference(); a == b || len(a) != 13 {
		t.Errorf("made up %q and %q", a, b)
	}
}

func TestConfigureWhileRunning(t *testing.T) {
	var out bytes.Buffer
	l := NewLog(&out, "human", "error")
	logger := l.Logger().With("id", "4bQ")
	logger.Info("not yet")
	l.Configure("json", "info")
	logger.WithGroup("g").Info("now", "k", "v")
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v in %q", err, out.String())
	}
	if got["msg"] != "now" || got["id"] != "4bQ" || got["g.k"] != "v" {
		t.Errorf("got %v", got)
	}
}
