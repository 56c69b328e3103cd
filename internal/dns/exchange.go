package dns

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// ednsSize is the largest UDP answer asked for: it passes every path unfragmented.
const ednsSize = 1232

// question returns the message that asks for the TXT records of name.
func question(name string, edns bool) *dns.Msg {
	m := new(dns.Msg)
	m.SetQuestion(name+".", dns.TypeTXT)
	if edns {
		m.SetEdns0(ednsSize, false)
	}
	return m
}

// exchange puts q to server over UDP and, if the answer did not fit, over TCP.
// What it returns is an answer to q, whatever it says.
func exchange(ctx context.Context, server string, q *dns.Msg, wait time.Duration) (*dns.Msg, error) {
	answer, err := ask(ctx, "udp", server, q, wait)
	if err == nil && answer.Truncated {
		if answer, err = ask(ctx, "tcp", server, q, tcpWait); err == nil && answer.Truncated {
			err = errors.New("answer is truncated over TCP too")
		}
	}
	return answer, err
}

func ask(ctx context.Context, network, server string, q *dns.Msg, wait time.Duration) (*dns.Msg, error) {
	// The library drops answers over UDP that carry another id and waits on.
	client := dns.Client{Net: network, Timeout: wait, UDPSize: ednsSize}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	answer, _, err := client.ExchangeContext(ctx, q, server)
	if err != nil {
		return nil, fmt.Errorf("no answer over %s: %w", network, err)
	}
	return answer, answers(answer, q)
}

// answers returns an error unless a is an answer to the question q.
func answers(a, q *dns.Msg) error {
	if !a.Response || a.Id != q.Id || a.Opcode != dns.OpcodeQuery {
		return errors.New("what came is no answer to our question")
	}
	if len(a.Question) != 1 {
		// Servers that cannot read a question at all leave it out.
		if len(a.Question) == 0 && a.Rcode != dns.RcodeSuccess && a.Rcode != dns.RcodeNameError {
			return nil
		}
		return fmt.Errorf("answer repeats %d questions instead of one", len(a.Question))
	}
	got, want := a.Question[0], q.Question[0]
	if !strings.EqualFold(got.Name, want.Name) || got.Qtype != want.Qtype || got.Qclass != want.Qclass {
		return errors.New("answer is for another question")
	}
	return nil
}
