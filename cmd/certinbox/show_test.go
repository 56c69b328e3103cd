package main

import (
	"context"
	"crypto/sha256"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/store"
)

// TestShowRevocation holds show and list to what a CA may say, from its silence to
// its last word.
func TestShowRevocation(t *testing.T) {
	const address = "alice@example.org"
	at := testmail.Instant()
	root := testmail.NewKeys().Root(testmail.Profile{Name: "Root", Kind: "p256"})
	leaf := root.Issue(testmail.Profile{Name: "alice", Kind: "p256", Mailboxes: []string{address}})
	kept, err := store.Open(t.TempDir(), store.Options{Rules: store.DefaultRules(), Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	_, err = kept.Put(t.Context(), store.Entry{Address: address, Spelling: address, Certificate: leaf.DER, Chain: [][]byte{root.DER},
		AnchorSource: "test", Bound: "domain", Chosen: "signer", Identity: sha256.Sum256([]byte("1")), At: at, SignedAt: at,
		Unchecked: true, Withhold: true})
	if err != nil {
		t.Fatal(err)
	}
	hour := 0
	for _, step := range []struct {
		says  *store.Standing
		list  string
		lines []string
		none  string
	}{
		{nil, "withheld", []string{`state +pending, withheld$`, `withheld +until its CA answers, at the latest until 2026`, `revocation +unchecked: no CA said`}, "asked"},
		{&store.Standing{Status: store.StatusUnknown}, "withheld", []string{`state +pending`, `revocation +unchecked`, `asked +2026`}, "good"},
		{&store.Standing{Status: store.StatusGood}, "active", []string{`state +active, encrypt to this one`, `revocation +good, its CA said last at 2026`}, "withheld +until"},
		{&store.Standing{Status: store.StatusUntrusted}, "active", []string{`state +active`, `path +leads to no anchor any more`, `revocation +good`}, ""},
		{&store.Standing{Status: store.StatusBlocked}, "blocked", []string{`state +blocked, as a CA of its path is`}, "encrypt to this one"},
		{&store.Standing{Status: store.StatusHold, Revoked: at, Detail: "certificateHold"}, "on-hold", []string{`state +revoked, suspended`, `revocation +since 2026.*, its CA says: "certificateHold"`}, "encrypt to this one"},
		{&store.Standing{Status: store.StatusRevoked, Detail: "affiliationChanged"}, "revoked", []string{`state +revoked$`, `revocation +its CA says: "affiliationChanged"`, `history .*"revoked at an unsaid time: affiliationChanged"`}, "suspended:"},
	} {
		if step.says != nil {
			hour++
			ask := func(context.Context, store.Kept) store.Standing { return *step.says }
			if _, err := kept.RecheckAddress(t.Context(), address, at.Add(time.Duration(hour)*time.Hour), ask, nil); err != nil {
				t.Fatal(err)
			}
		}
		a, err := kept.Show(address)
		if err != nil {
			t.Fatal(err)
		}
		var show, list strings.Builder
		if err := showAddress(&show, &a); err != nil {
			t.Fatal(err)
		}
		if err := listed(&list, &a.History, false); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(list.String(), address+"\t"+step.list+"\t") {
			t.Errorf("list: %q, want %s", list.String(), step.list)
		}
		for _, line := range step.lines {
			if !regexp.MustCompile(`(?m)^  ` + line).MatchString(show.String()) {
				t.Errorf("%s: no line %q in\n%s", step.list, line, show.String())
			}
		}
		if why := unpublished(kept, address, store.ErrNotFound); step.list != "active" && !strings.Contains(why.Error(), "no certificate is published: the newest is "+step.list) {
			t.Errorf("path: %v", why)
		}
		if step.none != "" && regexp.MustCompile(`(?m)^  .*`+step.none).MatchString(show.String()) {
			t.Errorf("%s: %q in\n%s", step.list, step.none, show.String())
		}
	}
}
