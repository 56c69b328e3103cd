package revoke

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"io"
	"math"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// Bounds of the parts of a list, in bytes.
const (
	maxListAlgorithm  = 1 << 10
	maxListName       = 64 << 10
	maxListEntry      = 4 << 10
	maxListExtensions = 64 << 10
	maxListSignature  = 4 << 10
)

// The identifier octets of a list.
const (
	derInteger    = 0x02
	derBits       = 0x03
	derUTCTime    = 0x17
	derTime       = 0x18
	derSequence   = 0x30
	derExtensions = 0xa0
)

// A listReader reads one CertificateList (RFC 5280 section 5.1).
type listReader struct {
	*derSource
	q       listQuestion
	asked   map[string]string // contents of the serial number in DER → serialKey
	second  bool              // version 2
	out     list
	signing *listSignature
}

// readList reads a list in DER as a stream and verifies it. It holds a few
// kilobytes of it at a time, however long it is, and a list signed with Ed25519,
// of at most 1 MiB, as a whole. How long r may be is up to the caller.
//
// The issuer's name must be that of the certificate to the byte (RFC 5280
// section 4.1.2.6 wants it). Errors are of kind answerError, but for those of r,
// which are wrapped, and for more than maxSerials serials.
func readList(r io.Reader, q listQuestion) (*list, error) {
	return newListReader(r, q).read()
}

func newListReader(r io.Reader, q listQuestion) *listReader {
	l := &listReader{derSource: newDERSource(r), q: q, asked: make(map[string]string, min(len(q.serials), maxSerials))}
	l.out.entries = map[string]listEntry{}
	return l
}

func (l *listReader) read() (*list, error) {
	if len(l.q.serials) > maxSerials {
		return nil, fmt.Errorf("revocation list: asked for %d serial numbers, %d at most", len(l.q.serials), maxSerials)
	}
	for _, n := range l.q.serials {
		l.asked[serialContents(n)] = serialKey(n)
	}
	if !maySignLists(l.q.issuer) {
		return nil, noList("its issuer may not sign any")
	}
	if err := usableKey(l.q.issuer); err != nil {
		return nil, noList("the key of its issuer: " + err.Error())
	}
	end := l.open(derSequence, math.MaxInt64, "a list in DER")
	algorithm := l.signedPart(end)
	again := l.content(derSequence, end, maxListAlgorithm, "its signature algorithm")
	if l.err == nil && !bytes.Equal(algorithm, again) {
		l.fail("it names two signature algorithms")
	}
	signature := l.content(derBits, end, maxListSignature, "its signature")
	if l.at != end {
		l.fail("something follows its signature")
	}
	l.close()
	switch {
	case l.err != nil:
		return nil, l.err
	case len(signature) == 0 || signature[0] != 0 || !l.signing.holds(signature[1:]):
		return nil, noList("its signature is not that of the issuer")
	}
	l.out.bytes = l.at
	return &l.out, nil
}

// signedPart reads the TBSCertList and returns the contents of its signature
// algorithm, which decides how the rest, and what came before, is hashed.
func (l *listReader) signedPart(end int64) []byte {
	var beginning bytes.Buffer
	l.tee = &beginning
	start := l.at
	inner := l.open(derSequence, end, "the signed part")
	if l.next(inner) == derInteger {
		// a version that is there must be 2, written as 1
		version := l.content(derInteger, inner, maxListAlgorithm, "its version")
		if l.second = string(version) == "\x01"; !l.second {
			l.fail("its version is unknown")
		}
	}
	algorithm := l.content(derSequence, inner, maxListAlgorithm, "its signature algorithm")
	if l.err != nil {
		return nil
	}
	l.signing, l.err = newListSignature(algorithm, l.q.issuer.PublicKey, inner-start)
	if l.err != nil {
		return nil
	}
	_, _ = l.signing.Write(beginning.Bytes()) // a hash or a buffer: neither fails
	l.tee = l.signing
	l.said(inner)
	if l.at != inner {
		l.fail("something follows its extensions")
	}
	l.tee = nil
	return algorithm
}

// said reads what follows the algorithm: issuer, times, entries, extensions.
func (l *listReader) said(end int64) {
	name := l.content(derSequence, end, maxListName, "its issuer")
	if l.err == nil && !bytes.Equal(name, nameContents(l.q.issuer.RawSubject)) {
		l.fail("it is that of another issuer")
	}
	l.out.thisUpdate = l.time(end)
	if t := l.next(end); t == derUTCTime || t == derTime {
		l.out.nextUpdate = l.time(end)
	}
	if l.next(end) == derSequence {
		inner := l.open(derSequence, end, "entries")
		for l.err == nil && l.at < inner {
			l.entry(l.window(derSequence, inner, maxListEntry, "an entry"))
		}
	}
	if l.next(end) == derExtensions {
		inner := l.open(derExtensions, end, "extensions")
		l.extensions(l.content(derSequence, inner, maxListExtensions, "extensions"))
		if l.at != inner {
			l.fail("something follows its extensions")
		}
	}
}

// nameContents returns what stands inside a Name that crypto/x509 has read.
func nameContents(der []byte) []byte {
	s := cryptobyte.String(der)
	var inside cryptobyte.String
	if !s.ReadASN1(&inside, tag.SEQUENCE) {
		return nil
	}
	return inside
}

// serialContents returns the contents of a serial number in DER: two's
// complement, as short as may be.
func serialContents(n *big.Int) string {
	if n.Sign() >= 0 {
		return string(n.FillBytes(make([]byte, n.BitLen()/8+1)))
	}
	size := new(big.Int).Not(n).BitLen()/8 + 1
	b := new(big.Int).Lsh(big.NewInt(1), uint(size*8))
	return string(b.Add(b, n).Bytes())
}

// maySignLists says whether the key usage of a certificate, if it has one,
// allows lists (RFC 5280 section 4.2.1.3).
func maySignLists(c *x509.Certificate) bool {
	for _, e := range c.Extensions {
		if e.Id.String() == "2.5.29.15" {
			return c.KeyUsage&x509.KeyUsageCRLSign != 0
		}
	}
	return true
}
