package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/certinbox/certinbox/store"
)

func showCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show ADDRESS",
		Short: "show what is kept of an address and what proves it",
		Long: `Show every certificate that was kept of an address, in any state, with its history
and the folder in which its evidence is.

Exit status: 0 found; 1 nothing is known of it; 64 that is no address; 77 not
permitted; 78 configuration.`,
		Example: "  certinbox show alice@example.org",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			kept, address, err := existingAddress(cmd, args[0])
			if err != nil {
				return err
			}
			a, err := kept.Show(address)
			if err != nil {
				return fromStore(err)
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(a)
			}
			return showAddress(cmd.OutOrStdout(), &a)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func showAddress(out io.Writer, a *store.Address) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintf(w, "address\t%s\n", a.Address)
	if !a.Deleted.IsZero() {
		fmt.Fprintf(w, "deleted\t%s\n", moment(a.Deleted))
	}
	if a.Suppressed {
		fmt.Fprintf(w, "suppressed\tno certificate is kept again\n")
	}
	fmt.Fprintf(w, "folder\t%s\n", a.Folder)
	for i := range a.Records {
		showRecord(w, &a.Records[i])
	}
	return w.Flush()
}

func showRecord(w io.Writer, r *store.Record) {
	state := string(r.State)
	if r.Preferred {
		state += ", encrypt to this one"
	}
	switch {
	case r.State == store.Waiting && r.Until.IsZero():
		state += ", withheld"
	case r.State == store.Revoked && r.OnHold:
		state += ", suspended: its CA may take that back"
	case r.State == store.Barred && r.BlockedCA:
		state += ", as a CA of its path is"
	}
	if r.Contested {
		state += ", contested: the former key is still in use"
	}
	fmt.Fprintf(w, "\ncertificate\t%s\n", r.Fingerprint)
	fmt.Fprintf(w, "  state\t%s\n", state)
	fmt.Fprintf(w, "  subject\t%q\n", r.Subject)
	fmt.Fprintf(w, "  issuer\t%q\n", r.Issuer)
	fmt.Fprintf(w, "  key\t%s\n", r.Key)
	fmt.Fprintf(w, "  spelling\t%q\n", r.Spelling)
	fmt.Fprintf(w, "  valid\t%s to %s\n", moment(r.NotBefore), moment(r.NotAfter))
	fmt.Fprintf(w, "  anchor\t%q\n", r.AnchorSource)
	fmt.Fprintf(w, "  bound\t%s, chosen as %s\n", r.Bound, r.Chosen)
	fmt.Fprintf(w, "  since\t%s via %s, reference %q\n", moment(r.Since), r.Via, r.Reference)
	fmt.Fprintf(w, "  last signed\t%s\n", moment(r.SignedAt))
	if !r.Until.IsZero() && r.State == store.Waiting {
		fmt.Fprintf(w, "  waits until\t%s\n", moment(r.Until))
	}
	if !r.Replaced.IsZero() {
		fmt.Fprintf(w, "  replaced\t%s by %s\n", moment(r.Replaced), r.ReplacedBy)
	}
	showRevocation(w, r)
	for _, n := range r.Journal {
		fmt.Fprintf(w, "  history\t%s %q\n", moment(n.At), n.What)
	}
}

// showRevocation says what the CA of a certificate says of it, and what follows.
func showRevocation(w io.Writer, r *store.Record) {
	line := func(format string, args ...any) { fmt.Fprintf(w, "  revocation\t"+format+"\n", args...) }
	if r.State == store.Waiting && !r.Withheld.IsZero() {
		fmt.Fprintf(w, "  withheld\tuntil its CA answers, at the latest until %s\n", moment(r.Withheld))
	}
	switch {
	case r.State == store.Revoked && r.RevokedAt.IsZero():
		line("its CA says: %q", r.RevokedWhy)
	case r.State == store.Revoked:
		line("since %s, its CA says: %q", moment(r.RevokedAt), r.RevokedWhy)
	case r.Unchecked:
		line("unchecked: no CA said whether it stands")
	case !r.Checked.IsZero():
		line("good, its CA said last at %s", moment(r.Checked))
	}
	if r.Asked.After(r.Checked) {
		fmt.Fprintf(w, "  asked\t%s\n", moment(r.Asked))
	}
	if r.Untrusted {
		fmt.Fprintf(w, "  path\tleads to no anchor any more\n")
	}
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
