package main

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/certinbox/certinbox/internal/collect"
)

// httpShare is the part of the connections of one listener that is for one client
// network: no stranger, who needs no secret to be connected, keeps all others out.
const httpShare = 8

// httpConnections is how many connections each of a number of listeners takes at
// once. files is how many this process may have open: a quarter of them at most,
// or the MTA could not connect, and other people's mail would wait.
func httpConnections(files uint64, listeners int) int {
	each := files / 4 / uint64(max(listeners, 1))
	return int(max(min(each, maxHTTPConnections), httpShare))
}

// openFiles is how many files this process may have open. The Go runtime has
// raised the soft limit to the hard one.
func openFiles() uint64 {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 1024 // as where nobody has set it
	}
	return l.Cur
}

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
