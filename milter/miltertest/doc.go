// Package miltertest plays the MTA: it speaks the milter protocol to a filter
// over a connection, sends whole messages the way Postfix sends them, and says
// what the MTA would have answered and delivered.
//
// It is written from the protocol, not on top of the library that the filter
// uses, so that a test does not share the library's mistakes. It trusts the
// filter as little as an MTA does: every frame it reads is bounded, every wait
// has an end. It is made for tests, the demo and benchmarks; it moves no mail.
//
// An MTA is one connection and is not safe for concurrent use.
package miltertest
