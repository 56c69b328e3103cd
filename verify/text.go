package verify

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteText prints the Report for people: a line a check, then what would be
// kept, then the verdict.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, row := range r.Results {
		fmt.Fprintf(&b, "%-11s %-9s %s", row.Check, row.Status, row.Detail)
		if row.Reason != "" {
			fmt.Fprintf(&b, " (%s)", row.Reason)
		}
		b.WriteByte('\n')
	}
	writeSeen(&b, r.Seen)
	writePath(&b, r)
	for _, a := range r.Revocations {
		fmt.Fprintf(&b, "answer      %s\n", a)
	}
	if r.Verdict() == Accept && r.Encryption != nil {
		fmt.Fprintf(&b, "to keep     %s for %s, chosen as %s, bound %s, signed at %s\n", fingerprint(r.Encryption), r.Author, r.Chosen, r.Bound, r.SignedAt.Format(time.RFC3339))
	}
	reply := r.Reply("", "")
	fmt.Fprintf(&b, "%s: %d %s\n", r.Verdict(), reply.Code, reply.Enhanced)
	_, err := io.WriteString(w, b.String())
	return err
}

func writeSeen(b *strings.Builder, seen []CertificateSeen) {
	for _, s := range seen {
		if s.Err != "" {
			fmt.Fprintf(b, "certificate sha256=%s unreadable: %s\n", s.SHA256, s.Err)
			continue
		}
		fmt.Fprintf(b, "certificate sha256=%s subject=%q issuer=%q until %s\n", s.SHA256, s.Subject, s.Issuer, s.NotAfter.Format(time.DateOnly))
	}
}

// writePath prints the path leaf first and where its anchor came from, or the
// one that came nearest, with the place and the limit where it breaks.
func writePath(b *strings.Builder, r *Report) {
	chain, where := r.Path.Chain, -1
	if r.Refusal != nil {
		chain, where = r.Refusal.Chain, r.Refusal.Where
	}
	for i, c := range chain {
		fmt.Fprintf(b, "path %d      %s, until %s", i, distinguished(c.RawSubject), c.NotAfter.UTC().Format(time.DateOnly))
		if i == where {
			fmt.Fprintf(b, " <- %s", r.Refusal.Detail)
			if r.Refusal.Constraint != "" {
				fmt.Fprintf(b, " (%s)", display(r.Refusal.Constraint))
			}
		}
		b.WriteByte('\n')
	}
	if r.Refusal == nil && r.Path.Anchor != nil {
		fmt.Fprintf(b, "anchor      %s (%s)\n", distinguished(r.Path.Anchor.Certificate.RawSubject), r.Path.Anchor.Source)
	}
}

// String is the answer in one line, with its dates. Foreign text in it is safe
// for logs, not for replies.
func (a Revocation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s for serial %s", a.Status, display(a.Serial))
	if a.Method != "" {
		fmt.Fprintf(&b, " by %s %s", a.Method, display(a.Source))
	}
	for _, t := range []struct {
		what string
		at   time.Time
	}{{"revoked", a.Revoked}, {"of", a.Produced}, {"until", a.NextUpdate}} {
		if !t.at.IsZero() {
			fmt.Fprintf(&b, ", %s %s", t.what, t.at.UTC().Format(time.RFC3339))
		}
	}
	if a.Reason != "" {
		fmt.Fprintf(&b, ", reason %s", display(a.Reason))
	}
	if a.Detail != "" {
		fmt.Fprintf(&b, ": %s", display(a.Detail))
	}
	return b.String()
}
