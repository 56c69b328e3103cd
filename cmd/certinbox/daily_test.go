package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/trust"
)

// TestAgeOfRoots: a daemon that runs for long says that its roots have become old.
func TestAgeOfRoots(t *testing.T) {
	made := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		age  time.Duration
		say  bool
		want bool
	}{
		"new":                {180 * 24 * time.Hour, true, false},
		"old":                {181 * 24 * time.Hour, true, true},
		"old, just told":     {181 * 24 * time.Hour, false, false},
		"of an unknown date": {time.Duration(1<<63 - 1), true, false},
	} {
		var log bytes.Buffer
		d := &service{log: collect.NewLog(&log, "human", "info")}
		b := trust.Bundle{Date: made}
		if c.age > 10*365*24*time.Hour {
			b.Date = time.Time{}
		}
		d.inForce.Store(&assembly{verifier: &verify.Verifier{Now: func() time.Time { return made.Add(c.age) }},
			trusted: trusted{bundle: b, file: "mozilla"}})
		d.sweepTrust(c.say)
		if got := strings.Contains(log.String(), "warning: trust: the public e-mail roots in force are over 180 days old"); got != c.want {
			t.Errorf("%s: %q", name, log.String())
		}
	}
}
