package revoke

import (
	"errors"
	"net"
	"net/netip"
)

// reservedNetworks are the networks where no CA serves the public: our own host and
// neighbourhood, what leads there through a translation, and what nobody may
// have. From the IANA special-purpose address registries (RFC 6890) and, where
// noted, from elsewhere.
//
// Of IPv6 only 2000::/3 is given out at all (RFC 4291 section 2.4, IANA's IPv6
// address space registry), so that the rest needs no list: loopback and IPv4 in
// IPv6 (::/96, ::ffff:0:0/96), NAT64 (64:ff9b::/96, 64:ff9b:1::/48), discard
// (100::/64), segment routing (5f00::/16), unique local (fc00::/7), link and
// site local (fe80::/9), multicast (ff00::/8).
func reservedNetworks() []netip.Prefix {
	var out []netip.Prefix
	for _, p := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
		"168.63.129.16/32", // the host of a virtual machine at Azure answers there
		"2001::/23",        // Teredo, ORCHID, benchmarks
		"2001:db8::/32", "2002::/16", "3fff::/20",
	} {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

// forbidden says whether nothing may be fetched from addr, which is not mapped
// (netip.Addr.Unmap) and has no zone.
func forbidden(addr netip.Addr, reserved []netip.Prefix) bool {
	if !addr.IsValid() || addr.Is6() && addr.As16()[0]>>5 != 1 {
		return true
	}
	for _, p := range reserved {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// errInterfaces means that nobody can say which addresses are our own.
var errInterfaces = errors.New("the addresses of our own interfaces cannot be read")

// ownAddress says whether addr, not mapped, is one of our interfaces'. list is
// net.InterfaceAddrs: it is asked anew each time, since addresses come and go.
// The error is errInterfaces.
func ownAddress(addr netip.Addr, list func() ([]net.Addr, error)) (bool, error) {
	own, err := list()
	if err != nil {
		return false, errInterfaces
	}
	for _, a := range own {
		n, ok := a.(*net.IPNet)
		if !ok {
			return false, errInterfaces
		}
		ip, ok := netip.AddrFromSlice(n.IP)
		if !ok {
			return false, errInterfaces
		}
		if ip.Unmap() == addr {
			return true, nil
		}
	}
	return false, nil
}
