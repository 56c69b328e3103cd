package cms

import "fmt"

// The reasons an Error may give; they are the codes of the checks.
const (
	reasonMalformed     = "cms-malformed"
	reasonAlgorithm     = "cms-algorithm"
	reasonIntegrity     = "cms-integrity"
	reasonNoCertificate = "cms-no-certificate"
	reasonKey           = "cert-key"
	reasonWeak          = "cert-weak"
	reasonEncrypted     = "smime-encrypted"
	reasonCertificate   = "smime-certificate"
)

// An Error says why a blob or a signer is refused. Reason is one of
// cms-malformed, cms-algorithm, cms-integrity, cms-no-certificate, cert-key,
// cert-weak (an RSA key too small to be used at all), smime-encrypted and
// smime-certificate. Every error of this package is an *Error.
type Error struct {
	Reason string
	Detail string // our own words and numbers, nothing from the blob but object identifiers
	Err    error  // the cause where there is one
}

func (e *Error) Error() string { return "cms: " + e.Detail }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func refuse(reason, format string, args ...any) *Error {
	return &Error{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

func malformed(format string, args ...any) *Error {
	return refuse(reasonMalformed, format, args...)
}
