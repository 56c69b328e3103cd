package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/verify/trust"
)

// maxDropped is how many per cent of the roots an update may drop unasked.
const maxDropped = 20

type rootsUpdate struct {
	force, dryRun, embedded bool
	date                    string
}

func trustUpdateCommand() *cobra.Command {
	var u rootsUpdate
	cmd := &cobra.Command{
		Use:   "update FILE",
		Short: "bring newer public e-mail roots",
		Long: `Put the e-mail roots of FILE in the place of those that the program brings, and show what
that changes: + a root that is new, - one that goes, = one whose distrust date changes. FILE
is a certdata.txt of NSS, of which the roots with the e-mail trust bit are taken, or PEM, DER
or PKCS #7, of which all are. The list for TLS (/etc/ssl/certs) is not what you want.

An update that drops more than 20 % of the roots, or gives them a distrust date that has
passed, is refused without --force, one without a root always. Where the data does not say
of when it is, it is of --date, or of the file's last change; older data than the program's
own would not be used and is refused. --embedded goes back to the roots of the program.

Only for trust.roots: mozilla. Root becomes the user that owns the store first.

Exit status: 0 done; 1 refused; 64 wrong usage; 66 no such file, or none of roots; 74 it
failed; 77 not permitted; 78 configuration.`,
		Example: `  certinbox trust update --dry-run certdata.txt
  certinbox trust update certdata.txt && systemctl reload certinbox
  certinbox trust update --embedded`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if u.embedded == (len(args) == 1) {
				return fail(exitUsage, errors.New("give a FILE, or --embedded"))
			}
			c, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			if c.Trust.Roots != config.Mozilla {
				return &failure{exitConfig, fmt.Errorf("trust.roots is %s: the update would not be used", c.Trust.Roots), "set trust.roots to mozilla"}
			}
			if u.embedded {
				return u.goBack(cmd, c)
			}
			return u.bring(cmd, c, args[0])
		},
	}
	cmd.Flags().BoolVar(&u.force, "force", false, "even if more than 20 % of the roots go or are distrusted")
	cmd.Flags().BoolVar(&u.dryRun, "dry-run", false, "only show what would change")
	cmd.Flags().BoolVar(&u.embedded, "embedded", false, "go back to the roots of the program")
	cmd.Flags().StringVar(&u.date, "date", "", "`day` of the data where it does not say (2026-11-20)")
	return cmd
}

// bring puts the roots of a file in force.
func (u *rootsUpdate) bring(cmd *cobra.Command, c *config.Config, file string) error {
	next, err := u.read(cmd, file)
	if err != nil {
		return err
	}
	own, _, err := trust.ReadBundle(embeddedName, trust.Embedded())
	if err != nil {
		return fail(exitInternal, err)
	}
	if next.Date.Before(own.Date) {
		return &failure{exitNo, fmt.Errorf("%s is of %s, older than the roots of the program, of %s: it would not be used", file, day(next.Date), day(own.Date)),
			"bring newer data, say of when it is with --date, or name the file as trust.roots"}
	}
	return changeTrust(c, func(f *trust.Folder) error {
		old, err := rootsInForce(f, own)
		if err != nil {
			return err
		}
		lost := diff(cmd.OutOrStdout(), old, next, time.Now())
		if 100*lost > maxDropped*len(old.Roots) && !u.force {
			return &failure{exitNo, fmt.Errorf("%d of %d roots would go or be distrusted, more than %d %%: is it the right list?", lost, len(old.Roots), maxDropped),
				"nothing was changed; with --force it is done all the same"}
		}
		if u.dryRun {
			fmt.Fprintln(cmd.OutOrStdout(), "nothing was changed (--dry-run)")
			return nil
		}
		if err := f.Update(next); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "written: %s, %d roots of %s\n", filepath.Join(f.Path(), "roots.pem"), len(next.Roots), day(next.Date))
		reloadNext(cmd.OutOrStdout())
		return nil
	})
}

