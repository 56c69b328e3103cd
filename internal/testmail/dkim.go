package testmail

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"hash"
	"strings"
)

// A DKIM signs messages (RFC 6376), honestly or not. The zero value of each
// knob is the ordinary.
type DKIM struct {
	Domain, Selector string
	Key              crypto.Signer // RSA of any size, or Ed25519
	Algorithm        string        // "": rsa-sha256 or ed25519-sha256, by the key
	Headers          []string      // h=; nil: From, To, Subject, Date, Message-ID, MIME-Version, Content-Type
	Simple           bool          // canonicalisation simple/simple instead of relaxed/relaxed
	Tags             []string      // further tags "l=10", or others in place of ours: "v=0.5"; "t=" leaves t= out
	BodyLength       int           // hash only so much of the canonical body when > 0; the tag is for Tags
	SpoilSignature   bool
}

// Name returns the name of the key record.
func (d DKIM) Name() string { return d.Selector + "._domainkey." + d.Domain }

// Record returns the key record, with further tags.
func (d DKIM) Record(tags ...string) string {
	kind, public := "rsa", []byte(nil)
	switch k := d.Key.Public().(type) {
	case ed25519.PublicKey:
		kind, public = "ed25519", k
	case *rsa.PublicKey:
		public = must(x509.MarshalPKIXPublicKey(k))
	}
	all := append([]string{"v=DKIM1", "k=" + kind}, tags...)
	return strings.Join(append(all, "p="+base64.StdEncoding.EncodeToString(public)), "; ")
}

// Sign returns the message with a DKIM-Signature field on top.
func (d DKIM) Sign(m Message) Message {
	body := d.canonicalBody(m.Body)
	if d.BodyLength > 0 {
		body = body[:d.BodyLength]
	}
	h := d.hash()
	h.Write(body)
	bodyHash := base64.StdEncoding.EncodeToString(h.Sum(nil))

	field := "DKIM-Signature: " + d.tags(bodyHash)
	h = d.hash()
	left := map[string][]string{}
	for _, f := range m.Fields {
		name := fieldName(f)
		left[name] = append(left[name], f)
	}
	for _, name := range d.headers() {
		fields := left[strings.ToLower(name)]
		if len(fields) == 0 {
			continue
		}
		last := len(fields) - 1
		h.Write([]byte(d.canonicalField(fields[last]) + "\r\n"))
		left[strings.ToLower(name)] = fields[:last]
	}
	h.Write([]byte(d.canonicalField(field)))
	return m.On(field + base64.StdEncoding.EncodeToString(d.sign(h.Sum(nil))))
}

func fieldName(f string) string {
	n, _, _ := strings.Cut(f, ":")
	return strings.ToLower(strings.TrimRight(n, " \t"))
}

func (d DKIM) headers() []string {
	if d.Headers != nil {
		return d.Headers
	}
	return []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"}
}

func (d DKIM) algorithm() string {
	if d.Algorithm != "" {
		return d.Algorithm
	}
	if _, ok := d.Key.(ed25519.PrivateKey); ok {
		return "ed25519-sha256"
	}
	return "rsa-sha256"
}

func (d DKIM) hash() hash.Hash {
	if strings.HasSuffix(d.algorithm(), "sha1") {
		return sha1.New()
	}
	return sha256.New()
}

// tags returns the tag list up to and with "b=". A tag of Tags whose name we
// write ourselves takes its place.
func (d DKIM) tags(bodyHash string) string {
	canon := "relaxed/relaxed"
	if d.Simple {
		canon = "simple/simple"
	}
	list := []string{"v=1", "a=" + d.algorithm(), "c=" + canon, "d=" + d.Domain, "s=" + d.Selector,
		"h=" + strings.Join(d.headers(), ":"), "bh=" + bodyHash}
	for _, t := range d.Tags {
		name, value, _ := strings.Cut(t, "=")
		list = setTag(list, strings.TrimPrefix(name, "+"), value, strings.HasPrefix(name, "+"))
	}
	return strings.Join(append(list, "b="), ";\r\n\t")
}

// setTag replaces, removes (empty value) or appends a tag; again appends even
// where one of the name is there.
func setTag(list []string, name, value string, again bool) []string {
	for i, t := range list {
		if n, _, _ := strings.Cut(t, "="); n == name && !again {
			if value == "" {
				return append(list[:i:i], list[i+1:]...)
			}
			list[i] = name + "=" + value
			return list
		}
	}
	if value == "" {
		return list
	}
	return append(list, name+"="+value)
}

func (d DKIM) sign(digest []byte) []byte {
	var sig []byte
	switch k := d.Key.(type) {
	case ed25519.PrivateKey:
		sig = must(k.Sign(nil, digest, crypto.Hash(0)))
	case *rsa.PrivateKey:
		if len(digest) == sha256.Size {
			sig = RawRSA(k, digest)
		} else {
			sig = must(k.Sign(nil, digest, crypto.SHA1))
		}
	default:
		panic("testmail: DKIM has no such key")
	}
	if d.SpoilSignature {
		sig[len(sig)/2] ^= 1
	}
	return sig
}

func (d DKIM) canonicalField(f string) string {
	if d.Simple {
		return f
	}
	name, value, _ := strings.Cut(f, ":")
	value = strings.ReplaceAll(value, "\r\n", "")
	return strings.ToLower(strings.TrimRight(name, " \t")) + ":" + strings.TrimSpace(squeeze(value))
}

func squeeze(s string) string {
	var b strings.Builder
	blank := false
	for i := range len(s) {
		if s[i] == ' ' || s[i] == '\t' {
			blank = true
			continue
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		b.WriteByte(s[i])
	}
	if blank {
		b.WriteByte(' ')
	}
	return b.String()
}

func (d DKIM) canonicalBody(body []byte) []byte {
	lines := strings.Split(strings.TrimSuffix(string(body), "\r\n"), "\r\n")
	if !d.Simple {
		for i, l := range lines {
			lines[i] = strings.TrimRight(squeeze(l), " ")
		}
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	var b bytes.Buffer
	for _, l := range lines {
		b.WriteString(l + "\r\n")
	}
	if len(lines) == 0 && d.Simple {
		b.WriteString("\r\n")
	}
	return b.Bytes()
}
