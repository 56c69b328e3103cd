package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify/trust"
)

func trustCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "see and decide which CAs may vouch for mail",
		Long: `See and decide which CAs may vouch for the mailboxes of senders: the public e-mail
roots (trust.roots), the CA certificates that the configuration names (trust.anchors), and
those that these commands keep in store.path/trust, beside intermediates and the block
list.

The daemon notices a change when it is told to: systemctl reload certinbox.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	cmd.AddCommand(trustListCommand(), trustAddCommand(), trustRemoveCommand(), trustBlockCommand(),
		trustUpdateCommand(), trustVerifyCommand(), trustUnknownCommand())
	return cmd
}

// changeTrust runs what changes store.path/trust: as the owner of the store,
// beside the daemon. What the operator names is read before, with the rights of
// who typed it.
func changeTrust(c *config.Config, do func(f *trust.Folder) error) error {
	if err := becomeOwner(c); err != nil {
		return err
	}
	f, err := openTrust(c, false, nil)
	if err != nil {
		return err
	}
	return fromTrust(do(f))
}

// fromTrust chooses the status for an error of a change, if it has none yet.
func fromTrust(err error) error {
	if _, chosen := errors.AsType[*failure](err); chosen || err == nil {
		return err
	}
	return fromStore(err)
}

// reloadNext says what the operator does next.
func reloadNext(out io.Writer) {
	fmt.Fprintln(out, "the daemon notices after: systemctl reload certinbox")
}

// objectsOf reads a file that the operator names.
func objectsOf(file string, now time.Time) ([]trust.Object, []trust.Problem, error) {
	data, _, err := readFile(file)
	if err != nil {
		return nil, nil, fail(exitNoInput, err)
	}
	objects, problems, err := trust.Objects(file, data, now)
	if err != nil {
		return nil, nil, &failure{exitNoInput, fmt.Errorf("%s: %w", file, err), "PEM, DER, PKCS #7 and certdata.txt are read"}
	}
	return objects, problems, nil
}

// fingerprintOf reads a SHA-256 as people write and copy it; false for anything else.
func fingerprintOf(s string) (string, bool) {
	s = strings.ToLower(strings.ReplaceAll(s, ":", ""))
	return s, len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// oneCertificate returns the only certificate of a file.
func oneCertificate(file string) (trust.Object, error) {
	objects, _, err := objectsOf(file, time.Now())
	if err != nil {
		return trust.Object{}, err
	}
	var found []trust.Object
	for _, o := range objects {
		if o.Certificate != nil {
			found = append(found, o)
		}
	}
	if len(found) != 1 {
		return trust.Object{}, &failure{exitUsage, fmt.Errorf("%s holds %d certificates", file, len(found)), "name the one that is meant by its SHA-256: certinbox trust list " + file}
	}
	return found[0], nil
}

// fingerprintNamed returns the SHA-256 that an argument names: itself, or that of the
// certificate in a file, or of its key.
func fingerprintNamed(arg string, key bool) (string, error) {
	if sum, ok := fingerprintOf(arg); ok {
		return sum, nil
	}
	if _, err := os.Stat(arg); err != nil {
		return "", &failure{exitNoInput, err, "give a SHA-256 of 64 hexadecimal digits, or the file of a certificate"}
	}
	o, err := oneCertificate(arg)
	if err != nil {
		return "", err
	}
	if key {
		return keyHash(o.Certificate), nil
	}
	return trust.Fingerprint(o.Certificate), nil
}

func trustRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove SHA256|FILE",
		Short: "take back a CA that trust add brought",
		Long: `Remove an anchor or intermediate that "certinbox trust add" brought, or an intermediate
that was learnt, by its SHA-256 or by the file of its certificate. With an anchor goes what
was learnt under it. Public roots stay: "certinbox trust block" is for those. Root
becomes the user that owns the store first.

Certificates that were kept under an anchor stay in certs/; after a reload the log names
them (event=untrusted). "certinbox trust block" takes them out, too.

Exit status: 0 done; 1 there is no such certificate; 64 wrong usage; 66 no such file; 74 it
failed; 77 not permitted; 78 configuration.`,
		Example: "  certinbox trust remove 1f0c…",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			sum, err := fingerprintNamed(args[0], false)
			if err != nil {
				return err
			}
			return changeTrust(c, func(f *trust.Folder) error {
				removed, err := f.Remove(sum)
				if errors.Is(err, os.ErrNotExist) {
					return &failure{exitNo, err, "certinbox trust list shows what there is; a public root is blocked, not removed: certinbox trust block " + sum}
				}
				if err != nil {
					return err
				}
				for _, part := range removed {
					fmt.Fprintf(cmd.OutOrStdout(), "removed %s\n", filepath.Join(f.Path(), part))
				}
				reloadNext(cmd.OutOrStdout())
				return nil
			})
		},
	}
}

func trustBlockCommand() *cobra.Command {
	var lift, key bool
	cmd := &cobra.Command{
		Use:   "block SHA256|FILE",
		Short: "accept no path through this certificate or key",
		Long: `Put a certificate on the block list, a CA's or a holder's, by its SHA-256 or its file, or
with --key its key, by the SHA-256 that "certinbox trust list" prints as key_sha256. No path leads
through a CA that is blocked, wherever its certificate comes from; a holder's leaves certs/
at once. It is the list of "certinbox block".

What was kept under a CA leaves certs/ once the daemon has been told to reload. --lift takes
the block back; what left for it alone then returns. Root becomes the user that owns the
store first.

Exit status: 0 done, also if there was nothing to do; 64 wrong usage; 66 no such file; 74 it
failed; 77 not permitted; 78 configuration.`,
		Example: `  certinbox trust block 1f0c…
  certinbox trust block --key compromised-ca.cer
  certinbox trust block 1f0c… --lift`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			sum, err := fingerprintNamed(args[0], key)
			if err != nil {
				return err
			}
			what, done := store.BlockCertificate, "blocked"
			if key {
				what = store.BlockKey
			}
			err = operate(cmd, func(ctx context.Context, kept *store.Directory) error {
				if lift {
					done = "no longer blocked:"
					return kept.Unblock(ctx, what, sum)
				}
				return kept.Block(ctx, what, sum)
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s %s %s\n", done, what, sum)
			if !key && !lift {
				fmt.Fprintln(cmd.OutOrStdout(), "another certificate of the same key is not blocked; --key blocks them all")
			}
			reloadNext(cmd.OutOrStdout())
			return nil
		},
	}
	cmd.Flags().BoolVar(&lift, "lift", false, "take it back")
	cmd.Flags().BoolVar(&key, "key", false, "block the key: every certificate that has it")
	return cmd
}
