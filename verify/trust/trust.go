// Package trust knows who may vouch for a mailbox: it reads anchors from the
// e-mail roots it embeds (email-roots.pem) and the operator's files, keeps what
// commands and daemon add to them (Folder), and finds a path from a certificate
// to one of them.
//
// It trusts the files it is told to load and nothing else. A bag of
// certificates that came with a message only helps to find a path; being in it
// makes no certificate trusted. crypto/x509 is asked about every path that it has
// not accepted before (see pathMemo), and what it does not ask (RFC 5280 section
// 4.2.1.10 for mailboxes and directory names, domains of an anchor, distrust
// dates, key sizes) is asked here, every time.
//
// It does not ask whether a certificate is made for mail or fit to encrypt to,
// nor whose mailbox it is, nor whether the CA still stands by it: those are
// rows of the judgement that follow. It opens no socket and has no clock.
package trust

import (
	"crypto/x509"
	"time"
)

// An Anchor is a certificate from which paths may start, with what it may vouch for.
type Anchor struct {
	Certificate         *x509.Certificate
	Source              string   // where it came from: file, and index in it when it holds several
	Domains             []string // "a.de" or ".b.fr" (subdomains): every mailbox of a leaf lies in one; nil: any, empty: none
	AllowMissingEKU     bool     // leaves without or with any extended key usage are taken
	AllowSubjectAddress bool     // the subject's emailAddress counts where the SAN names no mailbox
	Exclusive           bool     // no other anchor may vouch for mailboxes in Domains
	Public              bool     // of the bundle of e-mail roots: not only the operator's own choice
	Label               string   // its name in the bundle, "" elsewhere
	DistrustAfter       time.Time
}

// Anchors is a set of anchors that does not change. Paths found before cost less
// than new ones, and that is all that a search leaves behind: no answer depends on
// what was asked before. It is safe for concurrent use.
type Anchors struct {
	anchors  []*Anchor
	subjects map[string][]*Anchor // by RawSubject
	known    map[string]bool      // names and organisations of CAs, see knows

	domains   map[*Anchor][]mailboxTree // Domains of each, read once
	exclusive []*Anchor

	accepted *pathMemo // paths that crypto/x509 need not be asked about again

	shelf   *Shelf // intermediates that help; nil: none
	blocked func(*x509.Certificate) bool
}

// With returns the same anchors, helped by the intermediates of shelf, and
// without the CAs that blocked names. Either may be nil. No path leads through
// a blocked certificate; the leaf is not asked about, that is the store's part.
func (a *Anchors) With(shelf *Shelf, blocked func(ca *x509.Certificate) bool) *Anchors {
	b := *a
	b.shelf, b.blocked = shelf, blocked
	return &b
}

// New returns a set of the given anchors, which are not changed from then on.
// The same certificate given twice is two anchors; Load merges them.
func New(anchors ...*Anchor) *Anchors {
	a := &Anchors{anchors: anchors, subjects: map[string][]*Anchor{}, known: map[string]bool{}, domains: map[*Anchor][]mailboxTree{},
		accepted: newPathMemo()}
	for _, t := range anchors {
		c := t.Certificate
		a.domains[t] = domainTrees(t)
		if t.Exclusive {
			a.exclusive = append(a.exclusive, t)
		}
		a.subjects[string(c.RawSubject)] = append(a.subjects[string(c.RawSubject)], t)
		a.known[string(c.RawSubject)] = true
		a.known[string(c.RawIssuer)] = true
		for _, o := range c.Subject.Organization {
			a.known[organisation(o)] = true
		}
	}
	return a
}

// List returns the anchors in the order in which they were loaded.
func (a *Anchors) List() []*Anchor { return append([]*Anchor(nil), a.anchors...) }

// Len returns how many anchors there are.
func (a *Anchors) Len() int { return len(a.anchors) }

// A Path leads from a leaf to an anchor.
type Path struct {
	Chain  []*x509.Certificate // leaf first, anchor last; nil: none
	Anchor *Anchor
}

// A Refusal is a path or certificate that is not accepted.
type Refusal struct {
	Reason string   // cert-untrusted, cert-incomplete, cert-expired …
	Detail string   // in our own words: nothing of a certificate stands in it
	Names  []string // the certificates it is about: foreign text, to be quoted by whoever says it
	Err    error    // cause, for our own log only

	// Where a path was found by its names: the nearest one, leaf first, and the
	// index in it of the certificate that is refused or whose limits refuse.
	Chain []*x509.Certificate
	Where int
	// Constraint is the limit that refuses, in the notation of openssl ("permitted
	// email:example.org"): foreign text like Names; "" where none does.
	Constraint string
}

// Error returns our own words, without the foreign names.
func (r *Refusal) Error() string { return "trust: " + r.Detail }

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// Options of a path. Every number must be positive.
type Options struct {
	At         time.Time // every certificate is judged at this time
	MaxChain   int       // certificates in a path, leaf and anchor included
	MaxSANs    int       // names in the leaf's subjectAltName
	RSABits    int       // largest modulus that is ever used
	Operations *int      // public-key operations that may still be made, counted down; nil: 32
}
