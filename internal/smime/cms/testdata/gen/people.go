package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"time"
)

// A person has a key and a certificate, also as files NAME.key and NAME.crt.
type person struct {
	name string
	key  crypto.Signer
	cert *x509.Certificate
}

var (
	begin = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	end   = time.Date(2049, 1, 1, 0, 0, 0, 0, time.UTC)
)

// hire makes the authorities and everybody who signs.
func (l *lab) hire() {
	l.root = l.authority("Fixture Root", nil)
	l.ca = l.authority("Fixture Issuing CA", l.root)
	l.save(l.root)
	l.save(l.ca)
	l.chainFile()
	for name, bits := range map[string]int{"rsa2048": 2048, "rsa3072": 3072, "rsa1024": 1024, "rsa4096": 4096} {
		l.person(name, rsaKey(bits))
	}
	for name, curve := range map[string]elliptic.Curve{
		"p256": elliptic.P256(), "p384": elliptic.P384(), "p521": elliptic.P521(), "p224": elliptic.P224(),
	} {
		l.person(name, ecKey(curve))
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	check(err)
	l.person("ed25519", key)
	l.person("other", ecKey(elliptic.P256()))
	l.person("encrypt", ecKey(elliptic.P256()))
}

func rsaKey(bits int) crypto.Signer {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	check(err)
	return key
}

func ecKey(curve elliptic.Curve) crypto.Signer {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	check(err)
	return key
}

func serialNumber() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	check(err)
	return n
}

func (l *lab) authority(name string, issuer *person) *person {
	p := &person{name: name, key: ecKey(elliptic.P256())}
	t := &x509.Certificate{
		SerialNumber: serialNumber(), Subject: pkix.Name{CommonName: name, Organization: []string{"Certinbox Fixtures"}},
		NotBefore: begin, NotAfter: end, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
	if issuer == nil {
		issuer = &person{key: p.key, cert: t}
	}
	p.cert = certify(t, p.key.Public(), issuer)
	return p
}

// template is an ordinary certificate for mail.
func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: serialNumber(), Subject: pkix.Name{CommonName: name},
		NotBefore: begin, NotAfter: end,
		KeyUsage:       x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement,
		ExtKeyUsage:    []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		EmailAddresses: []string{name + "@example.com"},
		SubjectKeyId:   []byte(name + "-key-id-0123456789"),
	}
}

func certify(t *x509.Certificate, key crypto.PublicKey, issuer *person) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, t, issuer.cert, key, issuer.key)
	check(err)
	c, err := x509.ParseCertificate(der)
	check(err)
	return c
}

// person makes somebody with an ordinary certificate of the issuing CA.
func (l *lab) person(name string, key crypto.Signer) *person {
	p := &person{name: name, key: key, cert: certify(template(name), key.Public(), l.ca)}
	l.people[name] = p
	l.save(p)
	return p
}

// again gives somebody's key another certificate, changed by f.
func (l *lab) again(p *person, f func(*x509.Certificate)) *person {
	t := template(p.name)
	f(t)
	return &person{name: p.name, key: p.key, cert: certify(t, p.key.Public(), l.ca)}
}

func (l *lab) save(p *person) {
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	check(err)
	l.pem(p.name+".key", "PRIVATE KEY", der)
	l.pem(p.name+".crt", "CERTIFICATE", p.cert.Raw)
}

func (l *lab) pem(name, kind string, der []byte) {
	check(os.WriteFile(l.path(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}
