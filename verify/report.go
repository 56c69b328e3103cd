package verify

import (
	"crypto/x509"
	"time"

	"github.com/certinbox/certinbox/verify/trust"
)

// A Verdict is what follows from a Report.
type Verdict string

// The verdicts.
const (
	Accept Verdict = "accept"
	Reject Verdict = "reject"
	Defer  Verdict = "defer"
)

// A Report holds one Result for each check: always all of them, always in the
// order of the table.
type Report struct {
	At           time.Time
	MessageID    string // sanitised, "" when absent
	Author       string // the author's address in its comparable form, "" when there is none
	Spelling     string // the same with the local part as the author wrote it
	Results      []Result
	Seen         []CertificateSeen // every certificate in the bag, for the log
	Signer       *x509.Certificate // nil until a signature has held
	Encryption   *x509.Certificate // the certificate to keep: the signer's, or the one its key preference names
	Chosen       string            // how Encryption was chosen: signer, preference
	Bound        string            // recipient binding: token, person, domain, none
	Path         trust.Path        // of Encryption
	Refusal      *trust.Refusal    // why there is no path: the nearest one and what it breaks; nil if there is one
	SignedAt     time.Time         // the earlier of signingTime (or the covered Date) and At
	Identity     [32]byte          // hash of signature value, content digest and author: the very same message
	Capabilities []string          // SMIMECapabilities of the signer, in its order of preference
	Unchecked    bool              // no CA said whether the certificate still stands
	Awaited      bool              // unchecked, but a CA was asked and may still say
	Revocations  []Revocation      // what the CAs said about the certificates of the path, in its order
	Evidence     Evidence
}

// CertificateSeen is one certificate of the bag. Every string is sanitised.
type CertificateSeen struct {
	Subject   string
	Issuer    string
	Serial    string // hexadecimal
	SHA256    string // hexadecimal
	Mailboxes []string
	NotBefore time.Time
	NotAfter  time.Time
	Err       string // why it could not be read, "" otherwise
}

// Evidence is what proves an acceptance to somebody who comes later.
type Evidence struct {
	Signed        []byte   // the DKIM-signed header fields, as received
	DKIMSignature []byte   // the field that held
	TXT           []string // "name TXT value" for every answer that was used
	MessageHash   []byte   // SHA-256 of the whole message as judged
	BodyHash      []byte   // of the DKIM signature, as computed
	ContentDigest []byte   // of the signed entity, as computed
	CMS           []byte   // the signatures without the content: what people wrote is not ours to keep
	Policy        string   // the settings that decided, one line
}

// A Revocation is what is known from a CA about one certificate of a path, or
// why nothing is. Strings that are foreign text are sanitised by who makes it.
type Revocation struct {
	SHA256   string // of the certificate asked about, lower-case hexadecimal
	Serial   string // of that certificate, hexadecimal
	Method   string // crl or ocsp; "" where nobody was asked
	Source   string // URL of the list or responder
	Status   string // Good, Revoked, Hold, Unknown or NoSource
	Reason   string // of a revocation, in the words of RFC 5280 section 5.3.1 (keyCompromise …); "" not said
	Revoked  time.Time
	Produced time.Time // thisUpdate
	// NextUpdate is the end of what the answer is good for: never used beyond.
	NextUpdate time.Time
	Detail     string // our own words: what the answer is, or why there is none
	Answer     []byte // an OCSP response as received, for the evidence; nil for a list
}

// The statuses of a Revocation.
const (
	Good     = "good"
	Revoked  = "revoked"
	Hold     = "hold"
	Unknown  = "unknown" // no usable answer: silence, garbage, stale, or the responder does not know it
	NoSource = "none"    // the certificate names nobody to ask over http
)

// Decisive returns the row that decides: the first that neither passes nor is
// neutral. It is nil if nothing speaks against the message.
func (r *Report) Decisive() *Result {
	for i := range r.Results {
		if !r.Results[i].Status.holds() {
			return &r.Results[i]
		}
	}
	return nil
}

// Verdict returns what follows: a temporary error in the decisive row defers,
// anything else there rejects, and a report without a decisive row accepts.
// A report without any row is a fault of ours and defers.
func (r *Report) Verdict() Verdict {
	if len(r.Results) == 0 {
		return Defer
	}
	switch d := r.Decisive(); {
	case d == nil:
		return Accept
	case d.Status == TempError:
		return Defer
	default:
		return Reject
	}
}

// Result returns the row of the named check.
func (r *Report) Result(check string) Result {
	for _, row := range r.Results {
		if row.Check == check {
			return row
		}
	}
	return Result{Check: check, Status: None}
}

// Reply returns what the sender reads. Foreign words are said only once an
// aligned DKIM signature vouches for the sender: our answer may end up in a
// bounce at a forged address.
func (r *Report) Reply(ref, help string) Reply {
	d := r.Decisive()
	if d == nil {
		return ReplyFor("", "", ref, help)
	}
	text := d.Plain
	if r.Result("alignment").Status == Pass {
		text = d.Detail
	}
	if d.Reason == "" { // a row that decides says why, or it is a fault of ours
		return ReplyFor("internal", "", ref, help)
	}
	return ReplyFor(d.Reason, text, ref, help)
}
