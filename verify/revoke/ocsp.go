package revoke

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/certinbox/certinbox/verify"
)

// The bounds of an OCSP response. Real ones have one answer, at most three
// certificates and five kilobytes.
const (
	maxOCSP           = 64 << 10 // bytes of the whole
	maxEmbedded       = 8        // certificates in it
	maxAnswers        = 16       // certificates that it speaks about
	maxOCSPExtensions = 8 << 10  // bytes of extensions in one place
	maxOCSPOperations = 4        // public-key operations for one response
)

// How long a response counts.
const (
	clockSkew   = 5 * time.Minute     // that a responder's clock may be ahead of ours
	withoutNext = 24 * time.Hour      // after thisUpdate, if nextUpdate is absent
	longestUse  = 10 * 24 * time.Hour // after thisUpdate, whatever nextUpdate is
)

// A response is what was read of an OCSP response whose responder may speak for
// the issuer and that is about the certificate asked about.
type response struct {
	status     string    // verify.Good, Revoked, Hold or Unknown
	revoked    time.Time // zero unless revoked or on hold
	reason     int       // RFC 5280 section 5.3.1; 0 unspecified, absent or a number without meaning
	produced   time.Time
	thisUpdate time.Time
	nextUpdate time.Time // the end of its use, never zero, see readResponse
}

// readResponse reads and verifies a response in DER (RFC 6960 section 4.2), as
// of at. An error of kind answerError says why it is none. It is one only if
//
//   - it holds an answer about exactly this certificate: serial number and the
//     hashes (SHA-1 or SHA-256) of the issuer's name and of its key. Of several
//     that are current the worst counts, of equals the one with the later
//     thisUpdate;
//   - the issuer has signed it, or who may speak for the issuer, see delegate;
//   - it has begun (five minutes of skew) and not ended: at is before nextUpdate,
//     without grace. Without nextUpdate it ends a day after thisUpdate, and in
//     any case ten days after it and with the certificate of its responder. The
//     nextUpdate returned is that end.
//
// The status decides, not the reason: a revocation whose reason is
// removeFromCRL, which has no meaning outside delta lists, is a revocation. A
// responder that does not know the certificate has answered (verify.Unknown, no
// error), but that is not good.
//
// "Good" from a delegate without the extension ocsp-nocheck is no answer: it
// would have to be asked about itself, and we do not. OpenSSL takes it; the
// S/MIME Baseline Requirements demand the extension. That a certificate is
// revoked is believed of such a delegate all the same.
func readResponse(der []byte, cert, issuer *x509.Certificate, at time.Time) (response, error) {
	b, err := readBasic(der)
	if err != nil {
		return response{}, err
	}
	ours, err := b.about(cert, issuer)
	if err != nil {
		return response{}, err
	}
	speaker, err := b.speaker(issuer, at)
	if err != nil {
		return response{}, err
	}
	if b.produced.After(at.Add(clockSkew)) {
		return response{}, noResponse("the answer was produced in the future, %s", stamp(b.produced))
	}
	r, err := worst(ours, speaker.until, at)
	if err != nil {
		return response{}, err
	}
	if r.status == verify.Good && !speaker.unquestioned {
		return response{}, noResponse("the responder's certificate has no ocsp-nocheck, so that its \"good\" would have to be questioned itself")
	}
	r.produced = b.produced
	return r, nil
}

// worst returns the worst of the answers that are current at the time, and the
// newest of equals. Without a current one the error is about the first.
func worst(answers []single, until, at time.Time) (response, error) {
	var chosen *response
	var first error
	for _, s := range answers {
		r, err := s.judge(until, at)
		switch {
		case err != nil:
			if first == nil {
				first = err
			}
		case chosen == nil, gravity(r.status) > gravity(chosen.status),
			r.status == chosen.status && r.thisUpdate.After(chosen.thisUpdate):
			chosen = &r
		}
	}
	if chosen == nil {
		return response{}, first
	}
	return *chosen, nil
}

func gravity(status string) int {
	switch status {
	case verify.Revoked:
		return 3
	case verify.Hold:
		return 2
	case verify.Unknown:
		return 1
	}
	return 0
}

// judge returns the answer with the end of its use; until is a bound from
// outside, zero for none. The error says why it is not current.
func (s *single) judge(until, at time.Time) (response, error) {
	r := response{status: s.status, revoked: s.revoked, reason: s.reason, thisUpdate: s.thisUpdate}
	if s.thisUpdate.After(at.Add(clockSkew)) {
		return r, noResponse("the answer begins in the future, %s", stamp(s.thisUpdate))
	}
	if !s.nextUpdate.IsZero() && !s.nextUpdate.After(s.thisUpdate) {
		return r, noResponse("the answer ends, %s, before it begins, %s", stamp(s.nextUpdate), stamp(s.thisUpdate))
	}
	r.nextUpdate = s.nextUpdate
	if r.nextUpdate.IsZero() {
		r.nextUpdate = s.thisUpdate.Add(withoutNext)
	}
	if end := s.thisUpdate.Add(longestUse); r.nextUpdate.After(end) {
		r.nextUpdate = end
	}
	if !at.Before(r.nextUpdate) {
		return r, noResponse("the answer of %s is stale since %s", stamp(s.thisUpdate), stamp(r.nextUpdate))
	}
	if !until.IsZero() && r.nextUpdate.After(until) {
		r.nextUpdate = until
	}
	return r, nil
}

// stamp is a time as it stands in our words.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// noResponse is an answerError in words of ours: no argument is foreign text.
func noResponse(format string, arguments ...any) error {
	return &answerError{text: fmt.Sprintf(format, arguments...)}
}
