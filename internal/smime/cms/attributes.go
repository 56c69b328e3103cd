package cms

import (
	"bytes"
	"slices"
	"time"
)

// Signed attributes (RFC 5652 section 11, RFC 8551 section 2.5, RFC 5035).
const (
	oidContentType         = "1.2.840.113549.1.9.3"
	oidMessageDigest       = "1.2.840.113549.1.9.4"
	oidSigningTime         = "1.2.840.113549.1.9.5"
	oidCapabilities        = "1.2.840.113549.1.9.15"
	oidPreference          = "1.2.840.113549.1.9.16.2.11"
	oidMicrosoftPreference = "1.3.6.1.4.1.311.16.4"
	oidSigningCert         = "1.2.840.113549.1.9.16.2.12"
	oidSigningCertV2       = "1.2.840.113549.1.9.16.2.47"
)

// maxAttributes bounds the signed attributes of one signer; mail has about ten.
const maxAttributes = 128

// attributes are the signed attributes as received.
type attributes struct {
	present bool
	raw     []byte // their encodings one after the other, without the outer element
	list    []attribute
}

type attribute struct {
	raw    []byte
	oid    string
	value  []byte // the first
	values int
}

func readAttributes(r *reader) attributes {
	a := attributes{present: true}
	r.open(context, 0, "signed attributes")
	start := r.at
	for r.more() {
		if len(a.list) == maxAttributes {
			r.fail("more than %d signed attributes", maxAttributes)
			break
		}
		a.list = append(a.list, readAttribute(r))
	}
	if r.err == nil {
		a.raw = r.in[start:r.at:r.at]
	}
	r.leave()
	return a
}

func readAttribute(r *reader) (a attribute) {
	e := r.expect(universal, tagSequence, "signed attribute")
	r.enter(e)
	a.oid = r.oid("type of a signed attribute")
	r.open(universal, tagSet, "values of a signed attribute")
	for ; r.more(); a.values++ {
		if value := r.raw(r.next()); a.values == 0 {
			a.value = value
		}
	}
	r.leave()
	r.leave()
	if r.err == nil {
		a.raw = r.in[e.start:r.at:r.at]
	}
	return a
}

// single returns the value of an attribute that may be there once and with one
// value only; nil: absent.
func (a attributes) single(oid, name string) ([]byte, *Error) {
	var value []byte
	for _, x := range a.list {
		if x.oid != oid {
			continue
		}
		if value != nil {
			return nil, malformed("the signed attribute %s is repeated", name)
		}
		if x.values != 1 {
			return nil, malformed("the signed attribute %s has %d values", name, x.values)
		}
		value = x.value
	}
	return value, nil
}

// required is single for an attribute that must be there.
func (a attributes) required(oid, name string) ([]byte, *Error) {
	value, err := a.single(oid, name)
	if err == nil && value == nil {
		err = malformed("the signed attribute %s is missing", name)
	}
	return value, err
}

// signed returns the encodings that the signature may be over: the SET OF as
// received, and sorted as DER wants it where that differs (RFC 5652 section 5.4).
func (a attributes) signed() [][]byte {
	forms := [][]byte{setOf(a.raw)}
	encodings := make([][]byte, len(a.list))
	for i, x := range a.list {
		encodings[i] = x.raw
	}
	if !slices.IsSortedFunc(encodings, bytes.Compare) {
		slices.SortFunc(encodings, bytes.Compare)
		forms = append(forms, setOf(bytes.Join(encodings, nil)))
	}
	return forms
}

// setOf puts the tag and definite length of SET OF before the contents.
func setOf(contents []byte) []byte {
	n := len(contents)
	head := []byte{0x31}
	switch {
	case n < 0x80:
		head = append(head, byte(n))
	case n < 0x100:
		head = append(head, 0x81, byte(n))
	case n < 0x10000:
		head = append(head, 0x82, byte(n>>8), byte(n))
	default:
		head = append(head, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		if n < 0x1000000 {
			head = append(head[:1], 0x83, byte(n>>16), byte(n>>8), byte(n))
		}
	}
	return append(head, contents...)
}

// interpret reads the signed attributes that have a meaning here.
func (s *SignedData) interpret(g *Signer) *Error {
	if !g.attributes.present {
		return malformed("no signed attributes")
	}
	if err := s.contentAttributes(g); err != nil {
		return err
	}
	when, err := g.attributes.single(oidSigningTime, "signingTime")
	if err != nil {
		return err
	}
	if when != nil {
		if g.SigningTime, err = s.readTime(when); err != nil {
			return err
		}
	}
	capabilities, err := g.attributes.single(oidCapabilities, "SMIMECapabilities")
	if err != nil {
		return err
	}
	g.Capabilities = s.readCapabilities(capabilities)
	if err := s.keyPreference(g); err != nil {
		return err
	}
	return s.readBindings(g)
}

// contentAttributes reads contentType and messageDigest (RFC 5652 sections 11.1
// and 11.2).
func (s *SignedData) contentAttributes(g *Signer) *Error {
	value, err := g.attributes.required(oidContentType, "contentType")
	if err != nil {
		return err
	}
	r := s.inside(value)
	if oid := r.oid("contentType"); r.err != nil {
		return r.err
	} else if oid != oidData {
		return malformed("the signed attribute contentType says %s", oid)
	}
	if value, err = g.attributes.required(oidMessageDigest, "messageDigest"); err != nil {
		return err
	}
	r = s.inside(value)
	g.messageDigest = r.octetString("messageDigest")
	if r.err != nil {
		return r.err
	}
	return nil
}

func (s *SignedData) keyPreference(g *Signer) *Error {
	value, err := g.attributes.single(oidPreference, "key preference")
	if err == nil && value == nil {
		value, err = g.attributes.single(oidMicrosoftPreference, "Microsoft key preference")
	}
	if err == nil && value != nil {
		g.Preference = s.readPreference(value)
	}
	return err
}

// readTime reads a Time (RFC 5652 section 11.3): with seconds, in UTC.
func (s *SignedData) readTime(value []byte) (*time.Time, *Error) {
	r := s.inside(value)
	e := r.next()
	layout := "060102150405Z"
	if e.is(universal, tagGeneralTime) {
		layout = "20060102150405Z"
	} else if !e.is(universal, tagUTCTime) {
		r.fail("the signed attribute signingTime is no time")
	}
	text := string(r.content(e))
	if r.err != nil {
		return nil, r.err
	}
	t, err := time.Parse(layout, text)
	if err != nil || t.Format(layout) != text {
		return nil, malformed("the signed attribute signingTime cannot be read")
	}
	if e.tag == tagUTCTime && t.Year() >= 2050 {
		t = t.AddDate(-100, 0, 0)
	}
	return &t, nil
}
