package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/certinbox/certinbox/verify/trust"
)

// A witness writes down what messages show about CAs, beside the messages: no
// answer waits for its disk.
type witness struct {
	issuers   *trust.Issuers
	learnt    chan learnt
	withdrawn chan string // addresses to be asked about at once
	log       *slog.Logger
	now       func() time.Time
}

type learnt struct {
	path trust.Path
	at   time.Time
}

// Rooms of what waits. What does not fit is left out: the next mail brings it
// again, and the next walk asks about every address.
const (
	maxLearning  = 64
	maxWithdrawn = 256
	saveIssuers  = time.Minute
)

func newWitness(log *slog.Logger, now func() time.Time) *witness {
	return &witness{issuers: &trust.Issuers{}, log: log, now: now,
		learnt: make(chan learnt, maxLearning), withdrawn: make(chan string, maxWithdrawn)}
}

// resume takes over what was counted before.
func (w *witness) resume(t trusted) {
	if t.folder == nil {
		return
	}
	issuers, err := trust.ReadIssuers(t.folder)
	if err != nil {
		w.log.Warn(err.Error() + ": the refused issuers are counted anew")
		return
	}
	w.issuers = issuers
}

// Accepted implements collect.Witness. Intermediates are learnt only from paths
// whose CAs said that they still stand.
func (w *witness) Accepted(path trust.Path, checked bool, at time.Time) {
	if !checked || len(path.Chain) < 3 {
		return
	}
	select {
	case w.learnt <- learnt{path, at}:
	default:
	}
}

// Refused implements collect.Witness.
func (w *witness) Refused(cert *x509.Certificate, reason, domain string, at time.Time) {
	w.issuers.Note(cert, reason, domain, at)
}

// Withdrawn implements collect.Witness.
func (w *witness) Withdrawn(address string) {
	select {
	case w.withdrawn <- address:
	default:
	}
}

// run learns and saves until ctx ends, and saves once more then. inForce is what
// is trusted at the moment; without a folder nothing is written.
func (w *witness) run(ctx context.Context, inForce func() trusted) {
	tick := time.NewTicker(saveIssuers)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			w.step(inForce(), w.save)
			return
		case l := <-w.learnt:
			w.step(inForce(), func(t trusted) error { return t.folder.Learn(t.shelf, l.path, l.at) })
		case <-tick.C:
			w.step(inForce(), w.save)
		}
	}
}

// finish learns what waits and saves, for a process that ends.
func (w *witness) finish(t trusted) {
	for {
		select {
		case l := <-w.learnt:
			w.step(t, func(t trusted) error { return t.folder.Learn(t.shelf, l.path, l.at) })
		default:
			w.step(t, w.save)
			return
		}
	}
}

func (w *witness) save(t trusted) error { return w.issuers.Save(t.folder, w.now()) }

func (w *witness) step(t trusted, do func(trusted) error) {
	defer func() {
		if p := recover(); p != nil {
			w.log.Error("trust: a fault of ours", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	if t.folder == nil {
		return
	}
	if err := do(t); err != nil {
		w.log.Error(err.Error())
	}
}
