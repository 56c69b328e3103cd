package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// maxSample is the longest message that is put into a post: what the webhook takes
// by default, in bytes.
const maxSample = 64 << 20

// A webhookSample is what the operator wants to post.
type webhookSample struct {
	base64                 bool
	url, tokenFile, dir    string
	sender, recipient      string
	senderGiven, urlWanted bool
}

func webhookSampleCommand() *cobra.Command {
	var s webhookSample
	cmd := &cobra.Command{
		Use:   "webhook-sample [FILE.eml]",
		Short: "make a relay post, to try the webhook with",
		Long: `With a file, print the JSON that SparkPost would post of the message in it: to the byte,
and in base64 where it is not UTF-8. A message saved with bare line feeds gets the line ends of
the wire first. With --url also the curl line that posts it, on standard error.

Without a file, make a fresh mail, signed below a throw-away CA, and write into a folder all that is
needed to try the webhook: the mail (sample.eml), its post (sample.json), the CA (ca.pem), the
sender's DNS (dns.txt), a configuration, and a token. Then print the two lines to run: a certinbox
serve on loopback that keeps in that folder, and the curl that posts. The private keys are
forgotten; the mail is good for a week.

Exit status: 0 done; 64 wrong usage; 66 no such file; 74 it cannot be written.`,
		Example: `  certinbox webhook-sample
  certinbox webhook-sample mail.eml | curl -sS -H 'Content-Type: application/json' --data-binary @- http://127.0.0.1:8855/`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s.senderGiven, s.urlWanted = cmd.Flags().Changed("sender"), cmd.Flags().Changed("url")
			if _, err := sampleURL(s.url); err != nil {
				return err
			}
			if len(args) == 1 {
				return s.ofFile(cmd, args[0])
			}
			return s.fresh(cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.BoolVar(&s.base64, "base64", false, "in base64, also where it is UTF-8")
	f.StringVar(&s.url, "url", "http://127.0.0.1:8855/", "the `URL` of the webhook; without a FILE, http on loopback")
	f.StringVar(&s.tokenFile, "token-file", "", "`file` with the secret of the webhook (default without a FILE: a fresh one)")
	f.StringVar(&s.dir, "dir", "", "the `folder` to write into, new or empty (default: a new one for temporary files)")
	f.StringVar(&s.sender, "sender", "", "the sender of the envelope (default: the `address` in From)")
	f.StringVar(&s.recipient, "rcpt", "", "the recipient of the envelope (default: the first `address` in To)")
	return cmd
}

// sampleURL takes http and https.
func sampleURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, &failure{exitUsage, errors.New("--url is not the URL of a webhook"), "like http://127.0.0.1:8855/; without user, password or #"}
	}
	return u, nil
}

// ofFile prints the post of a message.
func (s *webhookSample) ofFile(cmd *cobra.Command, file string) error {
	if s.dir != "" {
		return fail(exitUsage, errors.New("--dir is for a sample without a FILE"))
	}
	message, err := readMessage(file, cmd.InOrStdin(), maxSample)
	if err != nil {
		return err
	}
	if len(message) > maxSample {
		return fail(exitNoInput, fmt.Errorf("%s is over %d bytes", file, maxSample))
	}
	message, _ = withCRLF(message)
	if err := s.envelope(file, message); err != nil {
		return err
	}
	post, err := relayPost{message: message, sender: s.sender, recipient: s.recipient, base64: s.base64}.encode()
	if err != nil {
		return fail(exitUsage, err)
	}
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\n", post); err != nil {
		return fail(exitIO, err)
	}
	if s.urlWanted {
		token := ""
		if s.tokenFile != "" {
			token = fmt.Sprintf(` -H "%s: $(cat %s)"`, tokenHeader, shellWord(s.tokenFile))
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "curl -sS -H 'Content-Type: application/json'%s --data-binary @- %s\n", token, shellWord(s.url))
	}
	return nil
}

