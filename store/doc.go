// Package store keeps the certificates of honest senders.
//
// It decides what becomes of an acceptance by an ordered list of rules, one
// pure function for every backend (Decide), and keeps the outcome in a
// directory that people and programs can read without us (Directory):
//
//	certs/ADDRESS.crt        the certificate to encrypt to, one leaf, PEM
//	certs/ADDRESS.json       what is known about it, for machines
//	certs/ADDRESS.chain.pem  the certificates above it
//	entries/ADDRESS/state.json        states and history of all certificates of the address
//	entries/ADDRESS/SHA256/           a certificate, its chain, the evidence of its first and newest acceptance
//	reports/                          the last reports by reference
//	blocked                           the block list, a text file
//	deleted/ quota/ locks/            keyed hashes of deleted addresses, counters of new entries, locks
//
// entries/ is the truth and state.json its only commit point: it is replaced
// by one rename, and what it does not name does not exist. certs/ is a view
// that can be rebuilt from it. A lock file that outlives its process marks an
// address whose change was cut short; the next to come finishes it.
//
// It trusts its directory and its caller: it asks neither whether a
// certificate is genuine nor whether a message proves anything, that is
// package verify's work. Nor does it ask a CA whether a certificate still
// stands: Recheck says which it is time to ask about, is told the answer, and
// sees to what follows. It does not publish beyond certs/.
package store
