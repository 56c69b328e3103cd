package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/certinbox/certinbox/store"
)

func deleteCommand() *cobra.Command {
	var suppress bool
	cmd := &cobra.Command{
		Use:   "delete ADDRESS",
		Short: "delete everything that is kept of an address",
		Long: `Delete everything that is kept of an address: certificates, history, evidence, and
the reports that name it. Mail signed before this moment is refused from now on,
so that an old mail cannot bring the certificate back; a new one can. With
--suppress none can: then a keyed hash of the address remains, to know it by.
Root becomes the user that owns the store first.

Exit status: 0 done, also if nothing was kept; 64 that is no address; 74 it
failed; 77 not permitted; 78 configuration.`,
		Example: "  certinbox delete alice@example.org --suppress",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return operateOn(cmd, args[0], func(ctx context.Context, kept *store.Directory, address string) error {
				gone, err := kept.Delete(ctx, address, suppress)
				if err == nil {
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: deleted %d certificates and %d reports\n", address, gone.Certificates, gone.Reports)
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&suppress, "suppress", false, "never keep a certificate of this address again")
	return cmd
}
