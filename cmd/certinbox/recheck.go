package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/certinbox/certinbox/internal/admin"
	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/trust"
)

// How often the daemon looks which certificates are due to be asked about, and
// how long the question about one of them may take: nobody waits for it.
const (
	recheckEvery = time.Hour
	recheckTime  = 30 * time.Second
)

// recheckWithdrawn asks at once about each address whose mail was refused as
// revoked, beside a walk that may take long, until ctx ends.
func (d *service) recheckWithdrawn(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case address := <-d.witness.withdrawn:
			d.recheckOnce(ctx, func(kept *store.Directory, ctx context.Context, now time.Time, ask asker, tell func(store.Event)) (store.Rechecked, error) {
				return kept.RecheckAddress(ctx, address, now, ask, tell)
			})
		}
	}
}

// recheck asks the CAs again about what is kept, from time to time and when it
// changes who is trusted, until ctx ends. walked is called after each walk.
func (d *service) recheck(ctx context.Context, walked func()) {
	for {
		wait := time.NewTimer(recheckEvery - time.Duration(rand.Int64N(int64(recheckEvery/4))))
		d.recheckAnew(ctx, (*store.Directory).Recheck)
		walked()
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				wait.Stop()
				return
			case <-d.trustChanged:
				d.recheckAnew(ctx, (*store.Directory).RecheckAll)
			case <-wait.C:
				waiting = false
			}
		}
	}
}

type asker = func(context.Context, store.Kept) store.Standing

// A walk goes through certificates that are kept, asks about them and applies the answers.
type walk = func(*store.Directory, context.Context, time.Time, asker, func(store.Event)) (store.Rechecked, error)

// recheckAnew is recheckOnce, but begins anew with everything when it changes who
// is trusted: what a blocked CA has vouched for does not stay until a walk ends
// that waits for silent sources.
func (d *service) recheckAnew(ctx context.Context, w walk) {
	for again := true; again; w = (*store.Directory).RecheckAll {
		part, cancel := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			d.recheckOnce(part, w)
		}()
		select {
		case <-done:
			again = false
		case <-d.trustChanged:
			cancel()
			<-done
		}
		cancel()
	}
}

// recheckOnce asks once about what w chooses.
func (d *service) recheckOnce(ctx context.Context, w walk) {
	log := d.log.Logger()
	defer func() {
		if p := recover(); p != nil {
			log.Error("recheck: a fault of ours", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	a := d.inForce.Load()
	// A walk may take long: who asks and who is trusted may change on its way.
	ask := func(ctx context.Context, k store.Kept) store.Standing {
		return standing(ctx, d.inForce.Load().verifier, k)
	}
	n, err := w(a.kept, ctx, a.verifier.Now(), ask, d.tellEvent)
	for result, count := range map[string]int{admin.Good: n.Good, admin.Revoked: n.Revoked, admin.Held: n.Held,
		admin.Reinstated: n.Reinstated, admin.Blocked: n.Blocked, admin.Untrusted: n.Untrusted, admin.Unanswered: n.Unanswered} {
		d.metrics.Rechecked(result, count)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		log.Error("recheck: " + err.Error())
	}
	if n.Asked > 0 {
		log.Info("rechecked", "asked", n.Asked, "good", n.Good, "revoked", n.Revoked, "held", n.Held, "reinstated", n.Reinstated,
			"blocked", n.Blocked, "untrusted", n.Untrusted, "unanswered", n.Unanswered, "published", n.Published)
	}
}

// tellEvent logs what the operator should hear; what takes a certificate away from
// those who encrypt to it is a warning.
func (d *service) tellEvent(e store.Event) {
	level := slog.LevelInfo
	switch e.Kind {
	case store.EventRevoked, store.EventHold, store.EventBlocked, store.EventUntrusted:
		level = slog.LevelWarn
	}
	attrs := []any{"address", e.Address}
	if e.Kind != "" {
		attrs = append(attrs, "event", e.Kind)
	}
	d.log.Logger().Log(context.Background(), level, "recheck: "+e.Text, attrs...)
}

// standing finds the path of a certificate that is kept anew, as CAs may have
// been removed or blocked since, and asks about it. Where it leads to no anchor
// any more, the CAs that once stood by it are asked whether they still do.
func standing(ctx context.Context, v *verify.Verifier, k store.Kept) store.Standing {
	chain := parsed(k)
	if len(chain) == 0 {
		return store.Standing{Status: verify.Unknown, Detail: "the certificate cannot be read"}
	}
	l := v.Policy.Limits
	path, refusal := v.Anchors.Path(chain[0], chain[1:], trust.Options{At: v.Now(), MaxChain: l.Chain, MaxSANs: l.SANs, RSABits: l.RSABits})
	switch {
	case refusal != nil && refusal.Reason == store.ReasonBlocked:
		return store.Standing{Status: store.StatusBlocked, Detail: refusal.Detail}
	case refusal == nil:
		return asked(ctx, v, path)
	}
	if len(chain) == 1+len(k.Chain) { // the path of its acceptance
		s := asked(ctx, v, trust.Path{Chain: chain, Anchor: &trust.Anchor{Certificate: chain[len(chain)-1]}})
		if s.Status == verify.Revoked || s.Status == verify.Hold {
			return s
		}
	}
	return store.Standing{Status: store.StatusUntrusted, Detail: refusal.Detail}
}

// parsed returns the certificate and those above it, as far as they can be read;
// none if the certificate itself cannot.
func parsed(k store.Kept) []*x509.Certificate {
	var out []*x509.Certificate
	for i, der := range append([][]byte{k.Certificate}, k.Chain...) {
		c, err := x509.ParseCertificate(der)
		if err == nil {
			out = append(out, c)
		} else if i == 0 {
			return nil
		}
	}
	return out
}

// asked is what the CAs of a path say.
func asked(ctx context.Context, v *verify.Verifier, path trust.Path) store.Standing {
	if v.Revoked == nil {
		return store.Standing{Status: verify.NoSource, Detail: "no CA was asked"}
	}
	ctx, cancel := context.WithTimeout(ctx, recheckTime)
	defer cancel()
	answers, err := v.Revoked(ctx, path, v.Now())
	a := verify.Standing(path, answers, v.Now())
	s := store.Standing{Status: a.Status, Detail: a.Detail, Revoked: a.Revoked, AskAgain: a.NextUpdate}
	if a.Status == verify.Revoked || a.Status == verify.Hold {
		s.Detail = a.String()
		s.KeyCompromise = a.Reason == "keyCompromise" && a.SHA256 == trust.Fingerprint(path.Chain[0])
	}
	if err != nil && a.Status == verify.Unknown {
		s.Detail += ": " + err.Error()
	}
	return s
}
