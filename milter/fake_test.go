package milter

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/milter/miltertest"
	"github.com/certinbox/certinbox/verify"
)

const ours = "collect@example.net"

// hangGuard is longer than anything here takes; it only ends a test that hangs.
const hangGuard = 30 * time.Second

// fake is a collector whose answers a test sets.
type fake struct {
	mu      sync.Mutex
	split   *verify.Reply
	outcome collect.Outcome // what a message begun now will be answered
	panicAt string          // event that panics, see fakeIntake and Wants
	hold    chan struct{}   // End waits for it
	intakes []*fakeIntake
	wanted  []string // what Wants was asked
	observe bool     // nothing is refused
}

func (f *fake) set(change func(f *fake)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fake) boom(event string) {
	if event != "" && f.panicAt == event {
		panic("made by the test at " + event)
	}
}

func (f *fake) Wants(rcpt string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wanted = append(f.wanted, rcpt)
	if strings.HasPrefix(rcpt, "panic@") {
		panic("made by the test at RCPT")
	}
	return strings.EqualFold(rcpt, ours) || strings.EqualFold(rcpt, "second@example.net")
}

func (f *fake) Mentions(path string) bool { return strings.Contains(path, "collect") }

func (f *fake) Misspelt() *verify.Reply {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.observe {
		return nil
	}
	r := verify.ReplyFor("recipient-syntax", "", "", "")
	return &r
}

func (f *fake) Split(verify.Envelope) *verify.Reply {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.boom("split")
	return f.split
}

func (f *fake) Begin(env verify.Envelope) intake {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.boom("begin")
	in := &fakeIntake{f: f, env: env, id: env.ID, outcome: f.outcome, hold: f.hold}
	f.intakes = append(f.intakes, in)
	return in
}

// last is the newest intake, nil if there is none.
func (f *fake) last() *fakeIntake {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.intakes) == 0 {
		return nil
	}
	return f.intakes[len(f.intakes)-1]
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.intakes)
}

type fakeIntake struct {
	f       *fake
	env     verify.Envelope
	outcome collect.Outcome
	hold    chan struct{}

	id             string
	buf            bytes.Buffer
	ended, aborted int
	ctxErr         error
}

func (i *fakeIntake) locked(event string) func() {
	i.f.mu.Lock()
	if event != "" && i.f.panicAt == event {
		i.f.mu.Unlock()
		panic("made by the test at " + event)
	}
	return i.f.mu.Unlock
}

func (i *fakeIntake) AuthservID() string { return "" }

func (i *fakeIntake) SetID(id string) {
	defer i.locked("setid")()
	i.id = id
}

func (i *fakeIntake) Write(p []byte) (int, error) {
	event := "body"
	if bytes.HasPrefix(p, []byte("Panic:")) {
		event = "header"
	} else if string(p) == "\r\n" {
		event = "eoh"
	}
	defer i.locked(event)()
	return i.buf.Write(p)
}

func (i *fakeIntake) End(ctx context.Context) collect.Outcome {
	i.locked("end")()
	if i.hold != nil {
		select {
		case <-i.hold:
		case <-ctx.Done():
			defer i.locked("")()
			i.ctxErr = ctx.Err()
			i.ended++
			return internal()
		}
	}
	defer i.locked("")()
	i.ended++
	return i.outcome
}

func (i *fakeIntake) Abort() {
	defer i.locked("abort")()
	i.aborted++
}

func (i *fakeIntake) state() (content string, ended, aborted int) {
	i.f.mu.Lock()
	defer i.f.mu.Unlock()
	return i.buf.String(), i.ended, i.aborted
}

func keep() collect.Outcome {
	return collect.Outcome{Action: collect.Keep, Deliver: true, Mark: true, Report: &verify.Report{}, Reply: verify.ReplyFor("", "", "", "")}
}

func reject(reason string) collect.Outcome {
	return collect.Outcome{Action: collect.Reject, Reason: reason, Reply: verify.ReplyFor(reason, "", "REF", "")}
}

func splitReply() *verify.Reply {
	r := verify.ReplyFor("recipients-split", "", "", "")
	return &r
}

// logs is a log that a test reads.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logs) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// rig is a server on loopback.
type rig struct {
	*Server
	f    *fake
	log  *logs
	addr string
}

func start(t *testing.T, cfg Config) *rig {
	t.Helper()
	ln, err := Listen("inet:127.0.0.1:0", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, cfg, ln)
}

func startOn(t *testing.T, cfg Config, ln net.Listener) *rig {
	t.Helper()
	r := &rig{f: &fake{outcome: keep(), split: splitReply()}, log: &logs{}, addr: ln.Addr().String()}
	cfg.Log = r.log.logger()
	r.Server = newServer(cfg, r.f)
	served := make(chan error, 1)
	go func() { served <- r.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), hangGuard)
		defer cancel()
		_ = r.Shutdown(ctx) // again for some tests; what it returns is tested where it is meant
		_ = r.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve returned %v, want nil after Shutdown", err)
		}
	})
	return r
}

func (r *rig) dial(t *testing.T, o miltertest.Options) *miltertest.MTA {
	t.Helper()
	m, err := miltertest.Dial("tcp", r.addr, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func send(t *testing.T, m *miltertest.MTA, msg miltertest.Message) miltertest.Result {
	t.Helper()
	res, err := m.Send(msg)
	if err != nil {
		t.Fatalf("send: %v", err)
	}
	return res
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

const hello = "From: alice@example.org\r\nSubject: hello\r\n\r\nHello.\r\n"

func mail(to ...string) miltertest.Message {
	return miltertest.Message{ID: "4Q1", From: "alice@example.org", To: to, Data: []byte(hello)}
}
