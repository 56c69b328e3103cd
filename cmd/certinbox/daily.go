package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/certinbox/certinbox/store"
)

// daily sweeps the store at the start and then once a day, until ctx ends. Before
// the first time CAs are asked about what is kept: after a time away, what waits for
// its CA would be published in the moment in which that is asked.
func (d *service) daily(ctx context.Context, walked <-chan struct{}) {
	select {
	case <-ctx.Done():
		return
	case <-walked:
	}
	for first := true; ; first = false {
		d.sweep(ctx)
		d.sweepTrust(!first) // reading the roots has just said how old they are
		select {
		case <-ctx.Done():
			return
		case <-time.After(24 * time.Hour):
		}
	}
}

// sweepTrust forgets learnt intermediates that have expired, and says when the
// public roots are old.
func (d *service) sweepTrust(sayAge bool) {
	log := d.log.Logger()
	defer func() {
		if p := recover(); p != nil {
			log.Error("sweep: a fault of ours", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	a := d.inForce.Load()
	now := a.verifier.Now()
	if b := a.trusted.bundle; sayAge && b.Old(now) {
		log.Warn("trust: the public e-mail roots in force are over 180 days old: bring newer ones with certinbox trust update or a newer certinbox",
			"roots", a.trusted.file, "of", day(b.Date))
	}
	if a.trusted.folder == nil {
		return
	}
	n, err := a.trusted.folder.Expire(a.trusted.shelf, now)
	if err != nil {
		log.Error("sweep: " + err.Error())
	}
	if n > 0 {
		log.Info("sweep: forgot learnt intermediates that have expired", "count", n)
	}
}

// sweep takes expired certificates out of what is published, ends the hold of
// pending ones, and says what expires soon.
func (d *service) sweep(ctx context.Context) {
	log := d.log.Logger()
	defer func() {
		if p := recover(); p != nil {
			log.Error("sweep: a fault of ours", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	a := d.inForce.Load()
	err := a.kept.Sweep(ctx, a.verifier.Now(), func(e store.Event) {
		log.Info("sweep: "+e.Text, "address", e.Address)
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		log.Error("sweep: " + err.Error())
	}
}
