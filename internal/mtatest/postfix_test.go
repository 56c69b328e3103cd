package mtatest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// refused fails unless the answer has the code and every text in it.
func refused(t *testing.T, a Answer, code int, texts ...string) {
	t.Helper()
	if a.Code != code {
		t.Errorf("answer %s, want %d", a, code)
	}
	for _, text := range texts {
		if !strings.Contains(a.Text, text) {
			t.Errorf("answer does not say %q: %s", text, a)
		}
	}
}

// TestPostfix is the main job through a real Postfix: the honest are kept, the
// others hear why in the dialogue, and nobody else's mail is touched.
func TestPostfix(t *testing.T) {
	w := newWorld(t)
	d, milter, store := w.serve()
	addr := FreeAddr(t)
	p := StartPostfix(t, nil, Service{Addr: addr, Options: milterOption(milter)})
	s := DialSMTP(t, addr)

	// Foreign mail first, byte for byte.
	foreign := "Subject:odd\r\nX-Odd:   three  blanks \r\n\r\nbody\r\n"
	if a := s.Send("x@example.net", []byte(foreign), "other@example.com"); a.Code != 250 {
		t.Fatal(a)
	}
	if got := p.Delivered(1)[0]; !strings.HasSuffix(got, strings.ReplaceAll(foreign, "\r\n", "\n")) || strings.Contains(got, "Authentication-Results") {
		t.Errorf("foreign mail was changed:\n%s", got)
	}

	// Spoofed: Bob's signature, Alice's name.
	spoof := w.dkim.Sign(w.signed("bob", "alice@example.org")).Bytes()
	refused(t, s.Send("bob@example.org", spoof, collectAddress), 550, "5.7.1", "(cert-address; ref ", "Send from the address in your certificate")

	// Honest, with a forged result on top, in the same session.
	m := w.signed("alice", "").On("Authentication-Results: mx.example.com; dkim=pass header.d=forged.example",
		"Authentication-Results: other.example; dkim=pass header.d=kept.example")
	if a := s.Send("alice@example.org", w.dkim.Sign(m).Bytes(), collectAddress); a.Code != 250 {
		t.Fatal(a)
	}
	got := p.Delivered(2)
	mail := got[0] + got[1]
	for text, want := range map[string]bool{
		"Authentication-Results: mx.example.com;\n\tdkim=pass": true,
		"header.d=example.org":                                 true, "smime=pass": true, "forged.example": false, "kept.example": true,
	} {
		if strings.Contains(mail, text) != want {
			t.Errorf("delivered mail has %q: %v, want %v\n%s", text, !want, want, mail)
		}
	}
	w.kept(store, "alice@example.org")
	if _, err := os.Stat(filepath.Join(store, "certs", "bob@example.org.crt")); err == nil {
		t.Error("the spoofer's certificate was kept")
	}
	for _, text := range []string{"DKIM passed", "Certificate:", "user certificate passed", "written file"} {
		d.AwaitLog(text)
	}
	s.Quit()
}

// TestPostfixRecipients: spec §4a with 30 other recipients.
func TestPostfixRecipients(t *testing.T) {
	w := newWorld(t)
	d, milter, store := w.serve()
	addr := FreeAddr(t)
	p := StartPostfix(t, nil, Service{Addr: addr, Options: milterOption(milter)})
	s := DialSMTP(t, addr)
	var others []string
	for i := range 30 {
		others = append(others, fmt.Sprintf("other%d@example.com", i))
	}

	// After others: put off for it alone; the others get theirs.
	answers := s.Envelope("x@example.net", append(others, collectAddress)...)
	refused(t, answers[30], 452, "4.5.3", "recipients-split")
	if a := s.Data([]byte("Subject: to many\r\n\r\nhello\r\n")); a.Code != 250 {
		t.Fatal(a)
	}
	if n := len(p.Delivered(30)); n != 30 {
		t.Fatalf("%d deliveries, want 30", n)
	}

	// Before others and bad: ours is removed, the others get it unaltered.
	if a := s.Send("x@example.net", []byte("Subject: unsigned\r\nFrom: x@example.net\r\n\r\nhello\r\n"), append([]string{collectAddress}, others...)...); a.Code != 250 {
		t.Fatal(a)
	}
	d.AwaitLog("mixed-dropped")
	for _, m := range p.Delivered(60) {
		if strings.Contains(m, "Delivered-To: "+collectAddress) || strings.Contains(m, "X-Original-To: "+collectAddress) {
			t.Errorf("the collection address got the bad mail:\n%s", m)
		}
		if strings.Contains(m, "Authentication-Results") {
			t.Errorf("a third party's mail was altered:\n%s", m)
		}
	}

	// Before others and good: kept, and everybody gets it.
	if a := s.Send("alice@example.org", w.honest("alice"), append([]string{collectAddress}, others...)...); a.Code != 250 {
		t.Fatal(a)
	}
	p.Delivered(91)
	w.kept(store, "alice@example.org")
	s.Quit()
}

