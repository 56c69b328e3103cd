package revoke

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify"
)

func TestReadResponse(t *testing.T) {
	at := testmail.Instant()
	for name, c := range newOCSPWorld().cases() {
		t.Run(name, func(t *testing.T) {
			r, err := readResponse(c.der, c.cert.Cert, c.cert.Issuer.Cert, at)
			var answer *answerError
			switch {
			case err != nil && !errors.As(err, &answer):
				t.Errorf("an error of another kind: %v", err)
			case err != nil && (c.isAnswer() || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want %s", err, c.want)
			case err != nil:
				if r != (response{}) {
					t.Errorf("an error with an answer: %+v", r)
				}
			case r.status != c.want || r.reason != c.reason:
				t.Errorf("%+v, want %s for reason %d", r, c.want, c.reason)
			case !r.nextUpdate.After(at) || r.nextUpdate.After(r.thisUpdate.Add(longestUse)) || r.produced.IsZero():
				t.Errorf("times: %+v", r)
			case !c.next.IsZero() && !r.nextUpdate.Equal(c.next):
				t.Errorf("ends at %v, want %v", r.nextUpdate, c.next)
			case (r.status == verify.Revoked || r.status == verify.Hold) == r.revoked.IsZero():
				t.Errorf("%s at %v", r.status, r.revoked)
			}
		})
	}
}

// TestResponseChangedAnywhere: whatever bit is turned, the answer is none or
// what it was.
func TestResponseChangedAnywhere(t *testing.T) {
	w, at := newOCSPWorld(), testmail.Instant()
	for name, by := range map[string]*testmail.Identity{"CA": w.ca, "delegate": w.delegate} {
		der := w.answered(by, func(o *testmail.OCSPResponse) { o.Answers[0].Status = "revoked" })
		want, err := readResponse(der, w.leaf.Cert, w.ca.Cert, at)
		if err != nil {
			t.Fatal(err)
		}
		for i := range der {
			for bit := range 8 {
				changed := bytes.Clone(der)
				changed[i] ^= 1 << bit
				if r, err := readResponse(changed, w.leaf.Cert, w.ca.Cert, at); err == nil && r != want {
					t.Errorf("%s: byte %d, bit %d: %+v", name, i, bit, r)
				}
			}
		}
	}
}
