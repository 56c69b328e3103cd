package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/certinbox/certinbox/store"
)

func whyCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "why REFERENCE",
		Short: "say why a recent message was refused or kept",
		Long: `Print everything that was found out about a recent message: for the phone call
after a bounce. REFERENCE is what the sender reads at the end of the refusal, and the
queue id in the log of the MTA. How many messages are remembered is said under
"reports" in the configuration.

Exit status: 0 found; 1 nothing is remembered under this reference; 77 not
permitted; 78 configuration.`,
		Example: "  certinbox why 4cX9k2Zb1z",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			kept, err := existingStore(cmd)
			if err != nil {
				return err
			}
			ring, err := kept.Reports()
			if err != nil {
				return fromStore(err)
			}
			s, err := ring.Get(args[0])
			if errors.Is(err, store.ErrNotFound) {
				return &failure{exitNo, fmt.Errorf("nothing is remembered under the reference %q", args[0]),
					"the reference is what stands behind \"ref\" in the reply, and the MTA's queue id; how many messages are remembered is said under reports: in the configuration"}
			}
			if err != nil {
				return fromStore(err)
			}
			if asJSON {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", s.JSON)
			} else {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n%s", s.At.UTC().Format("2006-01-02 15:04:05 UTC"), s.Text)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the record as JSON, with the report")
	return cmd
}
