package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"math/big"

	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
)

// algorithms makes combinations that are refused, and odd ones that are not.
func algorithms(l *lab) {
	p256, key, ed := l.signer("p256"), l.signer("rsa2048"), l.signer("ed25519")
	sig := func(name string, g cmstest.Signer, algorithm []byte) {
		l.signed("alg-"+name, with(g, func(g *cmstest.Signer) { g.SignatureAlgorithm = algorithm }))
	}
	digest := func(name string, g cmstest.Signer, h crypto.Hash, signature string) {
		l.signed("alg-"+name, with(g, func(g *cmstest.Signer) { g.Hash, g.SignatureAlgorithm = h, cmstest.Algorithm(signature) }))
	}
	digest("sha512-ecdsa-with-sha256", p256, crypto.SHA512, "1.2.840.10045.4.3.2")
	digest("sha512-sha256-with-rsa", key, crypto.SHA512, cmstest.SHA256WithRSA)
	digest("sha256-sha1-with-rsa", key, crypto.SHA256, "1.2.840.113549.1.1.5")
	digest("sha256-md5-with-rsa", key, crypto.SHA256, "1.2.840.113549.1.1.4")
	digest("sha1-sha256-with-rsa", key, crypto.SHA1, cmstest.SHA256WithRSA)
	digest("sha1-rsa", key, crypto.SHA1, cmstest.RSA)
	digest("sha224-ecdsa", p256, crypto.SHA224, "1.2.840.10045.4.3.1")
	digest("ed25519-sha256", ed, crypto.SHA256, cmstest.Ed25519)
	sig("ed448", ed, cmstest.Algorithm("1.3.101.113"))
	sig("dsa", key, cmstest.Algorithm("2.16.840.1.101.3.4.3.2"))
	sig("unknown", key, cmstest.Algorithm("1.2.3.4"))
	sig("rsa-by-ec-key", p256, cmstest.Algorithm(cmstest.SHA256WithRSA))
	sig("ecdsa-by-rsa-key", key, cmstest.Algorithm("1.2.840.10045.4.3.2"))
	sig("ed25519-by-ec-key", with(p256, func(g *cmstest.Signer) { g.Hash = crypto.SHA512 }), cmstest.Algorithm(cmstest.Ed25519))
	l.signed("alg-unknown-digest", with(key, func(g *cmstest.Signer) { g.DigestAlgorithm = cmstest.Algorithm("1.2.3.4") }))
	l.signed("alg-digest-null", with(key, func(g *cmstest.Signer) {
		g.DigestAlgorithm = cmstest.Algorithm("2.16.840.1.101.3.4.2.1", cmstest.NULL())
	}))
	l.signed("alg-digest-not-in-set", with(key, func(g *cmstest.Signer) { g.Hash = crypto.SHA384 }))
	l.built("alg-set-names-another", cmstest.Blob{Digests: [][]byte{cmstest.Algorithm("1.2.840.113549.2.5")}, Signers: []cmstest.Signer{key}})
	l.pss()
}

// pss makes parameters of RSA-PSS.
func (l *lab) pss() {
	g := with(l.signer("rsa2048"), func(g *cmstest.Signer) { g.PSS = true })
	sig := func(name string, parameters ...[]byte) {
		l.signed("pss-"+name, with(g, func(g *cmstest.Signer) { g.SignatureAlgorithm = cmstest.Algorithm(cmstest.RSAPSS, parameters...) }))
	}
	const sha256 = "2.16.840.1.101.3.4.2.1"
	hash := cmstest.Context(0, cmstest.Algorithm(sha256))
	mask := cmstest.Context(1, cmstest.Algorithm("1.2.840.113549.1.1.8", cmstest.Algorithm(sha256)))
	salt := func(n int) []byte { return cmstest.Context(2, cmstest.Int(n)) }
	sig("no-parameters")
	sig("empty-parameters", cmstest.Sequence())
	sig("null-parameters", cmstest.NULL())
	sig("parameters", cmstest.Sequence(hash, mask, salt(32)))
	sig("trailer-1", cmstest.Sequence(hash, mask, salt(32), cmstest.Context(3, cmstest.Int(1))))
	sig("trailer-2", cmstest.Sequence(hash, mask, salt(32), cmstest.Context(3, cmstest.Int(2))))
	sig("other-hash", cmstest.PSSParameters(crypto.SHA512, crypto.SHA512, 32))
	sig("other-mask", cmstest.PSSParameters(crypto.SHA256, crypto.SHA512, 32))
	sig("no-mask", cmstest.Sequence(hash, salt(32)))
	sig("other-mask-function", cmstest.Sequence(hash, cmstest.Context(1, cmstest.Algorithm("1.2.3.4", cmstest.Algorithm(sha256))), salt(32)))
	sig("salt-wrong", cmstest.Sequence(hash, mask, salt(31)))
	sig("salt-huge", cmstest.Sequence(hash, mask, salt(30000)))
	sig("salt-negative", cmstest.Sequence(hash, mask, cmstest.Context(2, cmstest.TLV(cmstest.Integer, []byte{0xe0}))))
	sig("parameters-out-of-order", cmstest.Sequence(mask, hash, salt(32)))
}

