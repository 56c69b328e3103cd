package store

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// A call is one system call that mattered, in the order of its effect.
type call struct {
	name string // create, mkdir, rename, remove, sync, acknowledge; lock: create of a lock's file
	path string
	to   string // of a rename
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
		if strings.HasPrefix(rest, "write(1<") && (strings.Contains(rest, `"kept `) || strings.Contains(rest, `"done `)) {
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
	return !strings.HasPrefix(path, "/data/quota/") && !strings.HasPrefix(path, "/data/reports/")
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
		if dir, file := filepath.Split(quoted[0][1]); filepath.Base(dir) == "locks" {
			return call{name: "lock", path: quoted[0][1]}, !temporary(file) // of an address
		}
		return call{name: "create", path: quoted[0][1]}, true
	case (strings.HasPrefix(name, "unlink") || name == "rmdir") && len(quoted) > 0:
		path := quoted[0][1]
		if filepath.Base(filepath.Dir(path)) == "locks" {
			return call{}, false
		}
		if m := regexp.MustCompile(`^\w+\(\d+<([^>]*)>`).FindStringSubmatch(s); m != nil {
			path = filepath.Join(m[1], path)
		}
		return call{name: "remove", path: path}, true
	case strings.HasPrefix(name, "mkdir") && len(quoted) > 0:
		return call{name: "mkdir", path: quoted[0][1]}, true
	case strings.HasPrefix(name, "rename") && len(quoted) > 1:
		return call{name: "rename", path: quoted[0][1], to: quoted[1][1]}, true
	}
	return call{}, false
}

func (c call) String() string { return fmt.Sprint(c.name, " ", c.path, " ", c.to) }
