package smime

import "errors"

// Limits bound the look at MIME structure.
type Limits struct {
	Depth    int // of multiparts and attached messages looked into for advice
	Parts    int // looked at for advice
	CMSBytes int // decoded CMS blob of a multipart/signed; an opaque one is bounded by the message
}

// DefaultLimits are those of the specification.
func DefaultLimits() Limits { return Limits{Depth: 5, Parts: 100, CMSBytes: 1 << 20} }

// A Form says how a message is signed.
type Form string

// The forms of RFC 8551 section 3.5.
const (
	Unsigned Form = ""
	Detached Form = "detached" // multipart/signed
	Opaque   Form = "opaque"   // application/pkcs7-mime
)

// An Entity is the outermost entity of a message: the only one whose
// signature counts.
type Entity struct {
	Form    Form
	Problem Problem // why it is not signed, or why the signature cannot be cut out; "" when Form is set
	Detail  string  // our own words about Problem, nothing from the message
	Content []byte  // detached: exactly the signed bytes, a part of the message
	CMS     []byte  // the decoded blob
	Inner   Header  // detached: header of the signed part (RFC 9788), best effort
}

// A Problem is the kind of trouble found by looking at the structure.
type Problem string

// The problems, each of which has its own advice for the sender.
const (
	NotSigned       Problem = "not-signed"
	OpenPGP         Problem = "openpgp"
	Encrypted       Problem = "encrypted"
	Nested          Problem = "nested"
	CertificateOnly Problem = "certificate"
	PrivateKey      Problem = "private-key"
	BadHeader       Problem = "bad-header"   // structure that cannot be read one way only
	BadEncoding     Problem = "bad-encoding" // base64 with foreign characters, unknown transfer encoding, signature part missing
	TooLarge        Problem = "too-large"    // blob over Limits.CMSBytes
)

// Open finds out how the outermost entity is signed and cuts out what a
// verifier needs (RFC 8551 section 3). h and body are those of ScanHeader;
// Content is exactly the signed bytes as they stand in body. Parts within are
// looked at, within lim, only if the entity is not signed and only to say why.
// The work is linear in body for each level of lim.Depth.
func Open(h Header, body []byte, lim Limits) Entity {
	fields := h.All("Content-Type")
	if len(fields) > 1 {
		return problem(BadHeader, "there are two Content-Type fields")
	}
	name := h.MediaType()
	switch {
	case name == "" && len(fields) == 1 && looksSigned(fields[0].Value()):
		return problem(BadHeader, "the Content-Type field cannot be read")
	case name == "multipart/signed":
		return openSigned(h, body, lim)
	case isPKCS7MIME(name), name == "application/octet-stream" && hasSuffix(fileName(h), ".p7m"):
		return openOpaque(h, body)
	}
	return unsigned(h, body, lim)
}

// InnerHeader returns the header of a signed content, at most as long as a
// message header may be, and an empty one if it cannot be read (RFC 9788
// section 4). For an opaque entity content is what its CMS blob holds.
func InnerHeader(content []byte) Header {
	h, _, err := ScanHeader(content, DefaultHeaderLimits())
	if err != nil {
		return Header{}
	}
	return h
}

func problem(p Problem, detail string) Entity { return Entity{Problem: p, Detail: detail} }

// undecoded is what follows from an error of decode.
func undecoded(err error) Entity {
	if errors.Is(err, errTooLarge) {
		return problem(TooLarge, "the signature is too large")
	}
	return problem(BadEncoding, "the transfer encoding of the signature cannot be undone")
}

