package verify

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"

	"github.com/certinbox/certinbox/verify/trust"
)

// checkUsage asks whether the certificate to keep is made for mail, fit to
// encrypt to, strong enough and not a CA (RFC 5280 sections 4.2.1.3, 4.2.1.9
// and 4.2.1.12; RFC 8550 section 4.4). The signer's, where it is another one,
// must be made for signing mail.
func checkUsage(_ context.Context, f *facts) Result {
	keep := f.report.Encryption
	if !f.hasSigner() || keep == nil {
		return noSigner()
	}
	signer := f.verified.Certificate
	if r := unfitForMail(signer, f.signerPath.Anchor); r != nil {
		return *r
	}
	if r := unfitToSign(signer, f.v.Policy.Limits.RSABits); r != nil {
		return *r
	}
	another := !keep.Equal(signer)
	r := unfitForMail(keep, f.report.Path.Anchor)
	if r == nil {
		r = unfitToEncrypt(keep, f.v.Policy.Limits.RSABits)
	}
	switch {
	case r != nil && another:
		r.Detail = preferred + r.Detail
		return *r
	case r != nil:
		return *r
	case another:
		return pass("made for mail: one certificate to sign, one to encrypt to")
	}
	return pass("made for mail and fit to encrypt to")
}

// unfitForMail says why c is no certificate of a person for mail. Without an
// anchor nothing is allowed that only an anchor can allow.
func unfitForMail(c *x509.Certificate, anchor *trust.Anchor) *Result {
	if c.IsCA {
		return unfit("cert-usage", "the certificate is that of a CA")
	}
	if slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) {
		return nil
	}
	lenient := anchor != nil && anchor.AllowMissingEKU
	switch absent := !hasExtension(c, 37); {
	case lenient && (absent || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)):
		return nil
	case absent:
		return unfit("cert-usage", "the certificate does not say that it is made for mail")
	}
	return unfit("cert-usage", "the certificate is made for other purposes than mail")
}

// unfitToSign asks of a signer's certificate what its signature does not show.
func unfitToSign(c *x509.Certificate, maxRSABits int) *Result {
	if hasExtension(c, 15) && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return unfit("cert-usage", "the key of the certificate may not be used to sign")
	}
	if k, ok := c.PublicKey.(*rsa.PublicKey); ok {
		return unfitRSA(k, maxRSABits)
	}
	return nil
}

// unfitToEncrypt asks whether mail can be encrypted to c (RFC 8551 section
// 2.3): the key first, since no other usage of it would help.
func unfitToEncrypt(c *x509.Certificate, maxRSABits int) *Result {
	var needed x509.KeyUsage
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if r := unfitRSA(k, maxRSABits); r != nil {
			return r
		}
		needed = x509.KeyUsageKeyEncipherment
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() && k.Curve != elliptic.P384() && k.Curve != elliptic.P521() {
			return unfit("cert-key", "the elliptic curve of the certificate is not supported")
		}
		needed = x509.KeyUsageKeyAgreement
	default:
		return unfit("cert-key", "mail cannot be encrypted to a key of this kind")
	}
	if hasExtension(c, 15) && c.KeyUsage&needed == 0 {
		return unfit("cert-usage", "the certificate is for signing only, not for encryption")
	}
	return nil
}

// minCertificateRSABits is the smallest modulus that is kept.
const minCertificateRSABits = 2048

func unfitRSA(k *rsa.PublicKey, maxBits int) *Result {
	switch bits := k.N.BitLen(); {
	case bits < minCertificateRSABits:
		return unfit("cert-weak", "the RSA key of the certificate has less than 2048 bits")
	case bits > maxBits:
		return unfit("cert-key", "the RSA key of the certificate is too long")
	case k.E < 3 || k.E%2 == 0:
		return unfit("cert-key", "the RSA key of the certificate has an exponent that cannot be right")
	}
	return nil
}

func unfit(reason, detail string) *Result {
	r := refuse(PolicyNo, reason, detail)
	r.Plain = detail
	return &r
}

// hasExtension says whether c holds the extension 2.5.29.n: crypto/x509 shows
// an absent key usage as an empty one.
func hasExtension(c *x509.Certificate, n int) bool {
	return slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, n}) })
}
