package verify_test

import (
	"context"
	"testing"
	"time"

	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/trust"
)

// TestMutation makes each check pass in turn, whatever it finds. A check that
// no case misses then is a check that no case tests.
func TestMutation(t *testing.T) {
	all := everyCase(t)
	for _, check := range verify.Checks() {
		t.Run(check, func(t *testing.T) {
			t.Parallel()
			decides, missed, accepted := 0, 0, 0
			for _, c := range all {
				if c.Verdict == verify.Accept {
					continue
				}
				d := judge(t, c, nil).Decisive()
				if d == nil || d.Check != check {
					continue
				}
				decides++
				r := judge(t, c, func(v *verify.Verifier) { v.Force(check) })
				if r.Verdict() == verify.Accept {
					accepted++
				}
				if d := r.Decisive(); d == nil || r.Verdict() != c.Verdict || d.Reason != c.Reason {
					missed++
				}
			}
			if decides < 4 {
				t.Errorf("%d cases are refused by this check, want at least 4", decides)
			}
			if missed == 0 {
				t.Errorf("no case misses this check")
			}
			if accepted == 0 && !hasSecondLock(check) {
				t.Errorf("without this check no case is accepted that must not be")
			}
			t.Logf("%d cases are refused by this check; without it %d answers change, %d to acceptance", decides, missed, accepted)
		})
	}
}

// hasSecondLock says that a later row needs what this one finds, so that a
// mail stays refused, with another reason, even without it: alignment takes
// only a signature that dkim saw holding, and signature needs the entity that
// structure cut out.
func hasSecondLock(check string) bool { return check == "dkim" || check == "structure" }

// TestCorpus holds the corpus to what it promises.
func TestCorpus(t *testing.T) {
	byName, adversarial, reasons := map[string]verify.Verdict{}, 0, map[string]int{}
	all := everyCase(t)
	for _, c := range all {
		byName[c.Name] = c.Verdict
		if c.Verdict != verify.Accept {
			adversarial++
			reasons[c.Reason]++
		}
	}
	if adversarial < 80 {
		t.Errorf("%d adversarial cases, want at least 80", adversarial)
	}
	for _, c := range all {
		switch {
		case c.Readme == "" || len(c.Envelope.Recipients) == 0:
			t.Errorf("%s: nothing says what is tried, or for whom", c.Name)
		case c.Verdict == verify.Accept && c.Twin != "":
			t.Errorf("%s is accepted and has a twin", c.Name)
		case c.Verdict != verify.Accept && byName[c.Twin] != verify.Accept:
			t.Errorf("%s: its twin %q is not an accepted case", c.Name, c.Twin)
		}
	}
	for _, reason := range rowReasons() {
		if reasons[reason] == 0 {
			t.Errorf("no case gives the reason %s", reason)
		}
		delete(reasons, reason)
	}
	for reason := range reasons {
		t.Errorf("the reason %s is not among those that rows give", reason)
	}
}

// rowReasons are the reasons that a row can give. The others of doc/checks.md
// belong to the transports, the collector and the store.
func rowReasons() []string {
	return []string{
		"message-malformed", "from-invalid", "header-duplicate", "auto-submitted", "too-big",
		"smime-none", "smime-pgp", "smime-encrypted", "smime-nested", "smime-certificate", "private-key",
		"dkim-none", "dkim-fail", "dkim-key", "dkim-unacceptable", "dkim-unaligned", "dkim-temperror",
		"cms-malformed", "cms-algorithm", "cms-integrity", "cms-signers", "cms-no-certificate",
		"cert-malformed", "cert-untrusted", "cert-incomplete", "cert-expired", "cert-not-yet-valid", "cert-distrusted",
		"cert-constraint", "cert-usage", "cert-key", "cert-weak", "cert-address", "cert-no-address",
		"cert-revoked", "cert-hold", "cert-revocation-unknown", "cert-revocation-none", "cert-blocked", "stale", "not-for-us",
	}
}

// TestNobodyIsAskedTooEarly holds the order of the checks: no DNS question for
// a message whose own bytes decide, no look into the blob of a stranger, no
// question to a CA unless everything else holds.
func TestNobodyIsAskedTooEarly(t *testing.T) {
	position := map[string]int{}
	for i, name := range verify.Checks() {
		position[name] = i
	}
	for _, c := range everyCase(t) {
		questions, revocation := 0, 0
		r := judge(t, c, func(v *verify.Verifier) {
			txt := v.TXT
			v.TXT = func(ctx context.Context, name string) ([]string, error) {
				questions++
				return txt(ctx, name)
			}
			revoked := v.Revoked
			v.Revoked = func(ctx context.Context, path trust.Path, at time.Time) ([]verify.Revocation, error) {
				revocation++
				if revoked == nil {
					return nil, nil
				}
				return revoked(ctx, path, at)
			}
		})
		decides := len(position)
		if d := r.Decisive(); d != nil {
			decides = position[d.Check]
		}
		if decides < position["dkim"] && questions > 0 {
			t.Errorf("%s: %d DNS questions, although %s decides", c.Name, questions, r.Decisive().Check)
		}
		if questions > 24 {
			t.Errorf("%s: %d DNS questions", c.Name, questions)
		}
		if decides < position["signature"] && len(r.Seen) > 0 {
			t.Errorf("%s: the blob was opened, although %s decides", c.Name, r.Decisive().Check)
		}
		if decides < position["revocation"] && revocation > 0 {
			t.Errorf("%s: a CA was asked, although %s decides", c.Name, r.Decisive().Check)
		}
		if off := c.Name == "revocation-off"; decides >= position["revocation"] && (revocation == 0) != off {
			t.Errorf("%s: %d questions to CAs", c.Name, revocation)
		}
	}
}

// TestEveryRowIsAsked judges every case as inspect does: each row answers, and
// the verdict and its reason are the same.
func TestEveryRowIsAsked(t *testing.T) {
	for _, c := range everyCase(t) {
		served := judge(t, c, nil)
		r := judge(t, c, func(v *verify.Verifier) { v.All = true })
		if r.Verdict() != served.Verdict() {
			t.Errorf("%s: %s when every row is asked, %s as served", c.Name, r.Verdict(), served.Verdict())
			continue
		}
		if d := r.Decisive(); d != nil && d.Reason != served.Decisive().Reason {
			t.Errorf("%s: %s when every row is asked, %s as served", c.Name, d.Reason, served.Decisive().Reason)
		}
	}
}
