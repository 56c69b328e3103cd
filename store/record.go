package store

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// A State is where a certificate stands.
type State string

// The states of a certificate. Deleted is what Show answers for an address
// that was deleted: of a deleted certificate nothing remains to have a state.
const (
	Active     State = "active"
	Waiting    State = "pending" // a key change that waits out its hold, or for an answer of its CA
	Superseded State = "superseded"
	Expired    State = "expired"
	Revoked    State = "revoked"
	Barred     State = "blocked"
	Deleted    State = "deleted"
)

func (s State) known() bool {
	switch s {
	case Active, Waiting, Superseded, Expired, Revoked, Barred:
		return true
	}
	return false
}

// Facts are what the rules need to know of a certificate.
type Facts struct {
	Fingerprint        string    `json:"sha256"`     // of the certificate, lower-case hexadecimal
	Key                string    `json:"key_sha256"` // of the SubjectPublicKeyInfo
	Subject            string    `json:"subject"`    // sanitised
	Issuer             string    `json:"issuer"`     // sanitised
	IssuerOrganisation string    `json:"issuer_organisation"`
	Serial             string    `json:"serial"` // hexadecimal
	NotBefore          time.Time `json:"not_before"`
	NotAfter           time.Time `json:"not_after"`
}

// Describe reads the facts of a certificate in DER. Texts in them are bounded
// and free of control characters.
func Describe(der []byte) (Facts, error) {
	if len(der) > MaxCertificate {
		return Facts{}, fmt.Errorf("store: certificate: %d bytes, at most %d are kept", len(der), MaxCertificate)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return Facts{}, fmt.Errorf("store: certificate: %w", err)
	}
	sum, key := sha256.Sum256(der), sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return Facts{
		Fingerprint:        hex.EncodeToString(sum[:]),
		Key:                hex.EncodeToString(key[:]),
		Subject:            nameText(c.Subject, c.RawSubject),
		Issuer:             nameText(c.Issuer, c.RawIssuer),
		IssuerOrganisation: words(strings.ToLower(strings.Join(c.Issuer.Organization, " / "))),
		Serial:             c.SerialNumber.Text(16),
		NotBefore:          c.NotBefore.UTC(),
		NotAfter:           c.NotAfter.UTC(),
	}, nil
}

// nameText writes a name for people. crypto/x509 takes time that grows with the
// square of its length: one that nobody has is not written.
func nameText(name pkix.Name, der []byte) string {
	if len(der) > 4<<10 {
		return fmt.Sprintf("a name of %d bytes, too long to be written", len(der))
	}
	return words(name.String())
}

// words makes foreign text one printable line of at most maxWord bytes, with
// single blanks.
func words(s string) string {
	s = strings.ToValidUTF8(s, "?")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxWord {
		s = strings.ToValidUTF8(s[:maxWord], "")
	}
	return s
}

