package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/certinbox/certinbox/store"
)

// operate runs what an operator does to the store: as its owner, beside the
// daemon.
func operate(cmd *cobra.Command, do func(ctx context.Context, kept *store.Directory) error) error {
	c, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	if err := becomeOwner(c); err != nil {
		return err
	}
	kept, err := openStore(c, time.Now, false)
	if err != nil {
		return err
	}
	if err := do(cmd.Context(), kept); err != nil {
		return fromStore(err)
	}
	return nil
}

// operateOn is operate for one address, as the operator typed it.
func operateOn(cmd *cobra.Command, typed string, do func(ctx context.Context, kept *store.Directory, address string) error) error {
	address, err := addressKey(typed)
	if err != nil {
		return err
	}
	return operate(cmd, func(ctx context.Context, kept *store.Directory) error { return do(ctx, kept, address) })
}

func preferCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "prefer ADDRESS SHA256",
		Short: "publish this one of an address's certificates",
		Long: `Decide which certificate of an address is published: the one whose fingerprint
"certinbox show" prints becomes the preferred one at once, the former is superseded.
This is the operator's word on a key change that waits or is contested. One that has
expired, was revoked or is blocked cannot be published. Root becomes the user that owns
the store first.

Exit status: 0 done; 1 no such certificate is kept; 64 that is no address; 74 it
failed; 77 not permitted; 78 configuration.`,
		Example: "  certinbox prefer alice@example.org 1f0c…",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return operateOn(cmd, args[0], func(ctx context.Context, kept *store.Directory, address string) error {
				return kept.Prefer(ctx, address, strings.ToLower(args[1]))
			})
		},
	}
}

func readmitCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "readmit ADDRESS",
		Short: "take back that an address is suppressed",
		Long: `Take back "certinbox delete --suppress": the owner of the address may send a
certificate again. Nothing that was deleted comes back by itself. Root becomes the user
that owns the store first.

Exit status: 0 done, also if it was not suppressed; 64 that is no address; 74 it
failed; 77 not permitted; 78 configuration.`,
		Example: "  certinbox readmit alice@example.org",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return operateOn(cmd, args[0], func(ctx context.Context, kept *store.Directory, address string) error {
				return kept.Readmit(ctx, address)
			})
		},
	}
}

func rebuildCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rebuild",
		Short: "make certs/ anew from the entries",
		Long: `Make the folder certs/ anew from the private entries, apply the block list to
them, and remove from certs/ what no entry stands for. For after a restore from backup,
or when somebody wrote into certs/. The daemon may go on meanwhile. Root becomes the
user that owns the store first.

Exit status: 0 done; 74 it failed; 77 not permitted; 78 configuration.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return operate(cmd, func(ctx context.Context, kept *store.Directory) error {
				n, err := kept.Rebuild(ctx)
				if err == nil {
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "went through %d addresses\n", n)
				}
				return err
			})
		},
	}
}
