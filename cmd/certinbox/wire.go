package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/internal/dns"
	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
)

const defaultConfig = "/etc/certinbox/config.yaml"

// made is the month of the Go release that this program needs: a clock before
// it is wrong.
func made() time.Time { return time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC) }

// A world is what flags put in the place of the clock, the DNS and the
// configured trust.
type world struct {
	at      string // RFC 3339
	zone    string // file of DNS answers
	anchors string // file or folder

	revocation string // soft, hard or off; "": as configured
}

func (w *world) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.at, "at", "", "judge as if it were this `time` (RFC 3339, 2026-03-02T12:00:00Z)")
	cmd.Flags().StringVar(&w.zone, "dns", "", "take DNS answers from this `file`: lines NAME TXT \"...\"")
	cmd.Flags().StringVar(&w.anchors, "anchors", "", "trust the CA certificates in this `file` or folder, for any domain, and no others")
	cmd.Flags().StringVar(&w.revocation, "revocation", "", "ask CAs in this `mode`: soft, hard or off (default: as configured; with --at: off)")
}

// given says which of the flags was used, "" if none.
func (w *world) given() string {
	switch {
	case w.at != "":
		return "--at"
	case w.zone != "":
		return "--dns"
	case w.anchors != "":
		return "--anchors"
	}
	return ""
}

// clock returns the time as a function.
func (w *world) clock() (func() time.Time, error) {
	if w.at == "" {
		return time.Now, nil
	}
	at, err := time.Parse(time.RFC3339, w.at)
	if err != nil {
		return nil, &failure{exitUsage, fmt.Errorf("--at %q is not a time", w.at), "write it like 2026-03-02T12:00:00Z"}
	}
	return func() time.Time { return at }, nil
}

type txt func(ctx context.Context, name string) ([]string, error)

// resolver returns who answers DNS questions. The age of answers is measured
// by the real clock in any case.
func (w *world) resolver(c *config.Config) (txt, error) {
	if w.zone == "" {
		r, err := dns.New(c.DNS.Servers, time.Now)
		if err != nil {
			return nil, fail(exitConfig, err)
		}
		return r.TXT, nil
	}
	f, err := os.Open(w.zone)
	if err != nil {
		return nil, fail(exitNoInput, fmt.Errorf("--dns: %w", err))
	}
	defer f.Close()
	z, err := dns.ReadZone(f, w.zone)
	if err != nil {
		return nil, fail(exitConfig, err)
	}
	return z.TXT, nil
}

// judge connects a Verifier that asks no CA yet.
func (w *world) judge(c *config.Config, tell func(string)) (*verify.Verifier, trusted, error) {
	now, err := w.clock()
	if err != nil {
		return nil, trusted{}, err
	}
	t, err := w.trusted(c, now(), tell)
	if err != nil {
		return nil, trusted{}, err
	}
	lookup, err := w.resolver(c)
	if err != nil {
		return nil, trusted{}, err
	}
	return &verify.Verifier{Policy: c.Policy(), Anchors: t.anchors, TXT: lookup, Now: now}, t, nil
}

func prefixes(networks []config.Network) []netip.Prefix {
	var out []netip.Prefix
	for _, n := range networks {
		out = append(out, netip.Prefix(n))
	}
	return out
}

// openStore opens the store as configured. Commands that only look open it
// read-only: they may run as somebody who may not write there.
func openStore(c *config.Config, now func() time.Time, readOnly bool) (*store.Directory, error) {
	group, err := groupID("store.group", c.Store.Group)
	if err != nil {
		return nil, fail(exitConfig, err)
	}
	o := store.Options{
		Rules: store.Rules{
			KeyChange:       c.KeyChange.Mode,
			Hold:            time.Duration(c.KeyChange.Hold),
			FreshFor:        time.Duration(c.Freshness.MaxAge + c.Freshness.MaxAhead),
			NewPerDomainDay: c.Limits.NewPerDomain,

			PublishUnchecked: time.Duration(c.Revocation.PublishUnchecked),
		},
		Group: group, Now: now, ReadOnly: readOnly,
		Reports: store.ReportLimits{Count: c.Reports.Keep, Bytes: int64(c.Reports.Size)},
	}
	if c.KeyChange.Mode == config.Explained {
		o.Rules.KeyChange = "" // rows 7 and 8 as they are
	}
	d, err := store.Open(c.Store.Path, o)
	if err != nil {
		return nil, fromStore(err)
	}
	return d, nil
}

// groupID is the number of the group that a key of the configuration names, -1 for none.
func groupID(key, name string) (int, error) {
	if name == "" {
		return -1, nil
	}
	if n, err := strconv.Atoi(name); err == nil {
		return n, nil
	}
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", key, err)
	}
	return strconv.Atoi(g.Gid)
}

// loadConfig reads the file of --config.
func loadConfig(cmd *cobra.Command) (*config.Config, error) {
	file, err := cmd.Flags().GetString("config")
	if err != nil {
		return nil, fail(exitInternal, err)
	}
	c, err := config.Load(file)
	if err != nil {
		return nil, fromConfig(err)
	}
	return c, nil
}

// teller prints problems that stop nothing.
func teller(w io.Writer) func(string) {
	return func(s string) { fmt.Fprintf(w, "certinbox: warning: %s\n", s) }
}
