package verify

import (
	"cmp"
	"context"
	"crypto/x509"
	"slices"
	"time"

	"github.com/certinbox/certinbox/verify/trust"
)

// checkRevocation asks whether the CAs still stand by every certificate below
// the anchor, on the path of the one to keep and on that of the signer's. Any
// source that says revoked wins, however old its word. Without a good and
// current answer for each of them, soft takes the certificate and marks it; hard
// puts the mail off, or refuses it where a certificate names nobody to ask.
func checkRevocation(ctx context.Context, f *facts) Result {
	mode := f.v.Policy.Revocation
	if mode == RevocationOff || f.v.Revoked == nil && mode == RevocationSoft {
		f.report.Unchecked = true
		return Result{Status: Neutral, Detail: "no CA was asked"}
	}
	if f.report.Path.Anchor == nil || f.signerPath.Anchor == nil {
		return noSigner()
	}
	asked, err := f.askRevoked(ctx)
	if r := withdrawn(f.report.Revocations); r != nil {
		return *r
	}
	var silent, mute *x509.Certificate // no answer; nobody to ask
	for _, c := range asked {
		switch answers := about(c, f.report.Revocations); {
		case stand(answers, f.at):
		case namesNobody(answers):
			mute = cmp.Or(mute, c)
		default:
			silent = cmp.Or(silent, c)
		}
	}
	f.report.Unchecked, f.report.Awaited = silent != nil || mute != nil, silent != nil
	switch {
	case !f.report.Unchecked:
		return pass("the CAs stand by every certificate of the path")
	case mode != RevocationHard && silent == nil:
		return Result{Status: Neutral, Detail: "a certificate names nobody to ask whether it still stands: " + Quote(serial(mute))}
	case mode != RevocationHard:
		return Result{Status: Neutral, Detail: "no usable answer whether the certificate still stands: " + Quote(serial(silent)), Err: err}
	case mute != nil:
		r := refuse(PermError, "cert-revocation-none", "a certificate names no way to ask whether it still stands: "+Quote(serial(mute)))
		r.Plain = "a certificate names no way to ask whether it still stands"
		return r
	}
	r := refuse(TempError, "cert-revocation-unknown", "the CA did not say whether the certificate still stands: "+Quote(serial(silent)))
	r.Plain, r.Err = "the CA did not say whether a certificate still stands", err
	return r
}

// askRevoked fills Report.Revocations and returns the certificates it is about:
// all below the anchors of both paths, each once.
func (f *facts) askRevoked(ctx context.Context) (asked []*x509.Certificate, err error) {
	paths := []trust.Path{f.report.Path}
	if !f.signerPath.Chain[0].Equal(f.report.Path.Chain[0]) {
		paths = append(paths, f.signerPath)
	}
	ctx, cancel := context.WithTimeout(ctx, f.v.Policy.Limits.RevocationTime)
	defer cancel()
	for _, p := range paths {
		for _, c := range p.Chain[:len(p.Chain)-1] {
			if !slices.ContainsFunc(asked, c.Equal) {
				asked = append(asked, c)
			}
		}
		if f.v.Revoked == nil { // hard, and nobody to ask: no answer
			continue
		}
		answers, failed := f.v.Revoked(ctx, p, f.at)
		if failed != nil {
			err = failed
		}
		for _, a := range answers {
			same := func(b Revocation) bool { return a.SHA256 == b.SHA256 && a.Source == b.Source && a.Status == b.Status }
			if !slices.ContainsFunc(f.report.Revocations, same) {
				f.report.Revocations = append(f.report.Revocations, a)
			}
		}
	}
	return asked, err
}

// withdrawn returns the row for the worst answer, nil if nothing is withdrawn.
func withdrawn(answers []Revocation) *Result {
	var hold *Result
	for _, a := range answers {
		switch a.Status {
		case Revoked:
			r := refuse(Fail, "cert-revoked", "the CA has revoked the certificate "+Quote(a.Serial)+a.since())
			r.Plain = "the CA has revoked a certificate"
			return &r
		case Hold:
			r := refuse(Fail, "cert-hold", "the CA has suspended the certificate "+Quote(a.Serial)+a.since())
			r.Plain = "the CA has suspended a certificate"
			hold = &r
		}
	}
	return hold
}

// Standing sums up what the CAs said about the certificates of a path below its
// anchor: the worst that counts. Revoked and Hold are returned with the answer
// that says so; where a certificate has no good answer that is current at the
// time, Unknown, or NoSource if it names nobody to ask; else Good, until the
// first of the answers ends.
func Standing(p trust.Path, answers []Revocation, at time.Time) Revocation {
	if len(p.Chain) < 2 {
		return Revocation{Status: Unknown, Detail: "no path"}
	}
	worst := Revocation{Status: Good, Detail: "the CAs stand by every certificate of the path"}
	for _, c := range p.Chain[:len(p.Chain)-1] {
		mine := about(c, answers)
		for _, a := range mine {
			if a.Status == Revoked || a.Status == Hold && worst.Status != Revoked {
				worst = a
			}
		}
		switch {
		case worst.Status == Revoked || worst.Status == Hold:
		case !stand(mine, at) && !namesNobody(mine):
			worst = Revocation{SHA256: fingerprint(c), Serial: serial(c), Status: Unknown, Detail: "no usable answer"}
		case !stand(mine, at) && worst.Status != Unknown:
			worst = Revocation{SHA256: fingerprint(c), Serial: serial(c), Status: NoSource, Detail: "it names nobody to ask"}
		}
	}
	if worst.Status == Good {
		for _, a := range answers {
			if a.Status == Good && at.Before(a.NextUpdate) && (worst.NextUpdate.IsZero() || a.NextUpdate.Before(worst.NextUpdate)) {
				worst.NextUpdate = a.NextUpdate
			}
		}
	}
	return worst
}

// since is the end of a sentence that says when and why.
func (a Revocation) since() string {
	text := ""
	if !a.Revoked.IsZero() {
		text += " on " + a.Revoked.UTC().Format("2 January 2006")
	}
	if a.Reason != "" {
		text += " for the reason " + Quote(a.Reason)
	}
	return text
}

// about returns the answers about c.
func about(c *x509.Certificate, answers []Revocation) []Revocation {
	var out []Revocation
	for _, a := range answers {
		if a.SHA256 == fingerprint(c) {
			out = append(out, a)
		}
	}
	return out
}

// stand says whether one of the answers is good and current at the time.
func stand(answers []Revocation, at time.Time) bool {
	return slices.ContainsFunc(answers, func(a Revocation) bool { return a.Status == Good && at.Before(a.NextUpdate) })
}

// namesNobody says whether the certificate has no source to ask.
func namesNobody(answers []Revocation) bool {
	return len(answers) > 0 && !slices.ContainsFunc(answers, func(a Revocation) bool { return a.Status != NoSource })
}
