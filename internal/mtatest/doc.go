// Package mtatest runs private instances of Postfix, Sendmail and OpenDKIM on
// loopback, in temporary directories, so that tests send mail through what
// operators really use. It needs root, as the MTAs do to start.
//
// It trusts the test that calls it. It listens nowhere but on 127.0.0.1, touches
// no configuration of the machine, and ends what it started by process id. It
// serves no purpose outside tests.
package mtatest