// A Record is one certificate of an address and all that is remembered of it.
type Record struct {
	Facts
	State     State `json:"state"`
	Preferred bool  `json:"preferred,omitempty"`  // the one that is published
	Contested bool  `json:"contested,omitempty"`  // its key change; the operator decides
	Was       State `json:"was,omitempty"`        // before it was blocked
	BlockedCA bool  `json:"blocked_ca,omitempty"` // blocked because a CA of its path is, as the last asking found

	// As of the first acceptance: this is what is published.
	Spelling     string    `json:"spelling"`
	Bound        string    `json:"bound"`
	Chosen       string    `json:"chosen"`
	Capabilities []string  `json:"capabilities,omitempty"`
	AnchorSource string    `json:"anchor_source"`
	Private      bool      `json:"private,omitempty"`
	Unchecked    bool      `json:"unchecked,omitempty"` // no CA said yet that it stands
	Via          string    `json:"via,omitempty"`
	Reference    string    `json:"reference,omitempty"`
	Since        time.Time `json:"since"`
	FirstSigned  time.Time `json:"first_signed"`

	// As of the newest.
	SignedAt  time.Time `json:"signed_at"` // latest signing time seen
	Seen      time.Time `json:"seen"`
	BestBound string    `json:"best_bound"`

	Until      time.Time `json:"until,omitzero"`        // end of the hold of a pending one
	Former     string    `json:"former_key,omitempty"`  // whose place a pending one asks for
	Replaced   time.Time `json:"replaced,omitzero"`     // when it became superseded
	ReplacedBy string    `json:"replaced_by,omitempty"` // by which certificate
	KeyChange  bool      `json:"key_change,omitempty"`  // and that has another key

	// Of a pending one whose CA has not answered.
	Withheld time.Time `json:"withheld_until,omitzero"` // not published before, unless its CA answers
	Beside   bool      `json:"beside,omitempty"`        // becomes additional, not preferred

	// What its CA says.
	CheckedSince time.Time `json:"checked_since,omitzero"` // its CA's first word that it stands: this is published
	Checked      time.Time `json:"checked,omitzero"`       // and the latest
	Asked        time.Time `json:"asked,omitzero"`         // when last asked, whatever came of it
	AskAgain     time.Time `json:"ask_again,omitzero"`     // when the answer ends
	Untrusted    bool      `json:"untrusted,omitempty"`    // its path leads to no anchor any more; the operator was told
	RevokedAt    time.Time `json:"revoked_at,omitzero"`    // as the CA says
	RevokedWhy   string    `json:"revoked_why,omitempty"`
	OnHold       bool      `json:"on_hold,omitempty"`        // revoked, but the CA may take it back
	HeldFrom     State     `json:"held_from,omitempty"`      // its state before
	HeldFirst    bool      `json:"held_preferred,omitempty"` // and it was the preferred one
	BlockKey     bool      `json:"block_key,omitempty"`      // its key has still to be put on the block list

	First   *Evidence `json:"first_evidence,omitempty"`
	Newest  *Evidence `json:"newest_evidence,omitempty"` // nil while the first is the newest
	Warned  int       `json:"warned_days,omitempty"`     // last expiry warning given
	Journal []Note    `json:"journal,omitempty"`         // the first and the latest events, at most maxNotes
}

// Evidence points at an archive of documents below the certificate's directory.
type Evidence struct {
	File      string    `json:"file"`
	At        time.Time `json:"at"`
	Reference string    `json:"reference,omitempty"`
}

// A Note is a line of the journal.
type Note struct {
	At        time.Time `json:"at"`
	What      string    `json:"what"`
	Reference string    `json:"reference,omitempty"`
}

// A Message is an acceptance as far as a repetition must be recognised.
type Message struct {
	Identity  string    `json:"identity"` // hexadecimal
	At        time.Time `json:"at"`
	Kind      Kind      `json:"kind"`
	Reference string    `json:"reference,omitempty"`
}

// The bounds of what is remembered of an address. Beyond them the oldest is
// forgotten: a forgotten message is merely "seen" when it is repeated.
const (
	MaxActive   = 5
	maxPending  = 5 // key changes that wait out their hold
	maxWithheld = 5 // others that wait, for a CA
	maxRecords  = 64
	maxNotes    = 32
	maxMessages = 256
)

// note adds a line to the journal. The first line says how the certificate
// came here and is never dropped.
func (r *Record) note(at time.Time, what, reference string) {
	r.Journal = append(r.Journal, Note{At: at.UTC(), What: what, Reference: reference})
	if len(r.Journal) > maxNotes {
		r.Journal = append(r.Journal[:1:1], r.Journal[len(r.Journal)-maxNotes+1:]...)
	}
}

// bound says whether a binding ties a message to this collection.
func bound(b string) bool { return bindingRank(b) > 0 }

func bindingRank(b string) int {
	switch b {
	case "token":
		return 3
	case "person":
		return 2
	case "domain":
		return 1
	}
	return 0
}
