package milter

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/milter/miltertest"
)

func TestPanicsEndIn451(t *testing.T) {
	for _, event := range []string{"split", "begin", "header", "eoh", "body", "setid", "end", "abort"} {
		t.Run(event, func(t *testing.T) {
			r := start(t, Config{})
			r.f.set(func(f *fake) { f.panicAt = event })
			m := r.dial(t, miltertest.Options{})
			switch event {
			case "split":
				if res := send(t, m, mail("bob@example.net", ours)); codes(res) != "250 451" {
					t.Errorf("got %+v", res)
				}
			case "abort":
				raw(t, m, ours)
				if err := m.Abort(); err != nil {
					t.Fatal(err)
				}
				eventually(t, "the panic is caught", func() bool { return r.Traffic().Panics == 1 })
			default:
				msg := mail(ours)
				msg.Data = []byte("Panic: here\r\n" + hello)
				if event == "setid" {
					msg.ID = ""
					raw(t, m, ours)
					if err := m.Macros(miltertest.CmdEOH, "i", "LATE"); err != nil {
						t.Fatal(err)
					}
					if _, err := m.EOH(); err != nil {
						t.Fatal(err)
					}
					if reply, _, err := m.EOM(); err != nil || reply.Code != 451 {
						t.Errorf("got %+v, %v", reply, err)
					}
					break
				}
				if res := send(t, m, msg); res.Code != 451 || !strings.Contains(res.Text, "4.3.0") {
					t.Errorf("got %+v", res)
				}
			}
			r.f.set(func(f *fake) { f.panicAt = "" })
			if res := send(t, m, mail(ours)); !res.Accepted || len(res.AddedHeaders) != 1 {
				t.Errorf("the next message: %+v", res)
			}
			if r.Traffic().Panics == 0 || !strings.Contains(r.log.String(), "fake_test.go") {
				t.Errorf("panic not counted, or logged without its stack")
			}
			for _, in := range r.f.intakes {
				if _, ended, aborted := in.state(); ended+aborted == 0 && event != "abort" && event != "end" {
					t.Error("an intake is neither ended nor aborted")
				}
			}
		})
	}
}

