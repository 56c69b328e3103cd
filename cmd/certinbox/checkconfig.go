package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func checkConfigCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check-config",
		Short: "say what is wrong with the configuration",
		Long: `Read the configuration as the daemon would, with the CA certificates and groups that
it names, and say everything that is wrong with it. Nothing is written or
opened for others.

Exit status: 0 the daemon would start with it; 78 it would not.`,
		Example: "  certinbox check-config --config /etc/certinbox/config.yaml && systemctl reload certinbox",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			var w world
			if _, err := w.judge(c, teller(cmd.ErrOrStderr())); err != nil {
				return err
			}
			if _, err := groupID(c.Store.Group); err != nil {
				return fail(exitConfig, err)
			}
			file, _ := cmd.Flags().GetString("config")
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: ok\n", file)
			return err
		},
	}
}
