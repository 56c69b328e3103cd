package mtatest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// acceptance is the frame by which a filter accepts, as strace prints it: one
// byte long, and the byte is a.
const acceptance = `"\0\0\0\1a"`

// TestOrderOfSystemCalls watches the daemon take an author's first letter and
// a renewed one. When the accepting frame goes to the MTA, every file of the
// store has been written under a name that nobody looks for, or in a directory
// that no state file names yet, synced, renamed where it has another name, and the
// directory with its name synced, in that order; before the state file is, what it names.
func TestOrderOfSystemCalls(t *testing.T) {
	w := fastWorld(t)
	v, record := watched(w, Build(t))
	a := w.author("alice", 2)
	for range 2 {
		if res, err := a.send(v.socket); err != nil || res.Code != 250 {
			t.Fatalf("%v, %s", err, res.Text)
		}
	}
	v.has(a)
	v.d.Stop()
	all := calls(finished(t, record))
	accepted := acceptances(all)
	if len(accepted) != 2 {
		t.Fatalf("%d accepting frames in the record, want 2", len(accepted))
	}
	durable := map[string]bool{}
	began := 0
	for i, answer := range accepted {
		during := slices.DeleteFunc(slices.Clone(all), func(c call) bool { return c.end <= began || c.begin >= answer.begin })
		names, err := follow(during, v.cabinet.dir, answer.begin)
		if err != nil {
			t.Errorf("answer %d: %v", i+1, err)
		}
		for _, n := range names {
			durable[n] = true
		}
		began = answer.end
		checkTheChecker(t, during, v.cabinet.dir, answer.begin)
	}
	for _, path := range files(t, v.cabinet.dir, "certs", "entries") {
		if !durable[path] {
			t.Errorf("%s is there, and nobody has seen it come", path)
		}
	}
	t.Logf("%d system calls looked at, %d files durable before the answer", len(all), len(durable))
}

// watched starts a daemon under strace from its first system call on.
func watched(w *world, bin string) (v *victim, record string) {
	v = &victim{world: w, socket: filepath.Join(w.dir, "milter.sock")}
	config, store := w.config("unix:" + v.socket)
	v.cabinet = cabinet{w.t, store}
	record = filepath.Join(w.dir, "record")
	// -D: the daemon is our child and strace its grandchild, so that signals
	// reach the daemon.
	v.d = &Daemon{t: w.t, bin: straced(w.t), listen: v.socket, args: []string{"-D", "-f", "-y", "-s", "64", "-e", "signal=none", "-o", record,
		bin, "serve", "--config", config, "--dns", WriteFile(w.t, "zone", w.zone.String())}}
	v.d.Start()
	w.t.Cleanup(func() {
		if v.d.cmd != nil {
			v.d.Stop()
		}
		if w.t.Failed() {
			w.t.Logf("certinbox log:\n%s", v.d.Log())
		}
	})
	return v, record
}

// finished waits until strace has written the end of its record.
func finished(t *testing.T, record string) string {
	var text string
	await(t, "strace to end", func() bool {
		b, err := os.ReadFile(record)
		must(t, err)
		text = string(b)
		last := strings.TrimSpace(text[strings.LastIndex(strings.TrimSpace(text), "\n")+1:])
		return strings.HasSuffix(last, "+++ exited with 0 +++")
	})
	return text
}

func acceptances(all []call) []call {
	return slices.DeleteFunc(slices.Clone(all), func(c call) bool {
		return c.name != "write" || !strings.HasPrefix(c.path, "socket:") || !strings.Contains(c.text, acceptance)
	})
}

// follow follows every file that was made below certs/ and entries/ to its
// name on disk, and returns these names.
func follow(during []call, root string, answered int) (names []string, err error) {
	var errs []error
	for _, c := range during {
		switch path, below := strings.CutPrefix(c.path, root+"/"); {
		case !below || !strings.HasPrefix(path, "certs/") && !strings.HasPrefix(path, "entries/"):
		case c.name == "openat":
			until, _ := named(during, c, root, answered)
			name, err := followFile(during, c, root, until)
			names, errs = append(names, name), append(errs, err)
		case c.name == "mkdirat":
			until, _ := named(during, c, root, answered)
			_, err := followName(during, c, until)
			errs = append(errs, err)
		}
	}
	return names, errors.Join(errs...)
}

