package dns

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// maxAliases is how many CNAMEs are followed within one answer.
const maxAliases = 8

// txt is what an answer says about a name: its records, none if it has none.
type txt struct {
	records []string
	ttl     time.Duration // of the shortest-lived record used
}

// read returns what an answer says about the TXT records of name. An error
// means that it does not say.
func read(a *dns.Msg, name string) (txt, error) {
	if a.Rcode != dns.RcodeSuccess && a.Rcode != dns.RcodeNameError {
		return txt{}, fmt.Errorf("answered %s", rcode(a.Rcode))
	}
	owner, ttl, err := follow(a.Answer, name)
	if err != nil {
		return txt{}, err
	}
	found := txt{ttl: ttl}
	for _, rr := range a.Answer {
		t, ok := rr.(*dns.TXT)
		if !ok || t.Hdr.Class != dns.ClassINET || !same(t.Hdr.Name, owner) {
			continue
		}
		record, err := join(t.Txt)
		if err != nil {
			return txt{}, err
		}
		found.records = append(found.records, record)
		found.ttl = min(found.ttl, lifetime(t.Hdr.Ttl))
	}
	switch {
	case a.Rcode == dns.RcodeNameError && len(found.records) > 0:
		return txt{}, errors.New("answered NXDOMAIN with records of that name")
	case a.Rcode == dns.RcodeSuccess && len(found.records) == 0 && !a.RecursionAvailable && (!a.Authoritative || owner != name):
		// A referral, or an alias that leads out of the server's zones.
		return txt{}, errors.New("is not responsible for the name and does not look further")
	}
	return found, nil
}

// follow returns the owner at the end of the CNAMEs that start at name, and
// the shortest lifetime on the way.
func follow(rrs []dns.RR, name string) (owner string, ttl time.Duration, err error) {
	aliases := make(map[string]*dns.CNAME)
	for _, rr := range rrs {
		c, ok := rr.(*dns.CNAME)
		if !ok || c.Hdr.Class != dns.ClassINET {
			continue
		}
		from, _ := strings.CutSuffix(strings.ToLower(c.Hdr.Name), ".")
		if aliases[from] != nil {
			return "", 0, errors.New("answered two CNAMEs for one name")
		}
		aliases[from] = c
	}
	owner, ttl = name, maxKept
	for range maxAliases {
		c := aliases[owner]
		if c == nil {
			return owner, ttl, nil
		}
		ttl = min(ttl, lifetime(c.Hdr.Ttl))
		owner, _ = strings.CutSuffix(strings.ToLower(c.Target), ".")
	}
	if aliases[owner] == nil {
		return owner, ttl, nil
	}
	return "", 0, fmt.Errorf("answered more than %d CNAMEs in a row", maxAliases)
}

func same(wire, name string) bool {
	return strings.EqualFold(strings.TrimSuffix(wire, "."), name)
}

// lifetime reads a TTL field; one with the highest bit set is 0 (RFC 2181 section 8).
func lifetime(ttl uint32) time.Duration {
	if ttl > 1<<31-1 {
		return 0
	}
	return time.Duration(ttl) * time.Second
}

func rcode(code int) string {
	if s, ok := dns.RcodeToString[code]; ok {
		return s
	}
	return fmt.Sprintf("response code %d", code)
}

// join returns the strings of one record as one, without the escapes that the
// library puts in.
func join(parts []string) (string, error) {
	var b strings.Builder
	for _, p := range parts {
		plain, err := unescape(p)
		if err != nil {
			return "", err
		}
		b.WriteString(plain)
	}
	return b.String(), nil
}

// unescape undoes \X and \DDD of the presentation format (RFC 1035 section 5.1).
func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch {
		case i == len(s):
			return "", errors.New("text ends in a backslash")
		case s[i] < '0' || s[i] > '9':
			b.WriteByte(s[i])
		case i+2 < len(s) && digit(s[i+1]) && digit(s[i+2]):
			n := int(s[i]-'0')*100 + int(s[i+1]-'0')*10 + int(s[i+2]-'0')
			if n > 255 {
				return "", fmt.Errorf("text has the escape \\%d, over 255", n)
			}
			b.WriteByte(byte(n))
			i += 2
		default:
			return "", errors.New("text has a backslash with fewer than three digits")
		}
	}
	return b.String(), nil
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
