// Package verify is the judge: it answers ten fixed questions about a message
// and says what follows from the answers.
//
// A transport says Begin with what it knows besides the bytes, writes the bytes
// as received, and asks for the Report. That has one Result for each check, all
// of them, always in the same order. The first that neither passes nor is neutral
// decides; the Verdict, the Reply to the sender and every printed form follow
// from the rows. A check is one file and one row of the table in verifier.go.
//
// The order is a rule of security: nothing that a sender names is fetched before
// the thing that names it was found in order, a stranger's signature is opened
// only when the author's domain has vouched for the message, and CAs are asked
// last.
//
// It trusts the Policy, the anchors, the clock and the functions that it was
// given, and nothing in a message; whatever is wrong with one is a row of the
// Report and never an error. It opens no file and no connection, keeps nothing,
// and does not know which transport a message came by, nor whether the
// operator refuses, observes or delivers: that is package collect's work.
package verify
