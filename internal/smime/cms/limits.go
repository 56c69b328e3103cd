package cms

// Limits bound what a blob may hold. Every field must be positive.
type Limits struct {
	Depth            int // nesting of BER elements
	Signers          int
	Certificates     int // entries of the bag of any kind
	CertificateBytes int // one certificate; a larger one counts as unreadable
	MetaBytes        int // certificates and signers of an opaque blob, all of a detached one
	TriesPerSigner   int // certificates whose key is tried for one signer
	RSABits          int // largest modulus used
}

// DefaultLimits are those of the specification.
func DefaultLimits() Limits {
	return Limits{Depth: 24, Signers: 4, Certificates: 32, CertificateBytes: 64 << 10,
		MetaBytes: 1 << 20, TriesPerSigner: 4, RSABits: 8192}
}
