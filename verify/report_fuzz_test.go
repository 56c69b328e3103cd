package verify_test

import (
	"context"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail/cases"
	"github.com/certinbox/certinbox/verify"
)

// FuzzReport judges any bytes: no panic, ten rows, an end in time, and
// acceptance only with everything that an acceptance needs. Every case is a seed.
func FuzzReport(f *testing.F) {
	all, err := cases.All()
	if err != nil {
		f.Fatal(err)
	}
	var honest cases.Case
	for _, c := range all {
		f.Add(c.Message)
		if c.Name == "honest" {
			honest = c
		}
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		c := honest
		c.Message = message
		v, err := c.Verifier()
		if err != nil {
			t.Fatal(err)
		}
		v.All = len(message)%2 == 0
		start := time.Now()
		r := c.Report(context.Background(), v)
		if took := time.Since(start); took > 10*time.Second {
			t.Fatalf("%d bytes took %v", len(message), took)
		}
		holdsTogether(t, r)
		if d := r.Decisive(); d != nil && d.Reason == "" {
			t.Errorf("%s decides without a reason", d.Check)
		}
		if reply := r.Reply("REF", ""); r.Verdict() != verify.Accept && reply.Code/100 == 2 {
			t.Errorf("%s is answered with %s", r.Verdict(), reply)
		}
	})
}
