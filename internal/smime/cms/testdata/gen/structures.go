package main

import (
	"crypto"
	"slices"

	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
)

// structures makes blobs that are something else, or more, or less.
func structures(l *lab) {
	p := l.signer("p256")
	whole := l.signedBytes(p)
	outer := func(name, oid string) { l.built("type-"+name, cmstest.Blob{Type: oid, Signers: []cmstest.Signer{p}}) }
	outer("data", cmstest.Data)
	outer("enveloped", cmstest.EnvelopedData)
	outer("auth-enveloped", cmstest.AuthEnvelopedData)
	outer("encrypted", "1.2.840.113549.1.7.6")
	outer("signed-and-enveloped", "1.2.840.113549.1.7.4")
	outer("compressed", cmstest.CompressedData)
	outer("unknown", "1.2.3.4")
	l.built("type-econtent-tst", cmstest.Blob{ContentType: cmstest.TSTInfo, Opaque: true, Signers: []cmstest.Signer{p}})
	l.built("type-econtent-tst-detached", cmstest.Blob{ContentType: cmstest.TSTInfo, Signers: []cmstest.Signer{p}})
	l.built("type-econtent-no-octets", cmstest.Blob{Opaque: true, EContent: cmstest.Sequence(cmstest.Int(1)), Signers: []cmstest.Signer{p}})
	l.built("no-signers-with-content", cmstest.Blob{Opaque: true, Certificates: [][]byte{p.Certificate.Raw}})
	l.built("no-signers-certs-only", cmstest.Blob{Certificates: [][]byte{p.Certificate.Raw}})
	l.built("no-signers-nothing", cmstest.Blob{})
	l.built("five-signers", cmstest.Blob{Signers: []cmstest.Signer{p, p, p, p, p}})
	l.built("same-signer-twice", cmstest.Blob{Signers: []cmstest.Signer{p, p}})
	l.built("trailing-garbage", cmstest.Blob{Trailing: []byte("\r\nX"), Signers: []cmstest.Signer{p}})
	l.built("trailing-second-blob", cmstest.Blob{Trailing: whole, Signers: []cmstest.Signer{p}})
	l.built("trailing-inside", cmstest.Blob{Inside: cmstest.NULL(), Signers: []cmstest.Signer{p}})
	l.write("truncated", whole[:len(whole)-1])
	l.write("truncated-half", whole[:len(whole)/2])
	l.write("empty-input", nil)
	l.write("certificate-alone", p.Certificate.Raw)
	l.write("no-content", cmstest.Sequence(cmstest.OID(cmstest.SignedData)))
	l.write("content-under-tag-1", cmstest.Sequence(cmstest.OID(cmstest.SignedData), cmstest.Context(1, cmstest.Sequence())))
	l.built("crls-before-certificates", cmstest.Blob{Certificates: [][]byte{}, CRLs: [][]byte{}, Signers: []cmstest.Signer{
		with(p, func(g *cmstest.Signer) { g.Unsigned = [][]byte{} })}})
	l.built("unsigned-changes-nothing", cmstest.Blob{Signers: []cmstest.Signer{with(p, func(g *cmstest.Signer) {
		g.Unsigned = [][]byte{cmstest.MessageDigest(crypto.SHA256, []byte("x")), cmstest.SigningTime(cmstest.Instant.AddDate(1, 0, 0))}
	})}})
	l.signed("signer-field-more", with(p, func(g *cmstest.Signer) { g.Unsigned = nil; g.DigestAlgorithm = cmstest.Sequence() }))
	l.signed("signature-no-algorithm", with(p, func(g *cmstest.Signer) { g.SignatureAlgorithm = cmstest.NULL() }))
}

// encodings makes BER that DER forbids, and what BER forbids too.
func encodings(l *lab) {
	p := l.signer("p256")
	opaque := func(name string, econtent []byte) {
		l.built("ber-"+name, cmstest.Blob{Opaque: true, Indefinite: true, EContent: econtent, Signers: []cmstest.Signer{p}})
	}
	opaque("indefinite", nil)
	opaque("chunks", cmstest.Chunks(l.content, 10))
	opaque("chunks-of-one", cmstest.Chunks(l.content, 1))
	opaque("chunks-definite", cmstest.TLV(0x24, cmstest.Octets(l.content[:20]), cmstest.Octets(l.content[20:])))
	opaque("chunks-nested", cmstest.NestedChunks(l.content, 16, 3))
	opaque("chunks-uneven", cmstest.Indefinite(0x24, cmstest.Octets(nil), cmstest.Chunks(l.content[:30], 7), cmstest.Octets(nil), cmstest.Octets(l.content[30:])))
	opaque("chunk-of-wrong-type", cmstest.Indefinite(0x24, cmstest.TLV(cmstest.UTF8String, l.content)))
	opaque("two-contents", slices.Concat(cmstest.Octets(l.content), cmstest.Octets(l.content)))
	l.built("ber-empty", cmstest.Blob{Content: []byte{}, Opaque: true, Indefinite: true, EContent: cmstest.Indefinite(0x24), Signers: []cmstest.Signer{p}})
	l.built("ber-empty-definite", cmstest.Blob{Content: []byte{}, Opaque: true, Signers: []cmstest.Signer{p}})
	l.built("ber-indefinite-detached", cmstest.Blob{Indefinite: true, Signers: []cmstest.Signer{l.signer("rsa2048")}})
	l.signed("ber-signature-chunks", with(p, func(g *cmstest.Signer) { g.ChunkSignature = 16 }))
	l.signed("ber-signature-chunks-rsa", with(l.signer("rsa2048"), func(g *cmstest.Signer) { g.ChunkSignature = 100 }))
	l.built("ber-everything", cmstest.Blob{Opaque: true, Indefinite: true, EContent: cmstest.NestedChunks(l.content, 5, 2), Trailing: []byte("\r\n"),
		Signers: []cmstest.Signer{with(p, func(g *cmstest.Signer) { g.ChunkSignature, g.KeyID, g.IndefiniteAttributes = 20, true, true })}})
	l.signed("ber-high-tag", with(p, func(g *cmstest.Signer) {
		g.Unsigned = [][]byte{cmstest.Attribute("1.2.3.4", []byte{0x9f, 0x81, 0x23, 1, 7})}
	}))
	whole := l.signedBytes(p)
	body := whole[4:]
	l.write("ber-long-lengths", slices.Concat([]byte{0x30, 0x84, 0, 0}, whole[2:4], body))
	l.write("ber-length-of-five-octets", slices.Concat([]byte{0x30, 0x85, 0, 0, 0}, whole[2:4], body))
	l.write("ber-no-end-of-contents", slices.Concat([]byte{0x30, 0x80}, body))
	l.write("ber-end-of-contents-in-definite", cmstest.Sequence(body, []byte{0, 0}))
	l.write("ber-indefinite-primitive", slices.Concat([]byte{0x10, 0x80}, body, []byte{0, 0}))
	l.write("ber-length-past-the-end", slices.Concat([]byte{0x30, 0x82, 0xff, 0xff}, body))
}
