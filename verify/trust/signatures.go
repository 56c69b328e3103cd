package trust

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
)

// signatures checks who signed whom, each pair once and within a budget.
type signatures struct {
	left     *int
	known    map[edge]bool
	failed   bool      // one is known not to hold: others of its name may follow, to be told apart at the least cost
	accepted *pathMemo // what verify said yes to, for this search and others
}

type edge struct{ child, parent *x509.Certificate }

func newSignatures(o Options, accepted *pathMemo) *signatures {
	left := o.Operations
	if left == nil {
		n := maxOperations
		left = &n
	}
	return &signatures{left: left, known: map[edge]bool{}, accepted: accepted}
}

// spent says whether no operation may be made any more.
func (s *signatures) spent() bool { return *s.left <= 0 }

// broken says whether it is known that parent did not sign child.
func (s *signatures) broken(child, parent *x509.Certificate) bool {
	held, known := s.known[edge{child, parent}]
	return known && !held
}

// hold says whether every signature on the path holds. SHA-1 is checked as it
// is: the answer only chooses between refusals. What cannot be checked at all
// does not hold, MD5 excepted, for the same reason.
func (s *signatures) hold(p Path) bool {
	for i, child := range p.Chain[:len(p.Chain)-1] {
		if !s.holds(child, p.Chain[i+1]) {
			return false
		}
	}
	return true
}

// breaks returns the index of the certificate on the path nearest to the leaf
// that the next is known not to have signed; 0 where none is.
func (s *signatures) breaks(p Path) int {
	for i, child := range p.Chain[:len(p.Chain)-1] {
		if s.broken(child, p.Chain[i+1]) {
			return i
		}
	}
	return 0
}

func (s *signatures) holds(child, parent *x509.Certificate) bool {
	e := edge{child, parent}
	if held, known := s.known[e]; known {
		return held
	}
	if s.spent() {
		return false
	}
	*s.left--
	err := parent.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature)
	var insecure x509.InsecureAlgorithmError
	s.known[e] = err == nil || errors.As(err, &insecure)
	s.failed = s.failed || !s.known[e]
	return s.known[e]
}

var errBudget = errors.New("budget of public-key operations used up")

// verify says whether crypto/x509 accepts exactly this path, all of whose
// certificates are valid at o.At (see plainly). A path that it has accepted
// before is not shown to it again, and is charged as if it were: the budget
// must not run out at one time and suffice at another for the same message.
func (s *signatures) verify(p Path, o Options) error {
	n := len(p.Chain) - 1
	if *s.left < n {
		*s.left = 0
		return errBudget
	}
	*s.left -= n
	sum := sumOf(p.Chain)
	if s.accepted.holds(sum) {
		return nil
	}
	if err := ask(p, o); err != nil {
		return err
	}
	s.accepted.add(sum)
	return nil
}

// ask shows a path to crypto/x509. Everything that we judge ourselves is taken
// off copies of the certificates first, see bare. Beside the bytes of the
// certificates the answer depends on o.At alone, and on that only so far as
// each of them must be valid then: a yes is remembered by those bytes, so that
// nothing else, of options or anchors, may be added here or in bare.
func ask(p Path, o Options) error {
	n := len(p.Chain) - 1
	copies := bare(p.Chain)
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(copies[n])
	for _, c := range copies[1:n] {
		between.AddCert(c)
	}
	chains, err := copies[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between,
		CurrentTime: o.At, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}})
	if err != nil {
		return err
	}
	for _, chain := range chains {
		if sameChain(chain, p.Chain) {
			return nil
		}
	}
	return errors.New("crypto/x509 found another path")
}

func sameChain(a, b []*x509.Certificate) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].Equal(b[i]) {
			return false
		}
	}
	return true
}

// oversize says whether a key is an RSA key of more than max bits: one
// operation with such a key can cost seconds.
func oversize(c *x509.Certificate, max int) bool {
	k, ok := c.PublicKey.(*rsa.PublicKey)
	return ok && k.N.BitLen() > max
}
