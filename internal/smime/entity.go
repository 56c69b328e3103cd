package smime

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
	BadHeader       Problem = "bad-header"   // Content-Type that cannot be read one way only
	BadEncoding     Problem = "bad-encoding" // base64 with foreign characters, unknown transfer encoding
	TooLarge        Problem = "too-large"    // blob over Limits.CMSBytes
)
