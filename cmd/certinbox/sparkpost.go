package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// sparkpostPatience bounds a whole run of sparkpost setup.
const sparkpostPatience = 5 * time.Minute

func sparkpostCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sparkpost",
		Short: "let SparkPost or Bird Reach bring the mail",
		Long: `SparkPost receives mail for a domain of yours and posts it to the webhook of
certinbox serve. See contrib/sparkpost.`,
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(sparkpostSetupCommand())
	return cmd
}

// A sparkpostSetup is what the operator wants to be there.
type sparkpostSetup struct {
	domain string // in lower case
	target string
	name   string // of the webhook
	named  bool   // the name was given
	token  string // "": none

	tokenFile, keyFile, api, workspace string
	dryRun                             bool
}

func sparkpostSetupCommand() *cobra.Command {
	var s sparkpostSetup
	cmd := &cobra.Command{
		Use:   "setup --domain DOMAIN --target URL",
		Short: "create the inbound domain and the relay webhook, and try them",
		Long: `Through SparkPost's API, create the inbound domain and the relay webhook that posts its mail
to certinbox serve at the target, then post the validation ping and an unsigned sample to the
target, let SparkPost validate the webhook, and print the MX records to set. What is there
already is compared, and changed if it differs; running it again does no harm.

The key of the API is taken from SPARKPOST_API_KEY or a file and needs "Inbound Domains:
Read/Write" and "Relay Webhooks: Read/Write". Neither it nor the token is ever printed.

--dry-run prints the requests in order, as for an account that has neither, with secrets
masked, and sends nothing. It needs no key.

One webhook takes all mail of a domain: use a subdomain of its own. SparkPost posts to the
ports 80 and 443 only.

Exit status: 0 done, and the target answers; 1 the API refused, or the target does not answer as
it should; 64 wrong usage; 66 no such file; 75 the API cannot be reached or is busy; 77 the key is
not good enough.`,
		Example: `  certinbox sparkpost setup --domain inbound.example.com --target https://hooks.example.com/ \
      --token-file /etc/certinbox/webhook.token --dry-run
  SPARKPOST_API_KEY=... certinbox sparkpost setup --api eu --domain inbound.example.com \
      --target https://hooks.example.com/ --token-file /etc/certinbox/webhook.token`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			s.named = cmd.Flags().Changed("name")
			ctx, stop := signal.NotifyContext(cmdContext(cmd), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			ctx, cancel := context.WithTimeout(ctx, sparkpostPatience)
			defer cancel()
			return s.command(ctx, cmd)
		},
	}
	f := cmd.Flags()
	f.StringVar(&s.domain, "domain", "", "the `domain` whose mail SparkPost shall receive, like inbound.example.com")
	f.StringVar(&s.target, "target", "", "the `URL` of your webhook as SparkPost reaches it, like https://hooks.example.com/")
	f.StringVar(&s.tokenFile, "token-file", "", "`file` with the secret that SparkPost shall present (X-MessageSystems-Webhook-Token)")
	f.StringVar(&s.keyFile, "api-key-file", "", "`file` with the API key (default: the environment's SPARKPOST_API_KEY)")
	f.StringVar(&s.api, "api", "us", "the `region` of the account: us, eu, or https://HOST of an enterprise account")
	f.StringVar(&s.workspace, "workspace", "", "the `id` of a workspace at Bird: its Reach API is asked instead")
	f.StringVar(&s.name, "name", "", "the `name` of the webhook (default: certinbox DOMAIN)")
	f.BoolVar(&s.dryRun, "dry-run", false, "only print the requests")
	return cmd
}

// command checks what was given, and runs.
func (s *sparkpostSetup) command(ctx context.Context, cmd *cobra.Command) error {
	tell := teller(cmd.ErrOrStderr())
	if err := s.check(tell); err != nil {
		return err
	}
	place, err := sparkpostPlaceOf(s.api, s.workspace)
	if err != nil {
		return err
	}
	api := &sparkpostAPI{place: place, client: noRedirects(30 * time.Second)}
	if s.tokenFile != "" {
		if s.token, err = readSecret("--token-file", s.tokenFile, 16); err != nil {
			return err
		}
		api.secrets = append(api.secrets, s.token)
	} else {
		tell("without --token-file a new webhook posts without a secret, and whoever knows the URL can post mail: make one with openssl rand -hex 24, and name it in webhook.auth too")
	}
	target := &relayTarget{url: s.target, token: s.token, client: noRedirects(time.Minute)}
	if s.dryRun {
		return s.plan(cmd.OutOrStdout(), api, target)
	}
	if api.key, err = s.apiKey(); err != nil {
		return err
	}
	api.secrets = append(api.secrets, api.key)
	return s.run(ctx, cmd.OutOrStdout(), tell, api, target)
}

// apiKey reads the key from where it is.
func (s *sparkpostSetup) apiKey() (string, error) {
	if s.keyFile != "" {
		return readSecret("--api-key-file", s.keyFile, 8)
	}
	key := os.Getenv("SPARKPOST_API_KEY")
	if key == "" {
		return "", &failure{exitUsage, errors.New("there is no API key"), "put it into SPARKPOST_API_KEY, or a file and name it with --api-key-file; --dry-run needs none"}
	}
	return checkSecret("SPARKPOST_API_KEY", key, 8)
}

// maxSecret is the longest secret taken from a file, in bytes.
const maxSecret = 4096

// readSecret reads a secret of at least so many bytes from a file, without the
// line end behind it.
func readSecret(flag, file string, least int) (string, error) {
	b, err := readMessage(file, nil, maxSecret)
	if err != nil {
		return "", err
	}
	return checkSecret(flag+" "+file, strings.TrimRight(string(b), "\r\n"), least)
}

// checkSecret takes what can stand in a header field. It says nothing of the secret.
func checkSecret(where, secret string, least int) (string, error) {
	for _, c := range []byte(secret) {
		if c <= ' ' || c > '~' {
			return "", &failure{exitUsage, fmt.Errorf("%s: the secret has a blank, a line end or a byte beyond ASCII in it", where), "one line of letters and digits; openssl rand -hex 24 makes a good token"}
		}
	}
	if len(secret) < least || len(secret) > maxSecret {
		return "", &failure{exitUsage, fmt.Errorf("%s: the secret has %d characters, and needs %d to %d", where, len(secret), least, maxSecret), "openssl rand -hex 24 makes a good token"}
	}
	return secret, nil
}
