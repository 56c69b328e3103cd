package main

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"time"

	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
)

// signer is somebody as a signer of the builder.
func (l *lab) signer(name string) cmstest.Signer { return l.people[name].signer() }

func (p *person) signer() cmstest.Signer { return cmstest.Signer{Key: p.key, Certificate: p.cert} }

// one is a detached blob of one signer, as a starting point.
func (l *lab) one(name string) cmstest.Blob {
	return cmstest.Blob{Signers: []cmstest.Signer{l.signer(name)}}
}

// with changes a signer.
func with(g cmstest.Signer, f func(*cmstest.Signer)) cmstest.Signer {
	f(&g)
	return g
}

// good makes the honest signatures that no tool at hand makes.
func good(l *lab) {
	p256, rsa, ed := l.signer("p256"), l.signer("rsa2048"), l.signer("ed25519")
	l.signed("built-plain", p256)
	l.signed("built-ed25519", ed)
	l.built("built-ed25519-opaque", cmstest.Blob{Opaque: true, Signers: []cmstest.Signer{ed}})
	l.signed("built-ed25519-keyid", with(ed, func(g *cmstest.Signer) { g.KeyID = true }))
	l.signed("built-keyid-version1", with(rsa, func(g *cmstest.Signer) { g.KeyID, g.Version = true, 1 }))
	l.signed("built-issuer-version3", with(rsa, func(g *cmstest.Signer) { g.Version = 3 }))
	l.built("built-version-of-nobody", cmstest.Blob{Version: 127, Signers: []cmstest.Signer{with(p256, func(g *cmstest.Signer) { g.Version = 99 })}})
	l.signed("built-ec-public-key", with(p256, func(g *cmstest.Signer) { g.SignatureAlgorithm = cmstest.Algorithm(cmstest.ECPublicKey) }))
	l.signed("built-sha256-with-rsa", with(rsa, func(g *cmstest.Signer) {
		g.SignatureAlgorithm = cmstest.Algorithm(cmstest.SHA256WithRSA, cmstest.NULL())
	}))
	l.signed("built-rsa-no-parameters", with(rsa, func(g *cmstest.Signer) { g.SignatureAlgorithm = cmstest.Algorithm(cmstest.RSA) }))
	for name, h := range map[string]crypto.Hash{"256": crypto.SHA3_256, "384": crypto.SHA3_384, "512": crypto.SHA3_512} {
		l.signed("built-ecdsa-sha3-"+name, with(p256, func(g *cmstest.Signer) { g.Hash = h }))
	}
	l.built("built-no-digest-algorithms", cmstest.Blob{Digests: [][]byte{}, Signers: []cmstest.Signer{p256}})
	l.built("built-four-signers", cmstest.Blob{Signers: []cmstest.Signer{p256, rsa, ed, l.signer("p384")}})
	l.signed("built-timestamp-garbage", with(p256, func(g *cmstest.Signer) {
		g.Unsigned = [][]byte{cmstest.Attribute("1.2.840.113549.1.9.16.2.14", cmstest.Octets([]byte("no token")))}
	}))
	l.signed("built-time-2051", with(p256, func(g *cmstest.Signer) { g.Time = time.Date(2051, 2, 3, 4, 5, 6, 0, time.UTC) }))
	l.signed("built-time-1999", with(p256, func(g *cmstest.Signer) { g.Time = time.Date(1999, 2, 3, 4, 5, 6, 0, time.UTC) }))
	blob := l.built("built-trailing-crlf", cmstest.Blob{Trailing: []byte("\r\n\r\n"), Signers: []cmstest.Signer{p256}})
	l.write("built-trailing-zeros", append(blob[:len(blob)-4], make([]byte, 100)...))
	l.built("built-trailing-blanks", cmstest.Blob{Trailing: []byte(" \t \n"), Signers: []cmstest.Signer{rsa}})
	l.built("built-serial-leading-zero", cmstest.Blob{Signers: []cmstest.Signer{with(p256, func(g *cmstest.Signer) {
		g.SID = cmstest.Sequence(g.Certificate.RawIssuer,
			cmstest.TLV(cmstest.Integer, append([]byte{0, 0, 0}, g.Certificate.SerialNumber.Bytes()...)))
	})}})
}

