package testmail

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"time"
)

// A Profile says what stands in a certificate. The zero Profile is an honest
// leaf for mail: RSA 2048 or the given Key, EKU emailProtection, the key usage
// that fits its key, valid for a year around Instant.
type Profile struct {
	Name         string   // common name; also the name of the key
	Organisation string   // O of the subject
	SubjectMail  []string // emailAddress attributes of the subject
	Subject      []byte   // DER of the whole subject instead

	Kind string        // of key, see Keys.Key; "" is rsa2048
	Key  crypto.Signer // instead of Kind

	Mailboxes     []string // rfc822Name
	UTF8Mailboxes []string // SmtpUTF8Mailbox (RFC 9598)
	DNSNames      []string
	SAN           []byte // DER of the whole subjectAltName value instead
	SANCritical   bool

	CA         bool
	PathLength int // of a CA; 0: unlimited, see ZeroPathLength

	EKU       []asn1.ObjectIdentifier // nil: emailProtection, for a CA: none
	NoEKU     bool
	Usage     x509.KeyUsage // 0: what fits
	NoUsage   bool
	NotBefore time.Time // zero: Instant less half a year, for a CA ten years
	NotAfter  time.Time // zero: Instant plus half a year, for a CA ten years

	PermittedMail, ExcludedMail []string // rfc822Name constraints
	Constraints                 []byte   // DER of the whole nameConstraints value instead
	ConstraintsOptional         bool     // not critical
	CRL                         []string // distribution points
	Serial                      *big.Int // nil: derived from the name
	Algorithm                   x509.SignatureAlgorithm
	NoKeyID                     bool
	Extra                       []pkix.Extension

	// Edit changes the DER of the TBSCertificate before it is signed, by
	// hand, for what crypto/x509 does not make.
	Edit func(tbs []byte) []byte
}

// An Identity is a certificate with its key and its issuer.
type Identity struct {
	DER    []byte
	Cert   *x509.Certificate // nil if crypto/x509 cannot read it
	Key    crypto.Signer
	Issuer *Identity // nil: self-signed

	keys *Keys
}

// EmailProtection and others are extended key usages (RFC 5280 section 4.2.1.12).
func EmailProtection() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 4}
}

// ServerAuth is the extended key usage of TLS servers.
func ServerAuth() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1} }

// ClientAuth is the extended key usage of TLS clients.
func ClientAuth() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2} }

// AnyUsage is anyExtendedKeyUsage.
func AnyUsage() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 29, 37, 0} }

// Root makes a self-signed CA.
func (k *Keys) Root(p Profile) *Identity {
	p.CA = true
	return k.issue(nil, p)
}

// SelfSigned makes a certificate that is its own issuer and no CA unless p says so.
func (k *Keys) SelfSigned(p Profile) *Identity { return k.issue(nil, p) }

// Issue makes a certificate below i.
func (i *Identity) Issue(p Profile) *Identity { return i.keys.issue(i, p) }

// Intermediate makes a CA below i.
func (i *Identity) Intermediate(p Profile) *Identity {
	p.CA = true
	return i.keys.issue(i, p)
}

// Above returns the certificates above i, without the self-signed one.
func (i *Identity) Above() []*Identity {
	var out []*Identity
	for c := i.Issuer; c != nil && c.Issuer != nil; c = c.Issuer {
		out = append(out, c)
	}
	return out
}

// Root returns the self-signed certificate above i, or i itself.
func (i *Identity) Root() *Identity {
	for i.Issuer != nil {
		i = i.Issuer
	}
	return i
}

// PEM returns the certificate as a PEM block.
func (i *Identity) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.DER})
}

// KeyPEM returns the private key as a PEM block (PKCS #8), for openssl.
func (i *Identity) KeyPEM() []byte {
	var key any = i.Key
	if ec, ok := i.Key.(deterministicEC); ok {
		key = ec.PrivateKey
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(key))})
}

// KeyID returns what a subject key identifier of i's key is: SHA-1 of the key bits.
func (i *Identity) KeyID() []byte { return keyID(i.Key.Public()) }

func keyID(public crypto.PublicKey) []byte {
	var spki struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	must(asn1.Unmarshal(must(x509.MarshalPKIXPublicKey(public)), &spki))
	sum := sha1.Sum(spki.Key.Bytes)
	return sum[:]
}