func TestShutdownLetsMessagesFinish(t *testing.T) {
	r := start(t, Config{})
	r.f.set(func(f *fake) { f.outcome = reject("smime-none") })
	idle := r.dial(t, miltertest.Options{})
	send(t, idle, mail("bob@example.net")) // a session that rests between two messages
	fresh := r.dial(t, miltertest.Options{})
	busy := r.dial(t, miltertest.Options{})
	raw(t, busy, ours)
	if _, err := busy.Header("Subject", " x"); err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(context.Background(), hangGuard)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- r.Shutdown(ctx) }()
	for _, m := range []*miltertest.MTA{idle, fresh} {
		if f, err := m.ReadFrame(); err == nil {
			t.Errorf("idle connection was told %q, want the end", f.Code)
		}
	}
	if _, err := net.Dial("tcp", r.addr); err == nil {
		t.Error("the listener still takes connections")
	}
	select {
	case err := <-done:
		t.Fatalf("Shutdown returned %v while a message was under way", err)
	default:
	}
	// The message goes on, with pauses, and is answered.
	for range 3 {
		if _, err := busy.Body([]byte("more\r\n")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	reply, _, err := busy.EOM()
	if err != nil || reply.Code != 550 {
		t.Errorf("message under way: %+v, %v", reply, err)
	}
	if f, err := busy.ReadFrame(); err == nil {
		t.Errorf("after its message the connection was told %q, want the end", f.Code)
	}
	if err := <-done; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if !strings.Contains(r.log.String(), "milter traffic") {
		t.Error("the traffic is not logged")
	}
}

func TestShutdownCutsOffWhatDoesNotEnd(t *testing.T) {
	r := start(t, Config{})
	r.f.set(func(f *fake) { f.hold = make(chan struct{}) })
	judged := r.dial(t, miltertest.Options{})
	raw(t, judged, ours)
	if err := judged.Frame(miltertest.CmdEOM, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the message is being judged", func() bool { return r.f.count() == 1 && r.Traffic().Ends == 1 })
	stuck := r.dial(t, miltertest.Options{})
	raw(t, stuck, ours)

	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := r.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown returned %v, want that its time is over", err)
	}
	eventually(t, "the judgement is told to stop, the other message given up", func() bool {
		r.f.mu.Lock()
		defer r.f.mu.Unlock()
		return r.f.intakes[0].ctxErr != nil && r.f.intakes[1].aborted == 1
	})
	if _, err := stuck.ReadFrame(); err == nil {
		t.Error("the stuck connection is still open")
	}
}

func TestServeAfterShutdown(t *testing.T) {
	s := newServer(Config{}, &fake{})
	if err := s.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	ln, err := Listen("inet:127.0.0.1:0", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if err := s.Serve(ln); err != nil {
		t.Errorf("Serve after Shutdown: %v, want nil", err)
	}
}

func TestSeveralListeners(t *testing.T) {
	r := start(t, Config{})
	path := filepath.Join(t.TempDir(), "s")
	ln, err := Listen("unix:"+path, "", 0o600)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- r.Serve(ln) }()
	t.Cleanup(func() {
		if err := r.Shutdown(t.Context()); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	m, err := miltertest.Dial("unix", path, miltertest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, m := range []*miltertest.MTA{m, r.dial(t, miltertest.Options{})} {
		if res := send(t, m, mail(ours)); !res.Accepted {
			t.Errorf("got %+v", res)
		}
	}
}

func TestAnswersAreContinueUntilTheEnd(t *testing.T) {
	r := start(t, Config{})
	m := r.dial(t, miltertest.Options{Without: uint32(quietEnvelope | quietContent)}) // everything is answered
	step := func(name string, reply miltertest.Reply, err error) {
		t.Helper()
		if err != nil || reply.Action != miltertest.ActContinue {
			t.Errorf("%s: %q, %v; want continue, not accept or skip", name, reply.Action, err)
		}
	}
	reply, err := m.Connect("h", "192.0.2.1:25")
	step("CONNECT", reply, err)
	reply, err = m.Helo("h")
	step("HELO", reply, err)
	reply, err = m.Mail("<a@example.org>")
	step("MAIL", reply, err)
	for _, rcpt := range []string{ours, "bob@example.net"} {
		reply, err = m.Rcpt("<" + rcpt + ">")
		step("RCPT "+rcpt, reply, err)
	}
	reply, err = m.Data()
	step("DATA", reply, err)
	reply, err = m.Header("Subject", " x")
	step("HEADER", reply, err)
	reply, err = m.EOH()
	step("EOH", reply, err)
	reply, err = m.Body([]byte("x"))
	step("BODY", reply, err)
}

func TestEventsOutOfOrder(t *testing.T) {
	for _, stream := range [][]byte{
		frame('E', ""), frame('B', "x"), frame('L', "a\x00b\x00"), frame('N', ""), frame('T', ""),
		frame('R', "<"+ours+">\x00"), frame('A', ""), frame('K', ""), frame('U', "X\x00"),
	} {
		r := start(t, Config{})
		m := r.dial(t, miltertest.Options{})
		if err := m.Raw(stream); err != nil {
			t.Fatal(err)
		}
		if err := m.Raw(join(frame('A', ""), frame('A', ""))); err != nil {
			t.Fatal(err)
		}
		switch stream[4] {
		case 'E', 'T': // an end without a beginning is not let through
			if f, err := m.ReadFrame(); err != nil || f.Code != miltertest.ActReply || !strings.HasPrefix(string(f.Data), "451-4.3.0") {
				t.Fatal(f, err)
			}
		case 'R', 'U':
			if f, err := m.ReadFrame(); err != nil || f.Code != miltertest.ActContinue {
				t.Fatal(f, err)
			}
		}
		if res := send(t, m, mail(ours)); !res.Accepted || !res.Seen {
			t.Errorf("after %q: %+v", stream, res)
		}
	}
}

func TestNothingLeaks(t *testing.T) {
	r := start(t, Config{})
	streams := malformed()
	settle := func() (int, int) {
		eventually(t, "connections end", func() bool { return ended(r.Server) })
		runtime.GC()
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return runtime.NumGoroutine(), len(fds)
	}
	round := func() {
		for _, stream := range streams {
			conn, err := net.Dial("tcp", r.addr)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = conn.Write(stream)
			conn.Close()
		}
		for i := range 20 {
			m := r.dial(t, miltertest.Options{})
			send(t, m, mail(ours))
			if i%2 == 0 {
				raw(t, m, ours) // cut off in the middle
				m.Close()
			} else if err := m.Quit(); err != nil {
				t.Fatal(err)
			}
		}
	}
	round()
	goroutines, fds := settle()
	for range 3 {
		round()
	}
	eventually(t, "goroutines and descriptors are as before", func() bool {
		g, f := settle()
		return g <= goroutines && f <= fds
	})
	for _, in := range r.f.intakes {
		if _, ended, aborted := in.state(); ended+aborted != 1 {
			t.Errorf("an intake was ended %d times and aborted %d times", ended, aborted)
		}
	}
}
