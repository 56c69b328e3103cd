package mtatest

import (
	"strings"
	"testing"
)

// spellings are those under which an MTA takes mail for the collection address.
func spellings() []string {
	return []string{
		`<"secureme"@example.com>`, `<SecureMe@EXAMPLE.com>`, `<secureme@example.com.>`, `<@a.example,@b.example:secureme@example.com>`,
		`<"secure\me"@example.com>`, `<secure\me@example.com>`, `<secureme(c)@example.com>`, `<secureme @ example.com>`, `secureme@example.com`,
		`<secureme@"example.com">`, `<secureme>`, `<example.com!secureme>`, `<example.com!secureme@example.com>`, `<secureme%example.com@example.com>`,
		`<"secureme@example.com"@example.com>`, `<"secureme@example.com">`, `<group:secureme@example.com;>`, `<secureme@example.com,>`,
		`<secureme@example.com>>`, `<<secureme@example.com>>`, `<secureme@example.com@>`, `<x@secureme@example.com>`, `<"sec"ureme@example.com>`, "<ſecureme@example.com>",
		`<;secureme@example.com>`, `<secureme@example.com(x>`, `<secureme(x@example.com>`, `<>secureme%example.com>`, `<,secureme>`, `<secureme;(>`,
		`<,example.com!secureme@>`, `<secureme@example.com @@;>`, `<>secureme@example.com\>`, `<secureme<secureme>>`,
	}
}

// sendUnsigned sends a mail that is not signed to the collection address in each
// spelling, alone and before another recipient. It must be refused, at RCPT or
// at the end, or lose our recipient.
func sendUnsigned(t *testing.T, addr string) (sent int) {
	t.Helper()
	mail := []byte("From: x@example.org\r\nTo: secureme@example.com\r\nSubject: not signed\r\n\r\nx\r\n")
	for _, spelling := range spellings() {
		for _, other := range []bool{false, true} {
			s := DialSMTP(t, addr)
			s.Command("MAIL FROM:<x@example.org>")
			if s.Command("RCPT TO:%s", spelling).Code != 250 {
				s.Quit()
				continue
			}
			if other {
				if a := s.Command("RCPT TO:<other@example.com>"); a.Code != 250 {
					t.Fatalf("%s, then another recipient: %s", spelling, a)
				}
			}
			a := s.Data(mail)
			s.Quit()
			switch {
			case other && a.Code != 250:
				t.Errorf("%s: the other recipient loses mail: %s", spelling, a)
			case other:
				sent++
			case a.Code != 550:
				t.Errorf("%s: taken without judgement: %s", spelling, a)
			}
		}
	}
	if sent < 8 {
		t.Errorf("only %d spellings were taken at RCPT", sent)
	}
	return sent
}

// TestPostfixSpellings: no spelling that Postfix takes leads past the judgement.
func TestPostfixSpellings(t *testing.T) {
	w := newWorld(t)
	_, milter, _ := w.serve()
	addr := FreeAddr(t)
	p := StartPostfix(t, map[string]string{"smtpd_error_sleep_time": "0", "myorigin": "example.com"}, Service{Addr: addr, Options: milterOption(milter)})
	sent := sendUnsigned(t, addr)
	for _, m := range p.Delivered(sent) {
		if !strings.Contains(m, "Delivered-To: other@example.com\n") {
			t.Errorf("delivered without judgement:\n%s", m)
		}
	}
}

// TestSendmailSpellings: the same with Sendmail.
func TestSendmailSpellings(t *testing.T) {
	w := newWorld(t)
	_, milter, _ := w.serve()
	host, port, _ := strings.Cut(milter, ":")
	sm := StartSendmail(t, sendmailRoot, "inet:"+port+"@"+host)
	sent := sendUnsigned(t, sm.Addr)
	queued := sm.Queued(t)
	if len(queued) != sent {
		t.Errorf("%d queued, want %d", len(queued), sent)
	}
	for _, qf := range queued {
		for line := range strings.Lines(qf) {
			if strings.HasPrefix(line, "R") && strings.Contains(strings.ToLower(line), "secureme") {
				t.Errorf("queued without judgement: %s", line)
			}
		}
	}
}
