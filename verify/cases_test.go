package verify_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail/cases"
	"github.com/certinbox/certinbox/verify"
)

var update = flag.Bool("update", false, "write the file want of every case")

func everyCase(t *testing.T) []cases.Case {
	t.Helper()
	all, err := cases.All()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func judge(t *testing.T, c cases.Case, change func(v *verify.Verifier)) *verify.Report {
	t.Helper()
	v, err := c.Verifier()
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(v)
	}
	return c.Report(context.Background(), v)
}

// TestCases judges every case: verdict and reason are those that the recipe
// states, and the text is the one that was reviewed.
func TestCases(t *testing.T) {
	for _, c := range everyCase(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			r := judge(t, c, nil)
			holdsTogether(t, r)
			reason := ""
			if d := r.Decisive(); d != nil {
				reason = d.Reason
			}
			text := printed(t, r)
			if r.Verdict() != c.Verdict || reason != c.Reason {
				t.Errorf("%s\nanswered %s %s, expected %s %s\n%s", c.Readme, r.Verdict(), reason, c.Verdict, c.Reason, text)
			}
			if *update {
				write(t, c, text)
			} else if text != c.Want {
				t.Errorf("the text differs; look at it, and run go test ./verify -run Cases -update\n--- got\n%s--- want\n%s", text, c.Want)
			}
		})
	}
}

// holdsTogether asserts what must be true of every Report.
func holdsTogether(t *testing.T, r *verify.Report) {
	t.Helper()
	names := verify.Checks()
	if len(names) != 10 || len(r.Results) != len(names) {
		t.Fatalf("%d rows for %d checks", len(r.Results), len(names))
	}
	decided := false
	for i, row := range r.Results {
		if row.Check != names[i] {
			t.Errorf("row %d is %s instead of %s", i+1, row.Check, names[i])
		}
		holds := row.Status == verify.Pass || row.Status == verify.Neutral
		if holds && row.Reason != "" {
			t.Errorf("%s holds and gives the reason %s", row.Check, row.Reason)
		}
		if row.Status == verify.None && row.Reason == "" && !decided {
			t.Errorf("%s was not asked, and no row before it says why", row.Check)
		}
		if !holds && row.Status != verify.None && row.Reason == "" {
			t.Errorf("%s is %s without a reason", row.Check, row.Status)
		}
		decided = decided || !holds
	}
	if r.Verdict() != verify.Accept {
		return
	}
	if decided {
		t.Error("accepted, although a row does not hold")
	}
	if r.Signer == nil || r.Encryption == nil || len(r.Path.Chain) == 0 || r.Path.Anchor == nil || r.Author == "" || r.SignedAt.IsZero() || r.Identity == [32]byte{} {
		t.Errorf("accepted without signer, certificate, path, author, time or identity: %+v", r)
	}
}

// printed is the text of a Report and the reply that follows from it.
func printed(t *testing.T, r *verify.Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	return b.String() + r.Reply("REF", "").String() + "\n"
}

func write(t *testing.T, c cases.Case, want string) {
	t.Helper()
	file := filepath.Join("..", "testdata", "cases", c.Name+".txtar")
	if err := os.WriteFile(file, c.WithWant(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