// keys makes RSA keys that must not be used.
func keys(l *lab) {
	who := l.people["rsa2048"]
	n := who.key.Public().(*rsa.PublicKey).N
	l.rsaPaper("key-exponent-1", n, big.NewInt(1))
	l.rsaPaper("key-exponent-even", n, big.NewInt(65536))
	l.rsaPaper("key-exponent-2-to-31", n, big.NewInt(1<<31-1))
	l.rsaPaper("key-exponent-huge", n, new(big.Int).Sub(n, big.NewInt(2)))
	wide := new(big.Int).Lsh(big.NewInt(1), 8200)
	l.rsaPaper("key-8201-bits", wide.Add(wide, big.NewInt(1)), big.NewInt(65537))
	wide = new(big.Int).Lsh(n, 8192-2048)
	l.rsaPaper("key-8192-bits-wrong", wide.Add(wide, big.NewInt(1)), big.NewInt(65537))
	l.oversize(who)
}

// rsaPaper makes a blob whose signer has the given key, and whose signature
// would hold under exponent 1: it is the padded digest itself.
func (l *lab) rsaPaper(name string, n, e *big.Int) {
	integer := func(i *big.Int) []byte {
		b := i.Bytes()
		if b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return cmstest.TLV(cmstest.Integer, b)
	}
	key := cmstest.TLV(cmstest.BitString, []byte{0}, cmstest.Sequence(integer(n), integer(e)))
	issuer, serial := l.ca.cert.RawSubject, cmstest.Int(815)
	p := paper{issuer: issuer, serial: serial, spki: cmstest.Sequence(cmstest.Algorithm(cmstest.RSA, cmstest.NULL()), key)}
	attributes := [][]byte{cmstest.ContentType(cmstest.Data), cmstest.MessageDigest(crypto.SHA256, l.content)}
	g := l.signer("rsa2048")
	g.SID, g.Attributes = sid(issuer, serial), attributes
	g.Tamper = func([]byte) []byte {
		info := cmstest.Sequence(cmstest.Algorithm("2.16.840.1.101.3.4.2.1", cmstest.NULL()),
			cmstest.Octets(cmstest.Sum(crypto.SHA256, cmstest.SortedSet(attributes...))))
		padded := make([]byte, (n.BitLen()+7)/8)
		for i := range padded {
			padded[i] = 0xff
		}
		padded[0], padded[1], padded[len(padded)-len(info)-1] = 0, 1, 0
		copy(padded[len(padded)-len(info):], info)
		return padded
	}
	l.built(name, cmstest.Blob{Certificates: [][]byte{p.raw()}, Signers: []cmstest.Signer{g}})
}

// oversize makes a certificate of more than 64 KiB.
func (l *lab) oversize(who *person) {
	big := l.again(who, func(t *x509.Certificate) {
		for range 1100 {
			t.DNSNames = append(t.DNSNames, "a-rather-long-host-name-to-fill-the-certificate.example.com")
		}
	})
	l.signed("key-certificate-over-64k", big.signer())
}
