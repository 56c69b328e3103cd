package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/revoke"
	"github.com/certinbox/certinbox/verify/trust"
)

// revocationMode is whether CAs are asked. What they say today is nothing about
// another day, so that with --at nobody is asked unless --revocation says so.
func (w *world) revocationMode(c *config.Config) (string, error) {
	switch w.revocation {
	case config.Soft, config.Hard, config.Off:
		return w.revocation, nil
	case "":
	default:
		return "", fail(exitUsage, fmt.Errorf("--revocation %q: use soft, hard or off", w.revocation))
	}
	if w.at != "" {
		return config.Off, nil
	}
	return c.Revocation.Mode, nil
}

// newChecker returns who asks CAs as configured, nil where nobody is to be
// asked. dir is where answers are kept, "" for a folder that Close removes.
func newChecker(conf *config.Config, dir string, now func() time.Time, log *slog.Logger) (*revoke.Checker, error) {
	r := conf.Revocation
	if r.Mode == config.Off {
		return nil, nil
	}
	var allow []revoke.Allowed
	for _, s := range r.Allow {
		a, err := revoke.ParseAllowed(s)
		if err != nil { // the configuration was checked before
			return nil, fail(exitConfig, fmt.Errorf("revocation.allow: %w", err))
		}
		allow = append(allow, a)
	}
	c, err := revoke.New(revoke.Options{Dir: dir, Allow: allow, Servers: conf.DNS.Servers, CRLBytes: int64(r.CRLSize), CacheBytes: int64(r.CacheSize), Now: now, Log: log})
	if err != nil {
		return nil, fail(exitIO, err)
	}
	return c, nil
}

// An asks is Revoked of a verify.Verifier.
type asks = func(context.Context, trust.Path, time.Time) ([]verify.Revocation, error)

// nobody stands in for who cannot ask, and says why.
func nobody(err error) asks {
	return func(context.Context, trust.Path, time.Time) ([]verify.Revocation, error) { return nil, err }
}

// complainEvery is how often trouble of our own with asking is said: every
// message meets the same full disk.
const complainEvery = time.Minute

// complaining is ask, and puts trouble of our own machine into the log.
func complaining(ask asks, log *slog.Logger, now func() time.Time) asks {
	var mu sync.Mutex
	var last time.Time
	return func(ctx context.Context, path trust.Path, at time.Time) ([]verify.Revocation, error) {
		answers, err := ask(ctx, path, at)
		if err == nil {
			return answers, nil
		}
		mu.Lock()
		say := last.IsZero() || now().Sub(last) >= complainEvery
		if say {
			last = now()
		}
		mu.Unlock()
		if say {
			log.Error("revocation: CAs cannot be asked as they should: " + strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		return answers, err
	}
}

// answersDir is where the daemon keeps what CAs said.
func answersDir(c *config.Config) string { return filepath.Join(c.Store.Path, "revocation") }

// sameAsking says whether who asks for a serves b too.
func sameAsking(x, y *config.Config) bool {
	a, b := x.Revocation, y.Revocation
	return slices.Equal(x.DNS.Servers, y.DNS.Servers) && (a.Mode == config.Off) == (b.Mode == config.Off) && slices.Equal(a.Allow, b.Allow) &&
		a.CRLSize == b.CRLSize && a.CacheSize == b.CacheSize
}
