// Command certinbox keeps the S/MIME certificates of people who send a signed
// mail to a collection address.
//
// One file a command. Objects are connected in wire.go (clock, DNS, store),
// trusted.go (who may vouch), asking.go (who asks CAs) and, for the daemon,
// assemble.go. Only this package reads files, flags and the environment to do so.
// What went wrong goes to stderr as "certinbox: WHAT: CAUSE", with a hint what to
// do about it, and the exit status says which kind it was: see exit.go.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is main with its world as arguments. It returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if err == nil {
		return exitOK
	}
	f, ok := errors.AsType[*failure](err)
	if !ok {
		f = fail(exitUsage, err) // cobra's own: unknown command or flag, wrong arguments
		f.hint = "see certinbox help"
	}
	if f.err != nil {
		for line := range strings.Lines(f.err.Error()) {
			fmt.Fprintf(stderr, "certinbox: %s\n", strings.TrimRight(line, "\n"))
		}
	}
	if f.hint != "" {
		fmt.Fprintf(stderr, "certinbox: hint: %s\n", f.hint)
	}
	return f.status
}

// newRoot builds the command tree.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "certinbox",
		Short: "keep the S/MIME certificates of honest senders",
		Long: `certinbox is an inbox for certificates. People send a signed mail to a
collection address; their S/MIME certificate is kept if two independent proofs
agree: the domain's DKIM signature and the holder's S/MIME signature. Anything
else is refused while the sending server is still on the line.

Exit status of every command: 0 done; 1 nothing found, or a message that is
refused; 64 wrong usage; 66 no such input; 70 internal error; 74 input or output
failed; 75 try again later; 77 not permitted; 78 configuration.`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		DisableAutoGenTag: true,
	}
	root.PersistentFlags().String("config", defaultConfig, "configuration `file`")
	root.AddCommand(serveCommand(), inspectCommand(), checkConfigCommand(), versionCommand(),
		listCommand(), showCommand(), pathCommand(), deleteCommand(), preferCommand(), blockCommand(), readmitCommand(), rebuildCommand(),
		whyCommand(), demoCommand(), pipeCommand(), trustCommand(), sparkpostCommand(), webhookSampleCommand())
	return root
}
