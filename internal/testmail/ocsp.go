package testmail

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"time"
)

// An OCSPResponse says what stands in a response of an OCSP responder (RFC 6960
// section 4.2.1) that has something to say; see OCSPFailure for the others.
type OCSPResponse struct {
	Responder   *Identity // whose key signs
	ByName      bool      // the responder is named by its subject, not by its key
	ResponderID []byte    // DER of the whole ResponderID instead
	Produced    time.Time // zero: Instant less an hour
	Answers     []OCSPAnswer
	Embedded    [][]byte                // certificates in DER
	Algorithm   x509.SignatureAlgorithm // 0: the usual one of the key
	Extensions  []pkix.Extension        // of the response

	// Edit changes the DER of the ResponseData before it is signed.
	Edit func(data []byte) []byte
}

// An OCSPAnswer is what a response says about one certificate.
type OCSPAnswer struct {
	Cert         *Identity
	Issuer       *Identity        // nil: that of Cert
	Serial       *big.Int         // instead of that of Cert
	Hash         string           // of the CertID: "" is sha1; md5, sha256, sha384, sha512
	NameHash     []byte           // instead of that of the issuer
	KeyHash      []byte           // instead of that of the issuer
	Status       string           // "": good; revoked, unknown
	RevokedAt    time.Time        // zero: Instant less a day
	Reason       int              // of a revocation; 0: left out
	ThisUpdate   time.Time        // zero: Instant less an hour
	NextUpdate   time.Time        // zero: Instant plus a day
	NoNextUpdate bool             // it is left out
	Extensions   []pkix.Extension // of this answer
}

// OCSPSigning is the extended key usage of OCSP responders (RFC 6960 section 4.2.2.2).
func OCSPSigning() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 9} }

// OCSPNoCheck is the extension of a responder's certificate that nobody need
// ask about (RFC 6960 section 4.2.2.2.1); it goes into Profile.Extra.
func OCSPNoCheck() pkix.Extension {
	return pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, Value: []byte{0x05, 0x00}}
}

// OCSPURLs is the extension authorityInfoAccess that names responders (RFC 5280
// section 4.2.2.1); it goes into Profile.Extra.
func OCSPURLs(urls ...string) pkix.Extension {
	var all [][]byte
	for _, u := range urls {
		all = append(all, Sequence(oid(1, 3, 6, 1, 5, 5, 7, 48, 1), Element(0x86, []byte(u))))
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}, Value: Sequence(all...)}
}

// OCSPFailure is a response without an answer: 1 malformedRequest,
// 2 internalError, 3 tryLater, 5 sigRequired, 6 unauthorized.
func OCSPFailure(status byte) []byte { return Sequence(Element(0x0a, []byte{status})) }

// DER returns the signed response.
func (o OCSPResponse) DER() []byte {
	id := o.ResponderID
	switch {
	case id != nil:
	case o.ByName:
		id = Element(0xa1, o.Responder.Cert.RawSubject)
	default:
		id = Element(0xa2, Element(0x04, o.Responder.KeyID()))
	}
	var answers [][]byte
	for _, a := range o.Answers {
		answers = append(answers, a.der())
	}
	parts := [][]byte{id, generalizedTime(o.Produced, -time.Hour), Sequence(answers...)}
	if len(o.Extensions) > 0 {
		parts = append(parts, Element(0xa1, must(asn1.Marshal(o.Extensions))))
	}
	data := Sequence(parts...)
	if o.Edit != nil {
		data = o.Edit(data)
	}
	algorithm, options := signing(o.Algorithm, o.Responder.Key)
	basic := [][]byte{data, algorithm, BitString(sign(data, o.Responder.Key, options))}
	if o.Embedded != nil {
		basic = append(basic, Element(0xa0, Sequence(o.Embedded...)))
	}
	bytes := Sequence(oid(1, 3, 6, 1, 5, 5, 7, 48, 1, 1), Element(0x04, Sequence(basic...)))
	return Sequence(Element(0x0a, []byte{0}), Element(0xa0, bytes))
}

// der returns the SingleResponse.
func (a OCSPAnswer) der() []byte {
	issuer, serial := a.Issuer, a.Serial
	if issuer == nil {
		issuer = a.Cert.Issuer
	}
	if serial == nil {
		serial = a.Cert.Cert.SerialNumber
	}
	algorithm, hash := ocspHash(a.Hash)
	name, key := a.NameHash, a.KeyHash
	if name == nil {
		name = digestOf(hash, issuer.Cert.RawSubject)
	}
	if key == nil {
		var spki struct {
			Algorithm pkix.AlgorithmIdentifier
			Key       asn1.BitString
		}
		must(asn1.Unmarshal(issuer.Cert.RawSubjectPublicKeyInfo, &spki))
		key = digestOf(hash, spki.Key.Bytes)
	}
	parts := [][]byte{
		Sequence(algorithm, Element(0x04, name), Element(0x04, key), must(asn1.Marshal(serial))),
		a.status(),
		generalizedTime(a.ThisUpdate, -time.Hour),
	}
	if !a.NoNextUpdate {
		parts = append(parts, Element(0xa0, generalizedTime(a.NextUpdate, 24*time.Hour)))
	}
	if len(a.Extensions) > 0 {
		parts = append(parts, Element(0xa1, must(asn1.Marshal(a.Extensions))))
	}
	return Sequence(parts...)
}

func (a OCSPAnswer) status() []byte {
	switch a.Status {
	case "":
		return Element(0x80, nil)
	case "unknown":
		return Element(0x82, nil)
	case "revoked":
		info := generalizedTime(a.RevokedAt, -24*time.Hour)
		if a.Reason != 0 {
			info = append(info, Element(0xa0, Element(0x0a, []byte{byte(a.Reason)}))...)
		}
		return Element(0xa1, info)
	}
	panic("testmail: no such OCSP status: " + a.Status)
}

// ocspHash returns the AlgorithmIdentifier of a hash and the hash.
func ocspHash(name string) ([]byte, crypto.Hash) {
	id, hash := oid(1, 3, 14, 3, 2, 26), crypto.SHA1
	switch name {
	case "", "sha1":
	case "md5":
		id, hash = oid(1, 2, 840, 113549, 2, 5), crypto.MD5
	case "sha256":
		id, hash = oid(2, 16, 840, 1, 101, 3, 4, 2, 1), crypto.SHA256
	case "sha384":
		id, hash = oid(2, 16, 840, 1, 101, 3, 4, 2, 2), crypto.SHA384
	case "sha512":
		id, hash = oid(2, 16, 840, 1, 101, 3, 4, 2, 3), crypto.SHA512
	default:
		panic("testmail: no such hash: " + name)
	}
	return Sequence(id, Element(0x05, nil)), hash
}

func digestOf(h crypto.Hash, data []byte) []byte {
	d := h.New()
	d.Write(data)
	return d.Sum(nil)
}

// generalizedTime is t in DER, Instant plus the offset if t is zero.
func generalizedTime(t time.Time, offset time.Duration) []byte {
	if t.IsZero() {
		t = Instant().Add(offset)
	}
	return Element(0x18, []byte(t.UTC().Format("20060102150405Z")))
}
