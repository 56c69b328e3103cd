package revoke

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// maxAddresses is how many addresses of one name are tried: a name with
// thousands must not make us knock at all of them.
const maxAddresses = 8

// dial connects to a target, with TLS for https. Every address is judged when
// it is connected to, so that it does not matter what a name server said before
// or says after. The connection is the plain one below TLS: closing it ends both.
// It takes as long as f.dial for the connection and once more for TLS.
func (f *fetcher) dial(ctx context.Context, t target) (plain net.Conn, stream net.Conn, err error) {
	g := &gate{f: f}
	if !t.addr.IsValid() {
		g.named = t.host
	}
	d := f.dialer
	d.Timeout, d.Resolver, d.ControlContext = f.limits.dial, f.resolver, g.control
	host := t.host
	if !t.addr.IsValid() && strings.Contains(host, ".") {
		host += "." // no search list: the name means the same here as everywhere
	}
	plain, err = d.DialContext(ctx, "tcp", net.JoinHostPort(host, t.port))
	if err != nil {
		return nil, nil, g.failed(t.host, err)
	}
	if t.url.Scheme == "http" {
		return plain, plain, nil
	}
	ctx, cancel := context.WithTimeout(ctx, f.limits.dial)
	defer cancel()
	c := tls.Client(plain, &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.host, RootCAs: f.roots})
	if err := c.HandshakeContext(ctx); err != nil {
		_ = plain.Close() // the handshake's error is the one to tell
		return nil, nil, failed(t.host, "no TLS: ", err)
	}
	return plain, c, nil
}

// A gate judges the addresses that one dial tries, at the last moment.
type gate struct {
	f     *fetcher
	named string // the host, "" if the URL says an address

	mu      sync.Mutex
	refused *refusedURL // the first address that the rules forbid
	passed  int         // addresses that are not forbidden
	unknown bool        // an address could not be judged
}

// control is net.Dialer.ControlContext.
func (g *gate) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	err := g.judge(address)
	switch e := err.(type) {
	case nil:
		if g.passed++; g.passed > maxAddresses {
			return errOthers
		}
	case *refusedURL:
		if g.refused == nil {
			g.refused = e
		}
	default:
		g.unknown = true
	}
	return err
}

// judge says why nothing may be fetched from an address with its port, as the
// dialer writes them.
func (g *gate) judge(address string) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || to.Addr().Zone() != "" {
		return g.refuse("an address that cannot be judged")
	}
	addr, port := to.Addr().Unmap(), strconv.Itoa(int(to.Port()))
	if g.named != "" && g.f.allow.name(g.named, port) || g.f.allow.address(addr, port) {
		return nil
	}
	switch {
	case !usualPort(port):
		return g.refuse(to.String() + ", a port that is neither 80 nor 443")
	case forbidden(addr, g.f.reserved):
		return g.refuse(addr.String() + ", an address that is not for the public")
	}
	own, err := ownAddress(addr, g.f.interfaces)
	switch {
	case err != nil:
		return err
	case own:
		return g.refuse(addr.String() + ", an address of this machine")
	}
	return nil
}

func (g *gate) refuse(what string) error {
	return &refusedURL{shown(g.named) + ": leads to " + what}
}

// failed is the error of a dial that failed with err, which is about one of the
// addresses: a refusal only if the rules forbid all of them.
func (g *gate) failed(host string, err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var refused *refusedURL
	switch {
	case g.unknown:
		err = errInterfaces
	case g.refused != nil && g.passed == 0:
		return g.refused
	case errors.As(err, &refused):
		err = errOthers
	}
	return failed(host, "no connection: ", err)
}
