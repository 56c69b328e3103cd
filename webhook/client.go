package webhook

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/certinbox/certinbox/internal/collect"
)

// maxHops bounds how many entries of X-Forwarded-For are looked at.
const maxHops = 32

// clientOf returns who sent a request: the other end of the connection, or what
// trusted proxies say of it, which is the rightmost entry of X-Forwarded-For that
// none of them is. Whoever opens a unix socket counts as a proxy, since the mode
// of the socket decides who can. The result is invalid for a unix socket without
// the field. An entry that is no address ends the search at the proxy that wrote it.
func clientOf(r *http.Request, proxies []netip.Prefix) netip.Addr {
	client := hop(r.RemoteAddr)
	if client.IsValid() && !within(proxies, client) {
		return client
	}
	fields := r.Header.Values("X-Forwarded-For")
	hops := 0
	for i := len(fields) - 1; i >= 0; i-- {
		for rest, more := fields[i], true; more && hops < maxHops; hops++ {
			var entry string
			comma := strings.LastIndexByte(rest, ',')
			entry, more = rest[comma+1:], comma >= 0
			rest = rest[:max(comma, 0)]
			a := hop(strings.TrimSpace(entry))
			if !a.IsValid() {
				return client
			}
			if client = a; !within(proxies, a) {
				return client
			}
		}
	}
	return client
}

// hop reads an address with or without port; what is none is invalid.
func hop(s string) netip.Addr {
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return a.Unmap().WithZone("")
	}
	if p, err := netip.ParseAddrPort(s); err == nil {
		return p.Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

func within(networks []netip.Prefix, a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// neighbourhood is the network that counts as one client, the invalid prefix
// for those of this host: they may speak for many.
func neighbourhood(a netip.Addr) netip.Prefix {
	if !a.IsValid() || a.IsLoopback() {
		return netip.Prefix{}
	}
	return collect.Network(a)
}

// scheme is how the client came in, as far as is known.
func scheme(r *http.Request, proxies []netip.Prefix) string {
	peer := hop(r.RemoteAddr)
	if r.TLS != nil || (!peer.IsValid() || within(proxies, peer)) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		return "https"
	}
	return "http"
}
