package dns

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/singleflight"
)

// Bounds of one lookup.
const (
	maxServers = 4                // further ones would not be reached within the budget
	rounds     = 2                // times every server is asked
	udpWait    = 2 * time.Second  // for one answer over UDP
	tcpWait    = 4 * time.Second  // for one answer over TCP
	budget     = 10 * time.Second // for all of it
)

// systemConfig names the servers when none are configured.
const systemConfig = "/etc/resolv.conf"

// A Resolver asks DNS servers. It is safe for concurrent use.
type Resolver struct {
	servers []string // host:port
	udpWait time.Duration
	now     func() time.Time
	kept    *cache
	flight  singleflight.Group
}

// New returns a Resolver that asks servers in turn: IP addresses, with a port
// if it is not 53. Without any, those of /etc/resolv.conf as it is now are
// taken. now measures the age of answers: it must be the real clock, not one
// that an old message is judged by.
func New(servers []string, now func() time.Time) (*Resolver, error) {
	if len(servers) == 0 {
		var err error
		if servers, err = systemServers(systemConfig); err != nil {
			return nil, err
		}
	} else if len(servers) > maxServers {
		return nil, fmt.Errorf("dns: servers: %d are configured, at most %d are used; remove some", len(servers), maxServers)
	}
	r := &Resolver{udpWait: udpWait, now: now, kept: newCache(now)}
	for _, s := range servers {
		hostPort, err := serverAddress(s)
		if err != nil {
			return nil, err
		}
		r.servers = append(r.servers, hostPort)
	}
	return r, nil
}

// systemServers reads the servers out of a file in the format of
// resolv.conf(5). Without any in it, the one on this host is meant.
func systemServers(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("dns: %w; configure dns servers", err)
	}
	defer f.Close()
	conf, err := dns.ClientConfigFromReader(io.LimitReader(f, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("dns: %s: %w; configure dns servers", path, err)
	}
	if len(conf.Servers) == 0 {
		return []string{"127.0.0.1"}, nil
	}
	return conf.Servers[:min(len(conf.Servers), maxServers)], nil
}

// serverAddress adds the port to s if it has none.
func serverAddress(s string) (string, error) {
	if ip, err := netip.ParseAddr(s); err == nil {
		return net.JoinHostPort(ip.String(), "53"), nil
	}
	host, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = netip.ParseAddr(host)
	}
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return "", fmt.Errorf("dns: server %q is neither an IP address nor one with a port: write 192.0.2.1, 192.0.2.1:5353 or [2001:db8::1]:5353", s)
	}
	return s, nil
}

// TXT returns the TXT records of name, each with its strings joined (RFC 7208
// section 3.3), in the order received. It returns nil, nil if there is none,
// and also, without asking, if name cannot be a domain name. Any error is
// temporary. It takes 10 s at the most, less if ctx ends before.
func (r *Resolver) TXT(ctx context.Context, name string) ([]string, error) {
	name, ok := canonical(name)
	if !ok {
		return nil, nil
	}
	if records, ok := r.kept.get(name); ok {
		return slices.Clone(records), nil
	}
	// The lookup is shared by all who ask for the name at this moment, so it
	// must not end because one of them gives up.
	shared := context.WithoutCancel(ctx)
	ch := r.flight.DoChan(name, func() (any, error) { return r.lookup(shared, name) })
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("dns: %s TXT: %w", name, ctx.Err())
	case res := <-ch:
		if res.Err != nil {
			return nil, fmt.Errorf("dns: %s TXT: %w", name, res.Err)
		}
		return slices.Clone(res.Val.([]string)), nil
	}
}

// lookup asks server after server until one knows. It runs in a goroutine of
// its own.
func (r *Resolver) lookup(ctx context.Context, name string) (records []string, err error) {
	defer func() {
		if p := recover(); p != nil {
			records, err = nil, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	var troubles []error
	for round := range rounds {
		for _, server := range r.servers {
			// An answer is as old as its question, at worst.
			asked := r.now()
			// The second round does without EDNS: what drops or refuses
			// such questions is often an old middlebox (RFC 6891 section 6.2.2).
			answer, err := exchange(ctx, server, question(name, round == 0), r.udpWait)
			if err == nil {
				var found txt
				if found, err = read(answer, name); err == nil {
					r.kept.put(name, found, asked)
					return found.records, nil
				}
			}
			troubles = append(troubles, fmt.Errorf("server %s: %w", server, err))
			if ctx.Err() != nil {
				return nil, errors.Join(troubles...)
			}
		}
	}
	return nil, errors.Join(troubles...)
}
