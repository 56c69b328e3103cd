package verify

import (
	"fmt"
	"time"

	"github.com/certinbox/certinbox/internal/smime"
	"github.com/certinbox/certinbox/internal/smime/cms"
)

// A Policy is what the operator may decide about the judgement. The zero value
// is not usable; start from DefaultPolicy.
type Policy struct {
	Collect            []string // collection addresses, as configured
	RecipientDelimiter string   // "" or the character between local part and extension
	Alignment          string   // relaxed, strict or organisation
	MinRSABits         int      // smallest RSA key of a DKIM signature
	MaxAge             time.Duration
	MaxAhead           time.Duration
	RecipientBinding   string   // none, bonus or require
	BindingWord        string   // word in a covered Subject that binds; "" for none
	OwnDomains         []string // author domains for which an authenticated client counts as aligned
	Revocation         string   // soft, hard or off
	Limits             Limits
}

// Limits bound the work that one message can cause. Each is a number of bytes,
// items or a duration and must be positive.
type Limits struct {
	Message         int // bytes
	Header          smime.HeaderLimits
	MIME            smime.Limits
	CMS             cms.Limits
	SANs            int // names in a certificate's subjectAltName
	RSABits         int // largest RSA modulus that is ever used
	PublicKeyOps    int // RSA, ECDSA and Ed25519 verifications a message
	Chain           int // certificates in a path, anchor included
	DKIMLooked      int // DKIM-Signature fields read
	DKIMVerified    int // DKIM signatures verified
	DKIMHeaderNames int // names in h=
	DNSQueries      int
	DNSTime         time.Duration
	RevocationTime  time.Duration // for the CAs' answers, within Time
	Time            time.Duration // the whole judgement
}

// Alignment modes and binding levels.
const (
	Relaxed      = "relaxed"
	Strict       = "strict"
	Organisation = "organisation"

	BindingNone    = "none"
	BindingBonus   = "bonus"
	BindingRequire = "require"

	RevocationSoft = "soft" // no answer: taken, marked, asked again later
	RevocationHard = "hard" // no answer: put off
	RevocationOff  = "off"  // nobody is asked
)

// DefaultPolicy returns the defaults that doc/checks.md states.
func DefaultPolicy() Policy {
	return Policy{
		Alignment:        Relaxed,
		MinRSABits:       1024,
		MaxAge:           7 * 24 * time.Hour,
		MaxAhead:         3 * time.Hour,
		RecipientBinding: BindingBonus,
		Revocation:       RevocationSoft,
		Limits: Limits{
			Message: 10_240_000,
			Header:  smime.DefaultHeaderLimits(),
			MIME:    smime.DefaultLimits(),
			CMS:     cms.DefaultLimits(),
			SANs:    100, RSABits: 8192, PublicKeyOps: 64, Chain: 8,
			DKIMLooked: 20, DKIMVerified: 5, DKIMHeaderNames: 200,
			DNSQueries: 24, DNSTime: 10 * time.Second, RevocationTime: 5 * time.Second, Time: 20 * time.Second,
		},
	}
}

// String says the settings that decide, in one line, for the evidence.
func (p Policy) String() string {
	return fmt.Sprintf("alignment=%s min_rsa_bits=%d max_age=%s max_ahead=%s recipient_binding=%s",
		p.Alignment, p.MinRSABits, p.MaxAge, p.MaxAhead, p.RecipientBinding)
}
