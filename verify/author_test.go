package verify_test

import (
	"strings"
	"testing"

	"github.com/certinbox/certinbox/verify"
)

// The author is who From says, whatever the other fields say.
func TestAuthorIsFromAlone(t *testing.T) {
	sender := "evil@example.net"
	r := answered(verify.Envelope{Sender: &sender}, "Resent-From: evil@example.net\nSender: evil@example.net\nReply-To: evil@example.net\n"+
		"X-From: evil@example.net\nFrom:\n \"evil@example.net\"\n\t<Jürgen.X+y@BücHER.example>\n\nFrom: evil@example.net\n", nil)
	if want := "jürgen.x+y@xn--bcher-kva.example"; r.Author != want {
		t.Errorf("author %q, want %q", r.Author, want)
	}
}

// What is wrong with a From field is said in our words: the reply to it may
// become a bounce at a forged address.
func TestAuthorErrorsSayNothingForeign(t *testing.T) {
	for _, from := range []string{"visitmysite", "visitmysite <a@visitmysite>", "visitmysite@a, b@visitmysite.example", "visitmysite: a@example.org;",
		"(visitmysite", "\"visitmysite", "<visitmysite@example.org", "visitmysite@evil.example <a@example.org>", "a@visit_mysite.example", "visitmysite@[192.0.2.1]"} {
		r := answered(verify.Envelope{}, "From: "+from+"\n\nx\n", nil)
		reply := r.Reply("ref", "").String()
		if row := r.Result("message"); row.Reason != "from-invalid" || strings.Contains(row.Detail+row.Plain+reply, "mysite") {
			t.Errorf("%q: %+v, reply %q", from, row, reply)
		}
		if !strings.Contains(reply, "The From field cannot be used: ") || !strings.Contains(reply, "(from-invalid; ref ref)") {
			t.Errorf("%q: reply %q", from, reply)
		}
	}
}
