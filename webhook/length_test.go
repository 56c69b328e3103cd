package webhook

import (
	"strings"
	"testing"
)

// TestStatedLength: how long a body is said to be changes nothing of what is read.
func TestStatedLength(t *testing.T) {
	long := strings.Repeat("word ä \\u00e4 \\ud83d\\ude00\\r\\n", 4000)
	body := `[{"msys":{"relay_message":{"rcpt_to":"c","content":{"email_rfc822":"` + long + `","headers":[1.5e-3,true]}}}},{"msys":{}}]`
	read := func(length int64) (messages []string) {
		var l heldLedger
		limits := l.limits(1 << 20)
		limits.length = length
		err := decode(strings.NewReader(body), limits, func(e *event) error {
			var b strings.Builder
			_, err := e.WriteTo(&b)
			messages = append(messages, b.String())
			return err
		})
		if err != nil {
			t.Errorf("length %d: %v", length, err)
		}
		return messages
	}
	want := read(0)
	if len(want) != 2 || len(want[0]) < 4000*len("word ä ä 😀\r\n") {
		t.Fatalf("%d messages", len(want))
	}
	for _, length := range []int64{-1, 1, 511, 512, 513, 1000, 4099, int64(len(body)) - 1, int64(len(body)), 1 << 40} {
		if got := read(length); strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("length %d: another message", length)
		}
	}
}

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
