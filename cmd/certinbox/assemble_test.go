package main

import (
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify/trust"
)

// TestVouching: whatever narrows who may vouch makes the daemon look at what is
// kept at once.
func TestVouching(t *testing.T) {
	ca := testmail.NewKeys().Root(testmail.Profile{Name: "Company CA"}).Cert
	state := func(a trust.Anchor, blocks ...store.BlockEntry) string {
		a.Certificate = ca
		return (&assembly{trusted: trusted{anchors: trust.New(&a)}, blocks: blocks}).vouching()
	}
	as := func() trust.Anchor { return trust.Anchor{Domains: []string{"a.example"}, AllowSubjectAddress: true} }
	was := state(as())
	if state(as()) != was {
		t.Error("the same anchors are two states")
	}
	for name, other := range map[string]string{
		"none":            (&assembly{trusted: trusted{anchors: trust.New()}}).vouching(),
		"other domains":   state(trust.Anchor{Domains: []string{"b.example"}, AllowSubjectAddress: true}),
		"any domain":      state(trust.Anchor{AllowSubjectAddress: true}),
		"no domain":       state(trust.Anchor{Domains: []string{}, AllowSubjectAddress: true}),
		"exclusive":       state(trust.Anchor{Domains: []string{"a.example"}, AllowSubjectAddress: true, Exclusive: true}),
		"public":          state(trust.Anchor{Domains: []string{"a.example"}, AllowSubjectAddress: true, Public: true}),
		"subject address": state(trust.Anchor{Domains: []string{"a.example"}}),
		"missing EKU":     state(trust.Anchor{Domains: []string{"a.example"}, AllowSubjectAddress: true, AllowMissingEKU: true}),
		"distrusted":      state(trust.Anchor{Domains: []string{"a.example"}, AllowSubjectAddress: true, DistrustAfter: time.Unix(1, 0)}),
		"a block":         state(as(), store.BlockEntry{What: store.BlockKey, Value: "00"}),
	} {
		if other == was {
			t.Errorf("%s: not noticed", name)
		}
	}
}
