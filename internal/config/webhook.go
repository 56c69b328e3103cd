package config

import (
	"fmt"
	"net"
	"net/netip"
	"path"
	"strings"
)

func (k *checker) webhook(w *Webhook) {
	seen := map[string]bool{}
	for i, l := range w.Listen {
		at := k.element("webhook.listen", i)
		k.httpListener(at, l, len(w.Auth) > 0)
		if seen[l.Listen] {
			k.bad(at+".listen", "is the same as that of another listener")
		}
		seen[l.Listen] = true
	}
	if len(w.Paths) == 0 {
		k.bad("webhook.paths", "needs at least one path, like /")
	}
	for i, p := range w.Paths {
		if !path.IsAbs(p) || !printable(p) || strings.ContainsAny(p, " ?#{}") || strings.HasPrefix(p, "/v1/") || path.Clean(p) != p {
			k.bad(k.element("webhook.paths", i), "must be a path like /sparkpost, not below /v1/")
		}
	}
	for i, c := range w.Auth {
		k.credential(k.element("webhook.auth", i), c)
	}
	between(k, "webhook.body", w.Body, 64<<10, 1<<30)
	between(k, "webhook.posts", w.Posts, 1, 4096)
	between(k, "webhook.posts_per_client", w.PostsPerClient, 1, 4096)
	between(k, "webhook.rate", w.Rate, 0, 1_000_000)
}

func (k *checker) httpListener(at string, l HTTPListener, authenticated bool) {
	network, address, err := Socket(l.Listen)
	if err != nil {
		k.bad(at+".listen", "%v", err)
	} else if !authenticated && network != "unix" && !loopback(address) {
		k.bad(at+".listen", "can be reached from other machines, and webhook.auth is empty: anybody could post mail as he likes; set webhook.auth, or listen on 127.0.0.1, [::1] or a unix socket")
	}
	if (l.Certificate == "") != (l.Key == "") {
		k.bad(at, "needs certificate and key, or neither")
	}
	if l.Certificate != "" && !path.IsAbs(l.Certificate) {
		k.bad(at+".certificate", "must be the absolute path of a PEM file")
	}
	if l.Key != "" && !path.IsAbs(l.Key) {
		k.bad(at+".key", "must be the absolute path of a PEM file")
	}
	if l.Group != "" && !strings.HasPrefix(l.Listen, "unix:") {
		k.bad(at+".group", "is for unix sockets only")
	}
	k.group(at+".group", l.Group)
}

// loopback says whether only this machine can reach an address. A name is not
// believed: who answers for it may change.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

func (k *checker) credential(at string, c Credential) {
	k.oneOf(at+".kind", c.Kind, "header", "bearer", "basic")
	if c.Kind == "header" && !token(c.Header) {
		k.bad(at+".header", "must be the name of a header field")
	}
	if c.Kind == "basic" && (c.User == "" || strings.Contains(c.User, ":") || !printable(c.User)) {
		k.bad(at+".user", "is required for basic, in ASCII and without a colon")
	}
	if _, _, err := SecretSource(c.Secret); err != nil {
		k.bad(at+".secret", "%v", err)
	}
	if len(c.Opens) == 0 {
		k.bad(at+".opens", "must be relay, check or both")
	}
	for _, o := range c.Opens {
		k.oneOf(at+".opens", o, "relay", "check")
	}
}

// SecretSource splits the notation of a secret: file and an absolute path, or env
// and the name of a variable. The secret itself never stands in the configuration.
func SecretSource(s string) (kind, name string, err error) {
	kind, name, _ = strings.Cut(s, ":")
	switch {
	case kind == "file" && path.IsAbs(name), kind == "env" && name != "" && !strings.ContainsAny(name, " =\x00"):
		return kind, name, nil
	}
	return "", "", fmt.Errorf("must be file:/PATH or env:NAME: the secret itself does not belong into this file")
}

// token says whether s is a token of RFC 9110 section 5.6.2.
func token(s string) bool {
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != "" && len(s) <= 128
}
