package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/verify/trust"
)

func trustListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [FILE...]",
		Short: "list every CA in force, or every certificate in files",
		Long: `List every anchor, intermediate and block in force: subject, issuer, key, validity,
SHA-256, where it comes from and what limits it. Counts come last. A CA that is blocked, by
its SHA-256 or its key, is marked so: no path leads through it. A block is shown with the
subject and issuer of a certificate that it names, if one is at hand: among the CAs, or
among what is kept of the first 20000 addresses.

With FILEs, list every certificate in them instead, whatever it is: "openssl x509" shows
the first one only. PEM, DER, PKCS #7 and certdata.txt are read, one or many certificates
in a file. What cannot be an anchor, or not be read, is said with its place in the file.

Whoever may not read store.path/trust is warned and sees the rest.

Exit status: 0 done; 1 a FILE holds something that cannot be read; 66 no such file, or
none of certificates; 78 configuration.`,
		Example: `  certinbox trust list
  certinbox trust list company-ca.p7b
  certinbox trust list --json | jq -r 'select(.kind == "anchor") | .sha256'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return listFiles(cmd.OutOrStdout(), args, asJSON)
			}
			c, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			if c, err = asDaemon(cmd, c); err != nil {
				return err
			}
			return listTrusted(cmd.Context(), cmd.OutOrStdout(), c, teller(cmd.ErrOrStderr()), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

// listTrusted prints what is in force. What is wrong with it, the daemon would
// say too; here the rest is shown all the same.
func listTrusted(ctx context.Context, out io.Writer, c *config.Config, tell func(string), asJSON bool) error {
	t, err := (&world{}).trusted(c, time.Now(), tell)
	if err != nil {
		return err
	}
	blocked, err := readBlocks(c)
	if err != nil {
		return err
	}
	count, barred := map[string]int{}, map[string]int{}
	show := func(d described) error {
		if d.Kind != "block" {
			blocked.mark(&d)
		}
		if count[d.Kind]++; d.Blocked {
			barred[d.Kind]++
		}
		return d.print(out, asJSON)
	}
	public := 0
	for _, a := range t.anchors.List() {
		if a.Public {
			public++
		}
		if err := show(describeAnchor(a)); err != nil {
			return fail(exitIO, err)
		}
	}
	if err := listIntermediates(t, show); err != nil {
		return err
	}
	blocked.search(ctx)
	for _, b := range blocked.list {
		if err := show(b); err != nil {
			return fail(exitIO, err)
		}
	}
	if asJSON {
		return nil
	}
	_, err = fmt.Fprintf(out, "%s, %s, %s\n%s\n",
		counted("anchor", count, barred), counted("intermediate", count, barred), counted("block", count, nil), t.about(public))
	if err != nil {
		return fail(exitIO, err)
	}
	return nil
}

// counted says how many there are of a kind, and how many of them are blocked.
func counted(kind string, all, blocked map[string]int) string {
	text := fmt.Sprintf("%d %ss", all[kind], kind)
	if n := blocked[kind]; n > 0 {
		text += fmt.Sprintf(" (%d blocked)", n)
	}
	return text
}

// about says in a line which public roots are in force.
func (t *trusted) about(public int) string {
	if t.file == "" {
		return "e-mail roots: off"
	}
	source := t.file
	if t.bundle.Version != "" {
		source += ", " + t.bundle.Version
	}
	if !t.bundle.Date.IsZero() {
		source += " of " + day(t.bundle.Date)
	}
	return fmt.Sprintf("e-mail roots: %d (%s)", public, source)
}

func listIntermediates(t trusted, show func(described) error) error {
	if t.folder == nil {
		return nil
	}
	list, _, err := t.folder.Intermediates() // problems were said when it was put on the shelf
	if err != nil {
		return fail(exitIO, err)
	}
	for _, c := range list {
		if err := show(describe("intermediate", c).from("certinbox trust add")); err != nil {
			return fail(exitIO, err)
		}
	}
	for _, a := range t.anchors.List() {
		learnt, _, err := t.folder.Learnt(a)
		if err != nil {
			return fail(exitIO, err)
		}
		for _, c := range learnt {
			if err := show(describe("intermediate", c).from("learnt under " + trust.Fingerprint(a.Certificate))); err != nil {
				return fail(exitIO, err)
			}
		}
	}
	return nil
}

func listFiles(out io.Writer, files []string, asJSON bool) error {
	bad := false
	for _, file := range files {
		objects, problems, err := objectsOf(file, time.Now())
		if err != nil {
			return err
		}
		for _, o := range objects {
			d := describeObject(file, o)
			bad = bad || o.Certificate == nil && !o.Warning
			if err := d.print(out, asJSON); err != nil {
				return fail(exitIO, err)
			}
		}
		for _, p := range problems {
			bad = bad || !p.Warning
			if err := (described{Kind: "problem", Source: p.File, Index: p.Index, Problem: p.Text}).print(out, asJSON); err != nil {
				return fail(exitIO, err)
			}
		}
		if !asJSON {
			if _, err := fmt.Fprintf(out, "%s: %s\n", file, tally(objects)); err != nil {
				return fail(exitIO, err)
			}
		}
	}
	if bad {
		return fail(exitNo, errors.New("not everything in it can be read"))
	}
	return nil
}

// tally counts objects by what they are.
func tally(objects []trust.Object) string {
	var parts []string
	for _, kind := range []string{trust.MailCA, trust.OtherCA, trust.Leaf, trust.PrivateKey, trust.Other} {
		n := 0
		for _, o := range objects {
			if o.Kind == kind {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, kind))
		}
	}
	return strings.Join(parts, ", ")
}

func (d described) print(out io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(d)
	}
	return d.write(out)
}
