package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/certinbox/certinbox/store"
)

func blockCommand() *cobra.Command {
	var lift bool
	cmd := &cobra.Command{
		Use:   "block certificate|key|address VALUE",
		Short: "never keep this certificate, key or address",
		Long: `Put a certificate or key, by its SHA-256 as "certinbox show" prints it, or an address
on the block list. What it names leaves certs/ at once, for all addresses, and mail that
brings it is refused (cert-blocked). --lift takes it back: what was blocked for it alone
returns to the state it had. Root becomes the user that owns the store first.

The certificate or key of a CA may be named, too, as with "certinbox trust block": no path
leads through it, and what was kept under it leaves certs/, once the daemon has been told
to reload (systemctl reload certinbox).

Exit status: 0 done, also if there was nothing to do; 64 wrong usage; 74 it failed; 77 not
permitted; 78 configuration.`,
		Example: `  certinbox block key 1f0c…
  certinbox block address mallory@example.org
  certinbox block address mallory@example.org --lift`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			what, value := args[0], args[1]
			switch what {
			case store.BlockCertificate, store.BlockKey:
				value = strings.ToLower(value)
				if _, err := hex.DecodeString(value); err != nil || len(value) != 64 {
					return fail(exitUsage, fmt.Errorf("%q is not a SHA-256 of 64 hexadecimal digits", value))
				}
			case store.BlockAddress:
				address, err := addressKey(value)
				if err != nil {
					return err
				}
				value = address
			default:
				return fail(exitUsage, fmt.Errorf("%q: block a certificate, a key or an address", what))
			}
			err := operate(cmd, func(ctx context.Context, kept *store.Directory) error {
				if lift {
					return kept.Unblock(ctx, what, value)
				}
				return kept.Block(ctx, what, value)
			})
			if err == nil && what != store.BlockAddress { // it may be a CA's
				reloadNext(cmd.OutOrStdout())
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&lift, "lift", false, "take it back")
	return cmd
}
