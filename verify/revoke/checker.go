package revoke

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/trust"
)

// Options are what a Checker needs. Every bound must be positive.
type Options struct {
	Dir        string           // where answers are kept, made if missing; "": a folder that Close removes
	Allow      []Allowed        // exceptions from the rules about addresses and ports
	CRLBytes   int64            // the longest list that is read
	CacheBytes int64            // of all answers on disk
	Now        func() time.Time // when answers are fetched and failures forgotten; the judgement brings its own time
	Log        *slog.Logger     // what goes wrong with a source; nil: nowhere
}

// A Checker asks CAs. It is safe for concurrent use.
type Checker struct{}

// New returns a Checker over the folder of Options, whose answers it takes over.
func New(o Options) (*Checker, error) { return nil, errors.New("revoke: not there yet") }

// Close ends what is being fetched and waits for it.
func (c *Checker) Close() error { return nil }

// Ask returns what is known about every certificate of a path below its anchor,
// leaf first, one Revocation or more each. It takes until ctx ends at most;
// what is being fetched then goes on for the next who asks. The error is about
// our own machine (the cache cannot be written); the answers count all the same.
func (c *Checker) Ask(ctx context.Context, path trust.Path, at time.Time) ([]verify.Revocation, error) {
	return nil, nil
}
