package cms

import "fmt"

// Content types (RFC 5652 section 12, RFC 5083, RFC 3274).
const (
	oidData              = "1.2.840.113549.1.7.1"
	oidSignedData        = "1.2.840.113549.1.7.2"
	oidEnvelopedData     = "1.2.840.113549.1.7.3"
	oidSignedEnveloped   = "1.2.840.113549.1.7.4"
	oidEncryptedData     = "1.2.840.113549.1.7.6"
	oidAuthEnvelopedData = "1.2.840.113549.1.9.16.1.23"
	oidCompressedData    = "1.2.840.113549.1.9.16.1.9"
)

// Identifier octets of the tagged fields of ContentInfo and SignedData.
const (
	explicit0 = 0xa0
	explicit1 = 0xa1
)

// innerDepth is the number of elements around a certificate and a SignerInfo.
const innerDepth = 4

// parts are what SignedData holds, not yet looked into.
type parts struct {
	content      int // bytes taken by eContent
	certificates [][]byte
	signers      [][]byte
	raw          rawFields
}

func (s *SignedData) readContentInfo(r *reader) parts {
	r.open(universal, tagSequence, "ContentInfo")
	wantSignedData(r, r.oid("content type"))
	r.open(context, 0, "content")
	p := s.readSignedData(r)
	r.leave()
	r.leave()
	if r.err == nil {
		onlyPadding(r, r.in[r.at:])
	}
	return p
}

func wantSignedData(r *reader, oid string) {
	switch {
	case r.err != nil || oid == oidSignedData:
	case oid == oidEnvelopedData, oid == oidAuthEnvelopedData, oid == oidEncryptedData:
		r.err = refuse(reasonEncrypted, "encrypted, not signed")
	case oid == oidSignedEnveloped:
		r.fail("signed and enveloped data")
	case oid == oidCompressedData:
		r.fail("compressed data")
	case oid == oidData:
		r.fail("plain data")
	default:
		r.fail("content of type %s", oid)
	}
}

// onlyPadding refuses what follows the blob unless transport may have left it.
func onlyPadding(r *reader, rest []byte) {
	for i, c := range rest {
		switch c {
		case '\r', '\n', ' ', '\t', 0:
		default:
			r.fail("something follows the blob at byte %d", r.at+i)
			return
		}
	}
}

func (s *SignedData) readSignedData(r *reader) (p parts) {
	r.open(universal, tagSequence, "SignedData")
	r.integer("version") // says nothing that the fields do not say themselves
	start := r.at
	r.skip(r.expect(universal, tagSet, "digest algorithms"))
	p.raw.digests = r.in[start:r.at]
	p.content = s.readContent(r)
	if start = r.at; r.at0(explicit0) {
		p.certificates = s.readBag(r)
	}
	p.raw.certificates = r.in[start:r.at]
	if r.at0(explicit1) {
		r.pass() // CRLs and OCSP answers
	}
	start = r.at
	r.open(universal, tagSet, "signers")
	for r.more() {
		if len(p.signers) == s.lim.Signers {
			r.fail("more than %d signers", s.lim.Signers)
			break
		}
		p.signers = append(p.signers, r.raw(r.expect(universal, tagSequence, "SignerInfo")))
	}
	r.leave()
	p.raw.signers = r.in[start:r.at]
	r.leave()
	return p
}

// readContent reads encapContentInfo and returns the bytes that eContent takes.
func (s *SignedData) readContent(r *reader) int {
	r.open(universal, tagSequence, "encapsulated content")
	if oid := r.oid("type of the encapsulated content"); r.err == nil && oid != oidData {
		r.fail("signed content of type %s", oid)
	}
	start := r.at
	if s.Detached = !r.more(); !s.Detached {
		r.open(context, 0, "encapsulated content")
		r.octets(r.expect(universal, tagOctets, "content"), s.addContent)
		r.leave()
	}
	size := r.at - start
	r.leave()
	return size
}

// Chunks below this size are copied together: a slice header for each octet
// would make a blob of one-byte chunks take eight times its size in memory.
const tinyChunk = 512

// addContent appends a piece of eContent. A copied run is told from a part of
// the blob by its spare capacity, which parts never have.
func (s *SignedData) addContent(piece []byte) {
	if len(piece) == 0 {
		return
	}
	if len(piece) >= tinyChunk {
		s.Content = append(s.Content, piece)
		return
	}
	if n := len(s.Content) - 1; n >= 0 && cap(s.Content[n])-len(s.Content[n]) >= len(piece) {
		s.Content[n] = append(s.Content[n], piece...)
		return
	}
	run := make([]byte, 0, 2*tinyChunk)
	s.Content = append(s.Content, append(run, piece...))
}

// readBag cuts the certificates apart. Other kinds of certificate are counted
// and passed over.
func (s *SignedData) readBag(r *reader) (bag [][]byte) {
	r.open(context, 0, "certificates")
	for n := 0; r.more(); n++ {
		if n == s.lim.Certificates {
			r.fail("more than %d certificates", s.lim.Certificates)
			break
		}
		e := r.next()
		raw := r.raw(e)
		if e.is(universal, tagSequence) {
			bag = append(bag, raw)
		}
	}
	r.leave()
	return bag
}

func ordinal(i int) string { return fmt.Sprintf("signer %d: ", i+1) }
