package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/certinbox/certinbox/internal/smime"
	"github.com/certinbox/certinbox/store"
)

func pathCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "path ADDRESS",
		Short: "print the file of the certificate to encrypt to",
		Long: `Print the path of the certificate to which mail for ADDRESS is encrypted. Whoever may
read the kept certificates (store.group) may ask.

Exit status: 0 there is one; 1 there is none; 64 that is no address; 77 not
permitted; 78 configuration.`,
		Example: `  openssl x509 -in "$(certinbox path alice@example.org)" -noout -subject -dates
  openssl cms -encrypt -aes256 -in letter.txt -outform SMIME "$(certinbox path alice@example.org)"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			kept, address, err := existingAddress(cmd, args[0])
			if err != nil {
				return err
			}
			file, err := kept.Path(address)
			if errors.Is(err, store.ErrNotFound) {
				return unpublished(kept, address, err)
			}
			if err != nil {
				return fromStore(err)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), file)
			return err
		},
	}
}

// unpublished says why nothing of an address is published, as far as whoever
// asks may read that.
func unpublished(kept *store.Directory, address string, err error) error {
	f := fail(exitNo, err)
	a, showErr := kept.Show(address)
	if showErr != nil || len(a.Records) == 0 {
		return f
	}
	r := a.Records[len(a.Records)-1]
	f.err = fmt.Errorf("store: %s: no certificate is published: the newest is %s", address, stateWord(&r))
	if stateWord(&r) == "withheld" {
		f.err = fmt.Errorf("%w until its CA answers, at the latest until %s", f.err, moment(r.Withheld))
	}
	f.hint = "certinbox show " + address + " tells more"
	return f
}

// existingAddress opens the store for reading and reads the address as typed.
func existingAddress(cmd *cobra.Command, typed string) (*store.Directory, string, error) {
	address, err := addressKey(typed)
	if err != nil {
		return nil, "", err
	}
	kept, err := existingStore(cmd)
	return kept, address, err
}

// addressKey is the form of an address under which the store keeps it.
func addressKey(s string) (string, error) {
	a, err := smime.ParseAddress(s)
	if err != nil {
		return "", fail(exitUsage, fmt.Errorf("%q is not a mail address: %w", s, err))
	}
	return a.Key(), nil
}
