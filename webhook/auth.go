package webhook

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
)

// The kinds of a Credential.
const (
	KindHeader = "header" // Header: SECRET
	KindBearer = "bearer" // Authorization: Bearer SECRET (RFC 6750)
	KindBasic  = "basic"  // Authorization: Basic of USER:SECRET (RFC 7617)
)

// A Credential lets in who presents its secret, to relay posts, to checks, or to
// both. Several may be there, for rotation. Secrets are compared in constant time
// and never logged.
type Credential struct {
	Kind   string
	Header string // of KindHeader
	User   string // of KindBasic
	Secret []byte // not empty
	Relay  bool   // opens the paths of relay posts
	Check  bool   // opens /v1/check, where a client says more of the envelope
}

// A doorkeeper knows the credentials by their hashes only.
type doorkeeper struct {
	open bool // no credential is configured: everybody comes in
	keys []key
}

type key struct {
	kind, header string
	user, secret [sha256.Size]byte
	usable       bool
	relay, check bool
}

func (k *key) opens(check bool) bool { return check && k.check || !check && k.relay }

func newDoorkeeper(list []Credential) doorkeeper {
	d := doorkeeper{open: len(list) == 0}
	for _, c := range list {
		d.keys = append(d.keys, key{
			kind: c.Kind, header: c.Header,
			user: sha256.Sum256([]byte(c.User)), secret: sha256.Sum256(c.Secret),
			usable: len(c.Secret) > 0, // an empty one is what a request without any presents
			relay:  c.Relay, check: c.Check,
		})
	}
	return d
}

// admits is nil if r presents a credential for relay posts or for checks. All are
// compared, so that the time it takes does not say which one came near. The error
// is for the client.
func (d *doorkeeper) admits(r *http.Request, check bool) error {
	here, elsewhere := 0, 0
	for _, k := range d.keys {
		if k.opens(check) {
			here |= k.matches(r)
		} else {
			elsewhere |= k.matches(r)
		}
	}
	switch {
	case d.open || here == 1:
		return nil
	case elsewhere == 1 && check:
		return errors.New("this credential does not open " + checkPath + ": add check to its opens in webhook.auth if your own MTA presents it, and nobody else")
	case elsewhere == 1:
		return errors.New("this credential does not open relay posts: add relay to its opens in webhook.auth")
	}
	return errors.New("no configured credential was presented")
}

// matches is 1 if r presents the credential, else 0.
func (k *key) matches(r *http.Request) int {
	var user, secret string
	var there bool
	switch k.kind {
	case KindHeader:
		secret, there = only(r.Header, k.header)
	case KindBearer:
		secret, there = bearer(r.Header)
	case KindBasic:
		user, secret, there = r.BasicAuth()
		there = there && len(r.Header.Values("Authorization")) == 1
	}
	u, s := sha256.Sum256([]byte(user)), sha256.Sum256([]byte(secret))
	same := subtle.ConstantTimeCompare(s[:], k.secret[:])
	if k.kind == KindBasic {
		same &= subtle.ConstantTimeCompare(u[:], k.user[:])
	}
	if !there || !k.usable {
		return 0
	}
	return same
}

// only returns the value of a field that stands there exactly once.
func only(h http.Header, name string) (string, bool) {
	v := h.Values(name)
	if len(v) != 1 {
		return "", false
	}
	return v[0], true
}

func bearer(h http.Header) (string, bool) {
	v, ok := only(h, "Authorization")
	scheme, token, found := strings.Cut(v, " ")
	if !ok || !found || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimLeft(token, " "), true
}

// challenge tells a client how it could have come in (RFC 9110 section 11.6.1).
// There is no word for a field of one's own.
func (d *doorkeeper) challenge(h http.Header, check bool) {
	said := map[string]bool{}
	for _, k := range d.keys {
		if said[k.kind] || !k.opens(check) {
			continue
		}
		said[k.kind] = true
		switch k.kind {
		case KindBearer:
			h.Add("WWW-Authenticate", `Bearer realm="certinbox"`)
		case KindBasic:
			h.Add("WWW-Authenticate", `Basic realm="certinbox", charset="UTF-8"`)
		}
	}
}
