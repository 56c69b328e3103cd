package cms

import (
	"crypto"
	"crypto/subtle"
)

// A binding is the hash by which a signing-certificate attribute (RFC 5035)
// ties the signature to one certificate.
type binding struct {
	hash crypto.Hash
	sum  []byte
}

// holds tells whether the certificate is the one that is meant. The issuer and
// serial number that may stand beside the hash add nothing to it.
func (b binding) holds(c *Certificate) bool {
	h := b.hash.New()
	h.Write(c.Raw)
	return subtle.ConstantTimeCompare(h.Sum(nil), b.sum) == 1
}

func (g *Signer) bound(c *Certificate) bool {
	for _, b := range g.bindings {
		if !b.holds(c) {
			return false
		}
	}
	return true
}

// readBindings reads both versions of the attribute. Where both are present,
// both must hold.
func (s *SignedData) readBindings(g *Signer) *Error {
	v1, err := g.attributes.single(oidSigningCert, "signingCertificate")
	if err != nil {
		return err
	}
	v2, err := g.attributes.single(oidSigningCertV2, "signingCertificateV2")
	if err != nil {
		return err
	}
	if v1 != nil {
		r := s.firstCertID(v1)
		b := binding{hash: crypto.SHA1, sum: r.octetString("hash in signingCertificate")}
		if r.err != nil {
			return r.err
		}
		g.bindings = append(g.bindings, b)
	}
	if v2 != nil {
		return s.readBindingV2(g, v2)
	}
	return nil
}

func (s *SignedData) readBindingV2(g *Signer, value []byte) *Error {
	r := s.firstCertID(value)
	b := binding{hash: crypto.SHA256}
	if r.at0(0x30) {
		d, err := digestOf(r.algorithm("hash algorithm in signingCertificateV2").oid)
		if r.err != nil {
			return r.err
		}
		if err != nil {
			return err
		}
		b.hash = d.hash
	}
	b.sum = r.octetString("hash in signingCertificateV2")
	if r.err != nil {
		return r.err
	}
	g.bindings = append(g.bindings, b)
	return nil
}

// firstCertID goes to the fields of the first ESSCertID: the signer's own.
func (s *SignedData) firstCertID(value []byte) *reader {
	r := s.inside(value)
	r.open(universal, tagSequence, "signing certificate")
	r.open(universal, tagSequence, "certificates of the signing certificate attribute")
	r.open(universal, tagSequence, "identifier of the signing certificate")
	return r
}
