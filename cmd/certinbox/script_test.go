package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/certinbox/certinbox/internal/testmail/cases"
	"github.com/certinbox/certinbox/milter/miltertest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"certinbox": main})
}

// TestScripts runs testdata/*.txtar, which read like a manual. Beside
// certinbox itself they know
//
//	case NAME [AS]      writes AS.eml, AS.dns and ca.pem of a case
//	authorities         writes the CAs, holders and lists of roots of the trust scripts
//	ready SOCKET        waits until the daemon listens
//	send SOCKET FILE [SENDER [RCPT...]]  hands over a message as an MTA does, and prints what the client reads
//	signal NAME FILE    sends HUP or TERM to the process whose number is in FILE
//	within TEXT FILE    waits until a file that is being written holds a text
func TestScripts(t *testing.T) {
	all, err := cases.All()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error { // with the race detector each command would take a second longer
			e.Setenv("GORACE", "atexit_sleep_ms=100")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"authorities": authorities,
			"case":        func(ts *testscript.TestScript, neg bool, args []string) { writeCase(ts, all, args) },
			"ready":       ready,
			"send":        send,
			"signal":      signalled,
			"within":      within,
		},
	})
}

func writeCase(ts *testscript.TestScript, all []cases.Case, args []string) {
	i := slices.IndexFunc(all, func(c cases.Case) bool { return c.Name == args[0] })
	if i < 0 {
		ts.Fatalf("no case %s", args[0])
	}
	as := args[0]
	if len(args) > 1 {
		as = args[1]
	}
	for name, text := range map[string][]byte{as + ".eml": all[i].Message, as + ".dns": all[i].DNS, "ca.pem": all[i].Anchors} {
		ts.Check(os.WriteFile(ts.MkAbs(name), text, 0o600))
	}
}

// patience is how long the scripts wait for what another process does.
const patience = 30 * time.Second

func ready(ts *testscript.TestScript, neg bool, args []string) {
	for start := time.Now(); time.Since(start) < patience; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("unix", ts.MkAbs(args[0])); err == nil {
			conn.Close()
			return
		}
	}
	ts.Fatalf("nobody listens on %s", args[0])
}

func send(ts *testscript.TestScript, neg bool, args []string) {
	text, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	m := miltertest.Message{ID: "4bTest", From: "alice@example.org", To: []string{"secureme@example.com"}, Data: text}
	if len(args) > 2 {
		m.From = args[2]
	}
	if len(args) > 3 {
		m.To = args[3:]
	}
	mta, err := miltertest.Dial("unix", ts.MkAbs(args[0]), miltertest.Options{})
	ts.Check(err)
	defer mta.Quit()
	res, err := mta.Send(m)
	ts.Check(err)
	out := ts.Stdout()
	fmt.Fprintln(out, res.Text)
	fmt.Fprintf(out, "accepted=%v discarded=%v deleted=%v\n", res.Accepted, res.Discarded, res.DeletedRecipients)
	for _, h := range res.AddedHeaders {
		fmt.Fprintf(out, "%s:%s\n", h.Name, h.Value)
	}
}

func signalled(ts *testscript.TestScript, neg bool, args []string) {
	sig, ok := map[string]syscall.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM}[args[0]]
	if !ok {
		ts.Fatalf("no signal %s", args[0])
	}
	var pid int
	_, err := fmt.Sscan(ts.ReadFile(args[1]), &pid)
	ts.Check(err)
	ts.Check(syscall.Kill(pid, sig))
}

func within(ts *testscript.TestScript, neg bool, args []string) {
	var text []byte
	for start := time.Now(); time.Since(start) < patience; time.Sleep(10 * time.Millisecond) {
		var err error
		if text, err = os.ReadFile(ts.MkAbs(args[1])); err != nil && !errors.Is(err, os.ErrNotExist) {
			ts.Check(err)
		}
		if strings.Contains(string(text), args[0]) {
			return
		}
	}
	ts.Fatalf("%s never held %q:\n%s", filepath.Base(args[1]), args[0], text)
}
