package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"io"
	"math/big"
	"time"

	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
	"github.com/certinbox/certinbox/internal/testmail"
)

// A signing says how a mail is signed. The zero knobs are the ordinary.
type signing struct {
	who    *testmail.Identity
	at     time.Time
	opaque bool
	keyID  bool
	bag    []*testmail.Identity // nil: who and the intermediates above
	signer func(s *cmstest.Signer)
	blob   func(b *cmstest.Blob)
	raw    func(blob []byte) []byte
}

// by returns who as a signer at the usual time. A certificate that cannot be
// read is named by the issuer and serial number in its bytes.
func (s signing) by(who *testmail.Identity) cmstest.Signer {
	signer := cmstest.Signer{Key: who.Key, Certificate: who.Cert, Time: s.at, KeyID: s.keyID}
	if who.Cert == nil {
		tbs := testmail.Children(testmail.Children(who.DER)[0])
		signer.SID = cmstest.Sequence(tbs[3], tbs[1])
	}
	return signer
}

// ders returns the certificates of identities.
func ders(list ...*testmail.Identity) [][]byte {
	out := [][]byte{}
	for _, i := range list {
		out = append(out, i.DER)
	}
	return out
}

// entity signs content and returns what is sent.
func (s signing) entity(content []byte) testmail.Entity {
	signer := s.by(s.who)
	if s.signer != nil {
		s.signer(&signer)
	}
	bag := s.bag
	if bag == nil {
		bag = append([]*testmail.Identity{s.who}, s.who.Above()...)
	}
	b := cmstest.Blob{Content: content, Opaque: s.opaque, Signers: []cmstest.Signer{signer}, Certificates: ders(bag...)}
	if s.blob != nil {
		s.blob(&b)
	}
	der, err := b.Build()
	if err != nil {
		panic("gen: " + err.Error())
	}
	if s.raw != nil {
		der = s.raw(der)
	}
	if s.opaque {
		return testmail.PKCS7MIME(der, "signed-data")
	}
	return testmail.MultipartSigned(content, der)
}

// A fixedSalt is an RSA key whose RSA-PSS signatures always have the same
// salt, so that a case can be generated again and compared.
type fixedSalt struct{ *rsa.PrivateKey }

func (k fixedSalt) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	pss, ok := o.(*rsa.PSSOptions)
	if !ok || pss.Hash != crypto.SHA256 {
		return k.PrivateKey.Sign(random, digest, o)
	}
	salt := make([]byte, pss.SaltLength)
	bits := k.N.BitLen() - 1
	em := encodePSS(digest, salt, bits)
	value := new(big.Int).Exp(new(big.Int).SetBytes(em), k.D, k.N)
	return value.FillBytes(make([]byte, k.Size())), nil
}

// encodePSS is EMSA-PSS-ENCODE with SHA-256 (RFC 8017 section 9.1.1).
func encodePSS(digest, salt []byte, bits int) []byte {
	h := sha256.New()
	h.Write(make([]byte, 8))
	h.Write(digest)
	h.Write(salt)
	sum := h.Sum(nil)
	em := make([]byte, (bits+7)/8)
	db := em[:len(em)-len(sum)-1]
	db[len(db)-len(salt)-1] = 1
	copy(db[len(db)-len(salt):], salt)
	for i, counter := 0, byte(0); i < len(db); counter++ {
		block := sha256.Sum256(append(sum[:len(sum):len(sum)], 0, 0, 0, counter))
		for j := 0; j < len(block) && i < len(db); i, j = i+1, j+1 {
			db[i] ^= block[j]
		}
	}
	db[0] &= 0xff >> (8*len(em) - bits)
	copy(em[len(db):], sum)
	em[len(em)-1] = 0xbc
	return em
}

// envelopedData is a minimal EnvelopedData: a type and nothing to decrypt.
func envelopedData() []byte {
	return cmstest.Sequence(cmstest.OID(cmstest.EnvelopedData), cmstest.Context(0, cmstest.Sequence(cmstest.Int(0), cmstest.Set(),
		cmstest.Sequence(cmstest.OID(cmstest.Data), cmstest.Algorithm("2.16.840.1.101.3.4.1.42", cmstest.Octets(make([]byte, 16))), cmstest.TLV(0x80, make([]byte, 32))))))
}
