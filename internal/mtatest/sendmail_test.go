package mtatest

import (
	"fmt"
	"strings"
	"testing"
)

// TestSendmail is the main job through a real Sendmail.
func TestSendmail(t *testing.T) {
	w := newWorld(t)
	d, milter, store := w.serve()
	host, port, _ := strings.Cut(milter, ":")
	sm := StartSendmail(t, sendmailRoot, "inet:"+port+"@"+host)
	s := DialSMTP(t, sm.Addr)

	if a := s.Send("x@example.org", []byte("Subject: foreign\r\nFrom: x@example.org\r\n\r\nbody\r\n"), "root@example.com"); a.Code != 250 {
		t.Fatal(a)
	}
	spoof := w.dkim.Sign(w.signed("bob", "alice@example.org")).Bytes()
	refused(t, s.Send("bob@example.org", spoof, collectAddress), 550, "5.7.1", "(cert-address; ref ")

	m := w.signed("alice", "").On("Authentication-Results: mx.example.com; dkim=pass header.d=forged.example")
	if a := s.Send("alice@example.org", w.dkim.Sign(m).Bytes(), collectAddress); a.Code != 250 {
		t.Fatal(a)
	}
	w.kept(store, "alice@example.org")
	queued := strings.Join(sm.Queued(t), "\n")
	if !strings.Contains(queued, "smime=pass") || strings.Contains(queued, "forged.example") {
		t.Errorf("queued:\n%s", queued)
	}

	var others []string
	for i := range 30 {
		others = append(others, fmt.Sprintf("other%d@example.com", i))
	}
	answers := s.Envelope("x@example.net", append(others, collectAddress)...)
	refused(t, answers[30], 452, "4.5.3", "recipients-split")
	s.Command("RSET")

	if a := s.Send("x@example.net", []byte("Subject: unsigned\r\nFrom: x@example.net\r\n\r\nhello\r\n"), append([]string{collectAddress}, others...)...); a.Code != 250 {
		t.Fatal(a)
	}
	d.AwaitLog("mixed-dropped")
	for _, qf := range sm.Queued(t) {
		if !strings.Contains(qf, "unsigned") {
			continue
		}
		if strings.Contains(qf, collectAddress) || !strings.Contains(qf, others[29]) {
			t.Errorf("recipients of the bad mixed mail:\n%s", qf)
		}
		if strings.Contains(qf, "Authentication-Results") {
			t.Errorf("third parties' mail was altered:\n%s", qf)
		}
	}
	s.Quit()
}