// openOpaque takes a signature that encloses its content. What the blob is,
// its own content type says; smime-type only tells what it surely is not.
func openOpaque(h Header, body []byte) Entity {
	f, _ := h.First("Content-Type")
	m, err := parseMediaType(f.Value())
	if err != nil {
		return problem(BadHeader, "the Content-Type field cannot be read one way only")
	}
	kind, err := m.one("smime-type")
	if err != nil {
		return problem(BadHeader, "the smime-type can be read in two ways")
	}
	switch lowerASCII(kind) {
	case "enveloped-data", "authenveloped-data", "auth-enveloped-data":
		return problem(Encrypted, "the message is encrypted")
	case "certs-only":
		return problem(CertificateOnly, "the message holds certificates and no signature")
	case "":
		if hasSuffix(fileName(h), ".p7c") {
			return problem(CertificateOnly, "the message holds certificates and no signature")
		}
	}
	encoding, err := transferEncoding(h)
	if err != nil {
		return problem(BadHeader, "the transfer encoding is given twice")
	}
	blob, err := decode(body, encoding, len(body))
	if err != nil {
		return undecoded(err)
	}
	return Entity{Form: Opaque, CMS: blob}
}

// openSigned takes a multipart/signed apart (RFC 1847 section 2.1).
func openSigned(h Header, body []byte, lim Limits) Entity {
	f, _ := h.First("Content-Type")
	m, err := parseMediaType(f.Value())
	if err != nil {
		return problem(BadHeader, "the Content-Type field cannot be read one way only")
	}
	protocol, err := m.one("protocol")
	if err != nil {
		return problem(BadHeader, "the protocol of the signature can be read in two ways")
	}
	family := protocolFamily(protocol)
	if family == pgpFamily {
		return problem(OpenPGP, "the message is signed with OpenPGP")
	}
	switch encoding, err := transferEncoding(h); {
	case err != nil:
		return problem(BadHeader, "the transfer encoding is given twice")
	case encoding != "7bit" && encoding != "8bit" && encoding != "binary":
		return problem(BadEncoding, "a multipart has a transfer encoding of its own")
	}
	parts, count, bad := cutMultipart(m, body, 2)
	if bad != nil {
		return *bad
	}
	if count < 2 {
		return problem(BadEncoding, "the signature part is missing")
	}
	e := openSignature(parts[1], family, lim)
	switch {
	case e.Problem == OpenPGP || e.Problem == NotSigned:
	case count > 2:
		return problem(Nested, "there are parts that the signature does not cover")
	case e.Form == Detached:
		e.Content, e.Inner = parts[0], InnerHeader(parts[0])
	}
	return e
}

// cutMultipart cuts a body by the boundary of its type.
func cutMultipart(m mediaType, body []byte, max int) ([][]byte, int, *Entity) {
	boundary, err := m.one("boundary")
	if err != nil {
		e := problem(BadHeader, "the boundary can be read in two ways")
		return nil, 0, &e
	}
	c, err := newCutter(boundary, max)
	if err != nil {
		e := problem(BadHeader, "the boundary is missing or malformed")
		return nil, 0, &e
	}
	parts, count, err := c.cut(body)
	if err != nil {
		e := problem(BadHeader, "the parts of the message cannot be told apart one way only")
		return nil, 0, &e
	}
	return parts, count, nil
}

// openSignature decodes the second part of a multipart/signed.
func openSignature(part []byte, family family, lim Limits) Entity {
	h, body, err := splitPart(part)
	if err != nil || len(h.All("Content-Type")) > 1 {
		return problem(BadHeader, "the header of the signature part is damaged")
	}
	switch kind := signatureFamily(h); {
	case kind == pgpFamily:
		return problem(OpenPGP, "the message is signed with OpenPGP")
	case family == noFamily && kind == noFamily, family == otherFamily:
		return problem(NotSigned, "the message is signed in a way that is not S/MIME")
	case kind == noFamily && !(family == smimeFamily && isOctets(h)):
		return problem(BadHeader, "the signature part is not of the type that the message announces")
	}
	encoding, err := transferEncoding(h)
	if err != nil {
		return problem(BadHeader, "the transfer encoding of the signature is given twice")
	}
	blob, err := decode(body, encoding, lim.CMSBytes)
	if err != nil {
		return undecoded(err)
	}
	return Entity{Form: Detached, CMS: blob}
}
