package main

import (
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
)

// A queueListener hands out connections from given addresses, then is closed.
type queueListener struct {
	net.Listener
	from []string
	ends []net.Conn
}

func (q *queueListener) Accept() (net.Conn, error) {
	if len(q.from) == 0 {
		return nil, net.ErrClosed
	}
	client, server := net.Pipe()
	q.ends = append(q.ends, client)
	c := addressedConn{server, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(q.from[0]))}
	q.from = q.from[1:]
	return c, nil
}

type addressedConn struct {
	net.Conn
	remote net.Addr
}

func (c addressedConn) RemoteAddr() net.Addr { return c.remote }

// TestOneNetworkKeepsNobodyOut: who has no secret can be connected, and that often
// only.
func TestOneNetworkKeepsNobodyOut(t *testing.T) {
	var many atomic.Pointer[[]netip.Prefix]
	many.Store(&[]netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")})
	q := &queueListener{from: []string{
		"192.0.2.1:1", "192.0.2.2:2", "192.0.2.3:3", "[::ffff:192.0.2.4]:4", "198.51.100.1:1",
		"127.0.0.1:1", "127.0.0.1:2", "[::1]:3", "203.0.113.1:1", "203.0.113.1:2", "203.0.113.1:3",
		"[2001:db8::1]:1", "[2001:db8::2]:2", "[2001:db8::3]:3", "[2001:db8:1::3]:3",
	}}
	l := newSharedListener(q, 2, &many)
	got := map[string]net.Conn{}
	for {
		c, err := l.Accept()
		if err != nil {
			break
		}
		got[c.RemoteAddr().String()] = c
	}
	for _, beyond := range []string{"192.0.2.3:3", "192.0.2.4:4", "[2001:db8::3]:3"} {
		if got[beyond] != nil {
			t.Errorf("%s came in", beyond)
		}
	}
	if len(got) != 12 {
		t.Errorf("%d came in, want 12", len(got))
	}
	got["192.0.2.1:1"].Close()
	got["192.0.2.1:1"].Close() // counts once
	q.from = []string{"192.0.2.5:5", "192.0.2.6:6"}
	if c, err := l.Accept(); err != nil || c.RemoteAddr().String() != "192.0.2.5:5" {
		t.Errorf("after one has gone: %v", err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("one beyond the share came in")
	}
	for _, c := range got {
		c.Close()
	}
	if len(l.open) != 1 {
		t.Errorf("%v is still counted", l.open)
	}
}

// TestConnectionsLeaveFiles: the MTA can connect, however many strangers are there.
func TestConnectionsLeaveFiles(t *testing.T) {
	for _, c := range []struct {
		files     uint64
		listeners int
		want      int
	}{{65536, 1, 4096}, {65536, 4, 4096}, {1024, 1, 256}, {1024, 3, 85}, {1024, 1000, 8}, {1<<64 - 1, 2, 4096}, {0, 0, 8}} {
		if got := httpConnections(c.files, c.listeners); got != c.want {
			t.Errorf("%d files, %d listeners: %d, want %d", c.files, c.listeners, got, c.want)
		}
	}
}
