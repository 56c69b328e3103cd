package store

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// usableVariable makes this test binary ask, as somebody without root's rights,
// whether the store it names can be used.
const usableVariable = "CERTINBOX_TEST_USABLE"

// TestUsable: a directory that the daemon may not write to is named.
func TestUsable(t *testing.T) {
	if dir := os.Getenv(usableVariable); dir != "" {
		d := &Directory{root: dir}
		if err := d.Usable(); err != nil {
			t.Fatal(err)
		}
		return
	}
	d, err := Open(t.TempDir()+"/store", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Usable(); err != nil {
		t.Fatal(err)
	}
	missing := d.path("quota")
	if err := os.Remove(missing); err != nil {
		t.Fatal(err)
	}
	if err := d.Usable(); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("a missing directory: %v", err)
	}
	if os.Geteuid() != 0 { // whose rights chmod can take
		if err := os.Mkdir(missing, 0o500); err != nil {
			t.Fatal(err)
		}
		if err := d.Usable(); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("a directory that cannot be written to: %v", err)
		}
		return
	}
	if err := os.Mkdir(missing, 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestUsable$")
	cmd.Env = append(os.Environ(), usableVariable+"="+d.root)
	cmd.Args = append([]string{"setpriv", "--inh-caps=-all", "--bounding-set=-all", "--"}, append([]string{self}, cmd.Args[1:]...)...)
	if cmd.Path, err = exec.LookPath("setpriv"); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(missing, 0o500); err != nil {
		t.Fatal(err)
	}
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), missing) {
		t.Errorf("a directory that cannot be written to: %v\n%s", err, out)
	}
}

// TestGroupSetLater: what was kept before a group of readers was configured can
// be read by it, too.
func TestGroupSetLater(t *testing.T) {
	group := 4 // root may give files to any group, others to theirs
	if os.Geteuid() != 0 {
		groups, err := os.Getgroups()
		if err != nil {
			t.Fatal(err)
		}
		group = groups[len(groups)-1]
	}
	dir := tempDir(t)
	put(t, openTest(t, dir, Options{}), mail("alice@example.com", newMaker().year(t, "alice", "Org"), noon(), "Q1"))
	d := openTest(t, dir, Options{Group: group})
	if err := d.Sweep(t.Context(), noon(), nil); err != nil {
		t.Fatal(err)
	}
	for _, ending := range endings() {
		fi, err := os.Stat(d.path("certs", "alice@example.com"+ending))
		if err != nil {
			t.Fatal(err)
		}
		if got := int(fi.Sys().(*syscall.Stat_t).Gid); got != group || fi.Mode().Perm() != 0o640 {
			t.Errorf("%s: group %d, mode %o", ending, got, fi.Mode().Perm())
		}
	}
}
