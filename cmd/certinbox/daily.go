package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/certinbox/certinbox/store"
)

// daily sweeps the store at the start and then once a day, until ctx ends.
func (d *service) daily(ctx context.Context) {
	for {
		d.sweep(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(24 * time.Hour):
		}
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
