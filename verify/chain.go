package verify

import (
	"cmp"
	"context"
	"crypto/x509"
	"slices"

	"github.com/certinbox/certinbox/internal/smime/cms"
	"github.com/certinbox/certinbox/verify/trust"
)

// How the certificate to keep was chosen.
const (
	chosenSigner     = "signer"
	chosenPreference = "preference"
)

// checkChain asks whether the certificate to keep, and that of the signer where
// it is another one, leads to an anchor trusted for e-mail, now, within every
// constraint (RFC 5280 section 6). It also decides which certificate is kept.
func checkChain(_ context.Context, f *facts) Result {
	if !f.hasSigner() {
		return noSigner()
	}
	path, refusal := f.firstPath(append([]*x509.Certificate{f.verified.Certificate}, f.verified.Twins...))
	if refusal == nil {
		f.verified.Certificate = path.Chain[0]
		f.report.Signer = f.verified.Certificate
	}
	signer := f.verified.Certificate
	f.signerPath, f.report.Path = path, path
	f.report.Encryption, f.report.Chosen = signer, chosenSigner
	named := f.signed.NamedAll(f.signer.Preference)
	if isNamed(named, signer) {
		f.report.Chosen, named = chosenPreference, nil
	}
	if refusal != nil {
		f.report.Refusal = refusal
		return withCertificate(refused(chainStatus(refusal.Reason), refusal), signer)
	}
	if len(named) > 0 {
		if r := f.choosePreferred(named); r != nil {
			return withCertificate(*r, signer)
		}
	}
	path = f.report.Path
	anchor := path.Chain[len(path.Chain)-1]
	return withCertificate(pass("trusted through "+Quote(calledCA(anchor))), signer)
}

// stranger is 0 for a certificate that names the author, 1 for any other.
func (f *facts) stranger(c *x509.Certificate) int {
	if f.names(c) {
		return 0
	}
	return 1
}

func (f *facts) hasSigner() bool {
	return f.signed != nil && f.signer != nil && f.verified != nil && f.verified.Certificate != nil
}

func noSigner() Result { return Result{Status: None, Detail: "no verified signer"} }

// choosePreferred makes the certificate that the signed key preference names
// (RFC 8551 section 2.5.3) the one to keep. The bag is not signed, so that
// several may answer to the name: the first that leads to an anchor counts.
func (f *facts) choosePreferred(named []cms.Certificate) *Result {
	var readable []*x509.Certificate
	for _, c := range named {
		if c.X509 != nil {
			readable = append(readable, c.X509)
		}
	}
	if len(readable) == 0 {
		r := refuse(PolicyNo, "cert-key", preferred+"it cannot be read")
		return &r
	}
	path, refusal := f.firstPath(readable)
	f.report.Encryption, f.report.Chosen, f.report.Path = readable[0], chosenPreference, path
	if refusal != nil {
		f.report.Refusal = refusal
		r := refused(chainStatus(refusal.Reason), refusal)
		r.Detail, r.Plain = preferred+r.Detail, preferred+r.Plain
		return &r
	}
	f.report.Encryption = path.Chain[0]
	return nil
}

// preferred begins what is said about an encryption certificate that is not the
// signer's, so that the sender knows which of the two is meant.
const preferred = "the encryption certificate that the signature names: "

// isNamed says whether c is among those that a preference names.
func isNamed(named []cms.Certificate, c *x509.Certificate) bool {
	for _, n := range named {
		if n.X509 != nil && n.X509.Equal(c) {
			return true
		}
	}
	return false
}

// firstPath returns the path of the first certificate that has one, or the
// refusal of the first. Those that name the author are put first: the key of a
// new certificate is often that of the old one, issued for another address.
func (f *facts) firstPath(certs []*x509.Certificate) (trust.Path, *trust.Refusal) {
	if f.v.Anchors == nil {
		return trust.Path{}, &trust.Refusal{Reason: "cert-untrusted", Detail: "no CA is trusted here"}
	}
	slices.SortStableFunc(certs, func(a, b *x509.Certificate) int { return cmp.Compare(f.stranger(a), f.stranger(b)) })
	var first *trust.Refusal
	for _, c := range certs {
		path, refusal := f.v.Anchors.Path(c, f.bag, f.pathOptions())
		if refusal == nil {
			return path, nil
		}
		if first == nil {
			first = refusal
		}
	}
	return trust.Path{}, first
}

func (f *facts) pathOptions() trust.Options {
	l := f.v.Policy.Limits
	return trust.Options{At: f.at, MaxChain: l.Chain, MaxSANs: l.SANs, RSABits: l.RSABits, Operations: &f.ops.Left}
}

// refused makes a row of a refusal. Names of a certificate are foreign text.
func refused(status Status, r *trust.Refusal) Result {
	row := Result{Status: status, Reason: r.Reason, Detail: r.Detail, Plain: r.Detail, Err: r.Err}
	for _, n := range r.Names {
		row.Detail += ": " + Quote(n)
	}
	return row
}

// chainStatus puts a reason into the words of RFC 7281: permerror where the
// signature could not be judged, policy where it holds but not by our rules,
// fail for the rest.
func chainStatus(reason string) Status {
	switch reason {
	case "cert-incomplete", "cert-malformed", "cert-no-address":
		return PermError
	case "cert-weak", "cert-usage", "cert-key", "cert-distrusted", "cert-blocked":
		return PolicyNo
	}
	return Fail
}

// withCertificate adds what RFC 7281 section 3.2 publishes about a signer's
// certificate: serial number and issuer, which mean nothing without each other.
func withCertificate(r Result, c *x509.Certificate) Result {
	r.Props = append(r.Props,
		Prop{"body.smime-serial", serial(c)},
		Prop{"body.smime-issuer", distinguished(c.RawIssuer)})
	return r
}

func calledCA(c *x509.Certificate) string {
	if c.Subject.CommonName == "" && len(c.Subject.Organization) > 0 {
		return c.Subject.Organization[0]
	}
	return c.Subject.CommonName
}
