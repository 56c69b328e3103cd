package verify

import (
	"context"
	"crypto/x509"
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
		return Revocation{SHA256: fingerprint(id.Cert), Serial: serial(id.Cert), Status: status, NextUpdate: next}
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
		"good, but a failure of ours":       {[]Revocation{about(leaf, "good", later), about(p.ca, "good", later)}, down, Pass, "", false},
		"only the leaf":                     {[]Revocation{about(leaf, "good", later)}, nil, Neutral, "", true},
		"unknown":                           {[]Revocation{about(leaf, "unknown", later), about(p.ca, "good", later)}, nil, Neutral, "", true},
		"stale":                             {[]Revocation{about(leaf, "good", earlier), about(p.ca, "good", later)}, nil, Neutral, "", true},
		"without an end":                    {[]Revocation{about(leaf, "good", time.Time{}), about(p.ca, "good", later)}, nil, Neutral, "", true},
		"another word":                      {[]Revocation{about(leaf, "fine", later), about(p.ca, "good", later)}, nil, Neutral, "", true},
		"another certificate":               {[]Revocation{about(p.root, "good", later), about(p.ca, "good", later)}, nil, Neutral, "", true},
		"another, of the same number": {[]Revocation{{SHA256: fingerprint(p.root.Cert), Serial: serial(leaf.Cert), Status: Good, NextUpdate: later},
			about(p.ca, "good", later)}, nil, Neutral, "", true},
		"nobody to ask":             {[]Revocation{about(leaf, NoSource, time.Time{}), about(p.ca, "good", later)}, nil, Neutral, "", true},
		"one list good, one silent": {[]Revocation{about(leaf, Unknown, time.Time{}), about(leaf, "good", later), about(p.ca, "good", later)}, nil, Pass, "", false},
	} {
		t.Run(title, func(t *testing.T) {
			f := factsOf(t, p.anchors(), leaf, []*testmail.Identity{leaf, p.ca})
			f.v.Revoked = func(context.Context, trust.Path, time.Time) ([]Revocation, error) { return c.answers, c.err }
			checkChain(context.Background(), f)
			r := checkRevocation(context.Background(), f)
			if r.Status != c.status || r.Reason != c.reason || f.report.Unchecked != c.unchecked || r.Detail == "" {
				t.Errorf("%+v, unchecked %v", r, f.report.Unchecked)
			}
			if want := c.unchecked && title != "nobody to ask"; f.report.Awaited != want {
				t.Errorf("awaited %v: only who was asked may still answer", f.report.Awaited)
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
		return []Revocation{{SHA256: "x", Status: map[bool]string{true: "revoked", false: "unknown"}[path.Chain[0].Equal(signer.Cert)]}}, nil
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
	if r := checkRevocation(context.Background(), f); r.Status != Neutral || r.Detail != "no CA was asked" || !f.report.Unchecked {
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

// TestRevocationHard: without an answer the mail is put off, and one whose
// certificate names nobody to ask is refused.
func TestRevocationHard(t *testing.T) {
	p := newPKI()
	leaf := p.leaf("Bob", nil)
	later := testmail.Instant().Add(time.Hour)
	about := func(id *testmail.Identity, status string) Revocation {
		return Revocation{SHA256: fingerprint(id.Cert), Serial: serial(id.Cert), Status: status, NextUpdate: later}
	}
	for title, c := range map[string]struct {
		answers []Revocation
		status  Status
		reason  string
	}{
		"all good":                         {[]Revocation{about(leaf, Good), about(p.ca, Good)}, Pass, ""},
		"silence":                          {nil, TempError, "cert-revocation-unknown"},
		"leaf unknown":                     {[]Revocation{about(leaf, Unknown), about(p.ca, Good)}, TempError, "cert-revocation-unknown"},
		"intermediate unknown":             {[]Revocation{about(leaf, Good), about(p.ca, Unknown)}, TempError, "cert-revocation-unknown"},
		"nobody to ask":                    {[]Revocation{about(leaf, NoSource), about(p.ca, Good)}, PermError, "cert-revocation-none"},
		"nobody to ask about intermediate": {[]Revocation{about(leaf, Good), about(p.ca, NoSource)}, PermError, "cert-revocation-none"},
		"nobody to ask, the other silent":  {[]Revocation{about(leaf, NoSource)}, PermError, "cert-revocation-none"},
		"revoked, the other silent":        {[]Revocation{about(leaf, Revoked)}, Fail, "cert-revoked"},
		"on hold, the other silent":        {[]Revocation{about(p.ca, Hold)}, Fail, "cert-hold"},
	} {
		t.Run(title, func(t *testing.T) {
			f := factsOf(t, p.anchors(), leaf, []*testmail.Identity{leaf, p.ca})
			f.v.Policy.Revocation = RevocationHard
			f.v.Revoked = func(context.Context, trust.Path, time.Time) ([]Revocation, error) { return c.answers, nil }
			checkChain(context.Background(), f)
			if r := checkRevocation(context.Background(), f); r.Status != c.status || r.Reason != c.reason {
				t.Errorf("%+v", r)
			}
		})
	}
	f := factsOf(t, p.anchors(), leaf, []*testmail.Identity{leaf, p.ca})
	f.v.Policy.Revocation, f.v.Revoked = RevocationHard, nil
	checkChain(context.Background(), f)
	if r := checkRevocation(context.Background(), f); r.Reason != "cert-revocation-unknown" {
		t.Errorf("hard, and nothing to ask with: %+v", r)
	}
}

// TestRevocationOff: nobody is asked, even if there is somebody.
func TestRevocationOff(t *testing.T) {
	p := newPKI()
	leaf := p.leaf("Bob", nil)
	f := factsOf(t, p.anchors(), leaf, []*testmail.Identity{leaf, p.ca})
	f.v.Policy.Revocation = RevocationOff
	f.v.Revoked = func(context.Context, trust.Path, time.Time) ([]Revocation, error) {
		t.Error("asked")
		return nil, nil
	}
	checkChain(context.Background(), f)
	if r := checkRevocation(context.Background(), f); r.Status != Neutral || !f.report.Unchecked || f.report.Awaited {
		t.Errorf("%+v", r)
	}
}

// TestRevocationBudget: who asks has a deadline, and both paths share it.
func TestRevocationBudget(t *testing.T) {
	p := newPKI()
	leaf := p.leaf("Bob", nil)
	f := factsOf(t, p.anchors(), leaf, []*testmail.Identity{leaf, p.ca})
	f.v.Policy.Limits.RevocationTime = time.Nanosecond
	f.v.Revoked = func(ctx context.Context, _ trust.Path, _ time.Time) ([]Revocation, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	checkChain(context.Background(), f)
	if r := checkRevocation(context.Background(), f); r.Status != Neutral || !f.report.Awaited || !errors.Is(r.Err, context.DeadlineExceeded) {
		t.Errorf("%+v, awaited %v", r, f.report.Awaited)
	}
}

func TestStanding(t *testing.T) {
	p := newPKI()
	leaf := p.leaf("Bob", nil)
	path := trust.Path{Chain: []*x509.Certificate{leaf.Cert, p.ca.Cert, p.root.Cert}}
	now := testmail.Instant()
	about := func(id *testmail.Identity, status string, until time.Duration) Revocation {
		return Revocation{SHA256: fingerprint(id.Cert), Serial: serial(id.Cert), Status: status, NextUpdate: now.Add(until)}
	}
	for title, c := range map[string]struct {
		answers []Revocation
		status  string
		serial  string
		until   time.Duration
	}{
		"all good":                   {[]Revocation{about(leaf, Good, 2*time.Hour), about(p.ca, Good, time.Hour)}, Good, "", time.Hour},
		"one ended":                  {[]Revocation{about(leaf, Good, -time.Hour), about(p.ca, Good, time.Hour)}, Unknown, serial(leaf.Cert), 0},
		"leaf revoked":               {[]Revocation{about(leaf, Revoked, time.Hour), about(p.ca, Good, time.Hour)}, Revoked, serial(leaf.Cert), time.Hour},
		"intermediate revoked":       {[]Revocation{about(leaf, Good, time.Hour), about(p.ca, Revoked, time.Hour)}, Revoked, serial(p.ca.Cert), time.Hour},
		"hold and revoked":           {[]Revocation{about(leaf, Revoked, time.Hour), about(p.ca, Hold, time.Hour)}, Revoked, serial(leaf.Cert), time.Hour},
		"hold and silence":           {[]Revocation{about(p.ca, Hold, time.Hour)}, Hold, serial(p.ca.Cert), time.Hour},
		"good, and revoked as well":  {[]Revocation{about(leaf, Good, time.Hour), about(leaf, Revoked, time.Hour)}, Revoked, serial(leaf.Cert), time.Hour},
		"silence":                    {nil, Unknown, serial(p.ca.Cert), 0},
		"names nobody":               {[]Revocation{about(leaf, NoSource, 0), about(p.ca, Good, time.Hour)}, NoSource, serial(leaf.Cert), 0},
		"names nobody, then silence": {[]Revocation{about(leaf, NoSource, 0)}, Unknown, serial(p.ca.Cert), 0},
		"silence, then names nobody": {[]Revocation{about(p.ca, NoSource, 0)}, Unknown, serial(leaf.Cert), 0},
	} {
		t.Run(title, func(t *testing.T) {
			s := Standing(path, c.answers, now)
			until := time.Duration(0)
			if !s.NextUpdate.IsZero() {
				until = s.NextUpdate.Sub(now)
			}
			if s.Status != c.status || s.Serial != c.serial || until != c.until {
				t.Errorf("%+v", s)
			}
		})
	}
	if s := Standing(trust.Path{}, nil, now); s.Status != Unknown {
		t.Errorf("no path: %+v", s)
	}
}
