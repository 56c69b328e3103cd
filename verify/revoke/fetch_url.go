package revoke

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

const (
	maxURL  = 2048 // bytes
	maxName = 253  // bytes of a host name (RFC 1035 section 2.3.4, without the final dot)
)

// A target is where a fetch goes: a URL that the rules let through by its looks.
type target struct {
	url  *url.URL   // http or https, no user, no fragment
	host string     // a name in lower case, or an address
	addr netip.Addr // of a URL that says an address, not mapped; else invalid
	port string     // decimal
}

// parseTarget reads a URL and applies the rules about its form, not those about
// where it leads: http or https, at most maxURL bytes of printable ASCII, no
// user, a DNS name or an address in its usual form. The fragment is dropped.
// Errors are of kind refusedURL.
func parseTarget(raw string) (target, error) {
	refuse := func(why string) (target, error) { return target{}, &refusedURL{hostShown(raw) + ": " + why} }
	if len(raw) > maxURL {
		return refuse("the URL is longer than 2048 bytes")
	}
	for i := range len(raw) {
		if raw[i] <= ' ' || raw[i] > '~' {
			return refuse("the URL has a character that is not printable ASCII")
		}
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return refuse("not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return refuse("neither http nor https")
	case u.Opaque != "" || u.Host == "":
		return refuse("the URL names no host")
	case u.User != nil:
		return refuse("the URL names a user")
	case strings.HasSuffix(u.Host, ":"):
		return refuse("the URL has a colon without a port")
	}
	t := target{url: u, host: strings.ToLower(u.Hostname()), port: u.Port()}
	switch {
	case t.port == "" && u.Scheme == "http":
		t.port = "80"
	case t.port == "":
		t.port = "443"
	case !portNumber(t.port):
		return refuse("the URL has a port that is none")
	}
	if err := t.readHost(); err != nil {
		return refuse(err.Error())
	}
	u.Host, u.Fragment, u.RawFragment = strings.ToLower(u.Host), "", ""
	return t, nil
}

// readHost reads the host as the address or name it is. Numbers that some
// libraries take for addresses (0177.0.0.1, 2130706433) are neither here.
func (t *target) readHost() error {
	brackets := strings.HasPrefix(t.url.Host, "[")
	addr, err := netip.ParseAddr(t.host)
	switch {
	case err != nil && brackets, err == nil && addr.Is6() != brackets:
		return errors.New("the host is no address in its usual form")
	case err == nil && addr.Zone() != "":
		return errors.New("the address has a zone")
	case err == nil:
		t.addr = addr.Unmap()
		return nil
	}
	return checkName(t.host)
}

// checkName says why s is not a host name: labels of at most 63 letters a to z,
// digits, hyphens inside and underscores (which names of Windows servers have),
// at most maxName bytes in all, no final dot. A last label that is a number
// would be read as an IPv4 address by some (URL Standard, "ends in a number").
func checkName(s string) error {
	if len(s) > maxName {
		return errors.New("the name is longer than 253 bytes")
	}
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if label == "" {
			return errors.New("the name has an empty label or a dot at its end")
		}
		if len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return errors.New("the name has a label that is longer than 63 bytes or begins or ends with a hyphen")
		}
		for i := range len(label) {
			if c := label[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return errors.New("the name has a character other than letters, digits, hyphens, underscores and dots (write international names in their xn-- form)")
			}
		}
	}
	last := labels[len(labels)-1]
	if hex, ok := strings.CutPrefix(last, "0x"); ok && strings.Trim(hex, "0123456789abcdef") == "" || strings.Trim(last, "0123456789") == "" {
		return errors.New("the name ends in a number")
	}
	return nil
}

// check returns the target of a URL that may be fetched as far as can be told
// without asking a name server. Errors are of kind refusedURL.
func (f *fetcher) check(raw string) (target, error) {
	t, err := parseTarget(raw)
	if err != nil {
		return target{}, err
	}
	refuse := func(why string) (target, error) { return target{}, &refusedURL{shown(t.host) + ": " + why} }
	switch {
	case t.addr.IsValid() && f.allow.address(t.addr, t.port), f.allow.name(t.host, t.port):
		return t, nil
	case t.addr.IsValid():
		return refuse("an address instead of a name")
	case !strings.Contains(t.host, "."):
		return refuse("a name of one label")
	case !usualPort(t.port) && !f.allow.anyAddress(t.port):
		return refuse("port " + t.port + ", neither 80 nor 443")
	}
	return t, nil
}

// hostShown is the host of a URL that may be anything, for a message.
func hostShown(raw string) string {
	_, rest, ok := strings.Cut(raw, "://")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	if !ok || rest == "" {
		return shown(raw)
	}
	return shown(rest)
}

// shown makes foreign text fit for a log line: at most 64 bytes of printable
// ASCII without quotes.
func shown(s string) string {
	const most = 64
	cut := len(s) > most
	if cut {
		s = s[:most-3]
	}
	b := []byte(s)
	for i, c := range b {
		if c <= ' ' || c > '~' || c == '"' || c == '\'' || c == '\\' || c == '`' {
			b[i] = '?'
		}
	}
	if cut {
		b = append(b, "..."...)
	}
	if len(b) == 0 {
		return "a URL"
	}
	return string(b)
}
