package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/certinbox/certinbox/internal/testmail/cases"
)

func demoCommand() *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "show on a dozen messages what certinbox does",
		Long: `Start the real server with a store in a temporary folder, a DNS server and a
throw-away CA, all on loopback, and hand it a dozen messages as an MTA does: honest
ones, forged ones, and mail for other people. For each: what was sent, what the
sender reads, what was kept. At the end the kept certificates, and how to use one.

The folder is left, so that the printed lines work; remove it when you are done.
With --keep it stays up until it is interrupted, so that an MTA can be pointed
at it. Its clock stands still and its DNS knows only the senders of the messages;
it changes nothing outside its folder.

Exit status: 0 every answer was the expected one; 70 one was not.`,
		Example: "  certinbox demo\n  certinbox demo --keep",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmdContext(cmd), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return demonstrate(ctx, cmd.OutOrStdout(), keep)
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "stay up, and say how to point Postfix at it")
	return cmd
}

// cmdContext is the context of the command, which is nil when none was given.
func cmdContext(cmd *cobra.Command) context.Context {
	if ctx := cmd.Context(); ctx != nil {
		return ctx
	}
	return context.Background()
}

func demonstrate(ctx context.Context, out io.Writer, keep bool) error {
	list, err := cases.Demo()
	if err != nil {
		return fail(exitInternal, err)
	}
	if len(list) == 0 {
		return fail(exitInternal, errors.New("demo: there are no messages"))
	}
	dir, err := os.MkdirTemp("", "certinbox-demo-")
	if err != nil {
		return fail(exitIO, err)
	}
	s, err := newStage(dir, list)
	if err != nil {
		return fail(exitIO, err)
	}
	defer s.close()
	fmt.Fprintf(out, "A filter on %s, a DNS server on %s, %s.\nIts clock stands at %s.\n",
		s.listener.Addr(), s.dnsAddr, "a throw-away CA", list[0].At.Format("2006-01-02 15:04 UTC"))
	wrong := 0
	for i, c := range list {
		if ctx.Err() != nil {
			return fail(exitTemp, errors.New("demo: interrupted"))
		}
		p, err := s.play(i+1, c)
		if err != nil {
			return fail(exitInternal, err)
		}
		p.print(out)
		if p.wrong != "" {
			wrong++
		}
	}
	if err := s.printKept(out); err != nil {
		return fail(exitIO, err)
	}
	if wrong > 0 {
		return fail(exitInternal, fmt.Errorf("demo: %d of %d answers are not the expected ones", wrong, len(list)))
	}
	fmt.Fprintf(out, "\nAll %d answers are the expected ones.\n", len(list))
	if keep {
		return s.stay(ctx, out, list)
	}
	fmt.Fprintln(out, "With --keep the demonstration stays up, and a Postfix can be pointed at it.")
	return nil
}

// printKept lists the kept certificates and shows how to use one.
func (s *stage) printKept(out io.Writer) error {
	files, err := filepath.Glob(filepath.Join(s.dir, "store", "certs", "*.crt"))
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "\nThe kept certificates:")
	for _, f := range files {
		fmt.Fprintf(out, "    %s\n", f)
	}
	if len(files) == 0 {
		return nil
	}
	letter := filepath.Join(s.dir, "letter.txt")
	if err := os.WriteFile(letter, []byte("For your eyes only.\n"), 0o600); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nTo look at one:")
	try(out, "openssl", "x509", "-in", files[0], "-noout", "-subject", "-dates")
	fmt.Fprintln(out, "\nTo encrypt to one:")
	try(out, "openssl", "cms", "-encrypt", "-aes256", "-in", letter, "-outform", "SMIME", files[0])
	fmt.Fprintf(out, "\nThe messages and the log are beside them. To remove it all:\n    $ rm -r %s\n", s.dir)
	return nil
}

// shown is how many lines of a command's output are shown.
const shown = 8

// try prints a command line and, where the program is installed, what it says.
func try(out io.Writer, name string, args ...string) {
	fmt.Fprintf(out, "    $ %s %s\n", name, strings.Join(args, " "))
	if _, err := exec.LookPath(name); err != nil {
		return
	}
	said, err := exec.Command(name, args...).CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	for i, l := range lines {
		if i == shown {
			fmt.Fprintf(out, "    ... and %d lines more\n", len(lines)-i)
			break
		}
		fmt.Fprintf(out, "    %s\n", strings.TrimRight(l, "\r"))
	}
	if err != nil {
		fmt.Fprintf(out, "    (%v)\n", err)
	}
}
