package cms

import (
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// rawFields are the encodings of fields of SignedData, as received.
type rawFields struct {
	digests, certificates, signers []byte
}

// WithoutContent returns the same signatures as a detached blob: without the
// content that an opaque one holds, and without CRLs. Whoever has the content
// can verify it as before; who has not learns nothing of it. What is copied is
// at most Limits.MetaBytes and stays as it was received, in BER too.
func (s *SignedData) WithoutContent() ([]byte, error) {
	explicit := cbasn1.Tag(0).ContextSpecific().Constructed()
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2})
		b.AddASN1(explicit, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(1)
				b.AddBytes(s.raw.digests)
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1})
				})
				b.AddBytes(s.raw.certificates)
				b.AddBytes(s.raw.signers)
			})
		})
	})
	return b.Bytes()
}
