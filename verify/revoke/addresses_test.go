package revoke

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// TestForbiddenAddresses: the first and the last address of every network where
// nothing is fetched, and in IPv4 its neighbours outside.
func TestForbiddenAddresses(t *testing.T) {
	networks := reservedNetworks()
	for _, s := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32", "168.63.129.16/32",
		"::/96", "::/128", "::1/128", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
		"2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "::ffff:0:0:0/96",
	} {
		p := netip.MustParsePrefix(s)
		for _, a := range []netip.Addr{p.Addr(), last(p)} {
			if !forbidden(a, networks) {
				t.Errorf("%s, of %s, is let through", a, s)
			}
		}
	}
	for _, s := range []string{
		"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
		"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255",
		"192.169.0.0", "198.17.255.255", "198.20.0.0", "203.0.112.255", "203.0.114.0", "223.255.255.255",
		"168.63.129.15", "168.63.129.17", "2000::1", "2001:200::1", "2001:db7::1", "2001:db9::1", "2003::1",
		"2a00:1450::1", "3ffe::1",
	} {
		if forbidden(netip.MustParseAddr(s), networks) {
			t.Errorf("%s is public", s)
		}
	}
	if !forbidden(netip.Addr{}, networks) {
		t.Error("no address at all is let through")
	}
}

func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// TestGate judges addresses as the dialer writes them.
func TestGate(t *testing.T) {
	f := newFetcher(fetchOptions{allow: []Allowed{{"pki", ""}, {"10.1.2.3", "8080"}, {"fd00::9", "*"}}})
	f.interfaces = func() ([]net.Addr, error) {
		return []net.Addr{&net.IPNet{IP: net.ParseIP("8.8.8.8"), Mask: net.CIDRMask(24, 32)},
			&net.IPNet{IP: net.ParseIP("2a00::8"), Mask: net.CIDRMask(64, 128)}}, nil
	}
	for _, c := range []struct {
		named, address, refusal string
	}{
		{"a.example", "9.9.9.9:80", ""},
		{"a.example", "9.9.9.9:443", ""},
		{"a.example", "9.9.9.9:81", "neither 80 nor 443"},
		{"a.example", "[2a00::1]:443", ""},
		{"a.example", "127.0.0.1:80", "not for the public"},
		{"a.example", "[::ffff:127.0.0.1]:80", "not for the public"},
		{"a.example", "[::ffff:9.9.9.9]:80", ""},
		{"a.example", "[64:ff9b::9.9.9.9]:80", "not for the public"},
		{"a.example", "[::1]:80", "not for the public"},
		{"a.example", "[fe80::1%eth0]:80", "cannot be judged"},
		{"pki", "[fe80::1%eth0]:80", "cannot be judged"},
		{"a.example", "8.8.8.8:80", "of this machine"},
		{"a.example", "[::ffff:8.8.8.8]:80", "of this machine"},
		{"a.example", "8.8.8.9:80", ""},
		{"a.example", "[2a00::8]:80", "of this machine"},
		{"pki", "8.8.8.8:80", ""},
		{"pki", "10.0.0.1:443", ""},
		{"pki", "10.0.0.1:8080", "neither 80 nor 443"},
		{"a.example", "10.1.2.3:8080", ""},
		{"", "10.1.2.3:8080", ""},
		{"a.example", "10.1.2.3:80", "not for the public"},
		{"a.example", "[::ffff:10.1.2.3]:8080", ""},
		{"a.example", "[fd00::9]:1", ""},
		{"a.example", "9.9.9.9", "cannot be judged"},
		{"a.example", "", "cannot be judged"},
	} {
		err := (&gate{f: f, named: c.named}).judge(c.address)
		var refused *refusedURL
		switch {
		case c.refusal == "" && err != nil:
			t.Errorf("%s at %s: %v", c.named, c.address, err)
		case c.refusal != "" && (!errors.As(err, &refused) || !strings.Contains(err.Error(), c.refusal)):
			t.Errorf("%s at %s: %v, want %q", c.named, c.address, err, c.refusal)
		}
	}
}

// TestOwnInterfaces: every address of this machine is refused, and without a
// list of them nothing is let through; that is no verdict about the URL.
func TestOwnInterfaces(t *testing.T) {
	f := newFetcher(fetchOptions{})
	own, err := net.InterfaceAddrs()
	if err != nil || len(own) == 0 {
		t.Fatal(own, err)
	}
	f.reserved = nil // what is refused is refused as our own
	for _, a := range own {
		addr := netip.MustParsePrefix(a.String()).Addr()
		if addr.Is6() && addr.As16()[0]>>5 != 1 {
			continue // refused as what it is
		}
		err := (&gate{f: f, named: "a.example"}).judge(netip.AddrPortFrom(addr, 80).String())
		if err == nil || !strings.Contains(err.Error(), "of this machine") {
			t.Errorf("%s: %v", addr, err)
		}
	}
	for name, list := range map[string]func() ([]net.Addr, error){
		"an error":     func() ([]net.Addr, error) { return nil, errors.New("netlink is out") },
		"another type": func() ([]net.Addr, error) { return []net.Addr{&net.UnixAddr{}}, nil },
		"no address":   func() ([]net.Addr, error) { return []net.Addr{&net.IPNet{IP: net.IP{1, 2}}}, nil },
	} {
		f.interfaces = list
		err := (&gate{f: f, named: "a.example"}).judge("9.9.9.9:80")
		var refused *refusedURL
		if !errors.Is(err, errInterfaces) || errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
