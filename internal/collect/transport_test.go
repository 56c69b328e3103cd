package collect

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
)

// TestTransports: what a transport can do with a decision shapes it, and never
// what is kept on no proof.
func TestTransports(t *testing.T) {
	refused := verdict("structure", verify.None, "smime-none")
	silent := verdict("dkim", verify.TempError, "dkim-temperror")
	afterQueue, lastTry := verify.Envelope{AfterQueue: true}, verify.Envelope{AfterQueue: true, LastTry: true}
	for name, c := range map[string]struct {
		env    verify.Envelope
		report *verify.Report // nil: accepted
		fault  bool
		err    error
		action Action
		reason string
		puts   int
	}{
		"accepted elsewhere, good":             {env: afterQueue, action: Keep, puts: 1},
		"accepted elsewhere, refused":          {env: afterQueue, report: refused, action: Swallow, reason: "smime-none"},
		"accepted elsewhere, put off":          {env: afterQueue, report: silent, action: Defer, reason: "dkim-temperror"},
		"accepted elsewhere, a fault":          {env: afterQueue, fault: true, action: Defer, reason: "internal"},
		"last try, good":                       {env: lastTry, action: Keep, puts: 1},
		"last try, others' trouble":            {env: lastTry, report: silent, action: Swallow, reason: "dkim-temperror"},
		"last try, a fault by the message":     {env: lastTry, fault: true, action: Swallow, reason: "internal"},
		"last try, no room for what is good":   {env: lastTry, err: store.ErrFull, action: Defer, reason: "store-full", puts: 1},
		"last try, the disk fails":             {env: lastTry, err: errors.New("input/output error"), action: Defer, reason: "internal", puts: 1},
		"trial, good":                          {env: verify.Envelope{Trial: true}, action: Pass},
		"trial, refused":                       {env: verify.Envelope{Trial: true}, report: refused, action: Reject, reason: "smime-none"},
		"trial, put off":                       {env: verify.Envelope{Trial: true}, report: silent, action: Defer, reason: "dkim-temperror"},
		"trial of what was accepted elsewhere": {env: verify.Envelope{Trial: true, AfterQueue: true}, action: Pass},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			k := &keeper{err: c.err, change: store.Change{Kind: store.Added}}
			report := c.report
			if report == nil {
				report = accepted(t)
			}
			c.env.Recipients = []string{ours}
			out := begin(settings(k, &log), c.env, &exam{report: report, explode: c.fault}).End(context.Background())
			if out.Action != c.action || out.Reason != c.reason || len(k.put) != c.puts {
				t.Errorf("%s %q, %d put", out.Action, out.Reason, len(k.put))
			}
			if c.action == Pass && !strings.Contains(log.String(), "not kept (a trial)") {
				t.Errorf("the log does not say why nothing was kept:\n%s", log.String())
			}
		})
	}
}

// TestSetLastTry: a transport that recognises a message by its bytes knows of the
// last try only after it began.
func TestSetLastTry(t *testing.T) {
	env := verify.Envelope{AfterQueue: true, Recipients: []string{ours}}
	i := begin(settings(&keeper{}, &bytes.Buffer{}), env, &exam{report: verdict("dkim", verify.TempError, "dkim-temperror")})
	i.SetLastTry()
	if out := i.End(t.Context()); out.Action != Swallow || out.Reason != "dkim-temperror" {
		t.Errorf("%s %q", out.Action, out.Reason)
	}
	if i.Reference() == "" {
		t.Error("a message without a name got none")
	}
}
