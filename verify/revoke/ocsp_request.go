package revoke

import (
	"crypto"
	_ "crypto/sha1" // the hash of CertID that every responder knows
	_ "crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

func oidSHA1() asn1.ObjectIdentifier   { return asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26} }
func oidSHA256() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1} }

// ocspRequest returns a request about one certificate in DER (RFC 6960 section
// 4.1, in the profile of RFC 5019): SHA-1 CertID, which protects nothing here
// and which some responders know alone; no nonce, since most answers are made
// beforehand. The error says that the issuer's key cannot be read.
func ocspRequest(cert, issuer *x509.Certificate) ([]byte, error) {
	key, err := keyBits(issuer)
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) { // OCSPRequest
		b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) { // TBSRequest
			b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) { // requestList
				b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) { // Request
					b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) { // CertID
						b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
							b.AddASN1ObjectIdentifier(oidSHA1())
							b.AddASN1NULL()
						})
						b.AddASN1OctetString(digest(crypto.SHA1, cert.RawIssuer))
						b.AddASN1OctetString(digest(crypto.SHA1, key))
						b.AddASN1BigInt(cert.SerialNumber)
					})
				})
			})
		})
	})
	return b.Bytes()
}

// ocspGET returns the URL that asks by GET (RFC 6960 appendix A.1), so that
// caches on the way may answer. It is false if the URL would not stay below 255
// bytes (RFC 5019 section 5) or base has a query; then the request is to be posted.
func ocspGET(base string, request []byte) (string, bool) {
	if strings.ContainsAny(base, "?#") {
		return "", false
	}
	if !strings.HasSuffix(base, "/") {
		base += "/"
	}
	full := base + url.QueryEscape(base64.StdEncoding.EncodeToString(request))
	return full, len(full) < 255
}

// keyBits returns the BIT STRING of a certificate's public key, without tag,
// length and count of unused bits: what CertID and ResponderID hash.
func keyBits(c *x509.Certificate) ([]byte, error) {
	s, bits := cryptobyte.String(c.RawSubjectPublicKeyInfo), []byte(nil)
	var spki cryptobyte.String
	if !s.ReadASN1(&spki, tag.SEQUENCE) || !spki.SkipASN1(tag.SEQUENCE) || !spki.ReadASN1BitStringAsBytes(&bits) {
		return nil, errors.New("the public key of the issuer cannot be read")
	}
	return bits, nil
}

func digest(h crypto.Hash, data []byte) []byte {
	d := h.New()
	d.Write(data)
	return d.Sum(nil)
}
