package webhook

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// TestScratchUsedAgain: what one body leaves behind changes nothing of the next,
// whatever ended the first.
func TestScratchUsedAgain(t *testing.T) {
	long := strings.Repeat("A: ä\r\n", 20000)
	bodies := []string{
		string(relayPost(t, long, false)), string(relayPost(t, long, true)), string(relayPost(t, "A: b\r\n\r\nc", true)), msgOK, `[{"msys":{}}]`,
		`[` + msgOK, `{"rcpt_to":"c","email_rfc822":"QUJDQUJ","email_rfc822_is_base64":true}`, `{"rcpt_to":"c","email_rfc822":"A\r\n\r\n` + "\xff" + `"}`,
		`{"rcpt_to":"c","email_rfc822":"\q"}`, `{"rcpt_to":"c","email_rfc822":"QQ==QQ==","email_rfc822_is_base64":true}`, "",
	}
	read := func(s *scratch, body string) string {
		var l heldLedger
		var said strings.Builder
		err := s.decode(strings.NewReader(body), l.limits(1<<20), func(e *event) error {
			var b bytes.Buffer
			_, err := e.WriteTo(&b)
			fmt.Fprintf(&said, "%s %t %q %v\n", e.Recipient, e.Ping, b.String(), err)
			return nil
		})
		fmt.Fprintf(&said, "%v, %d held", err, l.held)
		return said.String()
	}
	for _, before := range bodies {
		for _, body := range bodies {
			s := new(scratch)
			want := read(new(scratch), body)
			read(s, before)
			if got := read(s, body); got != want {
				t.Errorf("%.80q after %.80q: %.200s, want %.200s", body, before, got, want)
			}
		}
	}
}
