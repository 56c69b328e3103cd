package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/internal/smime"
	"github.com/certinbox/certinbox/verify"
)

type inspection struct {
	world
	rcpt     []string
	sender   string
	json     bool
	tree     bool
	asServed bool
}

func inspectCommand() *cobra.Command {
	var o inspection
	cmd := &cobra.Command{
		Use:   "inspect FILE|-",
		Short: "judge a message in a file; keep nothing",
		Long: `Judge a message in a file, or on standard input with -, as the daemon judges it, and
print the answer to every check. Nothing is kept, and nobody is told but the CAs: where
everything else holds they are asked, as configured. With --at they are not.

All checks but the last are asked even where the daemon stops at the first
refusal; --as-served stops where the daemon does. A file with bare LF line ends
is read with CRLF, as it was on the wire. Without --dns, the DNS of today is
asked: an old mail may need the key of its time.

The configuration is not needed if --anchors and --rcpt say enough.

Exit status: 0 accept; 1 reject; 75 cannot be judged now (DNS); 64 wrong usage;
66 no such file; 78 configuration.`,
		Example: `  certinbox inspect mail.eml
  certinbox inspect --at 2018-11-22T15:10:00Z --dns dns.txt --anchors ca.pem --rcpt secureme@example.com mail.eml
  certinbox inspect --json - < mail.eml`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd, args[0])
		},
	}
	o.flags(cmd)
	cmd.Flags().StringArrayVar(&o.rcpt, "rcpt", nil, "judge as if this `address` were the collection address (repeatable)")
	cmd.Flags().StringVar(&o.sender, "sender", "", "envelope sender `address`; an empty one is the null sender (default: not known)")
	cmd.Flags().BoolVar(&o.json, "json", false, "print the report as JSON")
	cmd.Flags().BoolVar(&o.tree, "tree", false, "print the MIME structure first")
	cmd.Flags().BoolVar(&o.asServed, "as-served", false, "stop where the daemon stops")
	return cmd
}

func (o *inspection) run(cmd *cobra.Command, file string) error {
	if o.json && o.tree {
		return fail(exitUsage, errors.New("--tree is for people and --json for machines: choose one"))
	}
	c, err := o.config(cmd)
	if err != nil {
		return err
	}
	stderr := cmd.ErrOrStderr()
	v, done, err := o.verifier(c, stderr)
	if err != nil {
		return err
	}
	defer done()
	v.All = !o.asServed
	message, err := readMessage(file, cmd.InOrStdin(), v.Policy.Limits.Message)
	if err != nil {
		return err
	}
	if crlf, changed := withCRLF(message); changed {
		fmt.Fprintln(stderr, "certinbox: note: the file has bare LF line ends; judged with CRLF, as on the wire")
		message = crlf
	}
	env := verify.Envelope{Via: "inspect", Recipients: v.Policy.Collect[:min(1, len(v.Policy.Collect))]}
	if len(o.rcpt) > 0 {
		env.Recipients = o.rcpt
	}
	if cmd.Flags().Changed("sender") {
		env.Sender = &o.sender
	}
	x := v.Begin(env)
	x.Write(message)
	r := x.Report(cmd.Context())
	if err := o.print(cmd.OutOrStdout(), r, message, c.HelpURL); err != nil {
		return fail(exitIO, err)
	}
	switch r.Verdict() {
	case verify.Accept:
		return nil
	case verify.Defer:
		return fail(exitTemp, nil)
	}
	return fail(exitNo, nil)
}

// verifier connects a judge that asks CAs as the daemon does, without what the
// daemon remembers of their answers.
func (o *inspection) verifier(c *config.Config, stderr io.Writer) (v *verify.Verifier, done func() error, err error) {
	if c.Revocation.Mode, err = o.revocationMode(c); err != nil {
		return nil, nil, err
	}
	if v, _, err = o.judge(c, teller(stderr)); err != nil {
		return nil, nil, err
	}
	checker, err := newChecker(c, "", v.Now, nil)
	if err != nil || checker == nil {
		return v, func() error { return nil }, err
	}
	v.Revoked = checker.Ask
	return v, checker.Close, nil
}

// config reads the configuration, which may be missing or not ours to read
// unless it was asked for.
func (o *inspection) config(cmd *cobra.Command) (*config.Config, error) {
	c, err := loadConfig(cmd)
	absent := errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
	if absent && !cmd.Flags().Changed("config") {
		d := config.Defaults()
		c, err = &d, nil
	}
	if err != nil {
		return nil, err
	}
	for _, a := range o.rcpt {
		if _, err := smime.ParseAddress(a); err != nil {
			return nil, fail(exitUsage, fmt.Errorf("--rcpt %q is not a mail address", a))
		}
	}
	if len(o.rcpt) > 0 {
		c.Collect = o.rcpt
	}
	if len(c.Collect) == 0 {
		return nil, &failure{exitConfig, fmt.Errorf("%s cannot be read, so there is no collection address", defaultConfig),
			"name the address the mail was sent to with --rcpt, and CA certificates with --anchors"}
	}
	return c, nil
}

func (o *inspection) print(w io.Writer, r *verify.Report, message []byte, help string) error {
	if o.json {
		b, err := json.Marshal(r)
		if err != nil {
			return err
		}
		_, err = w.Write(append(b, '\n'))
		return err
	}
	if o.tree {
		if err := smime.Tree(w, message); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	if err := r.WriteText(w); err != nil {
		return err
	}
	if r.Verdict() == verify.Accept {
		return nil
	}
	_, err := fmt.Fprintf(w, "\nthe sender reads:\n%s\n", r.Reply("", help))
	return err
}

// readMessage reads a file or standard input, and no more than what makes it
// too big.
func readMessage(file string, stdin io.Reader, limit int) ([]byte, error) {
	in := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fail(exitNoInput, err)
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.IsDir() {
			return nil, fail(exitNoInput, fmt.Errorf("%s is a folder", file))
		}
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, int64(limit)+1))
	if err != nil {
		return nil, fail(exitIO, fmt.Errorf("%s: %w", file, err))
	}
	if len(b) == 0 {
		return nil, fail(exitNoInput, fmt.Errorf("%s is empty", file))
	}
	return b, nil
}

// withCRLF converts a message that was saved with bare LF throughout. One that
// has CRLF anywhere is left alone: what is odd in it came over the wire, or
// from a conversion that cannot be undone.
func withCRLF(m []byte) ([]byte, bool) {
	if bytes.Contains(m, []byte("\r\n")) || !bytes.Contains(m, []byte("\n")) {
		return m, false
	}
	return bytes.ReplaceAll(m, []byte("\n"), []byte("\r\n")), true
}
