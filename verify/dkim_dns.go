package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// errDNSQueries says that a message needs more DNS questions than it may cause.
var errDNSQueries = errors.New("verify: dns: the message needs more questions than limits allow")

// txt asks for the TXT records of name: nil, nil if there are none. Every
// question that a message causes goes through here, within
// Limits.DNSQueries and, all together, Limits.DNSTime. Any error but
// errDNSQueries is temporary.
func (f *facts) txt(ctx context.Context, name string) ([]string, error) {
	if f.v.TXT == nil {
		return nil, errors.New("verify: dns: nobody to ask")
	}
	if f.queries >= f.v.Policy.Limits.DNSQueries {
		return nil, errDNSQueries
	}
	f.queries++
	if f.dnsUntil.IsZero() {
		first, cancel := context.WithTimeout(ctx, f.v.Policy.Limits.DNSTime)
		f.dnsUntil, _ = first.Deadline()
		cancel()
	}
	ctx, cancel := context.WithDeadline(ctx, f.dnsUntil)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("verify: dns: %s: %w", name, err)
	}
	return f.v.TXT(ctx, name)
}

// txtLine writes an answer as a line of the file that inspect takes for DNS,
// so that a message can be judged again from its evidence.
func txtLine(name, record string) string {
	var b strings.Builder
	b.WriteString(name + ` TXT "`)
	for i := range len(record) {
		switch c := record[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\%03d`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
