package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/admin"
	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/trust"
)

// TestComplaining: a full disk is said, but not for every message.
func TestComplaining(t *testing.T) {
	var log bytes.Buffer
	now := time.Unix(1_000_000, 0)
	ask := complaining(nobody(errors.New("disk full\nand again")), collect.NewLog(&log, "human", "info").Logger(), func() time.Time { return now })
	for range 3 {
		if answers, err := ask(t.Context(), trust.Path{}, now); answers != nil || err == nil {
			t.Errorf("%v, %v", answers, err)
		}
	}
	now = now.Add(complainEvery)
	ask(t.Context(), trust.Path{}, now)
	if n := strings.Count(log.String(), "error: revocation: CAs cannot be asked as they should: disk full; and again\n"); n != 2 {
		t.Errorf("said %d times:\n%s", n, log.String())
	}
	good := complaining(func(context.Context, trust.Path, time.Time) ([]verify.Revocation, error) { return nil, nil }, nil, nil)
	if _, err := good(t.Context(), trust.Path{}, now); err != nil {
		t.Error(err)
	}
}

// TestNowhereToKeepAnswers: without the folder of answers the daemon starts, and
// nothing counts as good; once it is mended a reload asks.
func TestNowhereToKeepAnswers(t *testing.T) {
	var log bytes.Buffer
	d := &service{log: collect.NewLog(&log, "human", "info")}
	c := config.Defaults()
	c.Store.Path = filepath.Join(t.TempDir(), "store")
	if err := os.Mkdir(c.Store.Path, 0o711); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(answersDir(&c), nil, 0o600); err != nil { // in the place of the folder
		t.Fatal(err)
	}
	a, err := d.assemble(&c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if answers, err := a.verifier.Revoked(t.Context(), trust.Path{}, time.Now()); len(answers) != 0 || err == nil {
		t.Errorf("%v, %v", answers, err)
	}
	if s := log.String(); !strings.Contains(s, "error: revoke: cache: ") || !strings.Contains(s, answersDir(&c)) {
		t.Errorf("log: %s", s)
	}
	if _, err := d.assemble(&c, a); err == nil {
		t.Error("a reload takes over what is not mended")
	}
	if err := os.Remove(answersDir(&c)); err != nil {
		t.Fatal(err)
	}
	b, err := d.assemble(&c, a)
	if err != nil || b.checker == nil {
		t.Fatalf("%+v, %v", b, err)
	}
	if err := b.checker.Close(); err != nil {
		t.Error(err)
	}
}

// TestWalkFollowsReload: a reload in the middle of a walk holds for the rest of it.
func TestWalkFollowsReload(t *testing.T) {
	var log bytes.Buffer
	d := &service{log: collect.NewLog(&log, "human", "info"), metrics: admin.New()}
	root := testmail.NewKeys().Root(testmail.Profile{Name: "Root", Kind: "p256"})
	leaf := root.Issue(testmail.Profile{Name: "a", Kind: "p256", Mailboxes: []string{"a@a.example"}})
	c := config.Defaults()
	inForce := func(anchors ...*trust.Anchor) {
		d.inForce.Store(&assembly{verifier: &verify.Verifier{Policy: c.Policy(), Now: testmail.Instant, Anchors: trust.New(anchors...)}})
	}
	inForce(&trust.Anchor{Certificate: root.Cert})
	var statuses []string
	d.recheckOnce(t.Context(), func(_ *store.Directory, ctx context.Context, _ time.Time, ask asker, _ func(store.Event)) (store.Rechecked, error) {
		for range 2 {
			statuses = append(statuses, ask(ctx, store.Kept{Certificate: leaf.DER}).Status)
			inForce()
		}
		return store.Rechecked{Asked: 2}, nil
	})
	if got := strings.Join(statuses, " "); got != "none untrusted" {
		t.Errorf("%s\n%s", got, log.String())
	}
}
