package trust

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
)

// minRSABits is the smallest modulus of any certificate on a path.
const minRSABits = 2048

// plainly judges what can be read off a path without a public-key operation,
// nearest to the leaf first.
func plainly(p Path, o Options) *Refusal {
	n := len(p.Chain) - 1
	below := 0 // CAs between this one and the leaf
	for i, c := range p.Chain {
		var r *Refusal
		switch i {
		case 0:
			r = dated(c, o, "the certificate")
		case n:
			if r = dated(c, o, "the trusted CA"); r != nil {
				r.Reason = "cert-untrusted"
			}
		default:
			r = dated(c, o, "the certificate of an issuer")
		}
		if r == nil && i > 0 {
			r = authority(c, below)
		}
		if r == nil {
			r = strong(c, i, n)
		}
		if odd := unhandled(c, i == 0); r == nil && len(odd) > 0 {
			r = &Refusal{Reason: "cert-constraint", Detail: "a certificate holds a critical extension that is not understood",
				Constraint: limit("critical " + odd[0].String())}
		}
		if r != nil {
			r.Names, r.Where = called(c.Subject), i
			return r
		}
		if i > 0 && !selfIssued(c) {
			below++
		}
	}
	return nil
}

func dated(c *x509.Certificate, o Options, what string) *Refusal {
	switch {
	case o.At.After(c.NotAfter):
		return &Refusal{Reason: "cert-expired", Detail: what + " expired on " + c.NotAfter.UTC().Format("2 January 2006")}
	case o.At.Before(c.NotBefore):
		return &Refusal{Reason: "cert-not-yet-valid", Detail: what + " is valid from " + c.NotBefore.UTC().Format("2 January 2006")}
	}
	return nil
}

// authority says whether c may issue certificates for mail with below CAs
// between it and the leaf. Self-issued ones are not among them (RFC 5280 section
// 4.2.1.9): by such a certificate a CA goes over to a new key.
func authority(c *x509.Certificate, below int) *Refusal {
	switch {
	case !isCA(c):
		return &Refusal{Reason: "cert-untrusted", Detail: "an issuing certificate is not that of a CA"}
	case c.BasicConstraintsValid && c.MaxPathLen >= 0 && below > c.MaxPathLen:
		return &Refusal{Reason: "cert-constraint", Detail: "a CA may not stand above so many others",
			Constraint: fmt.Sprintf("pathlen:%d", c.MaxPathLen)}
	case !issuesForMail(c):
		return &Refusal{Reason: "cert-usage", Detail: "a CA may not issue certificates for mail", Constraint: usageText(c)}
	}
	return nil
}

// isCA says whether c may sign certificates: by its basic constraints and key
// usage, or as one of the old roots that have no extensions.
func isCA(c *x509.Certificate) bool {
	if c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0 {
		return false
	}
	if c.Version < 3 {
		return bytes.Equal(c.RawSubject, c.RawIssuer)
	}
	return c.BasicConstraintsValid && c.IsCA
}

// issuesForMail says whether the extended key usage of a CA leaves mail in.
func issuesForMail(c *x509.Certificate) bool {
	return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// strong judges key and signature of the certificate at i of 0..anchor. The
// leaf's key is judged with its usage, the anchor's own signature by nobody.
func strong(c *x509.Certificate, i, anchor int) *Refusal {
	weak := &Refusal{Reason: "cert-weak", Detail: "the key of an issuer is too weak"}
	if i > 0 {
		switch k := c.PublicKey.(type) {
		case *rsa.PublicKey:
			if k.N.BitLen() < minRSABits {
				return weak
			}
		case *ecdsa.PublicKey:
			if k.Curve.Params().BitSize < 256 {
				return weak
			}
		}
	}
	if i == anchor {
		return nil
	}
	switch c.SignatureAlgorithm {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return &Refusal{Reason: "cert-weak", Detail: "a certificate is signed with a hash that is broken"}
	}
	return nil
}

// Extensions that this package evaluates where crypto/x509 does not.
func evaluated(id asn1.ObjectIdentifier, leaf bool) bool {
	switch {
	case id.Equal(asn1.ObjectIdentifier{2, 5, 29, 30}): // name constraints
		return true
	case id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}): // names, of forms that crypto/x509 does not read
		return true
	case id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}):
		// Qualified statements speak of the worth of signatures, and we keep
		// the certificate for encrypting to it.
		return leaf
	}
	return false
}

func unhandled(c *x509.Certificate, leaf bool) []asn1.ObjectIdentifier {
	return slices.DeleteFunc(slices.Clone(c.UnhandledCriticalExtensions),
		func(id asn1.ObjectIdentifier) bool { return evaluated(id, leaf) })
}

// bare returns shallow copies of a chain for crypto/x509, without what we
// evaluate ourselves: critical extensions that it does not read, mailboxes and
// constraints on them, which it reads more widely than RFC 5280, and the leaf's
// extended key usage, which is a row of its own. Names of a form that no CA of
// the chain constrains go too: it would refuse some that it cannot compare.
//
// Each gets a name that tells only where it stands: crypto/x509 tries every
// certificate that has the name of an issuer, and where all have one name it
// would make a number of operations that grows with the square of the path.
// That the true names fit is known from the search. Nobody is self-issued then:
// path lengths are therefore judged by us alone, a self-issued CA keeps no names
// that could be bound, and to the policy constraints it counts like any other.
func bare(chain []*x509.Certificate) []*x509.Certificate {
	var dns, uri bool
	for _, c := range chain {
		dns = dns || len(c.PermittedDNSDomains)+len(c.ExcludedDNSDomains) > 0
		uri = uri || len(c.PermittedURIDomains)+len(c.ExcludedURIDomains) > 0
	}
	var out []*x509.Certificate
	for i, c := range chain {
		b := *c
		b.RawSubject, b.RawIssuer = []byte{byte(i)}, []byte{byte(i + 1)}
		b.UnhandledCriticalExtensions = unhandled(c, i == 0)
		b.PermittedEmailAddresses, b.ExcludedEmailAddresses, b.EmailAddresses = nil, nil, nil
		if !dns {
			b.DNSNames = nil
		}
		if !uri {
			b.URIs = nil
		}
		if i == 0 {
			b.ExtKeyUsage, b.UnknownExtKeyUsage = nil, nil
		} else {
			b.MaxPathLen, b.MaxPathLenZero = -1, false
			if selfIssued(c) {
				b.DNSNames, b.URIs, b.IPAddresses = nil, nil, nil
			}
		}
		out = append(out, &b)
	}
	return out
}

// refusalOf translates what crypto/x509 says about a path whose signatures hold.
func refusalOf(err error, p Path) *Refusal {
	r := &Refusal{Reason: "cert-untrusted", Detail: "the path to a trusted CA does not hold", Names: called(p.Chain[0].Subject), Err: err}
	var invalid x509.CertificateInvalidError
	if !errors.As(err, &invalid) {
		return r
	}
	switch invalid.Reason {
	case x509.CANotAuthorizedForThisName:
		r.Reason, r.Detail = "cert-constraint", "an issuer may not vouch for a name in the certificate"
		r.Constraint, r.Where = leftLimit(p, invalid.Detail)
	case x509.NoValidChains:
		r.Reason, r.Detail = "cert-constraint", "the certificate policies of the issuers do not fit"
	case x509.TooManyConstraints:
		r.Reason, r.Detail = "cert-constraint", "an issuer has too many name constraints"
	case x509.IncompatibleUsage:
		r.Reason, r.Detail = "cert-usage", "the issuers have no extended key usage in common that is for mail"
	}
	return r
}
