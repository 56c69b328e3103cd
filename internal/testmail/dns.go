package testmail

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// A Zone answers TXT questions: name in lower case without a final dot →
// records. A name whose only record is TempError fails for the moment; a name
// that is not there does not exist.
type Zone map[string][]string

// TempError is the record of a name whose server is in trouble.
const TempError = "TEMPERROR"

// Add returns the zone with a further record of a name.
func (z Zone) Add(name, record string) Zone {
	z[strings.ToLower(name)] = append(z[strings.ToLower(name)], record)
	return z
}

// Clone returns a copy that can be changed by itself.
func (z Zone) Clone() Zone {
	out := Zone{}
	for n, r := range z {
		out[n] = slices.Clone(r)
	}
	return out
}

// TXT answers as verify.Verifier.TXT wants it.
func (z Zone) TXT(_ context.Context, name string) ([]string, error) {
	records := z[strings.ToLower(strings.TrimSuffix(name, "."))]
	if len(records) == 1 && records[0] == TempError {
		return nil, fmt.Errorf("testmail: the zone says that %s fails", name)
	}
	return records, nil
}

// String writes the zone in the form of the --dns option.
func (z Zone) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(z)) {
		for _, r := range z[name] {
			if r == TempError {
				fmt.Fprintf(&b, "%s TXT TEMPERROR\n", name)
				continue
			}
			fmt.Fprintf(&b, "%s TXT", name)
			for _, s := range characterStrings(r) {
				fmt.Fprintf(&b, ` "%s"`, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s))
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// characterStrings cuts a record into pieces of at most 255 bytes (RFC 1035 section 3.3.14).
func characterStrings(r string) []string {
	var out []string
	for len(r) > 255 {
		out, r = append(out, r[:255]), r[255:]
	}
	return append(out, r)
}

// ServeDNS answers TXT questions on a loopback port, over UDP and TCP, until
// stop is called. txt returns nothing for a name that does not exist and an
// error for SERVFAIL; Zone.TXT is one.
func ServeDNS(txt func(ctx context.Context, name string) ([]string, error)) (addr string, stop func(), err error) {
	packets, listener, err := listenBoth()
	if err != nil {
		return "", nil, err
	}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) { answer(w, q, txt) })
	servers := []*dns.Server{{PacketConn: packets, Handler: handler}, {Listener: listener, Handler: handler}}
	done := make(chan error, len(servers))
	for _, s := range servers {
		ready := make(chan struct{})
		s.NotifyStartedFunc = func() { close(ready) }
		go func() { done <- s.ActivateAndServe() }()
		select {
		case <-ready:
		case err = <-done:
			return "", nil, errors.Join(err, packets.Close(), listener.Close())
		}
	}
	return packets.LocalAddr().String(), func() {
		for _, s := range servers {
			_ = s.Shutdown() // a server that has ended by itself is stopped
		}
		for range servers {
			<-done
		}
	}, nil
}

// listenBoth finds a port that is free for UDP and TCP.
func listenBoth() (net.PacketConn, net.Listener, error) {
	var last error
	for range 20 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, fmt.Errorf("testmail: dns: %w", err)
		}
		packets, err := net.ListenPacket("udp", listener.Addr().String())
		if err == nil {
			return packets, listener, nil
		}
		last = errors.Join(err, listener.Close())
	}
	return nil, nil, fmt.Errorf("testmail: dns: no port is free for both: %w", last)
}

func answer(w dns.ResponseWriter, q *dns.Msg, txt func(ctx context.Context, name string) ([]string, error)) {
	m := new(dns.Msg)
	m.SetReply(q)
	if len(q.Question) != 1 {
		m.Rcode = dns.RcodeFormatError
		_ = w.WriteMsg(m)
		return
	}
	name := q.Question[0].Name
	records, err := txt(context.Background(), strings.TrimSuffix(strings.ToLower(name), "."))
	switch {
	case err != nil:
		m.Rcode = dns.RcodeServerFailure
	case len(records) == 0:
		m.Rcode = dns.RcodeNameError
	case q.Question[0].Qtype == dns.TypeTXT:
		for _, r := range records {
			m.Answer = append(m.Answer, &dns.TXT{
				Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 60},
				Txt: characterStrings(r)})
		}
	}
	if w.RemoteAddr().Network() == "udp" {
		size := dns.MinMsgSize
		if o := q.IsEdns0(); o != nil {
			size = max(size, int(o.UDPSize()))
		}
		m.Truncate(size)
	}
	_ = w.WriteMsg(m) // a client that went away is no concern of the test
}
