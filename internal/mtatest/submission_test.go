package mtatest

import (
	"crypto/rsa"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestSubmission: on a submission service certinbox stands after the DKIM
// signer, as the README says, and sees the signature that it made.
func TestSubmission(t *testing.T) {
	w := newWorld(t)
	_, milter, store := w.serve()
	signer := StartOpenDKIM(t, "example.org", w.dkim.Selector, w.dkim.Key.(*rsa.PrivateKey))
	addr := FreeAddr(t)
	p := StartPostfix(t, nil, Service{Addr: addr, Options: map[string]string{
		"smtpd_milters": "inet:" + signer + ", { inet:" + milter + ", default_action=tempfail }"}})
	s := DialSMTP(t, addr)
	if a := s.Send("alice@example.org", w.signed("alice", "").Bytes(), collectAddress); a.Code != 250 {
		t.Fatal(a)
	}
	w.kept(store, "alice@example.org")
	if got := p.Delivered(1)[0]; !strings.Contains(got, "dkim=pass") || !strings.Contains(got, "DKIM-Signature:") {
		t.Errorf("delivered:\n%s", got)
	}
	refused(t, s.Send("bob@example.org", w.signed("bob", "alice@example.org").Bytes(), collectAddress), 550, "cert-address")
	s.Quit()
}

// TestUnixSocketAndReload: a unix socket that Postfix's user may write to; a
// reload in the middle of a session takes effect for the next message, one
// with a mistake changes nothing.
func TestUnixSocketAndReload(t *testing.T) {
	w := newWorld(t)
	socket := filepath.Join(w.dir, "milter.sock")
	config, store := w.config("unix:"+socket, "on_accept: deliver")
	text, err := os.ReadFile(config)
	must(t, err)
	text = []byte(strings.Replace(string(text), socket+"\"}", socket+"\", group: postfix, mode: 0660}", 1))
	must(t, os.WriteFile(config, text, 0o644))
	d := StartDaemon(t, Build(t), socket, "--config", config, "--dns", WriteFile(t, "zone", w.zone.String()))
	addr := FreeAddr(t)
	p := StartPostfix(t, nil, Service{Addr: addr, Options: map[string]string{"smtpd_milters": "unix:" + socket}})
	s := DialSMTP(t, addr)
	if a := s.Send("alice@example.org", w.honest("alice"), collectAddress); a.Code != 250 {
		t.Fatal(a)
	}
	w.kept(store, "alice@example.org")

	must(t, os.WriteFile(config, append(text, "no_such_key: 1\n"...), 0o644))
	d.Signal(syscall.SIGHUP)
	d.AwaitLog("no_such_key")
	refused(t, s.Send("x@example.org", []byte("From: x@example.org\r\nSubject: unsigned\r\n\r\nx\r\n"), collectAddress), 550, "smime-none")

	must(t, os.WriteFile(config, []byte(strings.Replace(string(text), collectAddress, "[other@example.com]", 1)), 0o644))
	d.Signal(syscall.SIGHUP)
	d.AwaitLog("collect")
	await(t, "the new collection address to count", func() bool {
		return s.Send("x@example.org", []byte("From: x@example.org\r\nSubject: unsigned\r\n\r\nx\r\n"), collectAddress).Code == 250
	})
	refused(t, s.Send("x@example.org", []byte("From: x@example.org\r\nSubject: unsigned\r\n\r\nx\r\n"), "other@example.com"), 550, "smime-none")
	p.Delivered(2)
	s.Quit()
}
