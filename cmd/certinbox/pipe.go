package main

import (
	"context"
	"fmt"
	"io"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/verify"
)

func pipeCommand() *cobra.Command {
	var p pipe
	cmd := &cobra.Command{
		Use:   "pipe",
		Short: "judge a message on standard input, keep what is good, and say so by the exit status",
		Long: `Judge one message on standard input as the daemon does, and keep its certificate in
the same store: for MTAs that deliver to a program. The message itself is
delivered nowhere.

The envelope comes from flags, or else from the environment as the MTA sets it:
RECIPIENT (or LOCAL_PART and DOMAIN), SENDER, CLIENT_ADDRESS, SASL_USERNAME,
MESSAGE_ID. MAILER-DAEMON or nothing as sender is the null sender. Recipients
that are no collection address are not taken; hand over one at a time.

A message with bare LF line ends is read with CRLF, and a leading "From " line
of a mailbox file is dropped: MTAs change messages so for programs.

What the sender should read goes to standard output, first the enhanced status
code; nothing when the message is taken. The log goes where --log says. Without
it, that is standard error, or syslog (facility mail) where standard output and
standard error are one pipe: an MTA that reads both sends them to the sender.

With Postfix the milter is better: it refuses before the mail is accepted. Where it
has to be pipe(8), in master.cf (and certinbox_destination_recipient_limit = 1 in
main.cf):

    certinbox unix - n n - 4 pipe flags=R user=certinbox null_sender=
      argv=/usr/local/bin/certinbox pipe --after-queue --rcpt=${recipient}
      --sender=${sender} --client=${client_address} --id=${queue_id}

Without --after-queue a refusal becomes a bounce at whoever is named as the sender.

It has to run as the owner of the store. The daemon should run beside it, also
if it takes no mail: it asks CAs again about what is kept, and takes out what
has expired.

Exit status: 0 taken; 77 refused; 75 cannot be judged or kept now, and whatever
is wrong on this host, also in the configuration; 67 not a collection address;
64 wrong usage. --map has others for MTAs with conventions of their own; reject
stands then also for 67.`,
		Example: `  certinbox pipe --rcpt secureme@example.com --sender alice@example.org < mail.eml
  certinbox pipe --after-queue --rcpt secureme@in.example.com
  certinbox pipe --map reject=100,defer=111 --rcpt secureme@example.com`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return p.run(cmd) },
	}
	p.flags(cmd)
	cmd.Flags().StringArrayVar(&p.given.rcpt, "rcpt", nil, "envelope recipient `address` (repeatable)")
	cmd.Flags().StringVar(&p.given.sender, "sender", "", "envelope sender `address`; an empty one is the null sender")
	cmd.Flags().StringVar(&p.given.client, "client", "", "IP `address` of the sending server")
	cmd.Flags().StringVar(&p.given.id, "id", "", "queue id of the MTA, as a `reference` for sender and log")
	cmd.Flags().StringVar(&p.given.tls, "tls", "", "TLS `version` of the client's session, such as TLSv1.3")
	cmd.Flags().StringVar(&p.given.cipher, "cipher", "", "cipher `suite` of that session")
	cmd.Flags().StringVar(&p.given.user, "authenticated", "", "`name` as which the client has authenticated; empty: it has not")
	cmd.Flags().BoolVar(&p.afterQueue, "after-queue", false, "another server has accepted the message: swallow what is refused, never bounce it at a forged sender")
	cmd.Flags().StringVar(&p.words, "map", "", "exit statuses: `list` of accept=N, reject=N, defer=N with commas, N from 0 to 255")
	cmd.Flags().StringVar(&p.logTo, "log", "", "where the log goes: stderr, syslog or a `file`")
	return cmd
}

// A pipe takes one message from an MTA that delivers to a program.
type pipe struct {
	world
	given      pipeEnvelope
	afterQueue bool
	words      string // of --map
	logTo      string
}

// run judges what is on standard input. Whatever goes wrong on the way is the
// sender's to try again, but for flags that are wrong.
func (p *pipe) run(cmd *cobra.Command) (err error) {
	exits, err := parseExits(p.words)
	if err != nil {
		return &failure{exitUsage, err, "write it like --map reject=100,defer=111"}
	}
	// A reader of ours that goes away must not change what the status says.
	signal.Ignore(syscall.SIGPIPE)
	p.given.senderGiven = cmd.Flags().Changed("sender")
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("a fault of ours: %v\n%s", v, debug.Stack())
		}
		err = exits.trouble(cmd.OutOrStdout(), err)
	}()
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	c, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	out, closeLog, err := openPipeLog(p.logTo, cmd.OutOrStdout(), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer closeLog()
	outcome, err := p.judge(ctx, c, collect.NewLog(out, c.Log.Format, c.Log.Level), cmd.InOrStdin())
	if err != nil {
		return err
	}
	return exits.say(cmd.OutOrStdout(), outcome)
}

// judge is one message through a Collector of its own.
func (p *pipe) judge(ctx context.Context, c *config.Config, log *collect.Log, stdin io.Reader) (o collect.Outcome, err error) {
	if err := becomeOwner(c); err != nil && !missing(err) {
		return o, err // a store that is not there yet becomes that of whoever is first
	}
	now, err := p.clock()
	if err != nil {
		return o, err
	}
	w := newWitness(log.Logger(), now)
	a, err := (&assembler{world: p.world, log: log, witness: w}).assemble(c, nil)
	if err != nil {
		return o, err
	}
	defer func() {
		w.finish(a.trusted)
		if a.checker != nil {
			if err := a.checker.Close(); err != nil {
				log.Logger().Error("revocation: " + err.Error())
			}
		}
	}()
	if err := a.kept.Usable(); err != nil {
		return o, fail(exitDenied, err)
	}
	w.resume(a.trusted)
	collector := collect.New(a.settings)
	env, others, err := p.given.envelope(collector.Wants)
	if err != nil {
		return o, err
	}
	if env.AfterQueue = p.afterQueue; len(env.Recipients) == 0 {
		return p.nobody(log, env, others), nil
	}
	message, err := readPiped(stdin, a.verifier.Policy.Limits.Message)
	if err != nil {
		return o, err
	}
	// What it cannot get rid of, the MTA bounces some day: others' trouble must not
	// last until then.
	at := received(message)
	env.LastTry = p.afterQueue && !at.IsZero() && now().Sub(at) > lastTryAfter
	i := collector.Begin(env)
	i.Write(message)
	return i.End(ctx), nil
}

// lastTryAfter is how long after its arrival a message that was accepted
// elsewhere is still put off for the trouble of others.
const lastTryAfter = time.Hour

// nobody is the outcome for a message that goes to no collection address.
func (p *pipe) nobody(log *collect.Log, env verify.Envelope, others []string) collect.Outcome {
	o := collect.Outcome{Action: collect.Reject, Reason: notCollected,
		Reply: verify.Reply{Code: 550, Enhanced: "5.1.1", Lines: []string{"This is not an address that collects certificates."}}}
	if p.afterQueue {
		o.Action = collect.Swallow
	}
	log.Logger().Warn("not a collection address: the message is not judged", "id", env.ID,
		"recipients", fmt.Sprintf("%.256s", strings.Join(others, " ")), "action", string(o.Action))
	return o
}
