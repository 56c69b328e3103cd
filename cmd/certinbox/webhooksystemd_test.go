package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail/cases"
	"github.com/certinbox/certinbox/milter/miltertest"
)

// heldSocket returns a socket as systemd has bound it, and the file that it hands over.
func heldSocket(t *testing.T) (net.Listener, *os.File) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	f, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return ln, f
}

// TestSystemdHoldsTheWebhook: a socket at the address of an entry of webhook.listen is
// that entry's, the other the milter's. One that is meant for the webhook and has no
// entry does not become a milter socket.
func TestSystemdHoldsTheWebhook(t *testing.T) {
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
	web, webFile := heldSocket(t)
	mail, mailFile := heldSocket(t)
	config := func(listen string) string {
		return "collect: secureme@example.com\nstore: {path: " + dir + "/store}\nrevocation: {mode: off}\n" +
			"trust: {anchors: {file: " + dir + "/ca.pem, domains: any}}\nwebhook: {listen: {listen: \"" + listen + "\"}}\n"
	}
	for _, err := range []error{
		os.Symlink(self, program),
		os.WriteFile(filepath.Join(dir, "ca.pem"), list[0].Anchors, 0o600),
		os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(config("inet:"+web.Addr().String())), 0o600),
		os.WriteFile(filepath.Join(dir, "other.yaml"), []byte(config("unix:"+dir+"/http")), 0o600),
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
	start := func(file string) (*exec.Cmd, *strings.Builder) {
		cmd := exec.Command("sh", "-c", "LISTEN_PID=$$ exec "+program+" serve --config "+filepath.Join(dir, file))
		cmd.Env = append(os.Environ(), "LISTEN_FDS=2", "LISTEN_FDNAMES=webhook:milter", "NOTIFY_SOCKET="+told.LocalAddr().String())
		cmd.ExtraFiles = []*os.File{webFile, mailFile}
		var log strings.Builder
		cmd.Stderr = &log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill() }) // without effect once it has ended
		return cmd, &log
	}

	cmd, log := start("config.yaml")
	heard(t, told, "READY=1")
	res, err := http.Post("http://"+web.Addr().String()+"/", "application/json", strings.NewReader(`[{"msys":{}}]`))
	if err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(res.Body)
	if res.Body.Close(); res.StatusCode != http.StatusOK {
		t.Errorf("answered %d %s", res.StatusCode, answer)
	}
	mta, err := miltertest.Dial("tcp", mail.Addr().String(), miltertest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := mta.Quit(); err != nil {
		t.Error(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	heard(t, told, "STOPPING=1")
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v\n%s", err, log.String())
	}

	cmd, log = start("other.yaml")
	cmd.Wait() // the exit status says more
	if cmd.ProcessState.ExitCode() != exitConfig || !strings.Contains(log.String(), "no entry of webhook.listen has that address") {
		t.Errorf("exit status %d\n%s", cmd.ProcessState.ExitCode(), log.String())
	}
}