// envelope fills in the addresses that were not given from the header.
func (s *webhookSample) envelope(file string, message []byte) error {
	first := func(field string) string {
		m, err := mail.ReadMessage(bytes.NewReader(message))
		if err != nil {
			return ""
		}
		list, err := m.Header.AddressList(field)
		if err != nil || len(list) == 0 {
			return ""
		}
		return list[0].Address
	}
	if !s.senderGiven {
		s.sender = first("From")
	}
	if s.recipient == "" {
		s.recipient = first("To")
	}
	if s.recipient == "" {
		return &failure{exitUsage, fmt.Errorf("%s: no address is found in To", file), "say for whom it is with --rcpt"}
	}
	return nil
}

// fresh makes a folder with everything that the trial needs, and says how to run it.
func (s *webhookSample) fresh(out io.Writer) error {
	if s.sender != "" || s.recipient != "" {
		return fail(exitUsage, errors.New("--sender and --rcpt are for a FILE: a fresh sample has its own"))
	}
	listen, err := s.listener()
	if err != nil {
		return err
	}
	token, err := s.freshToken()
	if err != nil {
		return err
	}
	sample, err := newSampleMail(time.Now())
	if err != nil {
		return fail(exitInternal, err)
	}
	post, err := relayPost{message: sample.message, sender: sample.sender, recipient: sample.recipient, base64: s.base64}.encode()
	if err != nil {
		return fail(exitInternal, err)
	}
	dir, err := s.folder()
	if err != nil {
		return fail(exitIO, err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	for name, content := range map[string][]byte{
		"sample.eml":  sample.message,
		"sample.json": append(post, '\n'),
		"ca.pem":      sample.anchors,
		"dns.txt":     sample.zone,
		"token":       []byte(token + "\n"),
		"headers":     []byte("Content-Type: application/json\n" + tokenHeader + ": " + token + "\n"),
		"config.yaml": sampleConfig(dir, listen, sample.recipient),
	} {
		if err := os.WriteFile(in(name), content, 0o600); err != nil {
			return fail(exitIO, err)
		}
	}
	fmt.Fprintf(out, `In one terminal, a filter that listens on loopback and keeps in %s:

    certinbox serve --config %s --dns %s --anchors %s

In another, the post, as SparkPost sends it:

    curl -sS -H @%s --data-binary @%s %s

It is answered 200 with "verdict":"accept", and what the filter logs ends in

    written file %s

To remove it all:

    rm -r %s
`, in("store"), shellWord(in("config.yaml")), shellWord(in("dns.txt")), shellWord(in("ca.pem")),
		shellWord(in("headers")), shellWord(in("sample.json")), shellWord(s.url),
		filepath.Join(dir, "store", "certs", sample.sender+".crt"), shellWord(dir))
	return nil
}

// listener is where the filter of the trial listens, as the configuration says it.
func (s *webhookSample) listener() (string, error) {
	u, err := sampleURL(s.url)
	if err != nil {
		return "", err
	}
	a, err := netip.ParseAddr(u.Hostname())
	if u.Scheme != "http" || err != nil || !a.IsLoopback() || u.Path != "/" || u.RawQuery != "" {
		return "", &failure{exitUsage, fmt.Errorf("--url %s: the trial without a FILE is for http on loopback", s.url), "like http://127.0.0.1:8855/; for another webhook post a FILE"}
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	family := "inet:"
	if a.Is6() {
		family = "inet6:"
	}
	return family + net.JoinHostPort(a.String(), port), nil
}

func (s *webhookSample) freshToken() (string, error) {
	if s.tokenFile != "" {
		return readSecret("--token-file", s.tokenFile, 1)
	}
	return randomName(), nil
}

// folder returns the absolute path of a folder that is there and empty.
func (s *webhookSample) folder() (string, error) {
	if s.dir == "" {
		return os.MkdirTemp("", "certinbox-sample-")
	}
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	list, err := os.ReadDir(dir)
	if err == nil && len(list) > 0 {
		err = fmt.Errorf("%s is not empty", dir)
	}
	return dir, err
}

// shellWord quotes a word for a POSIX shell where it needs it.
func shellWord(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !letterOrDigit(r) && !strings.ContainsRune("/._-:@+,", r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
