package webhook_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/trust"
	"github.com/certinbox/certinbox/webhook"
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

// TestReportThatCannotBeWritten: JSON has no word for a time beyond the year 9999. The
// event is answered all the same, and holds up no other.
func TestReportThatCannotBeWritten(t *testing.T) {
	r := start(t, func(_ *webhook.Config, s *collect.Settings) {
		s.Verifier.Policy.Revocation = verify.RevocationSoft
		s.Verifier.Revoked = func(_ context.Context, path trust.Path, at time.Time) ([]verify.Revocation, error) {
			sum := sha256.Sum256(path.Chain[0].Raw)
			return []verify.Revocation{{SHA256: hex.EncodeToString(sum[:]), Status: verify.Revoked, Method: "crl",
				Produced: at, NextUpdate: at.AddDate(9000, 0, 0)}}, nil
		}
	})
	got := r.post(array(event(ours, r.honest.Message), event("bob@example.com", []byte("x"))))
	if got.status != 200 || len(got.events) != 2 || got.events[0].Action != "swallow" || got.events[0].Reason != "cert-revoked" || got.events[1].Action != "ignored" {
		t.Errorf("%d %s", got.status, got.text)
	}
	if len(got.events) > 0 && (got.events[0].Report != nil || got.events[0].Reference == "") {
		t.Errorf("%+v", got.events[0])
	}
	if one := r.check("?rcpt="+ours, r.honest.Message); one.status != 200 || one.one.Verdict != "reject" || one.one.Report != nil {
		t.Errorf("%d %s", one.status, one.text)
	}
}
