package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/verify"
)

// Bounds of what an MTA says of the envelope.
const (
	maxPipeRecipients = 100
	maxPipePath       = 1024 // bytes of an address; RFC 5321 section 4.5.3.1.3 knows 256
	maxPipeWord       = 128  // bytes of a queue id, TLS version or cipher suite
)

// A pipeEnvelope is what flags say of the envelope.
type pipeEnvelope struct {
	rcpt                          []string
	sender                        string
	senderGiven                   bool
	client, id, tls, cipher, user string
}

// envelope is what flags and environment say, flags first. Its recipients are
// those that are wanted; others are the rest. A transaction that goes to both is
// refused as one: with one exit status, either those others would lose their mail
// or ours would come back.
func (g *pipeEnvelope) envelope(wanted func(string) bool) (env verify.Envelope, others []string, err error) {
	env = verify.Envelope{Via: "pipe",
		ID:            word(first(g.id, os.Getenv("MESSAGE_ID"))),
		Client:        clientAddress(first(g.client, os.Getenv("CLIENT_ADDRESS"))),
		Sender:        g.reversePath(),
		TLS:           verify.TLSInfo{Version: word(g.tls), Cipher: word(g.cipher)},
		Authenticated: first(g.user, os.Getenv("SASL_USERNAME")) != "",
	}
	rcpt := g.recipients()
	if len(rcpt) == 0 {
		return env, nil, &failure{exitConfig, errors.New("whom the message goes to is not known"),
			"name the recipient with --rcpt: what stands for it in the MTA's configuration is in contrib/"}
	}
	if len(rcpt) > maxPipeRecipients {
		return env, nil, fail(exitConfig, fmt.Errorf("%d recipients at once, at most %d", len(rcpt), maxPipeRecipients))
	}
	for _, r := range rcpt {
		if address := collect.ForwardPath(r); len(r) <= maxPipePath && wanted(r) {
			env.Recipients = append(env.Recipients, address)
		} else {
			others = append(others, address[:min(len(address), maxPipePath)])
		}
	}
	if len(env.Recipients) > 0 && len(others) > 0 {
		return env, nil, &failure{exitConfig, errors.New("the message goes to collection addresses and to others at once"),
			"let the MTA hand over one recipient at a time, with Postfix TRANSPORT_destination_recipient_limit = 1"}
	}
	return env, others, nil
}

// recipients are those of the flags, or else of the environment: RECIPIENT
// (Postfix local(8), Exim, qmail and others), LOCAL_PART and DOMAIN (Exim).
func (g *pipeEnvelope) recipients() []string {
	if len(g.rcpt) > 0 {
		return g.rcpt
	}
	if r := os.Getenv("RECIPIENT"); r != "" {
		return []string{r}
	}
	if local, domain := os.Getenv("LOCAL_PART"), os.Getenv("DOMAIN"); local != "" && domain != "" {
		return []string{local + "@" + domain}
	}
	return nil
}

// reversePath is the sender, nil when nobody says. Postfix writes the null
// sender as MAILER-DAEMON unless it is told otherwise.
func (g *pipeEnvelope) reversePath() *string {
	s, known := g.sender, g.senderGiven
	if !known {
		s, known = os.LookupEnv("SENDER")
	}
	if !known {
		return nil
	}
	s = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(s), "<"), ">")
	if s = s[:min(len(s), maxPipePath)]; strings.EqualFold(s, "MAILER-DAEMON") {
		s = ""
	}
	return &s
}

// clientAddress is text as an address, "" for what is none: MTAs say "unknown"
// or nothing for what did not come over the network.
func clientAddress(text string) string {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return ""
	}
	return a.Unmap().WithZone("").String() // a zone may be any text
}

// word is s if it is short and printable ASCII without blanks, or else "".
func word(s string) string {
	if len(s) > maxPipeWord {
		return ""
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return ""
		}
	}
	return s
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
