package revoke

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"time"
)

// A speaker is who has signed a response and may.
type speaker struct {
	until        time.Time // the end of a delegate's certificate, zero for the issuer itself
	unquestioned bool      // nobody has to ask whether the speaker itself is revoked
}

// about returns the answers about exactly this certificate, at least one. The
// issuer is compared by both hashes: serial numbers are unique only below one
// key.
func (b *basicResponse) about(cert, issuer *x509.Certificate) ([]single, error) {
	key, err := keyBits(issuer)
	if err != nil {
		return nil, noResponse("%s", err)
	}
	var ours []single
	serialFound, hashUnknown := false, false
	for _, s := range b.singles {
		if s.serial.Cmp(cert.SerialNumber) != 0 {
			continue
		}
		serialFound = true
		if s.hash == 0 {
			hashUnknown = true
			continue
		}
		if bytes.Equal(s.nameHash, digest(s.hash, cert.RawIssuer)) && bytes.Equal(s.keyHash, digest(s.hash, key)) {
			ours = append(ours, s)
		}
	}
	switch {
	case len(ours) > 0:
		return ours, nil
	case hashUnknown:
		return nil, noResponse("the answer names the issuer by a hash other than SHA-1 and SHA-256")
	case serialFound:
		return nil, noResponse("the answer is about a certificate of another issuer")
	}
	return nil, noResponse("the answer is about another certificate")
}

// speaker finds who has signed the response: the issuer's own key, or a
// delegate among the embedded certificates, in any position. It makes at most
// maxOCSPOperations public-key operations; the error is about the candidate
// that came nearest.
func (b *basicResponse) speaker(issuer *x509.Certificate, at time.Time) (speaker, error) {
	if err := usableKey(issuer); err != nil {
		return speaker{}, noResponse("the issuer's key: %s", err)
	}
	left := maxOCSPOperations
	var nearest error
	if b.names(issuer) {
		left--
		if issuer.CheckSignature(b.algorithm, b.signed, b.signature) == nil {
			return speaker{unquestioned: true}, nil
		}
		nearest = noResponse("the signature of the issuer does not hold")
	}
	for _, der := range b.embedded {
		c, err := x509.ParseCertificate(der)
		if err != nil || !b.names(c) {
			continue // odd surplus
		}
		if err := delegate(c, issuer, at); err != nil {
			nearest = nearer(nearest, err)
			continue
		}
		if left < 2 {
			return speaker{}, noResponse("too many certificates in the answer could be its responder's")
		}
		left--
		if c.CheckSignature(b.algorithm, b.signed, b.signature) != nil {
			nearest = nearer(nearest, noResponse("the signature of the responder does not hold"))
			continue
		}
		left--
		if issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil {
			return speaker{until: c.NotAfter, unquestioned: hasExtension(c, oidNoCheck())}, nil
		}
		nearest = noResponse("the responder's certificate is not signed by the issuer")
	}
	if nearest == nil {
		nearest = noResponse("the responder is neither the issuer nor among the certificates in the answer")
	}
	return speaker{}, nearest
}

// names says whether the response names the certificate as its responder: by
// the subject, byte for byte, or by SHA-1 of the key.
func (b *basicResponse) names(c *x509.Certificate) bool {
	if b.name != nil {
		return bytes.Equal(b.name, c.RawSubject)
	}
	key, err := keyBits(c)
	return err == nil && bytes.Equal(b.keyHash, digest(crypto.SHA1, key))
}

// delegate says why a certificate, whose own signature is not yet checked, gives
// no right to speak for the issuer (RFC 6960 section 4.2.2.2): that right is
// given by the issuer itself, by name, for now, and by the extended key usage
// OCSPSigning in so many words; anyExtendedKeyUsage is not enough, or every
// holder of a certificate could vouch for every other. A CA is no delegate
// either: intermediates that carry OCSPSigning for their own responders would
// speak for the CA above them.
func delegate(c, issuer *x509.Certificate, at time.Time) error {
	switch {
	case !bytes.Equal(c.RawIssuer, issuer.RawSubject):
		return noResponse("the responder's certificate is of another issuer")
	case !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return noResponse("the responder's certificate is not made for OCSP")
	case c.IsCA:
		return noResponse("the responder's certificate is a CA's")
	case hasExtension(c, oidKeyUsage()) && c.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return noResponse("the responder's certificate is not made for signing")
	case slices.ContainsFunc(c.UnhandledCriticalExtensions, func(id asn1.ObjectIdentifier) bool { return !id.Equal(oidNoCheck()) }):
		return noResponse("a critical extension in the responder's certificate that we do not know")
	case at.Before(c.NotBefore):
		return noResponse("the responder's certificate begins only at %s", stamp(c.NotBefore))
	case !at.Before(c.NotAfter):
		return noResponse("the responder's certificate ended at %s", stamp(c.NotAfter))
	case !acceptedAlgorithm(c.SignatureAlgorithm):
		return noResponse("the responder's certificate is signed with an algorithm that is not accepted")
	}
	if err := usableKey(c); err != nil {
		return noResponse("the responder's key: %s", err)
	}
	return nil
}

func oidNoCheck() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
}

func oidKeyUsage() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 29, 15} }

func hasExtension(c *x509.Certificate, id asn1.ObjectIdentifier) bool {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return true
		}
	}
	return false
}

func nearer(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
