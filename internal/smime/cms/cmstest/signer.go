package cmstest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	_ "crypto/md5" // hashes that tests want refused
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"
	"crypto/x509"
	"time"
)

// Instant is the signing time where a Signer names none.
var Instant = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// A Signer describes a SignerInfo.
type Signer struct {
	Key         crypto.Signer
	Certificate *x509.Certificate // names the signer; put into the bag unless the Blob says otherwise

	Hash  crypto.Hash // 0: SHA-256, or SHA-512 for Ed25519
	PSS   bool        // RSA-PSS with the hash for both uses
	Salt  int         // of RSA-PSS; 0: as long as the hash
	KeyID bool        // sid by subject key identifier
	SID   []byte      // encoding of the sid; nil: made from Certificate and KeyID

	Version            int    // 0: 1, or 3 by key identifier
	DigestAlgorithm    []byte // encoding; nil: that of Hash
	SignatureAlgorithm []byte // encoding; nil: that of the key and Hash

	Time       time.Time // signing time; zero: Instant
	Attributes [][]byte  // encodings of all signed attributes; nil: the three usual ones and Extra
	Extra      [][]byte  // further signed attributes
	Bare       bool      // no signed attributes: the content itself is signed
	AsListed   bool      // attributes are written in the order given, not sorted
	SignSorted bool      // with AsListed: the signature is over the sorted form
	Unsigned   [][]byte  // unsigned attributes

	IndefiniteAttributes bool                // the signed attributes have an indefinite length
	ChunkSignature       int                 // the signature value in chunks of this size; 0: in one piece
	Tamper               func([]byte) []byte // changes the signature value
}

// Attribute encodes an attribute with the given values.
func Attribute(oid string, values ...[]byte) []byte { return Sequence(OID(oid), Set(values...)) }

// ContentType encodes the contentType attribute.
func ContentType(oid string) []byte { return Attribute("1.2.840.113549.1.9.3", OID(oid)) }

// MessageDigest encodes the messageDigest attribute with the hash of each of the
// contents as a value.
func MessageDigest(h crypto.Hash, contents ...[]byte) []byte {
	var values [][]byte
	for _, c := range contents {
		values = append(values, Octets(Sum(h, c)))
	}
	return Attribute("1.2.840.113549.1.9.4", values...)
}

// SigningTime encodes the signingTime attribute as UTCTime, from 2050 on as
// GeneralizedTime.
func SigningTime(t time.Time) []byte {
	t = t.UTC()
	value := TLV(UTCTime, []byte(t.Format("060102150405Z")))
	if t.Year() < 1950 || t.Year() >= 2050 {
		value = TLV(GeneralTime, []byte(t.Format("20060102150405Z")))
	}
	return Attribute("1.2.840.113549.1.9.5", value)
}

// Capabilities encodes SMIMECapabilities of algorithms without parameters.
func Capabilities(oids ...string) []byte {
	var list [][]byte
	for _, oid := range oids {
		list = append(list, Algorithm(oid))
	}
	return Attribute("1.2.840.113549.1.9.15", Sequence(list...))
}

// Preference encodes sMIMEEncryptionKeyPreference that names a certificate by
// issuer and serial number.
func Preference(c *x509.Certificate) []byte {
	return Attribute("1.2.840.113549.1.9.16.2.11", Context(0, c.RawIssuer, serial(c)))
}

// MicrosoftPreference encodes the older attribute of the same meaning.
func MicrosoftPreference(c *x509.Certificate) []byte {
	return Attribute("1.3.6.1.4.1.311.16.4", IssuerAndSerial(c))
}

// PreferenceByKey encodes sMIMEEncryptionKeyPreference by subject key identifier.
func PreferenceByKey(id []byte) []byte {
	return Attribute("1.2.840.113549.1.9.16.2.11", TLV(0x82, id))
}

// PreferenceByRecipient encodes sMIMEEncryptionKeyPreference as a
// RecipientKeyIdentifier.
func PreferenceByRecipient(id []byte) []byte {
	return Attribute("1.2.840.113549.1.9.16.2.11", Context(1, Octets(id)))
}

// SigningCertificate encodes the ESS attribute (RFC 5035): version 1 for SHA1,
// else version 2.
func SigningCertificate(h crypto.Hash, c *x509.Certificate) []byte {
	sum := Octets(Sum(h, c.Raw))
	switch h {
	case crypto.SHA1:
		return Attribute("1.2.840.113549.1.9.16.2.12", Sequence(Sequence(Sequence(sum))))
	case crypto.SHA256:
		return Attribute("1.2.840.113549.1.9.16.2.47", Sequence(Sequence(Sequence(sum))))
	}
	return Attribute("1.2.840.113549.1.9.16.2.47", Sequence(Sequence(Sequence(Algorithm(digestOID(h)), sum))))
}

// IssuerAndSerial encodes the IssuerAndSerialNumber of a certificate.
func IssuerAndSerial(c *x509.Certificate) []byte { return Sequence(c.RawIssuer, serial(c)) }

func serial(c *x509.Certificate) []byte {
	b := c.SerialNumber.Bytes()
	if len(b) == 0 || b[0] >= 0x80 {
		b = append([]byte{0}, b...)
	}
	return TLV(Integer, b)
}

// KeyID returns the subject key identifier of a certificate, or the SHA-1 of
// its key where it has none.
func KeyID(c *x509.Certificate) []byte {
	if len(c.SubjectKeyId) > 0 {
		return c.SubjectKeyId
	}
	return keyHash(c.RawSubjectPublicKeyInfo)
}

