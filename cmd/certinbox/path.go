package main

import (
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
			if err != nil {
				return fromStore(err)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), file)
			return err
		},
	}
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
