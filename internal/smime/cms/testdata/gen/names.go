package main

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"slices"

	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
)

// forge makes a certificate that can be mistaken for somebody's: same issuer
// name, serial number and key identifier, another key.
func (l *lab) forge(p *person) []byte { return l.forgeWith(p, ecKey(elliptic.P256())) }

// forgeWith makes one with the given key.
func (l *lab) forgeWith(p *person, key crypto.Signer) []byte {
	t := template(p.name)
	t.SerialNumber = p.cert.SerialNumber
	fake := ecKey(elliptic.P256())
	issuer := *l.ca.cert
	issuer.PublicKey = fake.Public()
	return certify(t, key.Public(), &person{key: fake, cert: &issuer}).Raw
}

// negative makes somebody's serial number a negative one.
func negative(p *person) []byte {
	raw := slices.Clone(p.cert.Raw)
	serial := p.cert.SerialNumber.Bytes()
	at := bytes.Index(raw, serial)
	raw[at] |= 0x80
	return raw
}

// A paper is a certificate put together by hand; nobody's signature is on it.
type paper struct {
	issuer, serial, spki, extensions []byte
}

func (p paper) raw() []byte {
	ecdsa := cmstest.Algorithm("1.2.840.10045.4.3.2")
	day := func(s string) []byte { return cmstest.TLV(cmstest.UTCTime, []byte(s)) }
	tbs := cmstest.Sequence(
		cmstest.Context(0, cmstest.Int(2)), p.serial, ecdsa, p.issuer,
		cmstest.Sequence(day("200101000000Z"), day("490101000000Z")),
		name(cmstest.UTF8String, "Somebody"), p.spki, p.extensions)
	return cmstest.Sequence(tbs, ecdsa, cmstest.TLV(cmstest.BitString, []byte{0}, cmstest.Sequence(cmstest.Int(1), cmstest.Int(1))))
}

// name is a Name of one common name in the given string type.
func name(tag byte, text string) []byte {
	return cmstest.Sequence(cmstest.Set(pair("2.5.4.3", tag, text)))
}

func pair(oid string, tag byte, text string) []byte {
	return cmstest.Sequence(cmstest.OID(oid), cmstest.TLV(tag, []byte(text)))
}

// sid is an IssuerAndSerialNumber.
func sid(issuer, serial []byte) []byte { return cmstest.Sequence(issuer, serial) }

// handmade is somebody's key under a paper certificate.
func (l *lab) handmade(fixture string, p paper, id []byte) {
	who := l.people["p256"]
	if p.spki == nil {
		p.spki = who.cert.RawSubjectPublicKeyInfo
	}
	l.built(fixture, cmstest.Blob{Certificates: [][]byte{p.raw()},
		Signers: []cmstest.Signer{{Key: who.key, Certificate: who.cert, SID: id}}})
}

// names makes signer identifiers that are not the bytes of the certificate.
func names(l *lab) {
	serial := cmstest.Int(4711)
	utf8 := name(cmstest.UTF8String, "A Company")
	l.handmade("name-printable-utf8", paper{issuer: utf8, serial: serial}, sid(name(cmstest.Printable, "A Company"), serial))
	l.handmade("name-bmp-utf8", paper{issuer: utf8, serial: serial}, sid(name(0x1e, "\x00A\x00 \x00C\x00o\x00m\x00p\x00a\x00n\x00y"), serial))
	l.handmade("name-universal-utf8", paper{issuer: name(cmstest.UTF8String, "\u00c4\U0001f600"), serial: serial},
		sid(name(0x1c, "\x00\x00\x00\xc4\x00\x01\xf6\x00"), serial))
	l.handmade("name-teletex-utf8", paper{issuer: name(cmstest.UTF8String, "\u00c4rzte"), serial: serial}, sid(name(0x14, "\xc4rzte"), serial))
	l.handmade("name-case-and-blanks", paper{issuer: utf8, serial: serial}, sid(name(cmstest.UTF8String, " a  COMPANY "), serial))
	l.handmade("name-other", paper{issuer: utf8, serial: serial}, sid(name(cmstest.UTF8String, "B Company"), serial))
	l.handmade("name-other-serial", paper{issuer: utf8, serial: serial}, sid(utf8, cmstest.Int(4712)))
	l.handmade("name-negative-serial-of-sid", paper{issuer: utf8, serial: cmstest.Int(200)}, sid(utf8, cmstest.TLV(cmstest.Integer, []byte{200})))
	cn, org := pair("2.5.4.3", cmstest.UTF8String, "A"), pair("2.5.4.10", cmstest.UTF8String, "B")
	l.handmade("name-order-in-relative-name", paper{issuer: cmstest.Sequence(cmstest.Set(cn, org)), serial: serial},
		sid(cmstest.Sequence(cmstest.Set(org, cn)), serial))
	l.handmade("name-order-of-relative-names", paper{issuer: cmstest.Sequence(cmstest.Set(cn), cmstest.Set(org)), serial: serial},
		sid(cmstest.Sequence(cmstest.Set(org), cmstest.Set(cn)), serial))
	l.handmade("name-relative-names-joined", paper{issuer: cmstest.Sequence(cmstest.Set(cn), cmstest.Set(org)), serial: serial},
		sid(cmstest.Sequence(cmstest.Set(cn, org)), serial))
	empty := cmstest.Sequence()
	l.handmade("name-empty", paper{issuer: empty, serial: serial}, sid(empty, serial))

	key := cmstest.TLV(0x80, cmstest.KeyID(&x509.Certificate{RawSubjectPublicKeyInfo: l.people["p256"].cert.RawSubjectPublicKeyInfo}))
	l.handmade("keyid-of-key", paper{issuer: utf8, serial: serial}, key)
	own := extension("2.5.29.14", cmstest.Octets([]byte("my own key id")))
	l.handmade("keyid-of-extension", paper{issuer: utf8, serial: serial, extensions: own}, cmstest.TLV(0x80, []byte("my own key id")))
	l.handmade("keyid-of-key-beside-extension", paper{issuer: utf8, serial: serial, extensions: own}, key)
	l.handmade("keyid-in-chunks", paper{issuer: utf8, serial: serial, extensions: own},
		cmstest.Indefinite(0xa0, cmstest.Octets([]byte("my own ")), cmstest.Octets([]byte("key id"))))
	l.handmade("keyid-explicit", paper{issuer: utf8, serial: serial, extensions: own}, cmstest.Context(0, cmstest.Octets([]byte("my own key id"))))
	l.handmade("keyid-empty", paper{issuer: utf8, serial: serial, extensions: own}, cmstest.TLV(0x80))
	l.handmade("keyid-unknown", paper{issuer: utf8, serial: serial, extensions: own}, cmstest.TLV(0x80, []byte("another key id")))
	l.handmade("sid-of-unknown-kind", paper{issuer: utf8, serial: serial}, cmstest.TLV(0x81, []byte("what")))
	l.handmade("sid-without-serial", paper{issuer: utf8, serial: serial}, cmstest.Sequence(utf8))
	l.handmade("sid-with-more", paper{issuer: utf8, serial: serial}, cmstest.Sequence(utf8, serial, serial))
	l.handmade("key-negative-serial", paper{issuer: utf8, serial: cmstest.TLV(cmstest.Integer, []byte{0x85, 1})},
		sid(utf8, cmstest.TLV(cmstest.Integer, []byte{0x85, 1})))
}

func extension(oid string, value []byte) []byte {
	return cmstest.Context(3, cmstest.Sequence(cmstest.Sequence(cmstest.OID(oid), cmstest.Octets(value))))
}
