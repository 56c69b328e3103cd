package mtatest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// straced returns where strace is. A missing one is a failure: nothing else
// shows what the kernel was asked for.
func straced(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		t.Fatalf("%v (contrib/prerequisites installs it)", err)
	}
	return path
}

// attach traces every thread of the daemon until detach is called or the
// daemon dies. detach returns the record.
func (d *Daemon) attach(args ...string) (detach func() string) {
	d.t.Helper()
	record := filepath.Join(tempDir(d.t, "strace"), "record")
	args = append([]string{"-f", "-y", "-s", "64", "-e", "signal=none", "-o", record, "-p", strconv.Itoa(d.cmd.Process.Pid)}, args...)
	cmd := exec.Command(straced(d.t), args...)
	var said safeBuffer
	cmd.Stderr = &said
	must(d.t, cmd.Start())
	await(d.t, "strace to attach", func() bool { return strings.Contains(said.String(), " attached") })
	return func() string {
		d.t.Helper()
		if err := cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
			d.t.Fatal(err)
		}
		hanging := time.AfterFunc(hang, func() { cmd.Process.Kill() })
		defer hanging.Stop()
		cmd.Wait() // its status is that of the signal
		b, err := os.ReadFile(record)
		if err != nil {
			d.t.Fatalf("%v: strace said %s", err, said.String())
		}
		return string(b)
	}
}

// A call is one system call that did what it was asked for.
type call struct {
	name       string
	path       string // what it acts on
	to         string // of a rename
	text       string
	n          int // bytes written, or whatever it returned
	begin, end int // lines of the record
}

// calls reads a record of strace -f -y. Calls of several threads interleave:
// each begins at one line and ends at one, often a later one.
func calls(record string) []call {
	var all []call
	waiting := map[string]call{} // by thread
	resumed := regexp.MustCompile(`^<\.\.\. \w+ resumed>`)
	line := 0
	for l := range strings.Lines(record) {
		line++
		thread, text, _ := strings.Cut(strings.TrimSpace(l), " ")
		text = strings.TrimSpace(text)
		c := call{text: text, begin: line}
		if begun := resumed.FindString(text); begun != "" {
			c = waiting[thread]
			c.text += text[len(begun):]
		}
		if head, ok := strings.CutSuffix(c.text, "<unfinished ...>"); ok {
			c.text = head
			waiting[thread] = c
			continue
		}
		c.end = line
		if c.read() {
			all = append(all, c)
		}
	}
	return all
}

// read takes the text of a call apart, false when it failed or is none that
// matters.
func (c *call) read() bool {
	parts := regexp.MustCompile(`^(\w+)\((.*)\)\s+= (-?\d+)`).FindStringSubmatch(c.text)
	if parts == nil {
		return false
	}
	c.name = parts[1]
	c.n, _ = strconv.Atoi(parts[3])
	if c.n < 0 {
		return false
	}
	switch c.name {
	case "write", "pwrite64", "fsync", "fdatasync", "fchmod":
		fd := regexp.MustCompile(`^\d+<([^>]*)>`).FindStringSubmatch(parts[2])
		if fd != nil {
			c.path = fd[1]
		}
	case "openat", "mkdirat", "renameat", "unlinkat", "fchmodat":
		names := regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(parts[2], 2)
		if c.name == "openat" && !strings.Contains(parts[2], "O_CREAT") || len(names) == 0 {
			return false
		}
		if c.path = names[0][1]; len(names) == 2 {
			c.to = names[1][1]
		}
	}
	return c.path != ""
}
