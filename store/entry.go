// Package store keeps the certificates of honest senders.
package store

import "time"

// An Entry is one acceptance: a certificate, for whom, and what proves it.
type Entry struct {
	Address      string   // comparable form: smime.Address.Key, at most 254 bytes
	Spelling     string   // the address as the author wrote it
	Certificate  []byte   // DER
	Chain        [][]byte // DER, the certificates above, anchor last
	AnchorSource string   // where the anchor came from
	Private      bool     // the anchor is an operator's own, not of the public bundle
	At           time.Time
	SignedAt     time.Time
	Identity     [32]byte // the very same message
	Bound        string   // token, person, domain, none
	Chosen       string   // signer, preference
	Capabilities []string
	Unchecked    bool // no CA was asked whether it still stands
	Via          string
	Reference    string     // queue id
	Evidence     []Document // at most 64 KiB each, the CMS blob apart
	Report       []byte     // JSON of the Report
}

// A Document is one named piece of evidence.
type Document struct {
	Name  string // file name below the entry, of [a-z0-9.-]
	Bytes []byte
}

// A Kind says what the rules made of an acceptance.
type Kind string

// The kinds, in the order of the rules.
const (
	Blocked    Kind = "blocked"
	Repeated   Kind = "repeated" // the very same message again
	Seen       Kind = "seen"
	Added      Kind = "added"
	Additional Kind = "additional"
	Renewed    Kind = "renewed"
	Changed    Kind = "changed"
	Pending    Kind = "pending"
)

// A Change is what the store's rules made of an Entry.
type Change struct {
	Kind   Kind
	Reason string   // reason code of a refusal: cert-blocked, store-full; "" when kept
	Detail string   // our own words
	Files  []string // written below certs/, for the log
	Events []string // what the operator should hear: key changed, contested …
}