// read reads the new roots and says what is doubtful about them.
func (u *rootsUpdate) read(cmd *cobra.Command, file string) (trust.Bundle, error) {
	var b trust.Bundle
	data, modified, err := readFile(file)
	if err != nil {
		return b, fail(exitNoInput, err)
	}
	b, problems, err := trust.ReadBundle(file, data)
	if err != nil {
		return b, fail(exitNoInput, fmt.Errorf("%s: %w", file, err))
	}
	tell := teller(cmd.ErrOrStderr())
	say(problems, tell)
	if len(b.Roots) == 0 {
		return b, fail(exitNo, fmt.Errorf("%s holds no e-mail root: nothing was changed", file))
	}
	if b.Date.IsZero() {
		b.Date = modified.UTC().Truncate(time.Second)
		if u.date != "" {
			if b.Date, err = time.Parse(time.DateOnly, u.date); err != nil {
				return b, &failure{exitUsage, fmt.Errorf("--date %q is not a day", u.date), "write it like 2026-11-20"}
			}
		}
	}
	if b.Version == "" {
		b.Version = versionOf(file)
	}
	if b.Date.After(time.Now().AddDate(0, 0, 1)) {
		tell(fmt.Sprintf("%s is of %s, a day to come: until then it is never called old, nor are newer roots of the program used; say of when it is with --date", file, day(b.Date)))
	}
	if b.Old(time.Now()) {
		tell(fmt.Sprintf("%s is of %s, over 180 days old: there are newer ones", file, day(b.Date)))
	}
	if trust.LooksLikeTLS(b) {
		tell(file + " looks like a list of roots for TLS: many of them are not trusted for mail by anybody")
	}
	return b, nil
}

// versionOf makes the name of a file the version of roots that have none, in words
// that a bundle holds; "" if it says nothing.
func versionOf(file string) string {
	name := []rune(strings.NewReplacer(`"`, "'", `\`, "/").Replace(foreign(filepath.Base(file))))
	if name := strings.TrimSpace(string(name[:min(len(name), 100)])); name != "unknown" {
		return name
	}
	return ""
}

// rootsInForce returns the roots that are in force now. A bundle that is damaged has
// none: this is how it is mended.
func rootsInForce(f *trust.Folder, own trust.Bundle) (trust.Bundle, error) {
	contents, path, err := f.Roots()
	if err != nil || contents == nil {
		return own, err
	}
	old, _, err := trust.ReadBundle(path, contents)
	if err != nil || old.Date.Before(own.Date) {
		return own, nil
	}
	return old, nil
}

// goBack removes what trust update wrote.
func (u *rootsUpdate) goBack(cmd *cobra.Command, c *config.Config) error {
	own, _, err := trust.ReadBundle(embeddedName, trust.Embedded())
	if err != nil {
		return fail(exitInternal, err)
	}
	return changeTrust(c, func(f *trust.Folder) error {
		old, err := rootsInForce(f, own)
		if err != nil {
			return err
		}
		diff(cmd.OutOrStdout(), old, own, time.Now())
		if u.dryRun {
			fmt.Fprintln(cmd.OutOrStdout(), "nothing was changed (--dry-run)")
			return nil
		}
		if err := f.Forgo(); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "in force: the roots of the program, %d of %s\n", len(own.Roots), day(own.Date))
		reloadNext(cmd.OutOrStdout())
		return nil
	})
}

// diff prints what changes from old to next and returns how many roots go, or get a
// distrust date that has passed: no new certificate under them is accepted either.
func diff(out io.Writer, old, next trust.Bundle, now time.Time) (lost int) {
	was := map[string]trust.Root{}
	for _, r := range old.Roots {
		was[trust.Fingerprint(r.Certificate)] = r
	}
	ended := func(r trust.Root) bool { return !r.DistrustAfter.IsZero() && r.DistrustAfter.Before(now) }
	added, dropped, changed := 0, 0, 0
	stays := map[string]bool{}
	for _, r := range next.Roots {
		sum := trust.Fingerprint(r.Certificate)
		stays[sum] = true
		o, known := was[sum]
		switch {
		case !known:
			added++
			fmt.Fprintf(out, "+ %s %s\n", r.Label, sum)
		case !o.DistrustAfter.Equal(r.DistrustAfter):
			changed++
			if ended(r) && !ended(o) {
				lost++
			}
			fmt.Fprintf(out, "= %s %s distrust after: %s, was %s\n", r.Label, sum, dayOrNone(r.DistrustAfter), dayOrNone(o.DistrustAfter))
		}
	}
	for _, r := range old.Roots {
		if sum := trust.Fingerprint(r.Certificate); !stays[sum] {
			dropped++
			fmt.Fprintf(out, "- %s %s\n", r.Label, sum)
		}
	}
	fmt.Fprintf(out, "%d roots, %d before: %d added, %d dropped, %d with another distrust date\n", len(next.Roots), len(old.Roots), added, dropped, changed)
	return dropped + lost
}

func dayOrNone(t time.Time) string {
	if t.IsZero() {
		return "none"
	}
	return day(t)
}
