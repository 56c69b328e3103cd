package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
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
	s := newSystemd(t)
	web, webFile := heldSocket(t)
	mail, mailFile := heldSocket(t)
	listen := func(on string) string { return "webhook: {listen: {listen: \"" + on + "\"}}" }
	s.config("config.yaml", listen("inet:"+web.Addr().String()))
	s.config("other.yaml", listen("unix:"+s.dir+"/http"))

	cmd, log := s.start("config.yaml", "webhook:milter", webFile, mailFile)
	heard(t, s.told, "READY=1")
	res, err := http.Post("http://"+web.Addr().String()+"/", "application/json", strings.NewReader(`[{"msys":{}}]`))
	if err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(res.Body)
	if res.Body.Close(); res.StatusCode != http.StatusOK {
		t.Errorf("answered %d %s", res.StatusCode, answer)
	}
	greeted(t, mail)
	s.stop(cmd, log)

	cmd, log = s.start("other.yaml", "webhook:milter", webFile, mailFile)
	cmd.Wait() // the exit status says more
	if cmd.ProcessState.ExitCode() != exitConfig || !strings.Contains(log.String(), "no entry of webhook.listen has that address") {
		t.Errorf("exit status %d\n%s", cmd.ProcessState.ExitCode(), log.String())
	}
}
