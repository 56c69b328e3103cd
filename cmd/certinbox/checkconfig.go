package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/certinbox/certinbox/internal/config"
)

func checkConfigCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check-config",
		Short: "say what is wrong with the configuration",
		Long: `Read the configuration as the daemon would, with the CA certificates and groups that
it names and the certificates and secrets of the webhook, and say everything that is
wrong with it. Nothing is written or opened for others. Root reads as the user that owns
the store, if there is one yet.

Exit status: 0 the daemon would start with it; 78 it would not.`,
		Example: "  certinbox check-config --config /etc/certinbox/config.yaml && systemctl reload certinbox",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			if c, err = asDaemon(cmd, c); err != nil {
				return err
			}
			var w world
			if _, _, err := w.judge(c, teller(cmd.ErrOrStderr())); err != nil {
				return err
			}
			if err := groups(c); err != nil {
				return err
			}
			if err := webhookFiles(c, teller(cmd.ErrOrStderr())); err != nil {
				return err
			}
			file, _ := cmd.Flags().GetString("config")
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: ok\n", file)
			return err
		},
	}
}

// asDaemon reads the configuration again with the rights that the daemon has:
// what root may read says nothing.
func asDaemon(cmd *cobra.Command, c *config.Config) (*config.Config, error) {
	if os.Geteuid() != 0 {
		return c, nil
	}
	if _, _, err := owner(c.Store.Path); err != nil { // not there yet
		return c, nil
	}
	if err := becomeOwner(c); err != nil {
		return nil, err
	}
	return loadConfig(cmd)
}

// groups looks up every group that is named.
func groups(c *config.Config) error {
	var errs []error
	look := func(key, group string) {
		if _, err := groupID(key, group); err != nil {
			errs = append(errs, err)
		}
	}
	look("store.group", c.Store.Group)
	for i, l := range c.Milter {
		look(fmt.Sprintf("milter[%d].group", i), l.Group)
	}
	for i, l := range c.Webhook.Listen {
		look(fmt.Sprintf("webhook.listen[%d].group", i), l.Group)
	}
	if len(errs) > 0 {
		return fail(exitConfig, errors.Join(errs...))
	}
	return nil
}

// webhookFiles reads the certificates and secrets of the webhook. A variable may be
// there for the daemon only.
func webhookFiles(c *config.Config, tell func(string)) error {
	var errs []error
	if len(c.Webhook.Listen) > 0 {
		for i, a := range c.Webhook.Auth {
			if _, err := readCredential(i, a, tell); errors.Is(err, errUnset) {
				tell(err.Error() + " here; the daemon needs it")
			} else if err != nil {
				errs = append(errs, err)
			}
		}
	}
	for i, l := range c.Webhook.Listen {
		if l.Certificate != "" {
			errs = append(errs, certificateOf(i, l).read(tell, time.Now()))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fail(exitConfig, err)
	}
	return nil
}
