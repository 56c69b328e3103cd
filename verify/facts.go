package verify

import (
	"crypto/x509"
	"time"

	"github.com/certinbox/certinbox/internal/smime"
	"github.com/certinbox/certinbox/internal/smime/cms"
	"github.com/certinbox/certinbox/verify/trust"
)

// facts is what the checks of one message have found so far. A check reads the
// facts of earlier rows and writes those of its own; a nil or zero fact means
// that its row did not find it.
type facts struct {
	v      *Verifier
	env    Envelope
	at     time.Time // one clock reading for the whole message
	raw    []byte
	tooBig bool
	report *Report // rows so far and what is published

	// message
	header smime.Header
	body   []byte
	author *smime.Address // nil: no usable author

	// structure
	entity *smime.Entity // nil: the header could not be read

	// dkim, alignment
	signatures []dkimSignature // every one looked at, in the order of the header
	aligned    *dkimSignature  // the one that holds and is the author domain's
	queries    int             // DNS questions asked
	dnsUntil   time.Time       // end of the time for DNS; zero before the first question
	bodyHashes map[bool][]byte // those computed, by whether the form is relaxed

	// signature
	signed   *cms.SignedData
	signer   *cms.Signer
	verified *cms.Verified
	bag      []*x509.Certificate // readable certificates of the bag
	ops      cms.Operations

	// chain
	signerPath trust.Path // of the signer's certificate; that of the certificate to keep is in the report
}

func newFacts(x *Examination) *facts {
	f := &facts{v: x.v, env: x.env, at: x.v.Now().UTC(), raw: x.message(), tooBig: x.tooBig,
		report: &Report{}, bodyHashes: map[bool][]byte{}, ops: cms.Operations{Left: x.v.Policy.Limits.PublicKeyOps}}
	f.report.At = f.at
	return f
}

// asks says whether the row of this name is asked, given the rows before it.
func (f *facts) asks(name string) bool {
	rows := f.report.Results
	if name == "revocation" {
		return f.held(rows)
	}
	if f.v.All {
		return true
	}
	switch name {
	case "message":
		return true
	case "structure", "dkim", "alignment":
		return f.held(rows)
	default: // rows 5 to 9 all answer once an aligned DKIM signature holds
		return f.held(rows[:4])
	}
}

func (f *facts) held(rows []Result) bool {
	for _, r := range rows {
		if !r.Status.holds() {
			return false
		}
	}
	return true
}
