package main

import (
	"bytes"
	"crypto"

	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
)

// attributes makes signed attributes of all kinds.
func attributes(l *lab) {
	p := l.people["p256"]
	set := func(name string, list ...[]byte) {
		if list == nil {
			list = [][]byte{}
		}
		l.signed("attr-"+name, with(p.signer(), func(g *cmstest.Signer) { g.Attributes = list }))
	}
	ct, when := cmstest.ContentType(cmstest.Data), cmstest.SigningTime(cmstest.Instant)
	md := cmstest.MessageDigest(crypto.SHA256, l.content)
	other := []byte("something else")
	set("minimal", ct, md)
	set("none-in-set")
	set("digest-missing", ct, when)
	set("digest-twice-good-first", ct, md, cmstest.MessageDigest(crypto.SHA256, other))
	set("digest-twice-same", ct, md, md)
	set("digest-two-values", ct, cmstest.MessageDigest(crypto.SHA256, l.content, other))
	set("digest-no-value", ct, cmstest.Attribute("1.2.840.113549.1.9.4"))
	set("digest-of-other-content", ct, cmstest.MessageDigest(crypto.SHA256, other))
	set("digest-short", ct, cmstest.Attribute("1.2.840.113549.1.9.4", cmstest.Octets(cmstest.Sum(crypto.SHA256, l.content)[:31])))
	set("digest-no-octets", ct, cmstest.Attribute("1.2.840.113549.1.9.4", cmstest.TLV(cmstest.UTF8String, cmstest.Sum(crypto.SHA256, l.content))))
	set("type-missing", md, when)
	set("type-wrong", cmstest.ContentType(cmstest.TSTInfo), md)
	set("type-twice", ct, ct, md)
	set("type-two-values", cmstest.Attribute("1.2.840.113549.1.9.3", cmstest.OID(cmstest.Data), cmstest.OID(cmstest.TSTInfo)), md)
	set("type-no-oid", cmstest.Attribute("1.2.840.113549.1.9.3", cmstest.Octets([]byte("data"))), md)
	set("time-twice", ct, md, when, cmstest.SigningTime(cmstest.Instant.AddDate(0, 0, 1)))
	date := func(tag byte, text string) []byte {
		return cmstest.Attribute("1.2.840.113549.1.9.5", cmstest.TLV(tag, []byte(text)))
	}
	set("time-two-values", ct, md, cmstest.Attribute("1.2.840.113549.1.9.5",
		cmstest.TLV(cmstest.UTCTime, []byte("260302120000Z")), cmstest.TLV(cmstest.UTCTime, []byte("260303120000Z"))))
	set("time-no-time", ct, md, date(cmstest.UTF8String, "yesterday"))
	set("time-month-13", ct, md, date(cmstest.UTCTime, "261302120000Z"))
	set("time-no-zone", ct, md, date(cmstest.UTCTime, "260302120000"))
	set("time-general", ct, md, date(cmstest.GeneralTime, "20260302120000Z"))
	set("unknown", ct, md, cmstest.Attribute("1.2.3.4.5", cmstest.Octets(other), cmstest.Int(5)))
	set("no-sequence", ct, md, cmstest.Set(cmstest.Int(1)))
	set("capabilities", ct, md, cmstest.Capabilities("2.16.840.1.101.3.4.1.42", "2.16.840.1.101.3.4.1.2", "1.2.3.4"))
	set("capabilities-twice", ct, md, cmstest.Capabilities("1.2.3"), cmstest.Capabilities("1.2.4"))
	set("capabilities-garbage", ct, md, cmstest.Attribute("1.2.840.113549.1.9.15", cmstest.Int(1)))
	l.order(p)
	preferences(l, p)
	bindings(l, p)
	l.moved(p)
}

// order makes attributes that are not in the order of DER.
func (l *lab) order(p *person) {
	list := [][]byte{cmstest.MessageDigest(crypto.SHA256, l.content), cmstest.SigningTime(cmstest.Instant), cmstest.ContentType(cmstest.Data)}
	unsorted := with(p.signer(), func(g *cmstest.Signer) { g.Attributes, g.AsListed = list, true })
	l.signed("attr-unsorted-as-received", unsorted)
	l.signed("attr-unsorted-signed-sorted", with(unsorted, func(g *cmstest.Signer) { g.SignSorted = true }))
	rsa := l.signer("rsa2048")
	l.signed("attr-unsorted-rsa", with(rsa, func(g *cmstest.Signer) { g.Attributes, g.AsListed, g.SignSorted = list, true, true }))
}

