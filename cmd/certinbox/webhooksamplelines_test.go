package main

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A trial is what webhook-sample makes and prints, with its filter running.
type trial struct {
	t       *testing.T
	dir     string
	address string // of the webhook
	told    string
	logFile string
	stop    func()
}

// newTrial makes a sample in a folder whose name has to be quoted and runs the line
// that starts its filter; more is added to its configuration.
func newTrial(t *testing.T, more string, args ...string) *trial {
	t.Helper()
	dir, err := os.MkdirTemp("", "sample it's ")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	c := &trial{t: t, dir: dir, address: freePort(t), logFile: filepath.Join(t.TempDir(), "log")}
	var out, errs bytes.Buffer
	if status := run(append([]string{"webhook-sample", "--dir", dir, "--url", "http://" + c.address + "/"}, args...), nil, &out, &errs); status != exitOK {
		t.Fatalf("exit %d: %s", status, errs.String())
	}
	c.told = out.String()
	config := filepath.Join(dir, "config.yaml")
	text, err := os.ReadFile(config)
	if err == nil {
		err = os.WriteFile(config, bytes.Replace(text, []byte("webhook:\n"), []byte("webhook:\n"+more), 1), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.start()
	return c
}

// start starts the filter and waits until it listens.
func (c *trial) start() {
	c.t.Helper()
	log, err := os.OpenFile(c.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		c.t.Fatal(err)
	}
	defer log.Close() // the process has its own
	filter := exec.Command("sh", "-c", "exec "+c.line("certinbox serve"))
	filter.Stderr = log
	if err := filter.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.stop = sync.OnceFunc(func() {
		_ = filter.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = filter.Wait()
	})
	c.t.Cleanup(c.stop)
	if !listens(c.address) {
		c.t.Fatalf("nobody listens on %s:\n%s", c.address, c.log())
	}
}

// line is the printed line with a beginning.
func (c *trial) line(begin string) string {
	c.t.Helper()
	m := regexp.MustCompile(`(?m)^    (` + begin + `.*)$`).FindStringSubmatch(c.told)
	if m == nil {
		c.t.Fatalf("no line %q in\n%s", begin, c.told)
	}
	return m[1]
}

func (c *trial) log() string {
	c.t.Helper()
	text, err := os.ReadFile(c.logFile)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

// freePort is an address of loopback that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// listens waits until somebody listens, and says whether somebody does.
func listens(address string) bool {
	for start := time.Now(); time.Since(start) < patience; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return true
		}
	}
	return false
}

// TestWebhookSampleLines runs what the command prints, as it stands: the filter, the
// curl line, and the one that clears up. curl is among what the tests need.
func TestWebhookSampleLines(t *testing.T) {
	for _, args := range [][]string{nil, {"--base64"}} {
		c := newTrial(t, "", args...)
		said, err := exec.Command("sh", "-c", c.line("curl")).CombinedOutput()
		if err != nil {
			t.Errorf("%v: %s", err, said)
		}
		c.stop()
		contains(t, string(said), `"verdict":"accept"`)
		contains(t, c.log(), c.line("written file"))
		kept, err := os.ReadFile(strings.TrimPrefix(c.line("written file"), "written file "))
		if err != nil || !bytes.Contains(kept, []byte("BEGIN CERTIFICATE")) {
			t.Errorf("%v: %s", err, kept)
		}
		if said, err := exec.Command("sh", "-c", c.line("rm -r")).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, said)
		}
		if _, err := os.Stat(c.dir); err == nil {
			t.Errorf("%s is still there", c.dir)
		}
	}
}
