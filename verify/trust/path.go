package trust

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"slices"
)

// Bounds of one search that Options do not set. A search that meets one of
// them has been fed on purpose.
const (
	maxOperations = 32  // public-key operations where Options name none
	maxSteps      = 512 // certificates put on a path by their names
	maxCandidates = 64  // paths by name that are looked at
	maxBag        = 32  // certificates of a bag that are looked at
)

// Path finds a path from leaf to an anchor with every constraint but those of
// usage and address. Intermediates are taken from bag, in any order; what does
// not belong there does no harm. The work is bounded by o and by constants:
// nothing is done with a key over o.RSABits, and no signature is checked before
// everything that can be read off the path by itself has been.
//
// Where several paths lead to anchors, one that satisfies everything is found;
// where none does, the refusal is that of the nearest. Reasons: cert-untrusted,
// cert-incomplete, cert-expired, cert-not-yet-valid, cert-distrusted,
// cert-constraint, cert-usage (a CA that may not issue for mail), cert-weak,
// cert-malformed, cert-no-address (a malformed mailbox that a constraint binds).
func (a *Anchors) Path(leaf *x509.Certificate, bag []*x509.Certificate, o Options) (Path, *Refusal) {
	s := &search{anchors: a, o: o, signatures: newSignatures(o)}
	if s.isAnchor(leaf) {
		return Path{}, &Refusal{Reason: "cert-usage", Detail: "the certificate is that of a CA", Names: called(leaf.Subject)}
	}
	s.bag = s.useful(leaf, bag)
	s.extend([]*x509.Certificate{leaf})
	if s.found.Anchor != nil {
		return s.found, nil
	}
	return Path{}, s.nearest(leaf, bag)
}

// A search for a path; depth first, anchors before the bag.
type search struct {
	anchors    *Anchors
	o          Options
	bag        []*x509.Certificate
	signatures *signatures

	steps, candidates int
	cut               bool // a path would have had more certificates than MaxChain
	found             Path
	refused           []refused
}

// A refused path: by its names it leads to an anchor.
type refused struct {
	path    Path
	refusal *Refusal
	signed  bool // every signature on it is known to hold
}

// parents returns the anchors that c names as its issuer.
func (a *Anchors) parents(c *x509.Certificate) []*Anchor { return a.subjects[string(c.RawIssuer)] }

// useful returns the certificates of the bag that can stand on a path by their
// names: issued, through others of them, by the name of an anchor. An anchor in
// the bag is left out, so that no path leads through it past its own limits.
func (s *search) useful(leaf *x509.Certificate, bag []*x509.Certificate) []*x509.Certificate {
	var rest, out []*x509.Certificate
	for _, c := range bag {
		if len(rest) < maxBag && !c.Equal(leaf) && !s.isAnchor(c) && !oversize(c, s.o.RSABits) && c.PublicKey != nil {
			rest = append(rest, c)
		}
	}
	reached := map[string]bool{}
	for more := true; more; {
		more = false
		rest = slices.DeleteFunc(rest, func(c *x509.Certificate) bool {
			if len(s.anchors.parents(c)) == 0 && !reached[string(c.RawIssuer)] {
				return false
			}
			reached[string(c.RawSubject)], more = true, true
			out = append(out, c)
			return true
		})
	}
	return out
}

func (s *search) isAnchor(c *x509.Certificate) bool {
	return slices.ContainsFunc(s.anchors.subjects[string(c.RawSubject)],
		func(t *Anchor) bool { return t.Certificate.Equal(c) })
}

