package trust

import (
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
	maxBag        = 32  // certificates of a bag that are looked at, and as many of the shelf
)

// Path finds a path from leaf to an anchor with every constraint but those of
// usage and address. Intermediates are taken from bag, in any order, then from
// the shelf; what does not belong there does no harm. The work is bounded by o and by constants:
// nothing is done with a key over o.RSABits, and no signature is checked before
// everything that can be read off the path by itself has been.
//
// Where several paths lead to anchors, one that satisfies everything is found;
// where none does, the refusal is that of the nearest. Reasons: cert-untrusted,
// cert-incomplete, cert-expired, cert-not-yet-valid, cert-distrusted,
// cert-constraint, cert-usage (a CA that may not issue for mail), cert-weak,
// cert-malformed, cert-no-address (a malformed mailbox that a constraint binds),
// cert-blocked (a CA on the block list, where no other way leads to an anchor).
func (a *Anchors) Path(leaf *x509.Certificate, bag []*x509.Certificate, o Options) (Path, *Refusal) {
	s := &search{anchors: a, o: o, signatures: newSignatures(o, a.accepted), listed: map[*x509.Certificate]bool{}}
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
	listed     map[*x509.Certificate]bool // what blocked has said

	steps, candidates int
	cut               []*x509.Certificate // a path of more certificates than MaxChain
	found             Path
	refused           []refused
}

// A refused path; by its names it leads to an anchor.
type refused struct {
	path    Path
	refusal *Refusal
	signed  bool // every signature on it is known to hold
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
		s.cutOff(chain, anchors)
		return false
	}
	anchors = slices.Clone(anchors)
	slices.SortStableFunc(anchors, func(a, b *Anchor) int {
		// The same CA may be a public root and the operator's own: his first, for
		// what he allows it.
		return cmp.Or(cmp.Compare(s.rank(last, a.Certificate), s.rank(last, b.Certificate)), cmp.Compare(foreign(a), foreign(b)))
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

// cutOff remembers the first path that is too long.
func (s *search) cutOff(chain []*x509.Certificate, anchors []*Anchor) {
	if s.cut != nil {
		return
	}
	if len(anchors) > 0 {
		s.cut = append(slices.Clone(chain), anchors[0].Certificate)
	} else if next := s.issuers(chain); len(next) > 0 {
		s.cut = append(slices.Clone(chain), next[0])
	}
}

// consider judges one path and says whether the search is over.
func (s *search) consider(p Path) bool {
	if s.candidates++; s.candidates > maxCandidates {
		return true
	}
	r := s.onTheList(p)
	if r == nil {
		r = plainly(p, s.o)
	}
	if r != nil {
		s.refuse(p, r, false)
		return false
	}
	if s.signatures.failed && !s.signatures.hold(p) {
		s.refuse(p, untrusted(p.Chain[0], notSigned), false)
		return s.signatures.spent()
	}
	if err := s.signatures.verify(p, s.o); err != nil {
		s.refuse(p, refusalOf(err, p), s.signatures.hold(p))
		return s.signatures.spent()
	}
	if r := s.anchors.constrained(p, s.o); r != nil {
		s.refuse(p, r, true)
		return false
	}
	s.found = p
	return true
}

// refuse keeps what is said about a path; signed says that every signature on
// it is known to hold.
func (s *search) refuse(p Path, r *Refusal, signed bool) {
	r.Chain = p.Chain
	s.refused = append(s.refused, refused{path: p, refusal: r, signed: signed})
}

// onTheList refuses a path through a blocked CA, the one nearest to the leaf.
func (s *search) onTheList(p Path) *Refusal {
	for i, c := range p.Chain {
		if i > 0 && s.blocks(c) {
			return &Refusal{Reason: "cert-blocked", Detail: "a CA of the path is on the block list here", Names: called(c.Subject), Where: i}
		}
	}
	return nil
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
	r := s.none(leaf, bag)
	switch {
	case s.cut != nil && r.Reason == "cert-constraint":
		r.Chain, r.Where = s.cut, len(s.cut)-1
	case len(s.refused) > 0: // a path by its names only: it breaks at a signature
		p := s.refused[0].path
		r.Chain, r.Where = p.Chain, s.signatures.breaks(p)
	}
	return r
}

// none says why no path is signed all the way to an anchor.
func (s *search) none(leaf *x509.Certificate, bag []*x509.Certificate) *Refusal {
	switch {
	case s.signatures.spent() || s.steps > maxSteps || s.candidates > maxCandidates:
		return untrusted(leaf, "too many certificates claim to be an issuer")
	case s.cut != nil:
		return &Refusal{Reason: "cert-constraint", Detail: "the path to a trusted CA is too long", Names: called(leaf.Issuer)}
	}
	return s.missing(leaf, bag)
}

// farness orders reasons: what the sender can mend most easily is nearest.
func farness(reason string) int {
	order := []string{"cert-expired", "cert-not-yet-valid", "cert-no-address", "cert-malformed", "cert-distrusted",
		"cert-constraint", "cert-usage", "cert-weak", "cert-blocked"}
	if i := slices.Index(order, reason); i >= 0 {
		return i
	}
	return len(order)
}

// foreign is 0 for an anchor of the operator's own choice, 1 for a public root.
func foreign(t *Anchor) int {
	if t.Public {
		return 1
	}
	return 0
}
