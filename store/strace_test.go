package store

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A call is one system call that mattered, in the order of its effect.
type call struct {
	name string // create, mkdir, rename, sync, acknowledge
	path string
	to   string // of a rename
}

// TestOrderOfSystemCalls records what the kernel was asked for while twelve
// entries were kept, and holds each acknowledgement against it: whatever was
// created, made or renamed before is on disk, the files and the directories
// they stand in. A missing strace is a failure: nothing else proves this.
func TestOrderOfSystemCalls(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatalf("%v: install the package strace", err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(tempDir(t))
	if err != nil {
		t.Fatal(err)
	}
	pool(t, dir, newMaker())
	record := filepath.Join(dir, "calls")
	cmd := exec.Command(strace, "-f", "-y", "-s", "16", "-o", record, "-e", "signal=none",
		"-e", "trace=openat,mkdirat,mkdir,renameat,renameat2,rename,fsync,fdatasync,write", self)
	cmd.Env = append(os.Environ(), childDir+"="+dir, childFirst+"=0", childCount+"=12")
	if out, err := cmd.CombinedOutput(); err != nil || strings.Count(string(out), "kept ") != 12 {
		t.Fatalf("%v: %s", err, out)
	}
	calls := parseCalls(readAll(t, record), dir)
	acknowledged := 0
	for i, c := range calls {
		if c.name == "acknowledge" {
			acknowledged++
			if left := undurable(calls[:i]); len(left) > 0 {
				t.Errorf("acknowledgement %d before these were on disk:\n%s", acknowledged, strings.Join(left, "\n"))
			}
		}
	}
	if acknowledged != 12 {
		t.Errorf("%d acknowledgements recorded", acknowledged)
	}
	if renames := countCalls(calls, "rename"); renames < 30 {
		t.Errorf("only %d renames recorded: the record is not understood", renames)
	}
	// The checker itself: without the syncs it must complain.
	var without []call
	for _, c := range calls {
		if c.name != "sync" {
			without = append(without, c)
		}
	}
	if len(undurable(without)) == 0 {
		t.Error("the checker finds nothing even without a sync")
	}
}

func countCalls(calls []call, name string) int {
	n := 0
	for _, c := range calls {
		if c.name == name {
			n++
		}
	}
	return n
}

// undurable lists what a power failure after these calls could take away:
// names whose directory was not synced after they came to be, and renamed
// files that were not synced before they were renamed.
func undurable(calls []call) []string {
	dirs := map[string]string{} // directory to be synced: for which name
	dirty := map[string]bool{}  // files written and not synced
	var left []string
	for _, c := range calls {
		switch c.name {
		case "create":
			dirty[c.path] = true
			dirs[filepath.Dir(c.path)] = "create " + c.path
		case "mkdir":
			dirs[filepath.Dir(c.path)] = "mkdir " + c.path
		case "sync":
			delete(dirty, c.path)
			delete(dirs, c.path)
		case "rename":
			for f := range dirty {
				if f == c.path || strings.HasPrefix(f, c.path+"/") {
					left = append(left, "renamed before it was synced: "+f)
				}
			}
			for d, what := range dirs { // a directory that moves before it was synced
				if d == c.path {
					left = append(left, "moved before it was synced: "+d+" with "+what)
				}
			}
			dirs[filepath.Dir(c.to)] = "rename " + c.to
		}
	}
	for f := range dirty {
		left = append(left, "not synced: "+f)
	}
	for d, what := range dirs {
		left = append(left, "directory not synced: "+d+" after "+what)
	}
	return left
}

// parseCalls reads strace's record. Calls of several threads may interleave:
// one that is resumed takes effect there, but an acknowledgement counts from
// where it begins.
func parseCalls(text, root string) []call {
	var calls []call
	begun := map[string]string{}
	for line := range strings.Lines(text) {
		pid, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		if !ok {
			continue
		}
		if strings.HasPrefix(rest, "write(1<") && strings.Contains(rest, `"kept `) {
			calls = append(calls, call{name: "acknowledge"})
			continue
		}
		if head, ok := strings.CutSuffix(rest, "<unfinished ...>"); ok {
			begun[pid] = head
			continue
		}
		if _, tail, ok := strings.Cut(rest, "resumed>"); ok && strings.HasPrefix(rest, "<... ") {
			rest = begun[pid] + tail
		}
		if strings.Contains(rest, ") = -1") || strings.Contains(rest, ")  = -1") {
			continue
		}
		if c, ok := parseCall(rest); ok && strings.HasPrefix(c.path, root) && watched(strings.TrimPrefix(c.path, root)) {
			calls = append(calls, c)
		}
	}
	return calls
}

// watched leaves out what need not survive a power failure.
func watched(path string) bool {
	return !strings.HasPrefix(path, "/data/locks/") && !strings.HasPrefix(path, "/data/quota/") && !strings.HasPrefix(path, "/data/reports/")
}

func parseCall(s string) (call, bool) {
	name, _, _ := strings.Cut(s, "(")
	quoted := regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(s, 2)
	switch {
	case strings.HasSuffix(name, "sync"):
		m := regexp.MustCompile(`^\w+\(\d+<([^>]*)>`).FindStringSubmatch(s)
		if m == nil {
			return call{}, false
		}
		return call{name: "sync", path: m[1]}, true
	case strings.HasPrefix(name, "openat") && strings.Contains(s, "O_CREAT") && len(quoted) > 0:
		return call{name: "create", path: quoted[0][1]}, true
	case strings.HasPrefix(name, "mkdir") && len(quoted) > 0:
		return call{name: "mkdir", path: quoted[0][1]}, true
	case strings.HasPrefix(name, "rename") && len(quoted) > 1:
		return call{name: "rename", path: quoted[0][1], to: quoted[1][1]}, true
	}
	return call{}, false
}

func (c call) String() string { return fmt.Sprint(c.name, " ", c.path, " ", c.to) }
