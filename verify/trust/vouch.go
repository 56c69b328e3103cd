package trust

import (
	"bytes"
	"crypto/x509"
	"slices"
	"strings"

	"github.com/certinbox/certinbox/internal/smime"
)

// constrained judges names: what the CAs of the path and its anchor may vouch
// for. The signatures on the path have been found to hold.
func (a *Anchors) constrained(p Path, o Options) *Refusal {
	leaf, last := p.Chain[0], len(p.Chain)-1
	if d := p.Anchor.DistrustAfter; !d.IsZero() && leaf.NotBefore.After(d) {
		return &Refusal{Reason: "cert-distrusted", Names: called(p.Anchor.Certificate.Subject),
			Detail: "the CA is not trusted for certificates issued after " + d.UTC().Format("2 January 2006"),
			Where:  last, Constraint: "distrust after " + d.UTC().Format("2006-01-02")}
	}
	for i := last; i > 0; i-- {
		if r := subordinates(p.Chain, i, o); r != nil {
			return r
		}
	}
	return a.vouches(p, o)
}

// subordinates holds the certificates below the CA at i of a chain to its name
// constraints (RFC 5280 section 6.1.3 b and c: all but self-issued CAs).
func subordinates(chain []*x509.Certificate, i int, o Options) *Refusal {
	ca := chain[i]
	nc, err := readConstraints(ca)
	if err != nil {
		return &Refusal{Reason: "cert-constraint", Detail: "the name constraints of an issuer cannot be read",
			Names: called(ca.Subject), Err: err, Where: i, Constraint: limit("nameConstraints: " + err.Error())}
	}
	if nc == nil {
		return nil
	}
	for j, c := range chain[:i] {
		if j > 0 && bytes.Equal(c.RawSubject, c.RawIssuer) {
			continue
		}
		s := namesOf(c, o.MaxSANs)
		if r := nc.damage(s); r != nil {
			if r.Where = j; j > 0 {
				r.Reason = "cert-constraint"
			}
			return r
		}
		if b := nc.refuse(s); b != nil {
			return &Refusal{Reason: "cert-constraint", Detail: b.detail, Names: called(ca.Subject), Where: i, Constraint: b.limit}
		}
	}
	return nil
}

// vouches holds the leaf to the domains of the anchor, as if they were its
// permitted mailboxes, and to those that other anchors have for themselves.
func (a *Anchors) vouches(p Path, o Options) *Refusal {
	t, last := p.Anchor, len(p.Chain)-1
	if t.Domains == nil && len(a.exclusive) == 0 {
		return nil
	}
	boxes, r := countedMailboxes(p.Chain[0], t, o)
	if r != nil {
		return r
	}
	for _, b := range boxes {
		if t.Domains != nil && !a.names(t, b) {
			return &Refusal{Reason: "cert-constraint", Names: called(t.Certificate.Subject), Where: last,
				Detail:     "the CA is trusted here for certain domains only, and the address lies in none of them",
				Constraint: limit("anchor domains: " + strings.Join(t.Domains, ", "))}
		}
		if e := a.reserved(t, b); e != nil {
			return &Refusal{Reason: "cert-constraint", Names: called(t.Certificate.Subject), Where: last,
				Detail:     "another CA alone may vouch here for the domain of the address",
				Constraint: limit("exclusive domains: " + strings.Join(e.Domains, ", "))}
		}
	}
	return nil
}

// countedMailboxes returns the mailboxes of a leaf that count under an anchor.
func countedMailboxes(leaf *x509.Certificate, t *Anchor, o Options) ([]smime.Address, *Refusal) {
	names, r := alternativeNames(leaf, o.MaxSANs)
	if r != nil {
		return nil, r
	}
	boxes, r := mailboxes(names)
	if r == nil && len(boxes) == 0 && t.AllowSubjectAddress {
		return subjectMailboxes(leaf.RawSubject, o.MaxSANs)
	}
	return boxes, r
}

// reserved returns an exclusive anchor that has the domain of a mailbox for
// itself, nil if t may vouch for it: being exclusive too, for this domain by
// name, or because nobody claims it. An exclusive anchor without Domains claims
// every domain.
func (a *Anchors) reserved(t *Anchor, box smime.Address) *Anchor {
	i := slices.IndexFunc(a.exclusive, func(e *Anchor) bool { return e.Domains == nil || a.names(e, box) })
	if i < 0 || t.Exclusive && (t == a.exclusive[i] || a.names(t, box)) {
		return nil
	}
	return a.exclusive[i]
}

// names says whether a mailbox lies in one of the domains of an anchor.
func (a *Anchors) names(t *Anchor, box smime.Address) bool {
	return slices.ContainsFunc(a.domains[t], func(tree mailboxTree) bool { return tree.holds(box) })
}

// domainTrees reads the domains of an anchor; what is no domain holds nothing.
func domainTrees(t *Anchor) []mailboxTree {
	var out []mailboxTree
	for _, d := range t.Domains {
		if tree, err := readMailboxTree(d); err == nil && tree.host != "" && tree.local == "" {
			out = append(out, tree)
		}
	}
	return out
}
