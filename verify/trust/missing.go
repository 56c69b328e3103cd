package trust

import (
	"bytes"
	"crypto/x509"
	"slices"
)

func untrusted(c *x509.Certificate, detail string) *Refusal {
	return &Refusal{Reason: "cert-untrusted", Detail: detail, Names: called(c.Issuer)}
}

const notSigned = "the certificate was not signed by the CA that it names"

// missing says why no path leads to an anchor: an intermediate is missing where
// the topmost certificate at hand was issued by the name of a CA that we know;
// else the issuer is not trusted. Nothing here has been verified, so that
// both are only advice.
func (s *search) missing(leaf *x509.Certificate, bag []*x509.Certificate) *Refusal {
	if selfIssued(leaf) {
		return untrusted(leaf, "the certificate vouches for itself")
	}
	chain := upward(leaf, slices.Concat(bag, s.bag)) // what the shelf has is not missing
	r := s.absent(chain[len(chain)-1])
	if r.Detail != notSigned { // that is about one pair, not about what is above
		r.Chain, r.Where = chain, len(chain)-1
	}
	return r
}

// absent says what is wrong above top, the last certificate at hand.
func (s *search) absent(top *x509.Certificate) *Refusal {
	switch {
	case selfIssued(top):
		return untrusted(top, "the certificate leads to a CA that is not trusted here")
	case s.forged(top):
		return untrusted(top, notSigned)
	case s.forgery() != nil:
		return untrusted(s.forgery(), notSigned)
	case s.anchors.knows(top):
		return &Refusal{Reason: "cert-incomplete", Detail: "the certificate of an issuer is missing", Names: called(top.Issuer)}
	}
	return untrusted(top, "the issuer is not trusted here")
}

func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, c.RawSubject) }

// upward follows issuers by name as far as it goes, the one whose key
// identifier fits first.
func upward(leaf *x509.Certificate, bag []*x509.Certificate) []*x509.Certificate {
	chain, top, seen := []*x509.Certificate{leaf}, leaf, map[string]bool{string(leaf.RawSubject): true}
	for range 2 * maxBag {
		var next *x509.Certificate
		for _, c := range bag {
			if bytes.Equal(c.RawSubject, top.RawIssuer) && !seen[string(c.RawSubject)] &&
				distance(top, c) < 2 && (next == nil || distance(top, c) < distance(top, next)) {
				next = c
			}
		}
		if next == nil {
			break
		}
		chain, top, seen[string(next.RawSubject)] = append(chain, next), next, true
	}
	return chain
}

// forged says whether an anchor has the name that c gives for its issuer, may
// be meant by its key identifier, and did not sign it.
func (s *search) forged(c *x509.Certificate) bool {
	for _, t := range s.anchors.parents(c) {
		if distance(c, t.Certificate) < 2 && s.signatures.broken(c, t.Certificate) {
			return true
		}
	}
	return false
}

// forgery returns the certificate at which paths by name break, if each breaks
// at the signature of a CA that may be meant by its key identifier: none is
// missing then.
func (s *search) forgery() *x509.Certificate {
	var first *x509.Certificate
	for _, r := range s.refused {
		i := s.signatures.breaks(r.path)
		child, parent := r.path.Chain[i], r.path.Chain[i+1]
		if !s.signatures.broken(child, parent) || distance(child, parent) > 1 {
			return nil
		}
		if first == nil {
			first = child
		}
	}
	return first
}

// knows says whether c was issued by the name of a CA that we know: the subject
// or issuer of an anchor, a certificate on the shelf, valid or not, or another
// CA of the organisation of an anchor.
//
// The organisation is a guess, and with the public roots loaded still the best:
// their intermediates for mail carry the name of the CA that runs them, while a
// company's own CA shares it with a public one only if it borrows it. It errs
// where such a CA has a hierarchy for TLS beside the trusted one: its sender is
// told to send the chain first, and then that the chain is not trusted.
func (a *Anchors) knows(c *x509.Certificate) bool {
	if a.known[string(c.RawIssuer)] || len(a.shelf.Named(c.RawIssuer)) > 0 {
		return true
	}
	for _, o := range c.Issuer.Organization {
		if a.known[organisation(o)] {
			return true
		}
	}
	return false
}