// keyHash hashes the contents of the BIT STRING, the last field of a
// SubjectPublicKeyInfo.
func keyHash(spki []byte) []byte {
	_, fields, _ := cut(spki)
	_, _, rest := cut(fields)
	_, bits, _ := cut(rest)
	sum := sha1.Sum(bits[1:])
	return sum[:]
}

// cut takes the first element off DER: all of it, its contents, the rest.
func cut(b []byte) (element, contents, rest []byte) {
	n, head := int(b[1]), 2
	if n >= 0x80 {
		head += n & 0x7f
		n = 0
		for _, c := range b[2:head] {
			n = n<<8 | int(c)
		}
	}
	return b[:head+n], b[head : head+n], b[head+n:]
}

// Sum returns the hash of b.
func Sum(h crypto.Hash, b []byte) []byte {
	w := h.New()
	w.Write(b)
	return w.Sum(nil)
}

func (g Signer) hash() crypto.Hash {
	if g.Hash != 0 {
		return g.Hash
	}
	if _, ok := g.Key.Public().(ed25519.PublicKey); ok {
		return crypto.SHA512
	}
	return crypto.SHA256
}

func (g Signer) digest() []byte {
	if g.DigestAlgorithm != nil {
		return g.DigestAlgorithm
	}
	return Algorithm(digestOID(g.hash()))
}

func (g Signer) build(content []byte, contentType string) ([]byte, error) {
	version := 1
	sid := g.SID
	if g.KeyID {
		version = 3
	}
	if sid == nil && g.KeyID {
		sid = TLV(0x80, KeyID(g.Certificate))
	} else if sid == nil {
		sid = IssuerAndSerial(g.Certificate)
	}
	if g.Version != 0 {
		version = g.Version
	}
	fields := [][]byte{Int(version), sid, g.digest()}
	signed := content
	if !g.Bare {
		attributes := g.attributes(content, contentType)
		listed, sorted := Set(attributes...), SortedSet(attributes...)
		written := sorted
		if g.AsListed {
			written = listed
		}
		if signed = written; g.SignSorted {
			signed = sorted
		}
		fields = append(fields, g.tagged(written))
	}
	value, err := g.sign(signed)
	if err != nil {
		return nil, err
	}
	fields = append(fields, g.signatureAlgorithm(), g.signatureValue(value))
	if g.Unsigned != nil {
		fields = append(fields, Context(1, g.Unsigned...))
	}
	return Sequence(fields...), nil
}

func (g Signer) attributes(content []byte, contentType string) [][]byte {
	if g.Attributes != nil {
		return g.Attributes
	}
	t := g.Time
	if t.IsZero() {
		t = Instant
	}
	usual := [][]byte{ContentType(contentType), SigningTime(t), MessageDigest(g.hash(), content)}
	return append(usual, g.Extra...)
}

// tagged puts the tag of the field in place of that of SET OF.
func (g Signer) tagged(set []byte) []byte {
	if g.IndefiniteAttributes {
		_, contents, _ := cut(set)
		return Indefinite(0xa0, contents)
	}
	return append([]byte{0xa0}, set[1:]...)
}

func (g Signer) signatureValue(value []byte) []byte {
	if g.Tamper != nil {
		value = g.Tamper(value)
	}
	if g.ChunkSignature > 0 {
		return Chunks(value, g.ChunkSignature)
	}
	return Octets(value)
}

func (g Signer) sign(signed []byte) ([]byte, error) {
	if _, ok := g.Key.Public().(ed25519.PublicKey); ok {
		return g.Key.Sign(rand.Reader, signed, crypto.Hash(0))
	}
	var options crypto.SignerOpts = g.hash()
	if g.PSS {
		options = &rsa.PSSOptions{SaltLength: g.salt(), Hash: g.hash()}
	}
	return g.Key.Sign(rand.Reader, Sum(g.hash(), signed), options)
}

func (g Signer) salt() int {
	if g.Salt != 0 {
		return g.Salt
	}
	return g.hash().Size()
}

// PSSParameters encodes RSASSA-PSS-params.
func PSSParameters(h, mask crypto.Hash, salt int) []byte {
	return Sequence(
		Context(0, Algorithm(digestOID(h), NULL())),
		Context(1, Algorithm("1.2.840.113549.1.1.8", Algorithm(digestOID(mask), NULL()))),
		Context(2, Int(salt)))
}

// Signature algorithms.
const (
	RSA           = "1.2.840.113549.1.1.1"
	SHA256WithRSA = "1.2.840.113549.1.1.11"
	RSAPSS        = "1.2.840.113549.1.1.10"
	ECPublicKey   = "1.2.840.10045.2.1"
	Ed25519       = "1.3.101.112"
)

func (g Signer) signatureAlgorithm() []byte {
	if g.SignatureAlgorithm != nil {
		return g.SignatureAlgorithm
	}
	switch g.Key.Public().(type) {
	case ed25519.PublicKey:
		return Algorithm(Ed25519)
	case *ecdsa.PublicKey:
		return Algorithm(map[crypto.Hash]string{
			crypto.SHA1:     "1.2.840.10045.4.1",
			crypto.SHA224:   "1.2.840.10045.4.3.1",
			crypto.SHA256:   "1.2.840.10045.4.3.2",
			crypto.SHA384:   "1.2.840.10045.4.3.3",
			crypto.SHA512:   "1.2.840.10045.4.3.4",
			crypto.SHA3_256: "2.16.840.1.101.3.4.3.10",
			crypto.SHA3_384: "2.16.840.1.101.3.4.3.11",
			crypto.SHA3_512: "2.16.840.1.101.3.4.3.12",
		}[g.hash()])
	}
	if g.PSS {
		return Algorithm(RSAPSS, PSSParameters(g.hash(), g.hash(), g.salt()))
	}
	return Algorithm(RSA, NULL())
}
