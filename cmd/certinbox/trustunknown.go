package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/certinbox/certinbox/verify/trust"
)

func trustUnknownCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "unknown",
		Short: "list the issuers that were refused lately",
		Long: `List the issuers because of which certificates were refused in the last 30 days, the most
frequent first: CAs that are not trusted here (cert-untrusted), intermediates that senders
left out (cert-incomplete), CAs that lost trust for new certificates (cert-distrusted); each
with a domain of an author and the command that would change it. The daemon writes the
list now and then.

The names are what certificates claim. Anybody can make one that claims anything: get the
CA's certificate from its owner, and compare its SHA-256 over another way.

Exit status: 0 done; 1 there is none; 74 it cannot be read; 77 not permitted; 78
configuration.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			if c, err = asDaemon(cmd, c); err != nil {
				return err
			}
			f, err := trust.OpenFolder(trustPath(c), true)
			if err != nil {
				return fromStore(err)
			}
			issuers, err := trust.ReadIssuers(f)
			if err != nil {
				return fromStore(err)
			}
			list := issuers.List(time.Now())
			if len(list) == 0 {
				return fail(exitNo, nil)
			}
			return writeRefused(cmd.OutOrStdout(), list, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

func writeRefused(out io.Writer, list []trust.RefusedIssuer, asJSON bool) error {
	if asJSON {
		for _, r := range list {
			if err := json.NewEncoder(out).Encode(r); err != nil {
				return fail(exitIO, err)
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for _, r := range list {
		fmt.Fprintf(w, "%s\n  reason\t%s\n  refused\t%d times, %s to %s\n  author in\t%s\n  key id\t%s\n  %s\n",
			r.Name, r.Reason, r.Count, moment(r.First), moment(r.Last), r.Domain, r.KeyID, remedy(r))
	}
	if err := w.Flush(); err != nil {
		return fail(exitIO, err)
	}
	return nil
}

// remedy is the command that lets the issuer in.
func remedy(r trust.RefusedIssuer) string {
	switch r.Reason {
	case "cert-incomplete":
		return "if you have its certificate:\tcertinbox trust add FILE --intermediate"
	case "cert-distrusted":
		return "for new certificates its holders need another CA"
	}
	return "if you trust it:\tcertinbox trust add FILE --domains " + r.Domain
}
