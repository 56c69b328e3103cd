package trust_test

import (
	"crypto/x509"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// blind returns the certificate of a CA with a key that is not its own, in
// memory only: a path through it is accepted where no signature is checked.
func (w world) blind(id *testmail.Identity) *x509.Certificate {
	c := *id.Cert
	c.PublicKey = w.keys.Key(ec, "blind").Public()
	return &c
}

// warm returns anchors that have seen the honest path of w.
func (w world) warm(t *testing.T) *trust.Anchors {
	t.Helper()
	set := trust.New(anchor(w.root))
	p, r := set.Path(w.leaf.Cert, bagOf(w.inter), options())
	want(t, "", p, r)
	return set
}

// TestPathFoundBeforeNeedsNoSignature: one that was accepted is accepted again
// without any operation, and pays for them from the budget as the first time.
func TestPathFoundBeforeNeedsNoSignature(t *testing.T) {
	w := newWorld()
	bag := []*x509.Certificate{w.blind(w.inter)}
	p, r := trust.New(anchor(w.root)).Path(w.leaf.Cert, bag, options())
	want(t, "cert-untrusted", p, r)
	set := w.warm(t)
	for left, reason := range map[int]string{3: "", 2: "", 1: "cert-untrusted", 0: "cert-untrusted"} {
		o := options()
		rest := left
		o.Operations = &rest
		p, r = set.Path(w.leaf.Cert, bag, o)
		want(t, reason, p, r)
		if rest != max(left-2, 0) {
			t.Errorf("of %d operations %d are left", left, rest)
		}
	}
	p, r = set.With(trust.NewShelf(bag), nil).Path(w.leaf.Cert, nil, options())
	want(t, "", p, r)
}

// TestPathOfAnotherParentIsNew: a CA of the same name, with another key, did
// not sign what its namesake signed, nor does it sign for a namesake anchor.
func TestPathOfAnotherParentIsNew(t *testing.T) {
	w := newWorld()
	set := w.warm(t)
	other := w.root.Intermediate(testmail.Profile{Name: "Mail CA", Organisation: "Example Trust", Key: w.keys.Key(ec, "other"),
		Serial: w.inter.Cert.SerialNumber})
	p, r := set.Path(w.leaf.Cert, bagOf(other), options())
	want(t, "cert-incomplete", p, r)
	p, r = set.Path(other.Issue(bob()).Cert, bagOf(w.inter), options())
	want(t, "cert-incomplete", p, r)
	root := w.keys.Root(testmail.Profile{Name: "Root", Organisation: "Example Trust", Key: w.keys.Key(ec, "other root")})
	p, r = trust.New(anchor(root)).Path(w.leaf.Cert, bagOf(w.inter), options())
	want(t, "cert-incomplete", p, r)
}

// TestPathWithAByteChangedIsNew changes every byte of leaf and intermediate.
func TestPathWithAByteChangedIsNew(t *testing.T) {
	w := newWorld()
	set := w.warm(t)
	changed := 0
	for _, id := range []*testmail.Identity{w.leaf, w.inter} {
		for i := range id.DER {
			der := slices.Clone(id.DER)
			der[i] ^= 1
			c, err := x509.ParseCertificate(der)
			if err != nil {
				continue
			}
			changed++
			leaf, bag := c, bagOf(w.inter)
			if id == w.inter {
				leaf, bag = w.leaf.Cert, []*x509.Certificate{c}
			}
			if _, r := set.Path(leaf, bag, options()); r == nil {
				t.Errorf("accepted with byte %d of %s changed", i, id.Cert.Subject)
			}
		}
	}
	if changed < 200 {
		t.Errorf("only %d changed certificates can be read", changed)
	}
}

// TestPathFoundBeforeIsJudged: dates, the block list and the limits of the
// anchor are asked about each time.
func TestPathFoundBeforeIsJudged(t *testing.T) {
	w := newWorld()
	late := w.leaf.Cert.NotAfter
	if w.inter.Cert.NotAfter.Before(late) || w.root.Cert.NotAfter.Before(late) {
		t.Fatal("the leaf is to be the first that expires")
	}
	set := w.warm(t)
	at := func(o trust.Options, days int) trust.Options { o.At = late.AddDate(0, 0, days); return o }
	p, r := set.Path(w.leaf.Cert, bagOf(w.inter), at(options(), 0))
	want(t, "", p, r)
	p, r = set.Path(w.leaf.Cert, bagOf(w.inter), at(options(), 1))
	want(t, "cert-expired", p, r)
	o := options()
	o.At = w.leaf.Cert.NotBefore.AddDate(0, 0, -1)
	p, r = set.Path(w.leaf.Cert, bagOf(w.inter), o)
	want(t, "cert-not-yet-valid", p, r)
	for _, ca := range []*testmail.Identity{w.inter, w.root} {
		p, r = set.With(nil, blocking(ca)).Path(w.leaf.Cert, bagOf(w.inter), options())
		want(t, "cert-blocked", p, r)
	}
	p, r = set.Path(w.leaf.Cert, bagOf(w.inter), options())
	want(t, "", p, r)
}

// TestLimitsBindPathsFoundBefore: what is remembered says nothing of mailboxes
// and anchors.
func TestLimitsBindPathsFoundBefore(t *testing.T) {
	w := newWorld()
	narrow := w.root.Intermediate(testmail.Profile{Name: "Narrow", Kind: ec, PermittedMail: []string{"other.example"}})
	limited, distrusted := anchor(w.root), anchor(w.root)
	limited.Domains = []string{"other.example"}
	distrusted.DistrustAfter = w.leaf.Cert.NotBefore.AddDate(0, 0, -1)
	for _, c := range []struct {
		anchor *trust.Anchor
		leaf   *testmail.Identity
		bag    []*x509.Certificate
		reason string
	}{
		{anchor(w.root), narrow.Issue(bob()), bagOf(narrow), "cert-constraint"},
		{limited, w.leaf, bagOf(w.inter), "cert-constraint"},
		{distrusted, w.leaf, bagOf(w.inter), "cert-distrusted"},
	} {
		set := trust.New(c.anchor)
		for range 2 {
			p, r := set.Path(c.leaf.Cert, c.bag, options())
			want(t, c.reason, p, r)
		}
		if set.Remembered() != 1 {
			t.Errorf("%s: %d paths are remembered: the second time proves nothing", c.reason, set.Remembered())
		}
	}
}

// TestRefusedPathsAreNotRemembered, those least of all whose signatures are
// checked in spite of a broken hash, to choose between refusals.
func TestRefusedPathsAreNotRemembered(t *testing.T) {
	w := newWorld()
	rsa := w.root.Intermediate(testmail.Profile{Name: "RSA CA"})
	forger := w.keys.Root(testmail.Profile{Name: "Mail CA", Organisation: "Example Trust", Key: w.keys.Key(ec, "forger")})
	for title, c := range map[string]struct {
		ca     *testmail.Identity
		change func(*testmail.Profile)
		reason string
	}{
		"SHA-1":           {rsa, func(p *testmail.Profile) { p.Algorithm = x509.SHA1WithRSA }, "cert-weak"},
		"MD5":             {rsa, func(p *testmail.Profile) { p.Algorithm = x509.MD5WithRSA }, "cert-weak"},
		"ECDSA and SHA-1": {w.inter, func(p *testmail.Profile) { p.Algorithm = x509.ECDSAWithSHA1 }, "cert-weak"},
		"expired":         {w.inter, func(p *testmail.Profile) { p.NotAfter = testmail.Instant().AddDate(0, 0, -1) }, "cert-expired"},
		"forged":          {forger, func(*testmail.Profile) {}, "cert-incomplete"},
	} {
		set := trust.New(anchor(w.root))
		for range 2 {
			p, r := set.Path(c.ca.Issue(like(c.change)).Cert, bagOf(w.inter, rsa), options())
			want(t, c.reason, p, r)
		}
		if set.Remembered() != 0 {
			t.Errorf("%s: %d paths are remembered", title, set.Remembered())
		}
	}
}

// TestMemoIsBounded: a flood of strangers does not make it grow. Whoever was
// pushed out is asked about anew; whoever keeps writing stays.
func TestMemoIsBounded(t *testing.T) {
	w := newWorld()
	set := w.warm(t)
	bag := []*x509.Certificate{w.blind(w.inter)}
	for i := range 8 {
		set.Flood(fmt.Sprint("some ", i), trust.MaxRemembered/4)
		p, r := set.Path(w.leaf.Cert, bag, options())
		want(t, "", p, r)
	}
	for i := range 4 {
		set.Flood(fmt.Sprint("many ", i), trust.MaxRemembered+1)
		if n := set.Remembered(); n > trust.MaxRemembered {
			t.Errorf("%d paths are remembered, more than %d", n, trust.MaxRemembered)
		}
	}
	p, r := set.Path(w.leaf.Cert, bag, options())
	want(t, "cert-untrusted", p, r)
	p, r = set.Path(w.leaf.Cert, bagOf(w.inter), options())
	want(t, "", p, r)
}

// TestMemoAmongMany is for the race detector.
func TestMemoAmongMany(t *testing.T) {
	w := newWorld()
	set := trust.New(anchor(w.root))
	leaves := []*testmail.Identity{w.leaf, w.inter.Issue(bob()), w.inter.Issue(bob())}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			set.Flood(fmt.Sprint(i), trust.MaxRemembered/3)
			for j := range 30 {
				if _, r := set.Path(leaves[(i+j)%len(leaves)].Cert, bagOf(w.inter), options()); r != nil {
					t.Error(r)
				}
			}
		})
	}
	all.Wait()
}
