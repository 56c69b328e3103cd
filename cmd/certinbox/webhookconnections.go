package main

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/certinbox/certinbox/internal/collect"
)

// maxHTTPOfOne bounds the connections of one client network on one listener: no
// stranger, who needs no secret to be connected, keeps all others out.
const maxHTTPOfOne = maxHTTPConnections / 8

// A sharedListener closes at once what a client network opens beyond its share.
// This host and those who speak for many have none.
type sharedListener struct {
	net.Listener
	share int
	many  *atomic.Pointer[[]netip.Prefix] // proxies
	mu    sync.Mutex
	open  map[netip.Prefix]int // only those with a connection
}

func newSharedListener(ln net.Listener, share int, many *atomic.Pointer[[]netip.Prefix]) *sharedListener {
	return &sharedListener{Listener: ln, share: share, many: many, open: map[netip.Prefix]int{}}
}

// Accept implements net.Listener.
func (l *sharedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		network, counted := l.network(c.RemoteAddr())
		if !counted {
			return c, nil
		}
		if l.enter(network) {
			return &sharedConn{Conn: c, leave: sync.OnceFunc(func() { l.leave(network) })}, nil
		}
		c.Close()
	}
}

// network returns the client network that has a share.
func (l *sharedListener) network(a net.Addr) (netip.Prefix, bool) {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}, false
	}
	client := tcp.AddrPort().Addr().Unmap().WithZone("")
	if !client.IsValid() || client.IsLoopback() {
		return netip.Prefix{}, false
	}
	if many := l.many.Load(); many != nil {
		for _, p := range *many {
			if p.Contains(client) {
				return netip.Prefix{}, false
			}
		}
	}
	return collect.Network(client), true
}

func (l *sharedListener) enter(network netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[network] >= l.share {
		return false
	}
	l.open[network]++
	return true
}

func (l *sharedListener) leave(network netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[network]--; l.open[network] <= 0 {
		delete(l.open, network)
	}
}

// A sharedConn gives its place back when it is closed.
type sharedConn struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *sharedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
