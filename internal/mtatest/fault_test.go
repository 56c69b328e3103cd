package mtatest

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A step is one system call by which a Put changes the disk.
type step struct {
	name string
	path string // below the store, with {address} and {certificate}
	nth  int    // how many of the same have to pass before, and this one
}

func (s step) String() string { return fmt.Sprintf("%s %s #%d", s.name, s.path, s.nth) }

// harmless steps come after everything is on disk. One that fails costs the
// sender nothing.
func (s step) harmless() bool { return s.name == "unlinkat" && strings.HasPrefix(s.path, "locks/") }

// A harm is what happens at a step.
type harm struct {
	inject  string // for strace
	reply   string // that the sender reads; "" when there is nobody to say it
	restart bool   // the next try meets another daemon
}

func harms() []harm {
	return []harm{{"signal=KILL", "", true}, {"error=EIO", "451 4.3.0", false}, {"error=ENOSPC", "452 4.3.1", true}}
}

// TestHarmAtEachStep lets the daemon die, and lets its disk fail and be full,
// at every single system call by which it keeps a first and a renewed
// certificate, through the whole of it: MTA, judgement, store. The sender is
// put off, nothing that was answered with 250 is lost, nothing is there by
// halves, and the next try succeeds.
func TestHarmAtEachStep(t *testing.T) {
	t.Parallel()
	bin, w := Build(t), fastWorld(t)
	killed, failed := 0, 0
	for _, letters := range []int{1, 2} {
		v := newVictim(w.elsewhere(), bin)
		steps := v.learn(letters)
		if len(steps) < 30 {
			t.Fatalf("only %d steps in the record of letter %d: it is not understood\n%v", len(steps), letters, steps)
		}
		for i, s := range steps {
			if i%10 == 9 { // a full store takes long to look through
				v.reopened()
				v.d.Stop()
				v = newVictim(w.elsewhere(), bin)
			}
			for _, h := range harms() {
				v.suffer(s, h, letters)
				if h.reply == "" {
					killed++
				} else {
					failed++
				}
			}
			if t.Failed() {
				return
			}
		}
		v.reopened()
	}
	t.Logf("%d kills inside a Put, %d faults of the disk; nothing lost", killed, failed)
	if killed < 50 {
		t.Errorf("only %d kills", killed)
	}
}

// somebody is a new author who has got all letters but the last one through.
func (v *victim) somebody(letters int) *author {
	a := v.author(fmt.Sprintf("author%d", len(v.authors)), letters)
	v.authors = append(v.authors, a)
	for a.kept < letters-1 {
		if res, err := a.send(v.socket); err != nil || res.Code != 250 {
			v.world.t.Fatalf("%s: %v, %s", a.address, err, res.Text)
		}
	}
	return a
}

// learn records the steps of one Put.
func (v *victim) learn(letters int) []step {
	a := v.somebody(letters)
	detach := v.d.attach()
	if res, err := a.send(v.socket); err != nil || res.Code != 250 {
		v.world.t.Fatalf("%s: %v, %s", a.address, err, res.Text)
	}
	var steps []step
	for _, c := range calls(detach()) {
		path, ok := strings.CutPrefix(c.path, v.cabinet.dir+"/")
		if !ok || strings.HasPrefix(path, "reports/") {
			continue
		}
		path = strings.NewReplacer(a.address, "{address}", a.letters[letters-1].fingerprint(), "{certificate}").Replace(path)
		s := step{c.name, path, 1}
		for slices.Contains(steps, s) {
			s.nth++
		}
		steps = append(steps, s)
	}
	return steps
}

// suffer sends the last letter of somebody while harm is done at a step.
func (v *victim) suffer(s step, h harm, letters int) {
	t := v.world.t
	for range 5 {
		a := v.somebody(letters)
		path := strings.NewReplacer("{address}", a.address, "{certificate}", a.letters[letters-1].fingerprint()).Replace(s.path)
		detach := v.d.attach("-P", filepath.Join(v.cabinet.dir, path), "-e", fmt.Sprintf("inject=%s:%s:when=%d", s.name, h.inject, s.nth))
		res, err := a.send(v.socket)
		if h.reply == "" && err != nil {
			v.d.died()
		} else {
			must(t, err)
		}
		record := detach()
		if !strings.Contains(record, "INJECTED") && h.reply != "" || h.reply == "" && err == nil {
			continue // strace counts by thread, and the Put has changed threads: nothing happened
		}
		what := fmt.Sprintf("%s at %s", h.inject, s)
		if h.reply != "" && !s.harmless() && !strings.HasPrefix(strings.ReplaceAll(res.Text, "-", " "), h.reply) {
			t.Errorf("%s: the sender reads %s", what, res.Text)
		}
		if h.restart && v.d.cmd != nil {
			v.d.Kill()
		}
		v.recover(what, a)
		return
	}
	t.Errorf("%s never happened", s)
}

// recover starts the daemon again if it is dead, and lets the author repeat
// what was not accepted.
func (v *victim) recover(what string, a *author) {
	t := v.world.t
	v.intact(false)
	if v.d.cmd == nil {
		v.d.Start()
		v.intact(true)
	}
	v.has(a)
	if a.tried {
		if res, err := a.send(v.socket); err != nil || res.Code != 250 {
			t.Errorf("%s writes again: %v, %s", a.address, err, res.Text)
		}
	}
	v.intact(true)
	v.has(a)
	if t.Failed() {
		t.Fatalf("after %s", what)
	}
}

// died waits for a daemon that was killed at a step.
func (d *Daemon) died() {
	d.t.Helper()
	err := d.cmd.Wait()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		d.t.Fatalf("the daemon was not killed: %v", err)
	}
	d.cmd = nil
}
