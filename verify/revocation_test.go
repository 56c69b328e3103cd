package verify

import (
	"context"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

func TestRevocation(t *testing.T) {
	p := newPKI()
	leaf := p.leaf("Bob", nil)
	later, earlier := testmail.Instant().Add(time.Hour), testmail.Instant().Add(-time.Hour)
	about := func(id *testmail.Identity, status string, next time.Time) Revocation {
		return Revocation{Serial: hex.EncodeToString(id.Cert.SerialNumber.Bytes()), Status: status, NextUpdate: next}
	}
	down := errors.New("no answer")
	for title, c := range map[string]struct {
		answers   []Revocation
		err       error
		status    Status
		reason    string
		unchecked bool
	}{
		"all good":                          {[]Revocation{about(leaf, "good", later), about(p.ca, "good", later)}, nil, Pass, "", false},
		"leaf revoked":                      {[]Revocation{about(leaf, "revoked", later), about(p.ca, "good", later)}, nil, Fail, "cert-revoked", false},
		"intermediate revoked":              {[]Revocation{about(leaf, "good", later), about(p.ca, "revoked", later)}, nil, Fail, "cert-revoked", false},
		"one source says revoked":           {[]Revocation{about(leaf, "good", later), about(leaf, "revoked", later), about(p.ca, "good", later)}, nil, Fail, "cert-revoked", false},
		"revoked, although another is down": {[]Revocation{about(leaf, "revoked", later)}, down, Fail, "cert-revoked", false},
		"revoked, in an old answer":         {[]Revocation{about(leaf, "revoked", earlier)}, nil, Fail, "cert-revoked", false},
		"on hold":                           {[]Revocation{about(leaf, "hold", later), about(p.ca, "good", later)}, nil, Fail, "cert-hold", false},
		"on hold and revoked":               {[]Revocation{about(leaf, "hold", later), about(p.ca, "revoked", later)}, nil, Fail, "cert-revoked", false},
		"no answer":                         {nil, nil, Neutral, "", true},
		"failure":                           {nil, down, Neutral, "", true},
		"good, but a failure":               {[]Revocation{about(leaf, "good", later), about(p.ca, "good", later)}, down, Neutral, "", true},
		"only the leaf":                     {[]Revocation{about(leaf, "good", later)}, nil, Neutral, "", true},
		"unknown":                           {[]Revocation{about(leaf, "unknown", later), about(p.ca, "good", later)}, nil, Neutral, "", true},
		"stale":                             {[]Revocation{about(leaf, "good", earlier), about(p.ca, "good", later)}, nil, Neutral, "", true},
		"without an end":                    {[]Revocation{about(leaf, "good", time.Time{}), about(p.ca, "good", later)}, nil, Neutral, "", true},
		"another word":                      {[]Revocation{about(leaf, "fine", later), about(p.ca, "good", later)}, nil, Neutral, "", true},
		"another serial number":             {[]Revocation{about(p.root, "good", later), about(p.ca, "good", later)}, nil, Neutral, "", true},
	} {
		t.Run(title, func(t *testing.T) {
			f := factsOf(t, p.anchors(), leaf, []*testmail.Identity{leaf, p.ca})
			f.v.Revoked = func(context.Context, trust.Path, time.Time) ([]Revocation, error) { return c.answers, c.err }
			checkChain(context.Background(), f)
			r := checkRevocation(context.Background(), f)
			if r.Status != c.status || r.Reason != c.reason || f.report.Unchecked != c.unchecked || r.Detail == "" {
				t.Errorf("%+v, unchecked %v", r, f.report.Unchecked)
			}
			if c.unchecked && c.err != nil && !errors.Is(r.Err, c.err) {
				t.Errorf("the cause is lost: %v", r.Err)
			}
		})
	}
}

func TestRevocationAsksForBothCertificates(t *testing.T) {
	p := newPKI()
	signer, enc := p.leaf("Signs", nil), p.leaf("Encrypts", nil)
	f := factsOf(t, p.anchors(), signer, []*testmail.Identity{signer, enc, p.ca}, cmstest.Preference(enc.Cert))
	asked := map[string]int{}
	f.v.Revoked = func(_ context.Context, path trust.Path, _ time.Time) ([]Revocation, error) {
		asked[path.Chain[0].Subject.CommonName]++
		return []Revocation{{Serial: "x", Status: map[bool]string{true: "revoked", false: "unknown"}[path.Chain[0].Equal(signer.Cert)]}}, nil
	}
	checkChain(context.Background(), f)
	if r := checkRevocation(context.Background(), f); r.Reason != "cert-revoked" {
		t.Errorf("%+v: the signer's certificate is revoked", r)
	}
	if asked["Signs"] != 1 || asked["Encrypts"] != 1 {
		t.Errorf("%v", asked)
	}
}

func TestRevocationNotConfigured(t *testing.T) {
	f := newFacts((&Verifier{Policy: DefaultPolicy(), Now: testmail.Instant}).Begin(Envelope{}))
	if r := checkRevocation(context.Background(), f); r.Status != Neutral || r.Detail != "not configured" || !f.report.Unchecked {
		t.Errorf("%+v", r)
	}
	f.v.Revoked = func(context.Context, trust.Path, time.Time) ([]Revocation, error) {
		t.Error("asked without a path")
		return nil, nil
	}
	if r := checkRevocation(context.Background(), f); r.Status.holds() {
		t.Errorf("%+v: holds without a path", r)
	}
}
