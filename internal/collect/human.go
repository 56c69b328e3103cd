package collect

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/certinbox/certinbox/verify"
)

// human builds lines that each begin with the queue id, so that one grep
// finds a message in ours and in the MTA's log.
type human struct {
	strings.Builder
	id string
}

func (h *human) line(format string, args ...any) {
	h.WriteString(h.id)
	fmt.Fprintf(h, format, args...)
	h.WriteByte('\n')
}

// report writes a line a check with its evidence, and one a certificate seen.
func (h *human) report(r *verify.Report) {
	for _, row := range r.Results {
		h.line("  %-11s %-9s %s", row.Check, row.Status, rowText(row))
		switch row.Check {
		case "structure":
			h.seen(r)
		case "chain":
			h.nearest(r)
		case "revocation":
			for _, a := range r.Revocations {
				h.line("    answer: %s", escape(a.String()))
			}
		}
	}
	if r.Encryption != nil && passed(r, "chain", "usage", "address") {
		h.line("  user certificate passed: sha256=%x chosen=%s", sha256.Sum256(r.Encryption.Raw), r.Chosen)
	}
}

// nearest writes the path that came nearest, and where it breaks.
func (h *human) nearest(r *verify.Report) {
	if r.Refusal == nil {
		return
	}
	for i, c := range r.Refusal.Chain {
		mark := ""
		if i == r.Refusal.Where {
			mark = " <- here"
			if r.Refusal.Constraint != "" {
				mark += ": " + r.Refusal.Constraint
			}
		}
		h.line("    path %d: %s%s", i, escape(verify.Subject(c)), escape(mark))
	}
}

func passed(r *verify.Report, checks ...string) bool {
	for _, c := range checks {
		if r.Result(c).Status != verify.Pass {
			return false
		}
	}
	return true
}

// seen writes the certificates of the bag. They are put behind the row
// structure, in the order in which a message is opened.
func (h *human) seen(r *verify.Report) {
	for _, c := range r.Seen {
		if c.Err != "" {
			h.line("  Certificate: sha256=%s cannot be read: %s", escape(c.SHA256), escape(c.Err))
			continue
		}
		h.line("  Certificate: subject email_address=[%s],not_valid_before=%s,not_valid_after=%s,subject=%s,issuer=%s,serial=%s,sha256=%s",
			escape(strings.Join(c.Mailboxes, " ")), c.NotBefore.UTC().Format(time.DateTime), c.NotAfter.UTC().Format(time.DateTime),
			escape(c.Subject), escape(c.Issuer), escape(c.Serial), escape(c.SHA256))
	}
}

// rowText is what a row says, with the phrases for DKIM that operators search
// their logs for.
func rowText(row verify.Result) string {
	var b strings.Builder
	if row.Check == "dkim" {
		switch {
		case row.Status == verify.Pass:
			b.WriteString("DKIM passed: ")
		case row.Reason != "":
			b.WriteString("DKIM FAIL: ")
		}
	}
	b.WriteString(escape(row.Detail))
	if row.Reason != "" {
		b.WriteString(" (" + row.Reason + ")")
	}
	for _, p := range row.Props {
		b.WriteString(" " + escape(p.Name) + "=" + escape(p.Value))
	}
	if row.Err != nil {
		b.WriteString(": " + escape(row.Err.Error()))
	}
	return b.String()
}