// bags makes odd collections of certificates.
func bags(l *lab) {
	p256, p := l.signer("p256"), l.people["p256"]
	forged := func() []byte { return l.forge(p) }
	l.built("bag-forged-first", cmstest.Blob{Certificates: [][]byte{forged(), p.cert.Raw}, Signers: []cmstest.Signer{p256}})
	l.built("bag-three-forged-first", cmstest.Blob{Certificates: [][]byte{forged(), forged(), forged(), p.cert.Raw}, Signers: []cmstest.Signer{p256}})
	l.built("bag-four-forged-first", cmstest.Blob{Certificates: [][]byte{forged(), forged(), forged(), forged(), p.cert.Raw}, Signers: []cmstest.Signer{p256}})
	l.built("bag-forged-only", cmstest.Blob{Certificates: [][]byte{forged()}, Signers: []cmstest.Signer{p256}})
	l.built("bag-forged-same-key", cmstest.Blob{Certificates: [][]byte{l.forgeWith(p, p.key), p.cert.Raw}, Signers: []cmstest.Signer{p256}})
	l.built("bag-forged-same-key-bound", cmstest.Blob{Certificates: [][]byte{l.forgeWith(p, p.key), p.cert.Raw},
		Signers: []cmstest.Signer{with(p256, func(g *cmstest.Signer) {
			g.Extra = [][]byte{cmstest.SigningCertificate(crypto.SHA256, p.cert)}
		})}})
	l.built("bag-repeated", cmstest.Blob{Certificates: [][]byte{p.cert.Raw, p.cert.Raw, p.cert.Raw}, Signers: []cmstest.Signer{p256}})
	l.built("bag-signer-last", cmstest.Blob{Certificates: cmstest.Certificate(l.root.cert, l.ca.cert, l.people["other"].cert, p.cert), Signers: []cmstest.Signer{p256}})
	l.built("bag-others-only", cmstest.Blob{Certificates: cmstest.Certificate(l.root.cert, l.ca.cert, l.people["other"].cert), Signers: []cmstest.Signer{p256}})
	l.built("bag-garbage", cmstest.Blob{Certificates: [][]byte{cmstest.Sequence(cmstest.Int(7)), p.cert.Raw}, Signers: []cmstest.Signer{p256}})
	l.built("bag-negative-serial", cmstest.Blob{Certificates: [][]byte{negative(l.people["other"]), p.cert.Raw}, Signers: []cmstest.Signer{p256}})
	attribute := cmstest.Context(1, cmstest.Int(1))
	l.built("bag-attribute-certificate", cmstest.Blob{Extra: [][]byte{attribute}, Signers: []cmstest.Signer{p256}})
	l.built("bag-other-format", cmstest.Blob{Extra: [][]byte{cmstest.Context(3, cmstest.OID("1.2.3.4"), cmstest.Int(5))}, Signers: []cmstest.Signer{p256}})
	ocsp := cmstest.Context(1, cmstest.OID("1.3.6.1.5.5.7.16.2"), cmstest.Sequence(cmstest.TLV(0x0a, []byte{0})))
	l.built("bag-ocsp", cmstest.Blob{CRLs: [][]byte{ocsp}, Signers: []cmstest.Signer{p256}})
	crl, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: begin, NextUpdate: end}, l.ca.cert, l.ca.key)
	check(err)
	l.built("bag-crl", cmstest.Blob{CRLs: [][]byte{crl}, Signers: []cmstest.Signer{l.signer("rsa2048")}})
	many := [][]byte{p.cert.Raw}
	for len(many) < 32 {
		many = append(many, l.forge(l.people["other"]))
	}
	l.built("bag-32", cmstest.Blob{Certificates: many, Signers: []cmstest.Signer{p256}})
	l.built("bag-33", cmstest.Blob{Certificates: append(many, l.ca.cert.Raw), Signers: []cmstest.Signer{p256}})
	l.policies(p)
}

// policies are certificates that other checks refuse: the signature holds.
func (l *lab) policies(p *person) {
	l.signed("policy-server-certificate", l.again(p, func(t *x509.Certificate) {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}).signer())
	l.signed("policy-expired", l.again(p, func(t *x509.Certificate) { t.NotAfter = begin.AddDate(0, 1, 0) }).signer())
	l.signed("policy-authority-signs", l.ca.signer())
	self := template("self")
	l.signed("policy-self-signed", (&person{key: p.key, cert: certify(self, p.key.Public(), &person{key: p.key, cert: self})}).signer())
	l.signed("policy-time-ahead", with(p.signer(), func(g *cmstest.Signer) { g.Time = cmstest.Instant.AddDate(1, 0, 0) }))
	l.built("policy-untrusted-second", cmstest.Blob{Signers: []cmstest.Signer{l.signer("rsa2048"),
		(&person{key: p.key, cert: certify(self, p.key.Public(), &person{key: p.key, cert: self})}).signer()}})
}
