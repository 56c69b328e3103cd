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
	for _, s := range r.Seen {
		if s.Err != "" {
			fmt.Fprintf(&b, "certificate sha256=%s unreadable: %s\n", s.SHA256, s.Err)
			continue
		}
		fmt.Fprintf(&b, "certificate sha256=%s subject=%q issuer=%q until %s\n", s.SHA256, s.Subject, s.Issuer, s.NotAfter.Format(time.DateOnly))
	}
	if r.Verdict() == Accept && r.Encryption != nil {
		fmt.Fprintf(&b, "to keep     %s for %s, chosen as %s, bound %s, signed at %s\n", fingerprint(r.Encryption), r.Author, r.Chosen, r.Bound, r.SignedAt.Format(time.RFC3339))
		if r.Path.Anchor != nil {
			fmt.Fprintf(&b, "anchor      %s (%s)\n", distinguished(r.Path.Anchor.Certificate.RawSubject), r.Path.Anchor.Source)
		}
	}
	reply := r.Reply("", "")
	fmt.Fprintf(&b, "%s: %d %s\n", r.Verdict(), reply.Code, reply.Enhanced)
	_, err := io.WriteString(w, b.String())
	return err
}
