package webhook

import (
	"strings"
	"testing"
)

// TestLengthOfEvent: an event says beforehand how much it will write at most.
func TestLengthOfEvent(t *testing.T) {
	for _, message := range []string{`"a\r\nb","email_rfc822_is_base64":false`, `"YQ==","email_rfc822_is_base64":true`, `"YWI=","email_rfc822_is_base64":true`, `"YWJj\r\nYWJj","email_rfc822_is_base64":true`} {
		var l heldLedger
		err := decode(strings.NewReader(`{"rcpt_to":"c","email_rfc822":`+message+`}`), l.limits(100), func(e *event) error {
			length := e.Length()
			var b strings.Builder
			if n, err := e.WriteTo(&b); err != nil || n > length || length > n+6 {
				t.Errorf("%s: %d bytes, %d foretold, %v", message, n, length, err)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", message, err)
		}
	}
}
