package revoke

import (
	"context"
	"net"
	"sync/atomic"
)

// newResolver returns a resolver that asks servers in turn, IP addresses with a
// port if it is not 53; without any, those of the system.
func newResolver(servers []string) *net.Resolver {
	r := &net.Resolver{PreferGo: true}
	if len(servers) == 0 {
		return r
	}
	var turn atomic.Uint32
	r.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		server := servers[int(turn.Add(1)-1)%len(servers)]
		if _, _, err := net.SplitHostPort(server); err != nil {
			server = net.JoinHostPort(server, "53")
		}
		var d net.Dialer
		return d.DialContext(ctx, network, server)
	}
	return r
}
