package revoke

import (
	"bytes"
	"math/big"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// The extensions of a list (RFC 5280 section 5.2), contents in DER.
const (
	oidListNumber   = "\x55\x1d\x14" // 2.5.29.20
	oidDeltaList    = "\x55\x1d\x1b" // 2.5.29.27
	oidIssuingPoint = "\x55\x1d\x1c" // 2.5.29.28
	oidAuthorityKey = "\x55\x1d\x23" // 2.5.29.35
)

// maxListExtensionCount bounds the extensions of a list; seven are defined.
const maxListExtensionCount = 32

// maxListNumber bounds a cRLNumber in bytes (RFC 5280 section 5.2.3).
const maxListNumber = 20

// A listExtension stands in a list or in an entry. It points into what was read.
type listExtension struct {
	id       []byte // contents in DER
	critical bool
	value    []byte
}

// readListExtensions reads what stands inside Extensions into room, and says why it
// cannot. None twice, and none at all is an error (RFC 5280 section 4.1).
func readListExtensions(content []byte, room []listExtension) (n int, why string) {
	s := cryptobyte.String(content)
	if s.Empty() {
		return 0, "there are none"
	}
	for !s.Empty() {
		if n == len(room) {
			return n, "too many"
		}
		var seq, id, critical, value cryptobyte.String
		var there bool
		if !s.ReadASN1(&seq, tag.SEQUENCE) || !seq.ReadASN1(&id, tag.OBJECT_IDENTIFIER) || !soundOID(id) ||
			!seq.ReadOptionalASN1(&critical, &there, tag.BOOLEAN) ||
			!seq.ReadASN1(&value, tag.OCTET_STRING) || !seq.Empty() {
			return n, "one cannot be read"
		}
		e := listExtension{id: id, critical: there, value: value}
		if there {
			var ok bool
			if e.critical, ok = readListBoolean(critical); !ok {
				return n, "one cannot be read"
			}
		}
		for _, old := range room[:n] {
			if bytes.Equal(old.id, e.id) {
				return n, "one stands there twice"
			}
		}
		room[n] = e
		n++
	}
	return n, ""
}

// soundOID says whether id is the contents of an object identifier (X.690 section
// 8.19): arcs in base 128, each in its shortest form.
func soundOID(id []byte) bool {
	begins := true
	for _, b := range id {
		if begins && b == 0x80 {
			return false
		}
		begins = b < 0x80
	}
	return begins && len(id) > 0
}

// readListBoolean reads the contents of a BOOLEAN. A default that is written out is
// no DER, and does no harm.
func readListBoolean(b []byte) (value, ok bool) {
	if len(b) != 1 || b[0] != 0 && b[0] != 0xff {
		return false, false
	}
	return b[0] == 0xff, true
}

// extensions reads those of the list. What is unknown and not critical says
// nothing about whether the list is complete.
func (l *listReader) extensions(content []byte) {
	if l.err != nil {
		return
	}
	if !l.second {
		l.fail("it has extensions and is of version 1")
		return
	}
	var room [maxListExtensionCount]listExtension
	n, why := readListExtensions(content, room[:])
	if why != "" {
		l.fail("extensions: " + why)
	}
	for _, e := range room[:n] {
		switch string(e.id) {
		case oidListNumber:
			l.number(e.value)
		case oidAuthorityKey:
			l.authorityKey(e)
		case oidIssuingPoint:
			l.issuingPoint(e.value)
		case oidDeltaList:
			l.fail("it only holds changes to another list")
		default:
			if e.critical {
				l.fail("it has a critical extension that is unknown")
			}
		}
	}
}

// number reads a CRLNumber (RFC 5280 section 5.2.3).
func (l *listReader) number(value []byte) {
	s := cryptobyte.String(value)
	var n cryptobyte.String
	if !s.ReadASN1(&n, tag.INTEGER) || !s.Empty() || !shortestInteger(n) || n[0] >= 0x80 {
		l.fail("its number cannot be read")
		return
	}
	number := new(big.Int).SetBytes(n)
	if number.BitLen() > 8*maxListNumber {
		l.fail("its number is longer than 20 bytes")
		return
	}
	l.out.number = number
}

// authorityKey compares an AuthorityKeyIdentifier (RFC 5280 section 5.2.1) with
// the key of the issuer. Issuer and serial number are not compared: they tell
// apart certificates of one key, and the key is what counts.
func (l *listReader) authorityKey(e listExtension) {
	s := cryptobyte.String(e.value)
	var seq, id cryptobyte.String
	var there bool
	if e.critical || !s.ReadASN1(&seq, tag.SEQUENCE) || !s.Empty() ||
		!seq.ReadOptionalASN1(&id, &there, tag.Tag(0).ContextSpecific()) {
		l.fail("the identifier of its issuer's key cannot be read")
		return
	}
	if own := l.q.issuer.SubjectKeyId; there && len(own) > 0 && !bytes.Equal(id, own) {
		l.fail("it is signed by another key of its issuer")
	}
}

// issuingPoint reads an IssuingDistributionPoint (RFC 5280 section 5.2.5) and
// refuses a list that does not speak for the certificates asked about, for
// every reason and for this issuer alone.
func (l *listReader) issuingPoint(value []byte) {
	s := cryptobyte.String(value)
	var seq, point, part cryptobyte.String
	var there bool
	if !s.ReadASN1(&seq, tag.SEQUENCE) || !s.Empty() ||
		!seq.ReadOptionalASN1(&point, &there, tag.Tag(0).ContextSpecific().Constructed()) {
		l.fail("what it is for cannot be read")
		return
	}
	if there && !nameOneOf(point, l.q.points) {
		l.fail("it is for another distribution point")
	}
	refusals := [...]string{
		1: "it is for certificates of users only",
		2: "it is for certificates of CAs only",
		3: "it is for some reasons only",
		4: "it speaks for other issuers",
		5: "it is for attribute certificates only",
	}
	for n := 1; n < len(refusals); n++ {
		if !seq.ReadOptionalASN1(&part, &there, tag.Tag(n).ContextSpecific()) {
			l.fail("what it is for cannot be read")
			return
		}
		set, ok := there, true
		if there && n != 3 {
			set, ok = readListBoolean(part)
		}
		if !ok {
			l.fail("what it is for cannot be read")
			return
		}
		if set && !(n == 1 && !l.q.ca) && !(n == 2 && l.q.ca) {
			l.fail(refusals[n])
		}
	}
	if !seq.Empty() {
		l.fail("what it is for cannot be read")
	}
}

// nameOneOf says whether a DistributionPointName has one of the URLs. A name
// relative to the issuer's has none.
func nameOneOf(point cryptobyte.String, urls []string) bool {
	var full cryptobyte.String
	if !point.ReadASN1(&full, tag.Tag(0).ContextSpecific().Constructed()) || !point.Empty() {
		return false
	}
	wanted := make([]string, len(urls))
	for i, u := range urls {
		wanted[i] = comparableURL(u)
	}
	found := false
	for !full.Empty() {
		var name cryptobyte.String
		var kind tag.Tag
		if !full.ReadAnyASN1(&name, &kind) {
			return false
		}
		if kind == tag.Tag(6).ContextSpecific() && slices.Contains(wanted, comparableURL(string(name))) {
			found = true
		}
	}
	return found
}

// comparableURL returns a URL with scheme and host in lower case: they alone do
// not depend on it (RFC 3986 section 6.2.2.1).
func comparableURL(u string) string {
	scheme, rest, ok := strings.Cut(u, "://")
	if !ok {
		return u
	}
	host := len(rest)
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host = i
	}
	return strings.ToLower(scheme+"://"+rest[:host]) + rest[host:]
}
