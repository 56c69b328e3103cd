// Package testmail makes the mail that tests and the demonstration need: keys,
// a throw-away CA, S/MIME and DKIM signatures with every knob, messages to the
// byte, and a DNS server on loopback.
//
// All that makes mail is a function of its arguments: keys come from a seed,
// signatures are deterministic, no clock is read. So a case file can be generated
// again and compared. Beside it stands what benchmarks are measured against (Floor).
//
// The package trusts its caller. A recipe that cannot be made is a mistake in
// the recipe, and recipes are code: such functions panic. Only what opens a
// socket returns an error. Nothing here may serve anything but tests: the
// private keys are known to everybody who can read this source.
//
// It imports no other room of the house but internal/smime/cms/cmstest, so
// that the tests of every room can use it; the case files are read by
// internal/testmail/cases.
package testmail

import "time"

// Instant is the usual clock of tests and cases: certificates are valid around
// it, and mail is dated just before it.
func Instant() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

func must[T any](v T, err error) T {
	if err != nil {
		panic("testmail: " + err.Error())
	}
	return v
}
