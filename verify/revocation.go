package verify

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"time"

	"github.com/certinbox/certinbox/verify/trust"
)

// Answers of a CA, see Revocation.Status.
const (
	stands  = "good"
	revoked = "revoked"
	onHold  = "hold"
)

// checkRevocation asks whether the CAs still stand by the certificate to keep
// and by the signer's. Any answer that says revoked wins. Where a certificate
// below the anchor has no good and current answer the report is marked as
// unchecked: the certificate is taken, and asked about again later.
func checkRevocation(ctx context.Context, f *facts) Result {
	if f.v.Revoked == nil {
		f.report.Unchecked = true
		return Result{Status: Neutral, Detail: "not configured"}
	}
	if f.report.Path.Anchor == nil || f.signerPath.Anchor == nil {
		return noSigner()
	}
	paths := []trust.Path{f.report.Path}
	if !f.signerPath.Chain[0].Equal(f.report.Path.Chain[0]) {
		paths = append(paths, f.signerPath)
	}
	var cause error
	for _, p := range paths {
		answers, err := f.v.Revoked(ctx, p, f.at)
		if r := withdrawn(answers); r != nil {
			return *r
		}
		if err != nil {
			cause = err
		}
		if err != nil || !allStand(p, answers, f.at) {
			f.report.Unchecked = true
		}
	}
	if f.report.Unchecked {
		return Result{Status: Neutral, Detail: "no CA said whether every certificate still stands", Err: cause}
	}
	return pass("every CA of the path stands by its certificate")
}

// withdrawn returns the row for the worst answer, nil if nothing is withdrawn.
func withdrawn(answers []Revocation) *Result {
	var hold *Result
	for _, a := range answers {
		switch a.Status {
		case revoked:
			r := refuse(Fail, "cert-revoked", "the CA has revoked the certificate "+Quote(a.Serial))
			r.Plain = "the CA has revoked a certificate"
			return &r
		case onHold:
			r := refuse(Fail, "cert-hold", "the CA has suspended the certificate "+Quote(a.Serial))
			r.Plain = "the CA has suspended a certificate"
			hold = &r
		}
	}
	return hold
}

// allStand says whether every certificate below the anchor has a good answer
// that is current at the time.
func allStand(p trust.Path, answers []Revocation, at time.Time) bool {
	for _, c := range p.Chain[:len(p.Chain)-1] {
		if !stillStands(c, answers, at) {
			return false
		}
	}
	return true
}

func stillStands(c *x509.Certificate, answers []Revocation, at time.Time) bool {
	serial := hex.EncodeToString(c.SerialNumber.Bytes())
	for _, a := range answers {
		if a.Serial == serial && a.Status == stands && at.Before(a.NextUpdate) {
			return true
		}
	}
	return false
}
