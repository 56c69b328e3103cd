package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/certinbox/certinbox/store"
)

func listCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list the addresses of which a certificate is kept",
		Long: `List the addresses of which a certificate is kept: address, state, until when it is
valid, and its SHA-256 fingerprint, a line each, in the order of their file
names. With --json one object a line, with everything that is known.

The states: active; pending, a key change that waits; withheld, until its CA
answers; superseded; expired; revoked; on-hold, suspended by its CA; blocked.

Exit status: 0 also for an empty store; 74 a state file is damaged, the
others are listed; 77 not permitted; 78 configuration.`,
		Example: "  certinbox list | grep example.org",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			kept, err := existingStore(cmd)
			if err != nil {
				return err
			}
			var damaged error
			for h, err := range kept.List(cmd.Context()) {
				if err != nil {
					fmt.Fprintf(cmd.ErrOrStderr(), "certinbox: %v\n", err)
					damaged = err
					continue
				}
				if err := listed(cmd.OutOrStdout(), &h, asJSON); err != nil {
					return fail(exitIO, err)
				}
			}
			if damaged != nil {
				f, _ := fromStore(damaged).(*failure)
				return &failure{f.status, nil, f.hint}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

// existingStore opens the configured store for looking.
func existingStore(cmd *cobra.Command) (*store.Directory, error) {
	c, err := loadConfig(cmd)
	if err != nil {
		return nil, err
	}
	return openStore(c, time.Now, true)
}

// stateWord is the state in one word.
func stateWord(r *store.Record) string {
	switch {
	case r.State == store.Waiting && r.Until.IsZero():
		return "withheld"
	case r.State == store.Revoked && r.OnHold:
		return "on-hold"
	}
	return string(r.State)
}

func listed(w io.Writer, h *store.History, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(h)
	}
	r := h.Preferred()
	if r == nil {
		if len(h.Records) == 0 {
			return nil
		}
		r = &h.Records[len(h.Records)-1]
	}
	_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", h.Address, stateWord(r), r.NotAfter.UTC().Format(time.DateOnly), r.Fingerprint)
	return err
}