// TestPostfixFilterGone: without the filter nothing passes, and nothing that
// was answered with 250 is lost when it is killed.
func TestPostfixFilterGone(t *testing.T) {
	w := newWorld(t)
	d, milter, store := w.serve()
	addr := FreeAddr(t)
	StartPostfix(t, nil, Service{Addr: addr, Options: milterOption(milter)})

	s := DialSMTP(t, addr)
	if a := s.Send("alice@example.org", w.honest("alice"), collectAddress); a.Code != 250 {
		t.Fatal(a)
	}
	d.Kill()
	w.kept(store, "alice@example.org")
	// MAIL needs no reply of the filter, so that Postfix may notice only now.
	if a := s.Command("MAIL FROM:<bob@example.org>"); a.Code == 250 {
		refused(t, s.Command("RCPT TO:<%s>", collectAddress), 451)
	}
	s.Quit()

	d.Start()
	s = DialSMTP(t, addr)
	if a := s.Send("bob@example.org", w.honest("bob"), collectAddress); a.Code != 250 {
		t.Fatal(a)
	}
	w.kept(store, "alice@example.org")
	w.kept(store, "bob@example.org")
	s.Quit()
}

// TestPostfixParallel: 20 sessions at once, honest and spoofed mixed.
func TestPostfixParallel(t *testing.T) {
	w := newWorld(t)
	_, milter, store := w.serve()
	addr := FreeAddr(t)
	StartPostfix(t, nil, Service{Addr: addr, Options: milterOption(milter)})
	honest, spoofed := make([][]byte, 20), make([][]byte, 20)
	for i := range honest {
		honest[i] = w.honest(fmt.Sprintf("person%d", i))
		spoofed[i] = w.dkim.Sign(w.signed("mallory", fmt.Sprintf("victim%d@example.org", i))).Bytes()
	}
	var wg sync.WaitGroup
	for i := range honest {
		s := DialSMTP(t, addr)
		wg.Go(func() {
			for range 3 {
				refused(t, s.Send("m@example.org", spoofed[i], collectAddress), 550, "cert-address")
				if a := s.Send("p@example.org", honest[i], collectAddress); a.Code != 250 {
					t.Errorf("session %d: %s", i, a)
				}
			}
		})
	}
	wg.Wait()
	for i := range honest {
		w.kept(store, fmt.Sprintf("person%d@example.org", i))
	}
	names, err := filepath.Glob(filepath.Join(store, "certs", "*.crt"))
	if err != nil || len(names) != 20 {
		t.Errorf("%d certificates kept, want 20 (%v)", len(names), err)
	}
}

// TestPostfixTLS: two messages in one TLS session; the log names the TLS
// version for both, although an abort stands between them.
func TestPostfixTLS(t *testing.T) {
	w := newWorld(t)
	d, milter, store := w.serve()
	addr := FreeAddr(t)
	key, cert := selfSigned(t)
	StartPostfix(t, map[string]string{"smtpd_tls_cert_file": cert, "smtpd_tls_key_file": key, "smtpd_tls_security_level": "may"},
		Service{Addr: addr, Options: milterOption(milter)})
	s := DialSMTP(t, addr)
	s.StartTLS()
	for _, person := range []string{"alice", "bob"} {
		if a := s.Send(person+"@example.org", w.honest(person), collectAddress); a.Code != 250 {
			t.Fatal(a)
		}
		w.kept(store, person+"@example.org")
	}
	s.Quit()
	await(t, "both messages logged with their TLS version", func() bool { return strings.Count(d.Log(), " tls=TLSv1.") == 2 })
}
