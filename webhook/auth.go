package webhook

// The kinds of a Credential.
const (
	KindHeader = "header" // Header: SECRET
	KindBearer = "bearer" // Authorization: Bearer SECRET (RFC 6750)
	KindBasic  = "basic"  // Authorization: Basic of USER:SECRET (RFC 7617)
)

// A Credential lets in who presents its secret. Several may be there, for
// rotation. Secrets are compared in constant time and never logged.
type Credential struct {
	Kind   string
	Header string // of KindHeader
	User   string // of KindBasic
	Secret []byte // not empty
}
