package mtatest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Build compiles the certinbox binary into a temporary directory of t.
func Build(t testing.TB) string {
	t.Helper()
	bin := filepath.Join(tempDir(t, "bin"), "certinbox")
	cmd := exec.Command("go", "build", "-o", bin, "github.com/certinbox/certinbox/cmd/certinbox")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building certinbox: %v\n%s", err, out)
	}
	return bin
}

// A Daemon is a running `certinbox serve`.
type Daemon struct {
	t      testing.TB
	bin    string
	args   []string
	listen string // to wait for: host:port or /path
	cmd    *exec.Cmd
	log    safeBuffer
}

// StartDaemon runs bin serve with args until t ends, and waits until it
// listens.
func StartDaemon(t testing.TB, bin, listen string, args ...string) *Daemon {
	t.Helper()
	d := &Daemon{t: t, bin: bin, args: append([]string{"serve"}, args...), listen: listen}
	t.Cleanup(func() {
		if d.cmd != nil {
			d.Stop()
		}
		if t.Failed() {
			t.Logf("certinbox log:\n%s", d.Log())
		}
	})
	d.Start()
	return d
}

// Start starts it, also again after Stop or Kill.
func (d *Daemon) Start() {
	d.t.Helper()
	d.cmd = exec.Command(d.bin, d.args...)
	d.cmd.Stdout, d.cmd.Stderr = &d.log, &d.log
	must(d.t, d.cmd.Start())
	awaitListening(d.t, d.listen)
}

// Signal sends a signal.
func (d *Daemon) Signal(sig syscall.Signal) { must(d.t, d.cmd.Process.Signal(sig)) }

// Stop ends it in an orderly way and fails the test if it ends otherwise.
func (d *Daemon) Stop() {
	d.t.Helper()
	d.Signal(syscall.SIGTERM)
	d.Ends()
}

// Ends waits until it has ended, after one signal: a second one kills. It fails the
// test if it ends otherwise than in an orderly way.
func (d *Daemon) Ends() {
	d.t.Helper()
	done := make(chan error, 1)
	go func() { done <- d.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			d.t.Errorf("certinbox serve ended with %v", err)
		}
	case <-time.After(hang):
		d.cmd.Process.Kill()
		d.t.Errorf("certinbox serve did not end within %s", hang)
	}
	d.cmd = nil
}

// Kill ends it as a power cut would.
func (d *Daemon) Kill() {
	d.t.Helper()
	must(d.t, d.cmd.Process.Kill())
	d.cmd.Wait()
	d.cmd = nil
}

// Log returns what it has written so far.
func (d *Daemon) Log() string { return d.log.String() }

// AwaitLog waits for a text in the log.
func (d *Daemon) AwaitLog(text string) {
	d.t.Helper()
	await(d.t, "the log to say "+text, func() bool { return strings.Contains(d.Log(), text) })
}

// WriteFile writes a file into a temporary directory of t and returns its path.
func WriteFile(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(tempDir(t, "conf"), name)
	must(t, os.WriteFile(path, []byte(content), 0o644))
	return path
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