// preferences makes key preferences; the other certificate is in the bag.
func preferences(l *lab, p *person) {
	key := l.people["encrypt"].cert
	set := func(name string, extra ...[]byte) {
		l.built("pref-"+name, cmstest.Blob{Extra: cmstest.Certificate(key),
			Signers: []cmstest.Signer{with(p.signer(), func(g *cmstest.Signer) { g.Extra = extra })}})
	}
	set("issuer-serial", cmstest.Preference(key))
	set("microsoft", cmstest.MicrosoftPreference(key))
	set("both", cmstest.Preference(key), cmstest.MicrosoftPreference(p.cert))
	set("key", cmstest.PreferenceByKey(cmstest.KeyID(key)))
	set("recipient", cmstest.PreferenceByRecipient(cmstest.KeyID(key)))
	set("absent-certificate", cmstest.Preference(l.people["other"].cert))
	set("garbage", cmstest.Attribute("1.2.840.113549.1.9.16.2.11", cmstest.Int(5)))
	set("garbage-beside-microsoft", cmstest.Attribute("1.2.840.113549.1.9.16.2.11", cmstest.Int(5)), cmstest.MicrosoftPreference(key))
	set("twice", cmstest.Preference(key), cmstest.Preference(p.cert))
}

// bindings makes signing-certificate attributes.
func bindings(l *lab, p *person) {
	set := func(name string, extra ...[]byte) {
		l.signed("ess-"+name, with(p.signer(), func(g *cmstest.Signer) { g.Extra = extra }))
	}
	other := l.people["other"].cert
	set("v1", cmstest.SigningCertificate(crypto.SHA1, p.cert))
	set("v2", cmstest.SigningCertificate(crypto.SHA256, p.cert))
	set("v2-sha512", cmstest.SigningCertificate(crypto.SHA512, p.cert))
	set("both", cmstest.SigningCertificate(crypto.SHA1, p.cert), cmstest.SigningCertificate(crypto.SHA256, p.cert))
	set("v1-other", cmstest.SigningCertificate(crypto.SHA1, other))
	set("v2-other", cmstest.SigningCertificate(crypto.SHA256, other))
	set("one-of-both-other", cmstest.SigningCertificate(crypto.SHA1, p.cert), cmstest.SigningCertificate(crypto.SHA256, other))
	set("v2-md5", cmstest.SigningCertificate(crypto.MD5, p.cert))
	set("v2-twice", cmstest.SigningCertificate(crypto.SHA256, p.cert), cmstest.SigningCertificate(crypto.SHA512, p.cert))
	set("v2-empty", cmstest.Attribute("1.2.840.113549.1.9.16.2.47", cmstest.Sequence(cmstest.Sequence())))
	l.built("ess-v2-chain", cmstest.Blob{Extra: cmstest.Certificate(l.ca.cert),
		Signers: []cmstest.Signer{with(p.signer(), func(g *cmstest.Signer) {
			id := func(b []byte) []byte { return cmstest.Sequence(cmstest.Octets(cmstest.Sum(crypto.SHA256, b))) }
			g.Extra = [][]byte{cmstest.Attribute("1.2.840.113549.1.9.16.2.47", cmstest.Sequence(cmstest.Sequence(id(p.cert.Raw), id(l.ca.cert.Raw))))}
		})}})
}

// moved turns a good signature around: its attributes become the content, and
// the attributes are dropped.
func (l *lab) moved(p *person) {
	list := [][]byte{cmstest.ContentType(cmstest.Data), cmstest.MessageDigest(crypto.SHA256, l.content)}
	l.built("attr-moved-into-content", cmstest.Blob{Content: cmstest.SortedSet(list...), Opaque: true,
		Signers: []cmstest.Signer{with(p.signer(), func(g *cmstest.Signer) { g.Bare = true })}})
	l.signed("attr-bare", with(p.signer(), func(g *cmstest.Signer) { g.Bare = true }))
	l.signed("attr-indefinite", with(p.signer(), func(g *cmstest.Signer) { g.IndefiniteAttributes = true }))
	flip := func(name string, g cmstest.Signer) {
		l.signed("tampered-signature-"+name, with(g, func(g *cmstest.Signer) {
			g.Tamper = func(b []byte) []byte { b[len(b)-1] ^= 1; return b }
		}))
	}
	flip("ec", p.signer())
	flip("rsa", l.signer("rsa2048"))
	flip("ed25519", l.signer("ed25519"))
	flip("pss", with(l.signer("rsa2048"), func(g *cmstest.Signer) { g.PSS = true }))
	l.built("tampered-one-of-two", cmstest.Blob{Signers: []cmstest.Signer{l.signer("rsa2048"),
		with(p.signer(), func(g *cmstest.Signer) {
			g.Attributes = [][]byte{list[0], cmstest.MessageDigest(crypto.SHA256, []byte("x"))}
		})}})
	l.built("tampered-opaque", cmstest.Blob{Opaque: true, EContent: cmstest.Octets([]byte("not what was signed")), Signers: []cmstest.Signer{p.signer()}})
	l.signed("tampered-empty-signature", with(p.signer(), func(g *cmstest.Signer) { g.Tamper = func([]byte) []byte { return nil } }))
	blob := l.signedBytes(p.signer())
	blob = bytes.Replace(blob, []byte("260302120000Z"), []byte("260902120000Z"), 1)
	l.write("tampered-attribute", blob)
}

func (l *lab) signedBytes(g cmstest.Signer) []byte {
	blob, err := cmstest.Blob{Content: l.content, Signers: []cmstest.Signer{g}}.Build()
	check(err)
	return blob
}
