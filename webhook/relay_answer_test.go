package webhook_test

import (
	"strings"
	"testing"
)

// TestLongRecipients: what comes back is not many times what came.
func TestLongRecipients(t *testing.T) {
	r := start(t, nil)
	const n = 2000
	one := `{"rcpt_to":"` + strings.Repeat("<", 4000) + `","email_rfc822":"x"}`
	got := r.post("[" + strings.Repeat(one+",", n-1) + one + "]")
	if got.status != 200 || len(got.events) != n || got.nIgn != n || len(got.text) > 5<<20 {
		t.Fatalf("%d, %d events, %d ignored, %d bytes", got.status, len(got.events), got.nIgn, len(got.text))
	}
	if first, last := got.events[0], got.events[n-1]; len(first.Recipient) != 4000 || last.Recipient != "" || last.Index != n-1 {
		t.Errorf("%.200v %.200v", first, last)
	}
}
