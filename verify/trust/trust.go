// Package trust knows who may vouch for a mailbox.
package trust

import (
	"crypto/x509"
	"time"

	"github.com/certinbox/certinbox/internal/smime"
)

// An Anchor is a certificate from which paths may start, with what it may vouch for.
type Anchor struct {
	Certificate         *x509.Certificate
	Source              string   // where it came from: file, and index in it when it holds several
	Domains             []string // author domains, "a.de" or ".b.fr" (subdomains); nil: any
	AllowMissingEKU     bool     // leaves without or with any extended key usage are taken
	AllowSubjectAddress bool     // the subject's emailAddress counts where the SAN names no mailbox
	DistrustAfter       time.Time
}

// A Source is a file or folder of anchors as configured.
type Source struct {
	File                string
	Domains             []string // nil: any
	AllowMissingEKU     bool
	AllowSubjectAddress bool
}

// A Problem is something in a Source that the operator should know.
type Problem struct {
	File    string
	Index   int // of the certificate in the file, from 1; 0: the file itself
	Text    string
	Warning bool // usable all the same
}

// Anchors is an immutable set of anchors and helping intermediates.
type Anchors struct {
	anchors []*Anchor
}

// Load reads every source. The error names the first file that has no usable anchor.
func Load(sources []Source, now time.Time) (*Anchors, []Problem, error) { return &Anchors{}, nil, nil }

// New returns a set of the given anchors.
func New(anchors ...*Anchor) *Anchors { return &Anchors{anchors: anchors} }

// A Path leads from a leaf to an anchor.
type Path struct {
	Chain  []*x509.Certificate // leaf first, anchor last; nil: none
	Anchor *Anchor
}

// A Refusal is a path or certificate that is not accepted.
type Refusal struct {
	Reason string // cert-untrusted, cert-incomplete, cert-expired …
	Detail string // foreign text is raw: the caller quotes
	Names  []string
	Err    error
}

func (r *Refusal) Error() string { return "trust: " + r.Detail }

// Options of a path.
type Options struct {
	At       time.Time
	MaxChain int
	MaxSANs  int
	RSABits  int
}

// Path finds a path for leaf with every constraint but usage and address.
func (a *Anchors) Path(leaf *x509.Certificate, bag []*x509.Certificate, o Options) (Path, *Refusal) {
	return Path{}, &Refusal{Reason: "cert-untrusted"}
}

// Mailboxes returns the SAN mailboxes of a certificate, both kinds.
func Mailboxes(c *x509.Certificate, max int) ([]smime.Address, error) { return nil, nil }
