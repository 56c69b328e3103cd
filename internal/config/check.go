package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/certinbox/certinbox/internal/smime"
	"github.com/certinbox/certinbox/verify/revoke"
)

// A checker finds what is wrong with values that could be read.
type checker struct{ *decoder }

// bad records a mistake, unless the value at path was unreadable already.
func (k *checker) bad(path, format string, args ...any) {
	for _, m := range k.mistakes {
		if m.Path == path {
			return
		}
	}
	k.mistake(k.line(path), path, format, args...)
}

// line finds the line of path or of what it is part of.
func (k *checker) line(path string) int {
	for path != "" {
		if l, ok := k.lines[path]; ok {
			return l
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 0
}

// oneOf demands one of a few words.
func (k *checker) oneOf(path, value string, words ...string) {
	if !slices.Contains(words, value) {
		k.bad(path, "must be one of %s", strings.Join(words, ", "))
	}
}

// between demands a value within bounds, both included. It prints them in the
// notation of the file.
func between[T int | Size | Duration](k *checker, path string, v, low, high T) {
	if v < low || v > high {
		k.bad(path, "must be from %v to %v", low, high)
	}
}

func (k *checker) check(c *Config) {
	k.addresses(c)
	k.oneOf("mode", c.Mode, Enforce, Observe)
	k.oneOf("refuse", c.Refuse, All, Signed, None)
	k.oneOf("on_accept", c.OnAccept, Deliver, Discard)
	k.oneOf("recipient_binding", c.RecipientBinding, "none", "bonus", "require")
	k.oneOf("dkim.alignment", c.DKIM.Alignment, "relaxed", "strict", "organisation")
	k.oneOf("key_change.mode", c.KeyChange.Mode, Explained, Accept, Hold, Reject)
	k.oneOf("log.format", c.Log.Format, Human, JSON)
	k.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	k.listeners(c)
	if !path.IsAbs(c.Store.Path) {
		k.bad("store.path", "must be an absolute path")
	}
	k.group("store.group", c.Store.Group)
	if c.Admin.Listen != "" {
		if _, _, err := Socket(c.Admin.Listen); err != nil {
			k.bad("admin.listen", "%v", err)
		}
	}
	k.webhook(&c.Webhook)
	k.words(c)
	k.anchors(c)
	k.revocation(c)
	k.servers(c)
	between(k, "dkim.min_rsa_bits", c.DKIM.MinRSABits, 1024, 8192)
	between(k, "freshness.max_age", c.Freshness.MaxAge, Duration(time.Minute), Duration(365*day))
	between(k, "freshness.max_ahead", c.Freshness.MaxAhead, 0, Duration(7*day))
	between(k, "key_change.hold", c.KeyChange.Hold, Duration(time.Minute), Duration(365*day))
	between(k, "reports.keep", c.Reports.Keep, 0, 1_000_000)
	between(k, "reports.size", c.Reports.Size, 0, 64<<30)
	k.limits(&c.Limits)
}

func (k *checker) addresses(c *Config) {
	if len(c.Collect) == 0 {
		k.bad("collect", "is required: the address to which people send signed mail, for example [secureme@example.com]")
	}
	for i, a := range c.Collect {
		if _, err := smime.ParseAddress(a); err != nil {
			k.bad(k.element("collect", i), "is not a mail address of the form local@domain")
		}
	}
	for i, d := range c.OwnDomains {
		if !domain(d) {
			k.bad(k.element("own_domains", i), "is not a domain like example.com")
		}
	}
}

// element is the path of element i of a list; a list of one may have been
// written without brackets.
func (k *checker) element(list string, i int) string {
	if k.alone[list] {
		return list
	}
	return fmt.Sprintf("%s[%d]", list, i)
}

func (k *checker) listeners(c *Config) {
	if len(c.Milter) == 0 && len(c.Webhook.Listen) == 0 {
		k.bad("milter", "needs at least one listener, as long as webhook.listen has none")
	}
	seen := map[string]bool{}
	for i, l := range c.Milter {
		at := k.element("milter", i)
		if _, _, err := Socket(l.Listen); err != nil {
			k.bad(at+".listen", "%v", err)
		} else if seen[l.Listen] {
			k.bad(at+".listen", "is the same as that of another listener")
		}
		seen[l.Listen] = true
		if l.Group != "" && !strings.HasPrefix(l.Listen, "unix:") {
			k.bad(at+".group", "is for unix sockets only")
		}
		k.group(at+".group", l.Group)
	}
}

func (k *checker) group(path, group string) {
	if len(group) > 32 || strings.ContainsAny(group, " /:\t\n\x00") {
		k.bad(path, "is not the name or number of a group")
	}
}

// Socket splits the notation of a listener into network (tcp4, tcp6 or unix) and
// address as package net takes them.
func Socket(listen string) (network, address string, err error) {
	kind, rest, _ := strings.Cut(listen, ":")
	switch kind {
	case "inet", "inet6":
		host, port, err := net.SplitHostPort(rest)
		n, perr := strconv.ParseUint(port, 10, 16)
		if err != nil || perr != nil || host == "" || n == 0 && port != "0" {
			break
		}
		if kind == "inet6" {
			return "tcp6", rest, nil
		}
		return "tcp4", rest, nil
	case "unix":
		// 107 bytes are what a socket address holds on Linux.
		if path.IsAbs(rest) && len(rest) <= 107 && !strings.ContainsRune(rest, 0) {
			return "unix", rest, nil
		}
	}
	return "", "", fmt.Errorf("must be inet:HOST:PORT, inet6:[HOST]:PORT or unix:/PATH")
}

// words checks what is said to others.
func (k *checker) words(c *Config) {
	if c.AuthservID != "" && !domain(c.AuthservID) {
		k.bad("authserv_id", "must be a host name like mx.example.com")
	}
	if c.HelpURL != "" {
		u, err := url.Parse(c.HelpURL)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || len(c.HelpURL) > 150 || !printable(c.HelpURL) {
			k.bad("help_url", "must be an http or https URL of at most 150 ASCII characters")
		}
	}
	if len(c.RecipientDelimiter) > 1 || !printable(c.RecipientDelimiter) || strings.ContainsAny(c.RecipientDelimiter, "@\" <>") {
		k.bad("recipient_delimiter", "must be one character like +")
	}
	if len(c.BindingWord) > 64 || !printable(c.BindingWord) {
		k.bad("binding_word", "must be at most 64 ASCII characters")
	}
}

func (k *checker) revocation(c *Config) {
	r := &c.Revocation
	k.oneOf("revocation.mode", r.Mode, Soft, Hard, Off)
	for i, a := range r.Allow {
		if _, err := revoke.ParseAllowed(a); err != nil {
			k.bad(k.element("revocation.allow", i), "%v", err)
		}
	}
	between(k, "revocation.timeout", r.Timeout, Duration(100*time.Millisecond), Duration(time.Minute))
	between(k, "revocation.publish_unchecked_after", r.PublishUnchecked, 0, Duration(365*day))
	between(k, "revocation.crl_size", r.CRLSize, 64<<10, 1<<30)
	between(k, "revocation.cache_size", r.CacheSize, 1<<20, 1<<40)
	if r.CacheSize < r.CRLSize {
		k.bad("revocation.cache_size", "must be at least revocation.crl_size, which is %v", r.CRLSize)
	}
	if r.Timeout > c.Limits.Time {
		k.bad("revocation.timeout", "must not be longer than limits.time, which is %v", c.Limits.Time)
	}
}

func (k *checker) anchors(c *Config) {
	if r := c.Trust.Roots; r != Mozilla && r != Off && !path.IsAbs(r) {
		k.bad("trust.roots", "must be mozilla, off, or the absolute path of a file of roots")
	}
	for i, a := range c.Trust.Anchors {
		at := k.element("trust.anchors", i)
		if !path.IsAbs(a.File) {
			k.bad(at+".file", "must be the absolute path of a file or folder of CA certificates")
		}
		if len(a.Domains) == 0 {
			k.bad(at+".domains", "is required: the author domains for which this CA may vouch, or any")
		}
		for j, d := range a.Domains {
			switch {
			case d == AnyDomain && len(a.Domains) > 1:
				k.bad(at+".domains", "names any and other domains: any must stand alone")
			case d != AnyDomain && !domain(strings.TrimPrefix(d, ".")):
				k.bad(k.element(at+".domains", j), "is not a domain like example.com, or .example.com for those below it")
			}
		}
	}
}

func (k *checker) servers(c *Config) {
	if len(c.DNS.Servers) > 4 {
		k.bad("dns.servers", "names more than 4: the others would not be reached in time")
	}
	for i, s := range c.DNS.Servers {
		_, err := netip.ParseAddr(s)
		if ap, e := netip.ParseAddrPort(s); e == nil && ap.Port() != 0 {
			err = nil
		}
		if err != nil {
			k.bad(k.element("dns.servers", i), "must be an IP address, or IP:PORT ([IP]:PORT for IPv6)")
		}
	}
}

func (k *checker) limits(l *Limits) {
	between(k, "limits.message", l.Message, 64<<10, 1<<30)
	between(k, "limits.header", l.Header, 4<<10, 16<<20)
	between(k, "limits.header_fields", l.HeaderFields, 50, 100_000)
	between(k, "limits.header_field", l.HeaderField, 4<<10, 1<<20)
	between(k, "limits.header_field_lines", l.HeaderFieldLines, 50, 10_000)
	between(k, "limits.mime_depth", l.MIMEDepth, 1, 20)
	between(k, "limits.mime_parts", l.MIMEParts, 1, 10_000)
	between(k, "limits.cms", l.CMS, 16<<10, 64<<20)
	between(k, "limits.cms_depth", l.CMSDepth, 16, 64)
	between(k, "limits.cms_meta", l.CMSMeta, 16<<10, 64<<20)
	between(k, "limits.signers", l.Signers, 1, 16)
	between(k, "limits.tries_per_signer", l.TriesPerSigner, 1, 16)
	between(k, "limits.certificates", l.Certificates, 4, 256)
	between(k, "limits.certificate", l.Certificate, 4<<10, 1<<20)
	between(k, "limits.certificate_names", l.CertificateNames, 1, 1000)
	between(k, "limits.rsa_bits", l.RSABits, 4096, 16384)
	between(k, "limits.public_key_operations", l.PublicKeyOps, 16, 1000)
	between(k, "limits.chain", l.Chain, 3, 16)
	between(k, "limits.dkim_signatures", l.DKIMSignatures, 1, 100)
	between(k, "limits.dkim_verified", l.DKIMVerified, 1, 20)
	between(k, "limits.dkim_header_names", l.DKIMHeaderNames, 20, 1000)
	between(k, "limits.dns_queries", l.DNSQueries, 4, 100)
	between(k, "limits.dns_time", l.DNSTime, Duration(time.Second), Duration(time.Minute))
	between(k, "limits.time", l.Time, Duration(2*time.Second), Duration(4*time.Minute))
	between(k, "limits.judged", l.Judged, 8, 4096)
	between(k, "limits.new_per_domain", l.NewPerDomain, 1, 1_000_000)
	between(k, "limits.in_flight", l.InFlight, 1<<20, 1<<40)
	// One client network may use an eighth.
	if l.InFlight/8 < l.Message {
		k.bad("limits.in_flight", "must be at least 8 times limits.message, which is %v", l.Message)
	}
	if l.DNSTime > l.Time {
		k.bad("limits.dns_time", "must not be longer than limits.time, which is %v", l.Time)
	}
}

// domain says whether s is a host name of at least two labels, in ASCII.
func domain(s string) bool {
	if len(s) > 253 || !strings.Contains(s, ".") {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-') {
				return false
			}
		}
	}
	return true
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
