package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/revoke"
	"github.com/certinbox/certinbox/verify/trust"
)

// An assembly is everything that one reading of the configuration leads to.
type assembly struct {
	config   *config.Config
	verifier *verify.Verifier
	trusted  trusted
	checker  *revoke.Checker // nil: no CA is asked
	kept     *store.Directory
	blocks   []store.BlockEntry
	settings collect.Settings
}

// An assembler puts together what a configuration says, for the daemon and for
// the commands that judge and keep like it.
type assembler struct {
	world
	log     *collect.Log
	witness collect.Witness
	counter collect.Counter // nil: nothing is counted
}

// assemble puts together what c says, for the daemon.
func (d *service) assemble(c *config.Config, before *assembly) (*assembly, error) {
	return (&assembler{world: d.world, log: d.log, witness: d.witness, counter: d.metrics}).assemble(c, before)
}

// assemble puts together what c says. Nothing is in force yet. Who asks CAs is
// taken over from before where nothing that matters to it has changed.
func (d *assembler) assemble(c *config.Config, before *assembly) (a *assembly, err error) {
	mode, err := d.revocationMode(c)
	if err != nil {
		return nil, err
	}
	mine := *c // what was read stays as it was, for the next comparison
	mine.Revocation.Mode = mode
	c = &mine
	a = &assembly{config: c}
	log := d.log.Logger()
	a.verifier, a.trusted, err = d.judge(c, func(problem string) { log.Warn("trust: " + problem) })
	if err != nil {
		return nil, err
	}
	if a.kept, err = openStore(c, a.verifier.Now, false); err != nil {
		return nil, err
	}
	if a.blocks, err = a.kept.BlockList(); err != nil {
		return nil, fromStore(err)
	}
	if d.anchors == "" { // the daemon writes there, too
		if a.trusted.folder, err = openTrust(c, false, nil); err != nil {
			return nil, err
		}
	}
	if a.settings, err = d.settings(a); err != nil {
		return nil, err
	}
	if before != nil && before.checker != nil && sameAsking(before.config, c) {
		a.checker = before.checker
	} else if a.checker, err = newChecker(c, answersDir(c), a.verifier.Now, log); err != nil {
		if f, ok := errors.AsType[*failure](err); before != nil || !ok || f.status != exitIO {
			return nil, err // nothing may fail after this: nobody would close it
		}
		// No reason to stay away: other people's mail would wait for us too.
		log.Error(err.Error() + ": until a reload after that is mended no CA is asked, as if none answered")
		a.verifier.Revoked = complaining(nobody(err), log, time.Now)
	}
	if a.checker != nil {
		a.verifier.Revoked = complaining(a.checker.Ask, log, time.Now)
	}
	return a, nil
}

// settings is what a Collector needs of an assembly.
func (d *assembler) settings(a *assembly) (collect.Settings, error) {
	c := a.config
	s := collect.Settings{
		Verifier: a.verifier, Keeper: a.kept, Log: d.log, Witness: d.witness, Counter: d.counter,
		Observe: c.Mode == config.Observe, Refuse: c.Refuse, Discard: c.OnAccept == config.Discard,
		AuthservID: c.AuthservID, HelpURL: c.HelpURL,
		Relays: prefixes(c.Relays), OwnNetworks: prefixes(c.OwnNetworks),
		Judged: c.Limits.Judged, InFlight: int64(c.Limits.InFlight),
	}
	if d.at == "" {
		s.NotBefore = made()
	}
	if c.Reports.Keep > 0 && c.Reports.Size > 0 {
		ring, err := a.kept.Reports()
		if err != nil {
			return collect.Settings{}, fromStore(err)
		}
		s.Reports = ring
	}
	return s, nil
}

// install makes an assembly the one in force, for what happens beside messages.
func (d *service) install(a *assembly) {
	before := d.inForce.Swap(a)
	d.metrics.Trust(a.trusted.anchors.Len(), a.trusted.bundle.Date)
	if before != nil && before.vouching() != a.vouching() {
		select {
		case d.trustChanged <- struct{}{}:
		default:
		}
	}
	if before == nil || before.checker == nil || before.checker == a.checker {
		return
	}
	// Messages under judgement may still be asking the one from before.
	log, wait := d.log.Logger(), before.verifier.Policy.Limits.Time
	time.AfterFunc(wait, func() {
		if err := before.checker.Close(); err != nil {
			log.Error("revocation: " + err.Error())
		}
	})
}

// vouching tells one state of who may vouch from another: anchors, their limits,
// the block list, and whether CAs are asked at all.
func (a *assembly) vouching() string {
	h := sha256.New()
	for _, t := range a.trusted.anchors.List() {
		fmt.Fprintln(h, trust.Fingerprint(t.Certificate), t.Domains, t.Domains == nil, t.Exclusive, t.AllowMissingEKU, t.AllowSubjectAddress, t.Public, t.DistrustAfter)
	}
	fmt.Fprintln(h, a.blocks, a.verifier != nil && a.verifier.Revoked != nil)
	return hex.EncodeToString(h.Sum(nil))
}
