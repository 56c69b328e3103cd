package revoke

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// An Allowed is an exception from the rules about addresses and ports: a host
// or address of the operator's own network where lists may be fetched.
//
// A name covers the URLs that say that name, whatever it resolves to. An
// address covers the URLs that say that address, and connections to it under
// whatever name.
type Allowed struct {
	Host string // lower case; a name as it stands in the URL, or an address
	Port string // "" for 80 and 443, a number, or * for any
}

// maxAllowed bounds the length of an entry in bytes: a name, a colon, a port.
const maxAllowed = maxName + 6

// ParseAllowed reads HOST, HOST:PORT or HOST:*, where HOST is a name, an IPv4
// address or an IPv6 address (in brackets before a port). Errors say what to
// write instead; they do not repeat s.
func ParseAllowed(s string) (Allowed, error) {
	switch {
	case s == "":
		return Allowed{}, fmt.Errorf("is empty; write HOST, HOST:PORT or HOST:*")
	case len(s) > maxAllowed:
		return Allowed{}, fmt.Errorf("is longer than %d bytes; write HOST, HOST:PORT or HOST:*", maxAllowed)
	case strings.Contains(s, "//"):
		return Allowed{}, fmt.Errorf("is a URL; write its host alone, as HOST, HOST:PORT or HOST:*")
	case strings.Contains(s, "/"):
		return Allowed{}, fmt.Errorf("names a network or path; write every host by itself, as HOST, HOST:PORT or HOST:*")
	}
	host, port, err := splitAllowed(s)
	if err != nil {
		return Allowed{}, err
	}
	if port != "" && port != "*" && !portNumber(port) {
		return Allowed{}, fmt.Errorf("has no port behind the colon; write a number from 1 to 65535 without leading zeros, or *")
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		addr = addr.Unmap()
		if addr.Zone() != "" || addr.IsUnspecified() || addr.IsMulticast() {
			return Allowed{}, fmt.Errorf("is an address of no single machine, or has a zone; write the address of the server")
		}
		return Allowed{Host: addr.String(), Port: port}, nil
	}
	host = strings.ToLower(host)
	if err := checkName(host); err != nil {
		return Allowed{}, fmt.Errorf("has a host that is neither name nor address: %w", err)
	}
	return Allowed{Host: host, Port: port}, nil
}

// splitAllowed takes an entry apart. The port is "" where none is written.
func splitAllowed(s string) (host, port string, err error) {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		host, rest, closed := strings.Cut(inner, "]")
		port, colon := strings.CutPrefix(rest, ":")
		if addr, err := netip.ParseAddr(host); err != nil || !addr.Is6() || !closed || !colon && rest != "" || colon && port == "" {
			return "", "", fmt.Errorf("has brackets that hold no IPv6 address; write [ADDRESS], [ADDRESS]:PORT or [ADDRESS]:*")
		}
		return host, port, nil
	}
	if strings.Count(s, ":") > 1 {
		if _, err := netip.ParseAddr(s); err != nil {
			return "", "", fmt.Errorf("has more than one colon and is no IPv6 address; before a port an IPv6 address stands in brackets, as [ADDRESS]:PORT")
		}
		return s, "", nil
	}
	host, port, colon := strings.Cut(s, ":")
	if colon && port == "" {
		return "", "", fmt.Errorf("has no port behind the colon; write HOST, HOST:PORT or HOST:*")
	}
	return host, port, nil
}

// portNumber says whether s is the decimal number of a port as everybody writes it.
func portNumber(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && strconv.FormatUint(n, 10) == s
}

// usualPort says whether port is one that needs no exception.
func usualPort(port string) bool { return port == "80" || port == "443" }

func (a Allowed) covers(port string) bool {
	return a.Port == "*" || a.Port == port || a.Port == "" && usualPort(port)
}

// An allowList is the operator's exceptions.
type allowList []Allowed

// name says whether a host that is a name is excepted on port.
func (l allowList) name(host, port string) bool {
	for _, a := range l {
		if a.Host == host && a.covers(port) {
			return true
		}
	}
	return false
}

// address says whether an address, not mapped, is excepted on port.
func (l allowList) address(addr netip.Addr, port string) bool {
	for _, a := range l {
		if own, err := netip.ParseAddr(a.Host); err == nil && own.Unmap() == addr && a.covers(port) {
			return true
		}
	}
	return false
}

// anyAddress says whether some address is excepted on port, so that a name that
// resolves to it may be.
func (l allowList) anyAddress(port string) bool {
	for _, a := range l {
		if _, err := netip.ParseAddr(a.Host); err == nil && a.covers(port) {
			return true
		}
	}
	return false
}
