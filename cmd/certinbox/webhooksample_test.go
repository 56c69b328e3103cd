package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// readPost reads a post back with the standard library.
func readPost(t *testing.T, post []byte) (message []byte, sender, recipient string) {
	t.Helper()
	var events []struct {
		Msys struct {
			Message struct {
				Sender    string `json:"msg_from"`
				Recipient string `json:"rcpt_to"`
				Content   struct {
					Message string `json:"email_rfc822"`
					Base64  bool   `json:"email_rfc822_is_base64"`
				}
			} `json:"relay_message"`
		}
	}
	if err := json.Unmarshal(post, &events); err != nil || len(events) != 1 {
		t.Fatalf("%v, %d events", err, len(events))
	}
	m := events[0].Msys.Message
	message = []byte(m.Content.Message)
	if m.Content.Base64 {
		var err error
		if message, err = base64.StdEncoding.DecodeString(m.Content.Message); err != nil {
			t.Fatal(err)
		}
	}
	return message, m.Sender, m.Recipient
}

func FuzzRelayPost(f *testing.F) {
	f.Add([]byte("From: a\r\n\r\nHi <b>&\u2028\x00\x7f \"\\\r\n"), false)
	f.Add([]byte("\xff\xfe\r\n"), false)
	f.Add([]byte("\xed\xa0\x80"), true)
	f.Fuzz(func(t *testing.T, message []byte, always bool) {
		post, err := relayPost{message: message, sender: "a@example.org", recipient: "b@example.com", base64: always}.encode()
		if err != nil || !utf8.Valid(post) {
			t.Fatal(err)
		}
		if got, _, _ := readPost(t, post); !bytes.Equal(got, message) {
			t.Errorf("%q became %q", message, got)
		}
	})
}

func TestWebhookSampleOfAFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	wire := "From: Bob <bob@example.org>\r\nTo: Us <secureme@example.com>, x@example.com\r\n\r\n\u2028 <&>\r\n"
	for _, c := range []struct {
		name, text, want, sender, rcpt string
		args                           []string
	}{
		{"wire", wire, wire, "bob@example.org", "secureme@example.com", nil},
		{"saved with LF", strings.ReplaceAll(wire, "\r\n", "\n"), wire, "bob@example.org", "secureme@example.com", nil},
		{"one bare LF", wire + "\n", wire + "\n", "bob@example.org", "secureme@example.com", nil},
		{"Latin-1", wire + "\xe4\r\n", wire + "\xe4\r\n", "bob@example.org", "secureme@example.com", nil},
		{"base64", wire, wire, "bob@example.org", "secureme@example.com", []string{"--base64"}},
		{"envelope", "no header", "no header", "", "a@example.com", []string{"--sender", "", "--rcpt", "a@example.com"}},
	} {
		var out, errs bytes.Buffer
		if status := run(append([]string{"webhook-sample", write("mail.eml", c.text)}, c.args...), nil, &out, &errs); status != exitOK {
			t.Errorf("%s: exit %d: %s", c.name, status, errs.String())
			continue
		}
		message, sender, rcpt := readPost(t, out.Bytes())
		if string(message) != c.want || sender != c.sender || rcpt != c.rcpt {
			t.Errorf("%s: %q from %s to %s", c.name, message, sender, rcpt)
		}
		if coded := bytes.Contains(out.Bytes(), []byte(`"email_rfc822_is_base64":true`)); coded != (c.name == "base64" || c.name == "Latin-1") {
			t.Errorf("%s: base64 is %v", c.name, coded)
		}
	}
	for _, c := range []struct {
		args   []string
		status int
	}{
		{[]string{write("none.eml", "Subject: x\r\n\r\n")}, exitUsage}, // no recipient
		{[]string{filepath.Join(dir, "nothing.eml")}, exitNoInput},
		{[]string{write("mail.eml", wire), "--dir", dir}, exitUsage},
		{[]string{"--url", "https://hooks.example.com/"}, exitUsage},
		{[]string{"--url", "http://192.0.2.1:8855/"}, exitUsage},
		{[]string{"--url", "file:///etc/passwd"}, exitUsage},
		{[]string{"--dir", dir}, exitIO}, // not empty
		{[]string{"--rcpt", "a@example.com"}, exitUsage},
	} {
		var errs bytes.Buffer
		if status := run(append([]string{"webhook-sample"}, c.args...), nil, &errs, &errs); status != c.status {
			t.Errorf("%v: exit %d, want %d: %s", c.args, status, c.status, errs.String())
		}
	}
}

func TestShellWord(t *testing.T) {
	for _, s := range []string{"", "/tmp/x", "a b", "it's", "$(id)", "a\nb", "`x`", "~root", "*", "-n", "a;b", "ä"} {
		said, err := exec.Command("sh", "-c", "printf %s "+shellWord(s)).Output()
		if s == "-n" { // printf's own matter
			continue
		}
		if err != nil || string(said) != s {
			t.Errorf("%q is read as %q by a shell (%v)", s, said, err)
		}
	}
}
