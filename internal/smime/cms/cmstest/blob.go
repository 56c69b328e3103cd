package cmstest

import (
	"crypto"
	"crypto/x509"
	"slices"
)

// Content types.
const (
	Data              = "1.2.840.113549.1.7.1"
	SignedData        = "1.2.840.113549.1.7.2"
	EnvelopedData     = "1.2.840.113549.1.7.3"
	AuthEnvelopedData = "1.2.840.113549.1.9.16.1.23"
	CompressedData    = "1.2.840.113549.1.9.16.1.9"
	TSTInfo           = "1.2.840.113549.1.9.16.1.4"
)

// A Blob describes a ContentInfo with SignedData.
type Blob struct {
	Content []byte   // what is signed
	Opaque  bool     // Content is put into the blob
	Signers []Signer // none: certs-only

	Type         string   // of the ContentInfo; "": SignedData
	ContentType  string   // eContentType; "": Data
	Version      int      // 0: 1, or 3 with key identifiers
	Digests      [][]byte // digestAlgorithms; nil: those of the signers
	EContent     []byte   // encoding put for the octets of Content; nil: an OCTET STRING in one piece
	Certificates [][]byte // bag, in this order; nil: the signers', then Extra
	Extra        [][]byte // further elements of the bag: certificates, or other choices already tagged
	CRLs         [][]byte // elements of the crls field; nil: absent
	Indefinite   bool     // every element around the fields is of indefinite length
	Inside       []byte   // put after SignedData, inside ContentInfo
	Trailing     []byte   // put after the blob
}

// Certificate returns the raw certificates, for Blob.Certificates and Extra.
func Certificate(list ...*x509.Certificate) [][]byte {
	var raw [][]byte
	for _, c := range list {
		raw = append(raw, c.Raw)
	}
	return raw
}

// Build encodes the blob. The error is that of a key that cannot sign.
func (b Blob) Build() ([]byte, error) {
	var infos, digests, bag [][]byte
	version := 1
	for _, g := range b.Signers {
		info, err := g.build(b.Content, b.contentType())
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
		if d := g.digest(); !slices.ContainsFunc(digests, func(k []byte) bool { return string(k) == string(d) }) {
			digests = append(digests, d)
		}
		if g.Certificate != nil {
			bag = append(bag, g.Certificate.Raw)
		}
		if g.KeyID {
			version = 3
		}
	}
	if b.Digests != nil {
		digests = b.Digests
	}
	if b.Certificates != nil {
		bag = b.Certificates
	}
	bag = append(slices.Clone(bag), b.Extra...)
	if b.Version != 0 {
		version = b.Version
	}
	fields := [][]byte{Int(version), b.wrap(SetTag, digests...), b.encapsulated()}
	if len(bag) > 0 {
		fields = append(fields, b.wrap(0xa0, bag...))
	}
	if b.CRLs != nil {
		fields = append(fields, b.wrap(0xa1, b.CRLs...))
	}
	fields = append(fields, b.wrap(SetTag, infos...))
	return b.contentInfo(b.wrap(SequenceTag, fields...)), nil
}

func (b Blob) contentInfo(signedData []byte) []byte {
	outer := b.Type
	if outer == "" {
		outer = SignedData
	}
	info := b.wrap(SequenceTag, OID(outer), b.wrap(0xa0, signedData, b.Inside))
	return append(info, b.Trailing...)
}

func (b Blob) contentType() string {
	if b.ContentType == "" {
		return Data
	}
	return b.ContentType
}

func (b Blob) encapsulated() []byte {
	parts := [][]byte{OID(b.contentType())}
	if b.Opaque {
		content := b.EContent
		if content == nil {
			content = Octets(b.Content)
		}
		parts = append(parts, b.wrap(0xa0, content))
	}
	return b.wrap(SequenceTag, parts...)
}

// wrap encodes an element as the blob's encoding demands.
func (b Blob) wrap(identifier byte, parts ...[]byte) []byte {
	if b.Indefinite {
		return Indefinite(identifier, parts...)
	}
	return TLV(identifier, parts...)
}

// digestOID returns the identifier of a hash.
func digestOID(h crypto.Hash) string {
	return map[crypto.Hash]string{
		crypto.MD5:      "1.2.840.113549.2.5",
		crypto.SHA1:     "1.3.14.3.2.26",
		crypto.SHA224:   "2.16.840.1.101.3.4.2.4",
		crypto.SHA256:   "2.16.840.1.101.3.4.2.1",
		crypto.SHA384:   "2.16.840.1.101.3.4.2.2",
		crypto.SHA512:   "2.16.840.1.101.3.4.2.3",
		crypto.SHA3_256: "2.16.840.1.101.3.4.2.8",
		crypto.SHA3_384: "2.16.840.1.101.3.4.2.9",
		crypto.SHA3_512: "2.16.840.1.101.3.4.2.10",
	}[h]
}
