package store

import (
	"errors"
	"time"
)

// The bounds of an Entry. Put fails on what exceeds them, but for what a
// sender can make long: that is cut.
const (
	MaxAddress      = 254      // bytes of an address
	MaxCertificate  = 64 << 10 // bytes of DER
	MaxChain        = 16       // certificates
	MaxDocuments    = 32       // pieces of evidence
	MaxDocument     = 64 << 10 // bytes of a piece of evidence; what is longer is cut and marked
	MaxCMS          = 16 << 20 // bytes of the CMS blob, which may hold the whole message
	MaxReport       = 1 << 20  // bytes of the JSON of a Report; what is longer is cut and marked
	MaxCapabilities = 64       // the rest is dropped
	maxWord         = 256      // bytes of a short text: Via, Reference, …
)

// CMSDocument is the name of the evidence that may exceed MaxDocument.
const CMSDocument = "cms.der"

// An Entry is one acceptance: a certificate, for whom, and what proves it.
type Entry struct {
	Address      string   // comparable form: smime.Address.Key, at most MaxAddress bytes
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
	Unchecked    bool      // no CA said whether it still stands
	Withhold     bool      // unchecked, but a CA may still say: not published before, or before Rules.PublishUnchecked is over
	AskAgain     time.Time // when the CAs' answers end; zero: there is none
	Via          string
	Reference    string     // queue id
	Evidence     []Document // at most 64 KiB each, the CMS blob apart
	Report       []byte     // JSON of the Report
}

// A Document is one named piece of evidence.
type Document struct {
	Name  string // file name below the entry, of [a-z0-9.-], without a leading dot
	Bytes []byte
}

// A Kind says what the rules made of an acceptance.
type Kind string

// The kinds, in the order of the rules.
const (
	Blocked    Kind = "blocked"  // refused: Change.Reason says why
	Repeated   Kind = "repeated" // the very same message again
	Seen       Kind = "seen"
	Added      Kind = "added"
	Additional Kind = "additional"
	Renewed    Kind = "renewed"
	Changed    Kind = "changed"
	Pending    Kind = "pending"
)

// The reasons that a Change may carry, codes of the table of replies.
const (
	ReasonBlocked = "cert-blocked"
	ReasonFull    = "store-full"
	ReasonRate    = "rate-limited"
)

// A Change is what the store's rules made of an Entry.
type Change struct {
	Kind   Kind
	Reason string   // reason code of a refusal: cert-blocked, rate-limited, store-full; "" when kept
	Detail string   // our own words
	Files  []string // paths written below certs/, for the log
	Events []string // what the operator should hear: key changed, contested …
}

// ErrFull is wrapped by errors that mean: no room left, or over quota. Put
// then also says store-full in its Change.
var ErrFull = errors.New("no space left for the store")

// ErrNotFound is wrapped by errors that mean: nothing is kept for the address.
var ErrNotFound = errors.New("nothing is kept")
