package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail/cases"
	"github.com/certinbox/certinbox/milter/miltertest"
)

// systemd holds the socket, is told when the daemon is ready and when it
// stops, and the configured listener is not opened.
func TestSystemd(t *testing.T) {
	list, err := cases.Demo()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "certinbox") // by this name the test binary is the program
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	unused := filepath.Join(dir, "configured.sock")
	config := "collect: secureme@example.com\nmilter: {listen: \"unix:" + unused + "\"}\nstore: {path: " + dir + "/store}\n" +
		"trust: {anchors: {file: " + dir + "/ca.pem, domains: any}}\n"
	for _, err := range []error{
		os.Symlink(self, program),
		os.WriteFile(filepath.Join(dir, "ca.pem"), list[0].Anchors, 0o600),
		os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(config), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	told, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer told.Close()
	held, socket := heldSocket(t)

	cmd := exec.Command("sh", "-c", "LISTEN_PID=$$ exec "+program+" serve --config "+dir+"/config.yaml")
	cmd.Env = append(os.Environ(), "LISTEN_FDS=1", "NOTIFY_SOCKET="+told.LocalAddr().String())
	cmd.ExtraFiles = []*os.File{socket} // descriptor 3
	var log strings.Builder
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill() // without effect once it has ended

	heard(t, told, "READY=1")
	mta, err := miltertest.Dial("tcp", held.Addr().String(), miltertest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := mta.Quit(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(unused); err == nil {
		t.Error("the configured listener was opened beside that of systemd")
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	heard(t, told, "STOPPING=1")
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v\n%s", err, log.String())
	}
	if want := "milter.listen unix:" + unused + " is not listened on"; !strings.Contains(log.String(), want) {
		t.Errorf("the log does not say %q:\n%s", want, log.String())
	}
}

func heard(t *testing.T, c *net.UnixConn, want string) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4096)
	n, err := c.Read(b)
	if err != nil {
		t.Fatalf("waiting for %s: %v", want, err)
	}
	if got := string(b[:n]); !strings.Contains(got, want) {
		t.Errorf("systemd hears %q, want %s", got, want)
	}
}

// The unit lets the daemon ask which addresses are its own: without that no CA
// in the public Internet is asked anything.
func TestUnitAllowsWhatFetchingNeeds(t *testing.T) {
	unit, err := os.ReadFile("../../contrib/systemd/certinbox.service")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(unit)) {
		families, ok := strings.CutPrefix(strings.TrimSpace(line), "RestrictAddressFamilies=")
		if !ok {
			continue
		}
		for _, want := range []string{"AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"} {
			if !slices.Contains(strings.Fields(families), want) {
				t.Errorf("RestrictAddressFamilies=%s lacks %s", families, want)
			}
		}
	}
}
