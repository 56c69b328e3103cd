package verify

import (
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/smime"
	"github.com/certinbox/certinbox/internal/smime/cms"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// signedFacts are those of a message whose signature holds.
func signedFacts(t *testing.T, header string, covered ...string) *facts {
	t.Helper()
	v := &Verifier{Policy: DefaultPolicy(), Now: func() time.Time { return noon }}
	v.Policy.Collect = []string{"secureme@example.com"}
	f := newFacts(v.Begin(Envelope{}))
	var err error
	f.header, _, err = smime.ScanHeader([]byte(strings.ReplaceAll(header, "\n", "\r\n")+"\r\n"), v.Policy.Limits.Header)
	if err != nil {
		t.Fatal(err)
	}
	f.aligned = &dkimSignature{covered: map[string]bool{}}
	for _, name := range covered {
		f.aligned.covered[strings.ToLower(name)] = true
	}
	f.signer, f.entity = &cms.Signer{}, &smime.Entity{Form: smime.Detached}
	return f
}

func TestFreshnessOfTime(t *testing.T) {
	const day = 24 * time.Hour
	tests := map[string]struct {
		signing *time.Duration // from now
		date    time.Duration
		covered bool
		want    string
	}{
		"both now":                              {ptr(0), 0, true, ""},
		"signed seven days ago":                 {ptr(-7 * day), -5 * day, true, ""},
		"signed a second more":                  {ptr(-7*day - time.Second), -5 * day, true, "stale"},
		"three hours ahead":                     {ptr(3 * time.Hour), 0, true, ""},
		"a second further":                      {ptr(3*time.Hour + time.Second), 0, true, "stale"},
		"old covered Date":                      {ptr(0), -8 * day, true, "stale"},
		"old uncovered Date counts for nothing": {ptr(0), -8 * day, false, ""},
		"72 hours apart":                        {ptr(-3 * day), 0, true, ""},
		"more than 72 hours apart":              {ptr(-3*day - time.Second), 0, true, "stale"},
		"more than 72 hours the other way":      {ptr(0), -3*day - time.Second, true, "stale"},
		"no signing time, covered Date":         {nil, -6 * day, true, ""},
		"no signing time, uncovered Date":       {nil, 0, false, "stale"},
		"no signing time, covered Date too old": {nil, -8 * day, true, "stale"},
		"no signing time, covered Date too new": {nil, 4 * time.Hour, true, "stale"},
	}
	for name, tt := range tests {
		header := "From: alice@example.org\nDate: " + noon.Add(tt.date).Format(time.RFC1123Z) + "\n"
		f := signedFacts(t, header)
		f.aligned.covered["date"] = tt.covered
		if tt.signing != nil {
			at := noon.Add(*tt.signing)
			f.signer.SigningTime = &at
		}
		r := checkFreshness(t.Context(), f)
		if r.Reason != tt.want || (tt.want == "") != r.Status.holds() {
			t.Errorf("%s: %s %s, want %q", name, r.Status, r.Reason, tt.want)
		}
		if tt.want == "" && f.report.SignedAt.After(noon) {
			t.Errorf("%s: stored time %s is after now", name, f.report.SignedAt)
		}
	}
}

func ptr(d time.Duration) *time.Duration { return &d }

func TestRecipientBinding(t *testing.T) {
	const protected = "Content-Type: text/plain; hp=\"clear\"\n"
	tests := map[string]struct {
		header, inner, covered, mode string
		bound, reason                string
	}{
		"covered To":                       {header: "To: x@y.example, SecureMe@Example.com\n", covered: "To", bound: BoundDomain},
		"covered Cc":                       {header: "Cc: <secureme@example.com>\n", covered: "Cc", bound: BoundDomain},
		"uncovered To":                     {header: "To: secureme@example.com\n", bound: BoundNone},
		"another's To":                     {header: "To: x@y.example\n", covered: "To", bound: BoundNone},
		"extension without delimiter":      {header: "To: secureme+x@example.com\n", covered: "To", bound: BoundNone},
		"word in covered Subject":          {header: "Subject: please =?utf-8?q?KEEP?= it\n", covered: "Subject", bound: BoundDomain},
		"word in uncovered Subject":        {header: "Subject: please keep it\n", bound: BoundNone},
		"inner To":                         {inner: protected + "To: secureme@example.com\n", bound: BoundPerson},
		"inner To names only others":       {header: "To: secureme@example.com\n", covered: "To", inner: protected + "To: x@y.example\n", reason: "not-for-us"},
		"inner To names nobody":            {inner: protected + "To: undisclosed-recipients:;\n", bound: BoundNone},
		"inner To names nobody, Cc others": {inner: protected + "To: undisclosed-recipients:;\nCc: x@y.example\n", reason: "not-for-us"},
		"inner To cannot be read":          {inner: protected + "To: <<>>\n", reason: "not-for-us"},
		"inner To without hp is nothing":   {header: "To: secureme@example.com\n", covered: "To", inner: "Content-Type: text/plain; protected-headers=v1\nTo: x@y.example\n", bound: BoundDomain},
		"inner header without To":          {header: "To: secureme@example.com\n", covered: "To", inner: protected, bound: BoundDomain},
		"required and missing":             {mode: BindingRequire, bound: BoundNone, reason: "not-for-us"},
		"required and there":               {mode: BindingRequire, header: "To: secureme@example.com\n", covered: "To", bound: BoundDomain},
	}
	for name, tt := range tests {
		f := signedFacts(t, "From: alice@example.org\n"+tt.header, tt.covered)
		f.signer.SigningTime = &noon
		f.v.Policy.BindingWord = "keep"
		if tt.mode != "" {
			f.v.Policy.RecipientBinding = tt.mode
		}
		if tt.inner != "" {
			f.entity.Inner = smime.InnerHeader([]byte(strings.ReplaceAll(tt.inner, "\n", "\r\n") + "\r\nbody"))
		}
		r := checkFreshness(t.Context(), f)
		if r.Reason != tt.reason || f.report.Bound != tt.bound {
			t.Errorf("%s: %s, bound %q, want reason %q, bound %q", name, r.Reason, f.report.Bound, tt.reason, tt.bound)
		}
	}
}
