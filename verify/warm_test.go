package verify_test

import (
	"context"
	"encoding/json"
	"testing"
)

// TestCasesJudgedAgain judges every case twice by one Verifier: what it remembers of
// the first time changes no word of the second Report.
func TestCasesJudgedAgain(t *testing.T) {
	for _, c := range everyCase(t) {
		v, err := c.Verifier()
		if err != nil {
			t.Fatal(err)
		}
		first, again := c.Report(context.Background(), v), c.Report(context.Background(), v)
		if a, b := printed(t, first), printed(t, again); a != b || a != c.Want {
			t.Errorf("%s\n--- first\n%s--- again\n%s", c.Name, a, b)
		}
		a, errA := json.Marshal(first)
		b, errB := json.Marshal(again)
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Errorf("%s\nfirst %s %v\nagain %s %v", c.Name, a, errA, b, errB)
		}
	}
}