// extend looks for parents of the last certificate of chain and says whether
// the search is over.
func (s *search) extend(chain []*x509.Certificate) bool {
	if s.steps++; s.steps > maxSteps {
		return true
	}
	last := chain[len(chain)-1]
	anchors := s.anchors.parents(last)
	if len(chain) >= s.o.MaxChain {
		s.cut = s.cut || len(anchors) > 0 || len(s.issuers(chain)) > 0
		return false
	}
	anchors = slices.Clone(anchors)
	slices.SortStableFunc(anchors, func(a, b *Anchor) int {
		return cmp.Compare(distance(last, a.Certificate), distance(last, b.Certificate))
	})
	for _, t := range anchors {
		if !oversize(t.Certificate, s.o.RSABits) && !stands(chain, t.Certificate) && !s.signatures.broken(last, t.Certificate) &&
			s.consider(Path{Chain: append(slices.Clone(chain), t.Certificate), Anchor: t}) {
			return true
		}
	}
	for _, c := range s.issuers(chain) {
		if !s.signatures.broken(last, c) && s.extend(append(slices.Clone(chain), c)) {
			return true
		}
	}
	return false
}

// issuers returns the certificates of the bag that may have issued the last of
// chain, by their names, those whose key identifier fits first.
func (s *search) issuers(chain []*x509.Certificate) []*x509.Certificate {
	last := chain[len(chain)-1]
	var out []*x509.Certificate
	for _, c := range s.bag {
		if bytes.Equal(c.RawSubject, last.RawIssuer) && !stands(chain, c) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b *x509.Certificate) int {
		return cmp.Compare(distance(last, a), distance(last, b))
	})
	return out
}

// stands says whether the CA of c stands on a chain already: the same name and key.
func stands(chain []*x509.Certificate, c *x509.Certificate) bool {
	return slices.ContainsFunc(chain, func(x *x509.Certificate) bool {
		return bytes.Equal(x.RawSubject, c.RawSubject) && bytes.Equal(x.RawSubjectPublicKeyInfo, c.RawSubjectPublicKeyInfo)
	})
}

// distance is 0 if the child's authority key identifier names parent, 1 if it
// is silent, 2 if it names another (RFC 5280 section 4.2.1.1). It only orders:
// identifiers are often wrong.
func distance(child, parent *x509.Certificate) int {
	switch {
	case len(child.AuthorityKeyId) == 0 || len(parent.SubjectKeyId) == 0:
		return 1
	case bytes.Equal(child.AuthorityKeyId, parent.SubjectKeyId):
		return 0
	}
	return 2
}

// consider judges one path and says whether the search is over.
func (s *search) consider(p Path) bool {
	if s.candidates++; s.candidates > maxCandidates {
		return true
	}
	if r := plainly(p, s.o); r != nil {
		s.refused = append(s.refused, refused{path: p, refusal: r})
		return false
	}
	err := s.signatures.verify(p, s.o)
	if err != nil {
		if s.signatures.hold(p) {
			s.refused = append(s.refused, refused{path: p, refusal: refusalOf(err, p), signed: true})
		}
		return s.signatures.spent()
	}
	if r := constrained(p, s.o); r != nil {
		s.refused = append(s.refused, refused{path: p, refusal: r, signed: true})
		return false
	}
	s.found = p
	return true
}

// nearest returns the refusal of the path that came nearest to acceptance, or
// says that there is none.
func (s *search) nearest(leaf *x509.Certificate, bag []*x509.Certificate) *Refusal {
	slices.SortStableFunc(s.refused, func(a, b refused) int {
		return cmp.Compare(farness(a.refusal.Reason), farness(b.refusal.Reason))
	})
	for _, r := range s.refused {
		if r.signed || s.signatures.hold(r.path) {
			return r.refusal
		}
	}
	switch {
	case s.signatures.spent() || s.steps > maxSteps || s.candidates > maxCandidates:
		return untrusted(leaf, "too many certificates claim to be an issuer")
	case s.cut:
		return &Refusal{Reason: "cert-constraint", Detail: "the path to a trusted CA is too long", Names: called(leaf.Issuer)}
	}
	return s.missing(leaf, bag)
}

// farness orders reasons: what the sender can mend most easily is nearest.
func farness(reason string) int {
	order := []string{"cert-expired", "cert-not-yet-valid", "cert-no-address", "cert-malformed", "cert-distrusted",
		"cert-constraint", "cert-usage", "cert-weak"}
	if i := slices.Index(order, reason); i >= 0 {
		return i
	}
	return len(order)
}
