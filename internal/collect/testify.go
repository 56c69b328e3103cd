package collect

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// testify tells the Witness what this message showed about CAs. Rows about
// certificates are asked only once an aligned DKIM signature holds, so that
// strangers cannot fill anybody's lists in the name of others.
func (i *Intake) testify(out Outcome) {
	w, r := i.settings.Witness, out.Report
	if w == nil || r == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			i.settings.Log.Logger().Error("cannot note what a message showed about CAs", "id", i.env.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	switch d := r.Decisive(); {
	case d == nil:
		if out.Action == Keep {
			w.Accepted(r.Path, !r.Unchecked, r.At)
		}
	case d.Check == "chain" && r.Refusal != nil && len(r.Refusal.Chain) > 0:
		switch d.Reason {
		case "cert-untrusted", "cert-incomplete", "cert-distrusted":
			_, domain, _ := strings.Cut(r.Author, "@")
			w.Refused(r.Refusal.Chain[len(r.Refusal.Chain)-1], d.Reason, domain, r.At)
		}
	case d.Reason == "cert-revoked", d.Reason == "cert-hold":
		w.Withdrawn(r.Author)
	}
}
