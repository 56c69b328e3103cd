package verify

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// report builds a Report whose rows all pass but for the given ones.
func report(rows ...Result) *Report {
	r := &Report{At: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), Author: "alice@example.org"}
	for _, name := range Checks() {
		row := pass("fine")
		for _, other := range rows {
			if other.Check == name {
				row = other
			}
		}
		row.Check = name
		r.Results = append(r.Results, row)
	}
	return r
}

func TestVerdict(t *testing.T) {
	all := func(s Status) *Report {
		r := report()
		for i := range r.Results {
			r.Results[i].Status = s
		}
		return r
	}
	tests := map[string]struct {
		report *Report
		want   Verdict
	}{
		"all pass":                      {report(), Accept},
		"neutral does not decide":       {report(Result{Check: "revocation", Status: Neutral}), Accept},
		"all neutral":                   {all(Neutral), Accept},
		"fail":                          {report(Result{Check: "address", Status: Fail}), Reject},
		"policy":                        {report(Result{Check: "dkim", Status: PolicyNo}), Reject},
		"permanent error":               {report(Result{Check: "signature", Status: PermError}), Reject},
		"temporary error":               {report(Result{Check: "dkim", Status: TempError}), Defer},
		"none decides":                  {report(Result{Check: "dkim", Status: None}), Reject},
		"the first decides, not worst":  {report(Result{Check: "dkim", Status: TempError}, Result{Check: "address", Status: Fail}), Defer},
		"a later temporary error waits": {report(Result{Check: "structure", Status: Fail}, Result{Check: "dkim", Status: TempError}), Reject},
		"unknown status":                {report(Result{Check: "chain", Status: "maybe"}), Reject},
		"empty status":                  {report(Result{Check: "chain"}), Reject},
		"no rows at all":                {&Report{}, Defer},
	}
	for name, tt := range tests {
		if got := tt.report.Verdict(); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestAuthResults(t *testing.T) {
	d := []Prop{{"header.d", "example.org"}, {"x-bits", "2048"}}
	tests := map[string]struct {
		report *Report
		want   string
	}{
		"accepted": {report(Result{Check: "dkim", Status: Pass, Props: d}, Result{Check: "revocation", Status: Neutral}),
			"mx.example.com;\n\tdkim=pass\n\t header.d=example.org;\n\tsmime=pass"},
		"alignment is not published": {report(Result{Check: "alignment", Status: Fail, Reason: "dkim-unaligned"}),
			"mx.example.com;\n\tdkim=pass;\n\tsmime=pass"},
		"the first failing row of a method": {report(Result{Check: "chain", Status: PolicyNo, Reason: "cert-untrusted"}, Result{Check: "address", Status: Fail, Reason: "cert-address"}),
			"mx.example.com;\n\tdkim=pass;\n\tsmime=policy reason=\"cert-untrusted\""},
		"not asked": {report(Result{Check: "dkim", Status: None, Reason: "dkim-none"}, Result{Check: "signature", Status: None},
			Result{Check: "chain", Status: None}, Result{Check: "usage", Status: None}, Result{Check: "address", Status: None}, Result{Check: "revocation", Status: None}),
			"mx.example.com;\n\tdkim=none reason=\"dkim-none\";\n\tsmime=none"},
		"an own user's unsigned mail does not pass": {report(Result{Check: "dkim", Status: Neutral}),
			"mx.example.com;\n\tdkim=neutral;\n\tsmime=pass"},
		"half asked is not a pass": {report(Result{Check: "usage", Status: None}, Result{Check: "address", Status: None}),
			"mx.example.com;\n\tdkim=pass;\n\tsmime=none"},
		"foreign text cannot end the line": {report(Result{Check: "signature", Status: Pass, Props: []Prop{{"body.smime-issuer", "CN=\"x\r\nX: y\""}}}),
			"mx.example.com;\n\tdkim=pass;\n\tsmime=pass\n\t body.smime-issuer=\"CN=\\\"x??X: y\\\"\""},
	}
	for name, tt := range tests {
		if got := tt.report.AuthResults("mx.example.com"); got != tt.want {
			t.Errorf("%s:\n%q\nwant\n%q", name, got, tt.want)
		}
	}
	if got := report().AuthResults("evil;\r\n"); !strings.HasPrefix(got, "evil;\n\tdkim=") {
		t.Errorf("a bad identity gives %q", got)
	}
}

// TestReplyIsPlainUntilAligned: before an aligned DKIM pass a reply holds no
// word of the message, since it may reach a forged sender as a bounce.
func TestReplyIsPlainUntilAligned(t *testing.T) {
	foreign := Result{Check: "chain", Status: PolicyNo, Reason: "cert-untrusted", Detail: "issuer Evil Words is unknown", Plain: "the issuer is not trusted here"}
	if got := report(foreign).Reply("r", "").String(); !strings.Contains(got, "Evil Words") {
		t.Errorf("after an aligned pass the reply should name the issuer: %s", got)
	}
	unaligned := report(foreign, Result{Check: "alignment", Status: Neutral})
	if got := unaligned.Reply("r", "").String(); strings.Contains(got, "Evil") {
		t.Errorf("foreign words without an aligned pass: %s", got)
	}
}

// TestNoReasonIsNoAcceptance: a row that decides without a reason is never
// answered with 250.
func TestNoReasonIsNoAcceptance(t *testing.T) {
	for _, status := range []Status{None, Fail, "", "maybe"} {
		if got := report(Result{Check: "chain", Status: status}).Reply("r", ""); got.Code != 451 {
			t.Errorf("status %q without a reason is answered %s", status, got)
		}
	}
}

func TestPrintersSayEveryRow(t *testing.T) {
	r := report(Result{Check: "freshness", Status: Fail, Reason: "stale", Detail: "too old"})
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	var decoded struct {
		Verdict, Check, Reason string
		Results                []struct{ Check, Status string }
	}
	if err := json.Unmarshal(b, &decoded); err != nil {
		t.Fatal(err)
	}
	if decoded.Verdict != "reject" || decoded.Check != "freshness" || decoded.Reason != "stale" || len(decoded.Results) != len(Checks()) {
		t.Errorf("JSON says %+v", decoded)
	}
	line := r.LogValue().String()
	for _, name := range Checks() {
		if !strings.Contains(text.String(), "\n"+name) && !strings.HasPrefix(text.String(), name) {
			t.Errorf("text has no row %s", name)
		}
		if !strings.Contains(line, name+"=") {
			t.Errorf("log value has no %s: %s", name, line)
		}
	}
}
