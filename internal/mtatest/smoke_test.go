package mtatest

import (
	"strings"
	"testing"
)

// TestPostfixDelivers: the rig itself takes and delivers mail unchanged.
func TestPostfixDelivers(t *testing.T) {
	addr := FreeAddr(t)
	p := StartPostfix(t, nil, Service{Addr: addr})
	s := DialSMTP(t, addr)
	if a := s.Send("a@example.org", []byte("Subject:no space\r\n\r\n.dot\r\n"), "box@example.com"); a.Code != 250 {
		t.Fatal(a)
	}
	s.Quit()
	if got := p.Delivered(1)[0]; !strings.Contains(got, "\nSubject:no space\n\n.dot\n") {
		t.Errorf("delivered:\n%s", got)
	}
}

// TestSendmailQueues: the rig itself takes mail when its filter accepts it.
func TestSendmailTempfailsWithoutFilter(t *testing.T) {
	s := StartSendmail(t, "../../.cache/sendmail", "inet:1@127.0.0.1")
	c := DialSMTP(t, s.Addr)
	if a := c.Command("MAIL FROM:<a@example.org>"); a.Code != 451 && a.Code != 421 {
		t.Fatalf("with its filter down sendmail answers %s", a)
	}
}