func (k *Keys) issue(issuer *Identity, p Profile) *Identity {
	id := &Identity{Issuer: issuer, keys: k, Key: p.Key}
	if id.Key == nil {
		kind := p.Kind
		if kind == "" {
			kind = "rsa2048"
		}
		id.Key = k.Key(kind, p.Name)
	}
	t := p.template(id.Key)
	parent, signer := t, id.Key
	if issuer != nil {
		parent, signer = issuer.Cert, issuer.Key
	}
	if p.NoKeyID {
		// crypto/x509 would derive both identifiers.
		bare := *parent
		bare.SubjectKeyId = nil
		parent = &bare
	}
	t.SignatureAlgorithm = p.Algorithm
	byHand := p.Edit != nil || weak(p.Algorithm)
	if weak(p.Algorithm) {
		t.SignatureAlgorithm = 0
	}
	id.DER = must(x509.CreateCertificate(noRandomness{}, t, parent, id.Key.Public(), signer))
	if byHand {
		id.DER = resign(id.DER, signer, p)
	}
	id.Cert, _ = x509.ParseCertificate(id.DER)
	return id
}

func (p Profile) template(key crypto.Signer) *x509.Certificate {
	t := &x509.Certificate{
		SerialNumber:          p.Serial,
		Subject:               pkix.Name{CommonName: p.Name},
		NotBefore:             p.NotBefore,
		NotAfter:              p.NotAfter,
		KeyUsage:              p.Usage,
		BasicConstraintsValid: true,
		IsCA:                  p.CA,
		CRLDistributionPoints: p.CRL,
		ExtraExtensions:       p.extensions(),
	}
	if p.Organisation != "" {
		t.Subject.Organization = []string{p.Organisation}
	}
	for _, m := range p.SubjectMail {
		t.Subject.ExtraNames = append(t.Subject.ExtraNames, pkix.AttributeTypeAndValue{
			Type:  asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1},
			Value: asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte(m)}})
	}
	t.RawSubject = p.Subject
	if t.SerialNumber == nil {
		sum := sha256.Sum256([]byte("serial of " + p.Name))
		t.SerialNumber = new(big.Int).SetBytes(sum[1:13])
	}
	p.validity(t)
	p.usage(t, key)
	if p.CA {
		t.MaxPathLen = p.PathLength
		switch {
		case p.PathLength == 0:
			t.MaxPathLen = -1 // the zero Profile is unlimited
		case p.PathLength == ZeroPathLength:
			t.MaxPathLen, t.MaxPathLenZero = 0, true
		}
	}
	if !p.NoKeyID {
		t.SubjectKeyId = keyID(key.Public())
	}
	return t
}

// ZeroPathLength is the PathLength of a CA below which only leaves may stand.
const ZeroPathLength = -2

func (p Profile) validity(t *x509.Certificate) {
	before, after := Instant().AddDate(0, -6, 0), Instant().AddDate(0, 6, 0)
	if p.CA {
		before, after = Instant().AddDate(-10, 0, 0), Instant().AddDate(10, 0, 0)
	}
	if t.NotBefore.IsZero() {
		t.NotBefore = before
	}
	if t.NotAfter.IsZero() {
		t.NotAfter = after
	}
}

func (p Profile) usage(t *x509.Certificate, key crypto.Signer) {
	if p.NoUsage {
		t.KeyUsage = 0
		return
	}
	if t.KeyUsage != 0 {
		return
	}
	switch key.(type) {
	case deterministicEC:
		t.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement
	case interface{ Size() int }: // RSA
		t.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	default:
		t.KeyUsage = x509.KeyUsageDigitalSignature
	}
	if p.CA {
		t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	}
}

func weak(a x509.SignatureAlgorithm) bool {
	return a == x509.SHA1WithRSA || a == x509.MD5WithRSA || a == x509.ECDSAWithSHA1
}

// noRandomness is read by nobody: RSA PKCS#1, Ed25519 and deterministicEC need none.
type noRandomness struct{}

func (noRandomness) Read(p []byte) (int, error) {
	return copy(p, bytes.Repeat([]byte{0x5a}, len(p))), nil
}
