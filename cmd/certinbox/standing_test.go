package main

import (
	"context"
	"crypto/x509"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/admin"
	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/trust"
)

// TestStandingOfWhatIsKept: the path is looked for anew, and only the holder's own
// compromised key is to be blocked, not that of whoever stands below a compromised CA.
func TestStandingOfWhatIsKept(t *testing.T) {
	root := testmail.NewKeys().Root(testmail.Profile{Name: "Root", Kind: "p256"})
	ca := root.Intermediate(testmail.Profile{Name: "CA", Kind: "p256"})
	leaf := ca.Issue(testmail.Profile{Name: "Bob", Kind: "p256", Mailboxes: []string{"bob@example.org"}})
	anchors := trust.New(&trust.Anchor{Certificate: root.Cert})
	later := testmail.Instant().Add(time.Hour)
	good := func(id *testmail.Identity) verify.Revocation {
		return verify.Revocation{SHA256: trust.Fingerprint(id.Cert), Status: verify.Good, NextUpdate: later}
	}
	revoked := func(id *testmail.Identity, reason string) verify.Revocation {
		return verify.Revocation{SHA256: trust.Fingerprint(id.Cert), Status: verify.Revoked, Reason: reason, Revoked: testmail.Instant()}
	}
	for name, c := range map[string]struct {
		anchors    *trust.Anchors
		answers    []verify.Revocation // nil: nobody is asked
		want       string
		compromise bool
	}{
		"good":                    {anchors, []verify.Revocation{good(leaf), good(ca)}, store.StatusGood, false},
		"half an answer":          {anchors, []verify.Revocation{good(leaf)}, store.StatusUnknown, false},
		"nobody is asked":         {anchors, nil, store.StatusNone, false},
		"revoked":                 {anchors, []verify.Revocation{revoked(leaf, "superseded"), good(ca)}, store.StatusRevoked, false},
		"its key is compromised":  {anchors, []verify.Revocation{revoked(leaf, "keyCompromise"), good(ca)}, store.StatusRevoked, true},
		"that of its CA is":       {anchors, []verify.Revocation{good(leaf), revoked(ca, "keyCompromise")}, store.StatusRevoked, false},
		"no anchor any more":      {trust.New(), []verify.Revocation{good(leaf), good(ca)}, store.StatusUntrusted, false},
		"no anchor, and revoked":  {trust.New(), []verify.Revocation{revoked(leaf, "keyCompromise"), good(ca)}, store.StatusRevoked, true},
		"its CA is blocked":       {anchors.With(nil, ca.Cert.Equal), []verify.Revocation{good(leaf), good(ca)}, store.StatusBlocked, false},
		"blocked, nobody to ask":  {anchors.With(nil, ca.Cert.Equal), nil, store.StatusBlocked, false},
		"for other domains only":  {trust.New(&trust.Anchor{Certificate: root.Cert, Domains: []string{"other.example"}}), nil, store.StatusUntrusted, false},
		"distrusted since, older": {trust.New(&trust.Anchor{Certificate: root.Cert, DistrustAfter: testmail.Instant()}), []verify.Revocation{good(leaf), good(ca)}, store.StatusGood, false},
	} {
		v := &verify.Verifier{Policy: verify.DefaultPolicy(), Anchors: c.anchors, Now: testmail.Instant}
		if c.answers != nil {
			v.Revoked = func(context.Context, trust.Path, time.Time) ([]verify.Revocation, error) { return c.answers, nil }
		}
		s := standing(t.Context(), v, store.Kept{Certificate: leaf.DER, Chain: [][]byte{ca.DER, root.DER}})
		if s.Status != c.want || s.KeyCompromise != c.compromise || s.Detail == "" {
			t.Errorf("%s: %+v, want %s", name, s, c.want)
		}
	}
}

// TestLearntWithAnswersOnly: an intermediate is learnt only if its CAs stood by
// every certificate of the path (decision 37).
func TestLearntWithAnswersOnly(t *testing.T) {
	w := newWitness(slog.New(slog.DiscardHandler), testmail.Instant)
	cert := testmail.NewKeys().Root(testmail.Profile{Name: "Root", Kind: "p256"}).Cert
	path := trust.Path{Chain: []*x509.Certificate{cert, cert, cert}}
	w.Accepted(path, false, testmail.Instant())
	w.Accepted(trust.Path{Chain: path.Chain[:2]}, true, testmail.Instant())
	if len(w.learnt) != 0 {
		t.Error("learnt without answers, or without an intermediate")
	}
	w.Accepted(path, true, testmail.Instant())
	if len(w.learnt) != 1 {
		t.Error("not learnt")
	}
}

// TestTrustChangeInterruptsAWalk: a change of who is trusted does not wait for
// sources that are silent.
func TestTrustChangeInterruptsAWalk(t *testing.T) {
	d := &service{trustChanged: make(chan struct{}, 1), metrics: admin.New(), log: collect.NewLog(io.Discard, "human", "error")}
	kept, err := store.Open(t.TempDir(), store.Options{Group: -1, Now: testmail.Instant})
	if err != nil {
		t.Fatal(err)
	}
	d.inForce.Store(&assembly{kept: kept, verifier: &verify.Verifier{Policy: verify.DefaultPolicy(), Anchors: trust.New(), Now: testmail.Instant}})
	begun := make(chan struct{})
	var interrupted atomic.Bool
	go func() {
		<-begun
		d.trustChanged <- struct{}{}
	}()
	d.recheckAnew(t.Context(), func(_ *store.Directory, ctx context.Context, _ time.Time, _ asker, _ func(store.Event)) (store.Rechecked, error) {
		close(begun)
		select {
		case <-ctx.Done():
			interrupted.Store(true)
		case <-time.After(time.Minute): // a hang guard
		}
		return store.Rechecked{}, ctx.Err()
	})
	if !interrupted.Load() {
		t.Error("the walk went on")
	}
}
