package main

import (
	"fmt"
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

// A systemd is what the program sees of it: sockets that it holds, and a socket where
// it is told how the program fares.
type systemd struct {
	t    *testing.T
	dir  string // with the CA of the demonstration as ca.pem
	told *net.UnixConn
}

func newSystemd(t *testing.T) *systemd {
	list, err := cases.Demo()
	if err != nil {
		t.Fatal(err)
	}
	s := &systemd{t: t, dir: t.TempDir()}
	s.file("ca.pem", list[0].Anchors)
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, filepath.Join(s.dir, "certinbox")) // by this name the test binary is the program
	}
	if err == nil {
		s.told, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(s.dir, "notify"), Net: "unixgram"})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.told.Close() })
	return s
}

func (s *systemd) file(name string, content []byte) {
	if err := os.WriteFile(filepath.Join(s.dir, name), content, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// config writes a configuration that trusts the CA, with further lines.
func (s *systemd) config(name, more string) {
	s.file(name, []byte("collect: secureme@example.com\nstore: {path: "+s.dir+"/store}\nrevocation: {mode: off}\n"+
		"trust: {anchors: {file: "+s.dir+"/ca.pem, domains: any}}\n"+more+"\n"))
}

// start starts serve with sockets, names being theirs or "".
func (s *systemd) start(config, names string, sockets ...*os.File) (*exec.Cmd, *strings.Builder) {
	cmd := exec.Command("sh", "-c", "LISTEN_PID=$$ exec "+s.dir+"/certinbox serve --config "+s.dir+"/"+config)
	cmd.Env = append(os.Environ(), fmt.Sprintf("LISTEN_FDS=%d", len(sockets)), "NOTIFY_SOCKET="+s.told.LocalAddr().String())
	if names != "" {
		cmd.Env = append(cmd.Env, "LISTEN_FDNAMES="+names)
	}
	cmd.ExtraFiles = sockets // from descriptor 3 on
	var log strings.Builder
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { cmd.Process.Kill() }) // without effect once it has ended
	return cmd, &log
}

// stop ends the program as systemd does.
func (s *systemd) stop(cmd *exec.Cmd, log *strings.Builder) {
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	heard(s.t, s.told, "STOPPING=1")
	if err := cmd.Wait(); err != nil {
		s.t.Errorf("ended with %v\n%s", err, log.String())
	}
}

// greeted speaks to a milter socket.
func greeted(t *testing.T, on net.Listener) {
	mta, err := miltertest.Dial("tcp", on.Addr().String(), miltertest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := mta.Quit(); err != nil {
		t.Error(err)
	}
}

// TestSystemd: systemd holds the socket, is told when the daemon is ready and when it
// stops, and the configured listener is not opened.
func TestSystemd(t *testing.T) {
	s := newSystemd(t)
	unused := filepath.Join(s.dir, "configured.sock")
	s.config("config.yaml", "milter: {listen: \"unix:"+unused+"\"}")
	held, socket := heldSocket(t)
	cmd, log := s.start("config.yaml", "", socket)
	heard(t, s.told, "READY=1")
	greeted(t, held)
	if _, err := os.Stat(unused); err == nil {
		t.Error("the configured listener was opened beside that of systemd")
	}
	s.stop(cmd, log)
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
