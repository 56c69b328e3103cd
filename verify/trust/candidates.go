package trust

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"slices"
)

// parents returns the anchors that c names as its issuer.
func (a *Anchors) parents(c *x509.Certificate) []*Anchor { return a.subjects[string(c.RawIssuer)] }

// useful returns the certificates of bag and shelf that can stand on a path by
// their names: issued, through others of them, by the name of an anchor. An
// anchor among them is left out, so that no path leads through it past its own
// limits, and what is there twice is taken once: it would double the paths.
func (s *search) useful(leaf *x509.Certificate, bag []*x509.Certificate) []*x509.Certificate {
	var rest, out []*x509.Certificate
	for _, c := range bag {
		if len(rest) < maxBag && s.usable(c, leaf) && !slices.ContainsFunc(rest, c.Equal) {
			rest = append(rest, c)
		}
	}
	rest = append(rest, s.shelved(leaf, rest)...)
	order := slices.Clone(rest)
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
	// the bag first again, whoever was reached first
	return slices.DeleteFunc(order, func(c *x509.Certificate) bool { return !slices.Contains(out, c) })
}

func (s *search) usable(c, leaf *x509.Certificate) bool {
	return !c.Equal(leaf) && !s.isAnchor(c) && !oversize(c, s.o.RSABits) && c.PublicKey != nil
}

// shelved returns what stands on the shelf under the names of issuers, from the
// leaf upwards and those of the bag, at most maxBag. What is not valid at the
// time is not used: a newer one would be missing all the same.
func (s *search) shelved(leaf *x509.Certificate, have []*x509.Certificate) []*x509.Certificate {
	var out []*x509.Certificate
	asked := map[string]bool{}
	for todo := append([]*x509.Certificate{leaf}, have...); len(todo) > 0; todo = todo[1:] {
		issuer := todo[0].RawIssuer
		if asked[string(issuer)] {
			continue
		}
		asked[string(issuer)] = true
		for _, c := range s.anchors.shelf.Named(issuer) {
			if len(out) == maxBag {
				return out
			}
			if s.usable(c, leaf) && current(c, s.o.At) && !slices.ContainsFunc(have, c.Equal) && !slices.ContainsFunc(out, c.Equal) {
				out, todo = append(out, c), append(todo, c)
			}
		}
	}
	return out
}

func (s *search) isAnchor(c *x509.Certificate) bool {
	return slices.ContainsFunc(s.anchors.subjects[string(c.RawSubject)],
		func(t *Anchor) bool { return t.Certificate.Equal(c) })
}

// issuers returns the certificates of bag and shelf that may have issued the
// last of chain, by their names, those that look best first.
func (s *search) issuers(chain []*x509.Certificate) []*x509.Certificate {
	last := chain[len(chain)-1]
	var out []*x509.Certificate
	for _, c := range s.bag {
		if bytes.Equal(c.RawSubject, last.RawIssuer) && !stands(chain, c) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b *x509.Certificate) int { return cmp.Compare(s.rank(last, a), s.rank(last, b)) })
	return out
}

// rank orders those who may have issued child: by key identifier, and after all
// others those with whom no path is accepted.
func (s *search) rank(child, parent *x509.Certificate) int {
	r := distance(child, parent)
	if s.blocks(parent) || !current(parent, s.o.At) {
		r += 3
	}
	return r
}

// blocks says whether a CA stands on the block list; each is asked about once.
func (s *search) blocks(ca *x509.Certificate) bool {
	if s.anchors.blocked == nil {
		return false
	}
	answer, known := s.listed[ca]
	if !known {
		answer = s.anchors.blocked(ca)
		s.listed[ca] = answer
	}
	return answer
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