// named is when what a call has made gets a meaning, and so has to be on disk. The
// directory of a certificate, and what stands in it, is nothing before the state file
// of the address is put in its place, which names it. All else counts at the answer;
// ok is false then.
func named(during []call, made call, root string, answered int) (until int, ok bool) {
	address, _, below := strings.Cut(strings.TrimPrefix(made.path, root+"/entries/"), "/")
	if !below || !strings.HasPrefix(made.path, root+"/entries/") {
		return answered, false
	}
	state := filepath.Join(root, "entries", address, "state.json")
	for _, c := range during {
		if c.name == "renameat" && c.to == state && c.begin > made.end && c.path != made.path {
			return min(answered, c.begin), true
		}
	}
	return answered, false
}

// followFile follows one file from its creation to its last name.
func followFile(during []call, created call, root string, until int) (string, error) {
	path := created.path
	if _, meaningless := named(during, created, root, until); !meaningless && !strings.HasPrefix(filepath.Base(path), ".") {
		return path, fmt.Errorf("%s is made under the name that others look for", path)
	}
	synced, ok := next(during, created.end, "fsync", path)
	if !ok {
		return path, fmt.Errorf("%s is never synced", path)
	}
	written := 0
	for _, c := range during {
		if c.name != "write" || c.path != path || c.begin < created.end {
			continue
		}
		if c.end > synced.begin {
			return path, fmt.Errorf("%s is written to after it was synced", path)
		}
		written += c.n
	}
	if written == 0 {
		return path, fmt.Errorf("%s is never written to before it is synced", path)
	}
	return followName(during, call{path: path, end: synced.end}, until)
}

// followName follows a name that was given to something by a call through its
// renames. The last one has to be synced into its directory before until, the line of
// the record from which on it counts.
func followName(during []call, given call, until int) (string, error) {
	path := given.path
	if renamed, ok := next(during, given.end, "renameat", path); ok {
		return followName(during, call{path: renamed.to, end: renamed.end}, until)
	}
	synced, ok := next(during, given.end, "fsync", filepath.Dir(path))
	if !ok || synced.end >= until {
		return path, fmt.Errorf("the name %s is not synced before it counts", path)
	}
	return path, nil
}

// next is the first call on a path that begins after a line.
func next(during []call, after int, name, path string) (call, bool) {
	i := slices.IndexFunc(during, func(c call) bool { return c.begin > after && c.name == name && c.path == path })
	if i < 0 {
		return call{}, false
	}
	return during[i], true
}

// checkTheChecker leaves one sync after the other out of the record, and lets
// the answer go before one: then the rest must not do.
func checkTheChecker(t *testing.T, during []call, root string, answered int) {
	checked := 0
	for i, c := range during {
		path, below := strings.CutPrefix(c.path, root+"/")
		if c.name != "fsync" || !below || path == "locks" || strings.HasPrefix(path, "locks/") {
			continue
		}
		if !needed(during, i) {
			continue
		}
		checked++
		if _, err := follow(slices.Delete(slices.Clone(during), i, i+1), root, answered); err == nil {
			t.Errorf("without the sync of %s nothing is missed", path)
		}
		if _, err := follow(during, root, c.end); err == nil && !strings.Contains(path, "/.") {
			t.Errorf("an answer before the sync of %s is not noticed", path)
		}
	}
	if checked < 8 {
		t.Errorf("only %d syncs were left out in turn", checked)
	}
}

// needed says whether the sync at i is of something that was made or changed
// before, and the last one, so that no later one can stand in for it.
func needed(during []call, i int) bool {
	path := during[i].path
	changed := slices.ContainsFunc(during[:i], func(c call) bool {
		return c.name == "openat" && c.path == path || filepath.Dir(c.path) == path || filepath.Dir(c.to) == path
	})
	return changed && !slices.ContainsFunc(during[i+1:], func(c call) bool { return c.name == "fsync" && c.path == path })
}

// files lists the files below some directories of the store.
func files(t *testing.T, root string, below ...string) (paths []string) {
	for _, dir := range below {
		must(t, filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				paths = append(paths, path)
			}
			return err
		}))
	}
	if len(paths) < 6 {
		t.Fatalf("only these files are there: %v", paths)
	}
	return paths
}
