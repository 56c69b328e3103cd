package verify

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
)

// maxKeyBytes bounds the p= of a key record; an RSA key of 8192 bits has 1.4 kB.
const maxKeyBytes = 4 << 10

// A dkimKey is a usable key record (RFC 6376 section 3.6.1).
type dkimKey struct {
	record  string   // as answered
	kind    string   // rsa or ed25519
	public  any      // *rsa.PublicKey or ed25519.PublicKey
	bits    int      // of the RSA modulus; 256 for ed25519
	hashes  []string // h=, nil: any
	testing bool     // t=y
	exact   bool     // t=s: the domain of i= must be d=
	mail    bool     // s= allows mail
}

// readKey picks the one key out of the TXT records of a selector. Records that
// are no DKIM keys do not count. Errors are in our own words.
func readKey(records []string) (*dkimKey, error) {
	var keys []string
	for _, r := range records {
		if isKey(r) {
			keys = append(keys, r)
		}
	}
	switch len(keys) {
	case 0:
		return nil, errors.New("there is no key record")
	case 1:
		return parseKey(keys[0])
	}
	return nil, errors.New("there are several key records")
}

// isKey says whether a record counts as a DKIM key, be it a good one: it says
// so, or it says nothing of its kind and has a p=.
func isKey(record string) bool {
	first, _, _ := strings.Cut(record, ";")
	name, value, _ := strings.Cut(first, "=")
	if strings.Trim(name, fws) == "v" {
		return strings.Trim(value, fws) == "DKIM1"
	}
	tags, err := parseTags(record)
	if err != nil {
		return false
	}
	v, hasV := tags["v"]
	_, hasP := tags["p"]
	return hasP && (!hasV || v == "DKIM1")
}

func parseKey(record string) (*dkimKey, error) {
	tags, err := parseTags(record)
	if err != nil {
		return nil, errors.New("the key record is malformed: " + err.Error())
	}
	key := &dkimKey{record: record, mail: true}
	if s, ok := tags["s"]; ok {
		services := tagList(s)
		key.mail = slices.Contains(services, "*") || slices.Contains(services, "email")
	}
	flags := tagList(tags["t"])
	key.testing, key.exact = slices.Contains(flags, "y"), slices.Contains(flags, "s")
	if h, ok := tags["h"]; ok {
		key.hashes = tagList(h)
	}
	p, ok := tags["p"]
	switch p = stripFWS(p); {
	case !ok:
		return nil, errors.New("the key record has no p=")
	case p == "":
		return nil, errors.New("the key is revoked: p= is empty")
	case len(p) > base64.StdEncoding.EncodedLen(maxKeyBytes):
		return nil, errors.New("the key is too long")
	}
	b, err := base64.StdEncoding.DecodeString(p)
	if err != nil {
		return nil, errors.New("the p= of the key record is not base64")
	}
	return key, key.readPublic(tags["k"], b)
}

// readPublic reads the public key of kind k, "" meaning rsa, out of p=.
func (key *dkimKey) readPublic(k string, p []byte) error {
	switch k {
	case "", "rsa":
		public := rsaKey(p)
		if public == nil {
			return errors.New("the p= of the key record is not an RSA key")
		}
		key.kind, key.public, key.bits = "rsa", public, public.N.BitLen()
	case "ed25519":
		if len(p) != ed25519.PublicKeySize {
			return errors.New("the p= of the key record is not an Ed25519 key")
		}
		key.kind, key.public, key.bits = "ed25519", ed25519.PublicKey(p), 256
	default:
		return errors.New("the key record is of an unknown kind, k=")
	}
	return nil
}

// rsaKey reads either form that is in use (RFC 6376 erratum 3017).
func rsaKey(der []byte) *rsa.PublicKey {
	if public, err := x509.ParsePKIXPublicKey(der); err == nil {
		k, _ := public.(*rsa.PublicKey)
		return k
	}
	k, err := x509.ParsePKCS1PublicKey(der)
	if err != nil {
		return nil
	}
	return k
}
