package store

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOrderOfSystemCalls records what the kernel was asked for while some
// entries were kept and commands given, and holds each acknowledgement against
// it: whatever was created, made, renamed or removed before is on disk, the files and
// the directories they stand in. What a state file names is so even before that file.
// A missing strace is a failure: nothing else proves this.
func TestOrderOfSystemCalls(t *testing.T) {
	const entries = 62 // from the 61st on further mail under certificates that are kept
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
		"-e", "trace=openat,close,mkdirat,mkdir,renameat,renameat2,rename,unlink,unlinkat,rmdir,fsync,fdatasync,write", self)
	cmd.Env = append(os.Environ(), childDir+"="+dir, childFirst+"=0", fmt.Sprint(childCount, "=", entries), childOrders+"=1")
	if out, err := cmd.CombinedOutput(); err != nil || strings.Count(string(out), "kept ") != entries {
		t.Fatalf("%v: %s", err, out)
	}
	text := readAll(t, record)
	if removed, held := countLocks(text, "unlink", ""), countLocks(text, "close(", "(deleted)"); removed < entries || held != removed {
		t.Errorf("%d files of locks were removed, %d of them while the lock was held", removed, held)
	}
	calls := parseCalls(text, dir)
	acknowledged := 0
	for i, c := range calls {
		if c.name == "acknowledge" {
			acknowledged++
			if left := undurable(calls[:i]); len(left) > 0 {
				t.Errorf("acknowledgement %d before these were on disk:\n%s", acknowledged, strings.Join(left, "\n"))
			}
		}
	}
	if acknowledged != entries+len(orders) {
		t.Errorf("%d acknowledgements recorded", acknowledged)
	}
	for _, wrong := range premature(calls) {
		t.Error(wrong)
	}
	if renames := countCalls(calls, "rename"); renames < 100 {
		t.Errorf("only %d renames recorded: the record is not understood", renames)
	}
	// The checker itself: without the syncs it must complain.
	var without []call
	for _, c := range calls {
		if c.name != "sync" {
			without = append(without, c)
		}
	}
	if len(undurable(without)) == 0 || len(premature(without)) == 0 {
		t.Error("the checker finds nothing even without a sync")
	}
}

// countLocks counts the lines of strace's record with a call on the file of a lock
// and a note of strace about it.
func countLocks(text, call, note string) int {
	n := 0
	for line := range strings.Lines(text) {
		if strings.Contains(line, " "+call) && strings.Contains(line, "/data/locks/") && strings.Contains(line, note) {
			n++
		}
	}
	return n
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
		case "remove":
			delete(dirty, c.path)
			delete(dirs, c.path)
			if outermost(c.path) {
				dirs[filepath.Dir(c.path)] = "remove " + c.path
			}
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

// outermost says whether a name is one whose coming back would undo something:
// what is below an entry and no state file names is nothing.
func outermost(path string) bool {
	switch filepath.Base(filepath.Dir(path)) {
	case "certs", "entries", "deleted":
		return true
	}
	return false
}

// premature lists the state files that were put into their place before what they
// name could be relied on: files and folders of the entry, and the file of the lock,
// where the files below certs/ or deleted/ are then to be brought in line.
func premature(calls []call) (wrong []string) {
	pending := map[string]map[string]bool{} // names of a directory that came since it was synced
	dirty, lock := map[string]bool{}, ""
	written := false // the lock's file, not yet its name
	came := func(path string) {
		dir := filepath.Dir(path)
		if pending[dir] == nil {
			pending[dir] = map[string]bool{}
		}
		pending[dir][path] = true
	}
	for i, c := range calls {
		switch c.name {
		case "lock":
			lock, written = c.path, false
		case "create":
			dirty[c.path] = true
			came(c.path)
		case "mkdir":
			came(c.path)
		case "sync":
			delete(dirty, c.path)
			delete(pending, c.path)
			if c.path == lock {
				written = true
			} else if written && c.path == filepath.Dir(lock) {
				lock = ""
			}
		case "remove":
			delete(dirty, c.path)
			delete(pending[filepath.Dir(c.path)], c.path)
		case "rename":
			delete(pending[filepath.Dir(c.path)], c.path)
			in := filepath.Base(filepath.Dir(c.to))
			follows := filepath.Base(c.to) == stateFile && publishes(calls[i+1:]) || in == "deleted"
			if follows && lock != "" {
				wrong = append(wrong, c.String()+": before the lock was on disk: "+lock)
			}
			if filepath.Base(c.to) == stateFile {
				below := filepath.Dir(c.to)
				for dir, names := range pending {
					for name := range names {
						if dir == below || strings.HasPrefix(dir, below+"/") {
							wrong = append(wrong, c.String()+": before this was on disk: "+name)
						}
					}
				}
				for name := range dirty {
					if strings.HasPrefix(name, below+"/") {
						wrong = append(wrong, c.String()+": before this was synced: "+name)
					}
				}
			}
			came(c.to)
		}
	}
	return wrong
}

// publishes says whether something below certs/ changes before the next
// acknowledgement.
func publishes(calls []call) bool {
	for _, c := range calls {
		if c.name == "acknowledge" {
			return false
		}
		if c.name != "sync" && filepath.Base(filepath.Dir(c.path)) == "certs" {
			return true
		}
	}
	return false
}
