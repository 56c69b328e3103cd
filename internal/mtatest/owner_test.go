package mtatest

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/certinbox/certinbox/milter/miltertest"
)

// TestRootBesideTheDaemon: what an operator does as root leaves nothing that the
// daemon, which has a user of its own, cannot use.
func TestRootBesideTheDaemon(t *testing.T) {
	w := newWorld(t)
	nobody, err := user.Lookup("nobody")
	must(t, err)
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	addr := FreeAddr(t)
	config, store := w.config("inet:" + addr)
	zone := WriteFile(t, "zone", w.zone.String())
	must(t, os.Mkdir(store, 0o711))
	must(t, os.Chown(store, uid, gid))
	bin := Build(t)
	as := WriteFile(t, "certinbox", fmt.Sprintf("#!/bin/sh\nexec setpriv --reuid %d --regid %d --clear-groups %s \"$@\"\n", uid, gid, bin))
	must(t, os.Chmod(as, 0o755))

	out, err := exec.Command(bin, "serve", "--config", config, "--dns", zone).CombinedOutput()
	if err == nil || err.(*exec.ExitError).ExitCode() != 77 || !strings.Contains(string(out), "belongs to user nobody") {
		t.Fatalf("root serves from the store of another user: %v\n%s", err, out)
	}
	text, err := os.ReadFile(config)
	must(t, err)
	_, after, _ := strings.Cut(string(text), "{file: ")
	anchors, _, _ := strings.Cut(after, ",")
	must(t, os.Chmod(anchors, 0o600))
	out, err = exec.Command(bin, "check-config", "--config", config).CombinedOutput()
	if err == nil || !strings.Contains(string(out), anchors) || !strings.Contains(string(out), "permission denied") {
		t.Errorf("check-config does not notice what the daemon cannot read: %v\n%s", err, out)
	}
	must(t, os.Chmod(anchors, 0o644))
	d := StartDaemon(t, as, addr, "--config", config, "--dns", zone)
	keep := func(id, person string) {
		t.Helper()
		mta, err := miltertest.Dial("tcp", addr, miltertest.Options{})
		must(t, err)
		defer mta.Quit()
		r, err := mta.Send(miltertest.Message{ID: id, From: person + "@example.org", To: []string{collectAddress}, Data: w.honest(person)})
		must(t, err)
		if !r.Accepted {
			t.Fatalf("%s: %s", id, r.Text)
		}
	}
	keep("4bOne", "alice")
	for _, args := range [][]string{{"list"}, {"show", "alice@example.org"}, {"why", "4bOne"}, {"path", "alice@example.org"},
		{"delete", "alice@example.org"}, {"delete", "eve@example.org", "--suppress"}} {
		out, err := exec.Command(bin, append(args, "--config", config)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	keep("4bTwo", "bob")
	must(t, filepath.Walk(store, func(path string, info os.FileInfo, err error) error {
		if err == nil && int(info.Sys().(*syscall.Stat_t).Uid) != uid {
			t.Errorf("%s belongs to user %d", path, info.Sys().(*syscall.Stat_t).Uid)
		}
		return err
	}))
	other := exec.Command("setpriv", "--reuid", "1", "--regid", "1", "--clear-groups", bin, "delete", "bob@example.org", "--config", config)
	if out, err := other.CombinedOutput(); err == nil || other.ProcessState.ExitCode() != 77 || !strings.Contains(string(out), "belongs to user nobody") {
		t.Errorf("anybody may delete: %v\n%s", err, out)
	}
	d.Stop()
}
