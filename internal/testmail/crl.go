package testmail

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"time"
)

// A List says what stands in a revocation list (RFC 5280 section 5). The zero
// List is an honest empty one: version 2, number 1, an hour old at Instant and
// good for another week.
type List struct {
	Entries    []ListEntry
	Number     *big.Int // nil: 1
	NoNumber   bool
	ThisUpdate time.Time // zero: Instant less an hour
	NextUpdate time.Time // zero: Instant and seven days
	NoNext     bool      // leaves nextUpdate out
	Version1   bool      // neither version nor extensions, also of entries

	Points           []string // distribution point: the list covers what names one of these URLs
	OnlyUser, OnlyCA bool     // onlyContainsUserCerts, onlyContainsCACerts
	IDP              []byte   // DER of the whole issuingDistributionPoint value instead

	NoKeyID   bool
	Extra     []pkix.Extension
	Name      []byte    // DER of the issuer instead of that of the Identity
	Signer    *Identity // signs instead; the names stay
	Algorithm x509.SignatureAlgorithm

	// Edit changes the DER of the TBSCertList before it is signed.
	Edit func(tbs []byte) []byte
}

// A ListEntry is one revoked certificate.
type ListEntry struct {
	Serial *big.Int
	At     time.Time // zero: Instant less a day
	Reason int       // 0: no reasonCode
	Extra  []pkix.Extension
}

// CRL makes a revocation list of i in DER.
func (i *Identity) CRL(l List) []byte {
	signer := i
	if l.Signer != nil {
		signer = l.Signer
	}
	algorithm, options := signing(l.Algorithm, signer.Key)
	tbs := l.tbs(i, algorithm)
	if l.Edit != nil {
		tbs = l.Edit(tbs)
	}
	return Sequence(tbs, algorithm, BitString(sign(tbs, signer.Key, options)))
}

func (l List) tbs(i *Identity, algorithm []byte) []byte {
	var parts [][]byte
	if !l.Version1 {
		parts = append(parts, Integer(1))
	}
	name := l.Name
	if name == nil {
		name = i.Cert.RawSubject
	}
	this, next := l.ThisUpdate, l.NextUpdate
	if this.IsZero() {
		this = Instant().Add(-time.Hour)
	}
	if next.IsZero() {
		next = Instant().AddDate(0, 0, 7)
	}
	parts = append(parts, algorithm, name, Time(this))
	if !l.NoNext {
		parts = append(parts, Time(next))
	}
	if len(l.Entries) > 0 {
		var all []byte
		for _, e := range l.Entries {
			all = append(all, e.der(l.Version1)...)
		}
		parts = append(parts, Element(0x30, all))
	}
	if ext := l.extensions(i); !l.Version1 && len(ext) > 0 {
		parts = append(parts, Element(0xa0, must(asn1.Marshal(ext))))
	}
	return Sequence(parts...)
}

func (e ListEntry) der(version1 bool) []byte {
	at := e.At
	if at.IsZero() {
		at = Instant().AddDate(0, 0, -1)
	}
	out := append(must(asn1.Marshal(e.Serial)), Time(at)...)
	var ext []pkix.Extension
	if e.Reason != 0 {
		ext = append(ext, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 21}, Value: Element(0x0a, []byte{byte(e.Reason)})})
	}
	if ext = append(ext, e.Extra...); len(ext) > 0 && !version1 {
		out = append(out, must(asn1.Marshal(ext))...)
	}
	return Element(0x30, out)
}

func (l List) extensions(i *Identity) []pkix.Extension {
	var out []pkix.Extension
	if !l.NoKeyID {
		out = append(out, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 35}, Value: Sequence(Element(0x80, i.KeyID()))})
	}
	if !l.NoNumber {
		number := l.Number
		if number == nil {
			number = big.NewInt(1)
		}
		out = append(out, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 20}, Value: must(asn1.Marshal(number))})
	}
	idp := l.IDP
	if idp == nil && (len(l.Points) > 0 || l.OnlyUser || l.OnlyCA) {
		idp = l.issuingPoint()
	}
	if idp != nil {
		out = append(out, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: idp})
	}
	return append(out, l.Extra...)
}

// issuingPoint returns an IssuingDistributionPoint (RFC 5280 section 5.2.5).
func (l List) issuingPoint() []byte {
	var parts [][]byte
	if len(l.Points) > 0 {
		var names []byte
		for _, p := range l.Points {
			names = append(names, Element(0x86, []byte(p))...)
		}
		parts = append(parts, Element(0xa0, Element(0xa0, names)))
	}
	if l.OnlyUser {
		parts = append(parts, Element(0x81, []byte{0xff}))
	}
	if l.OnlyCA {
		parts = append(parts, Element(0x82, []byte{0xff}))
	}
	return Sequence(parts...)
}

func oid(arcs ...int) []byte { return must(asn1.Marshal(asn1.ObjectIdentifier(arcs))) }

// Integer is an INTEGER in DER.
func Integer(n int) []byte { return must(asn1.Marshal(n)) }

// BitString is a BIT STRING of whole bytes in DER.
func BitString(b []byte) []byte { return Element(0x03, append([]byte{0}, b...)) }

// Time is a Time in DER: UTCTime until 2049, GeneralizedTime from 2050 on.
func Time(t time.Time) []byte {
	t = t.UTC()
	if t.Year() >= 2050 {
		return Element(0x18, []byte(t.Format("20060102150405Z")))
	}
	return Element(0x17, []byte(t.Format("060102150405Z")))
}
