package store

import (
	"os"
	"os/exec"
	"strings"
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
