package trust_test

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// TestSearchMissesNoPath: over webs of CAs that share names and keys, certify each
// other and are limited at random, the search finds a path exactly where one of all
// ways, each offered alone, is accepted.
func TestSearchMissesNoPath(t *testing.T) {
	k := testmail.NewKeys()
	found := 0
	const webs = 200
	for seed := range uint64(webs) {
		w := randomWeb(k, rand.New(rand.NewPCG(seed, 5)))
		o, left := options(), 64
		o.Operations = &left
		_, r := trust.New(w.anchors...).Path(w.leaf.Cert, bagOf(w.bag...), o)
		some := anyWay(w, []*x509.Certificate{w.leaf.Cert})
		if some != (r == nil) {
			t.Errorf("web %d: a way exists: %v, the search says %v, %d operations left", seed, some, r, left)
		}
		if some {
			found++
		}
	}
	if found < webs/4 || found > webs*9/10 {
		t.Errorf("%d of %d webs have a way: they prove little", found, webs)
	}
}

// randomWeb is a leaf with nine CA certificates of five CAs and up to three roots.
func randomWeb(k *testmail.Keys, rnd *rand.Rand) chain {
	now := testmail.Instant()
	profile := func(n int) testmail.Profile {
		return testmail.Profile{Name: fmt.Sprint("CA ", n), Key: k.Key(ec, fmt.Sprint("web ", n)), NoKeyID: rnd.IntN(3) == 0}
	}
	namesakes := rnd.IntN(2) == 0 // the first two CAs have one name
	named := func(n int) testmail.Profile {
		p := profile(n)
		if namesakes && n == 1 {
			p.Name = "CA 0"
		}
		return p
	}
	var c chain
	var pool []*testmail.Identity
	for n := range 2 + rnd.IntN(2) {
		root := k.Root(named(n))
		pool = append(pool, root)
		for _, public := range []bool{false, true} { // one, both or none of them
			if rnd.IntN(2) == 0 {
				continue
			}
			a := anchor(root)
			switch a.Public = public; rnd.IntN(5) {
			case 0:
				a.Domains = []string{"other.example"}
			case 1:
				a.DistrustAfter = now.AddDate(-3, 0, 0)
			}
			c.anchors = append(c.anchors, a)
		}
	}
	for i := range 9 {
		p := named(rnd.IntN(5))
		p.Serial = big.NewInt(int64(i) + 1)
		switch rnd.IntN(10) {
		case 0:
			p.NotBefore, p.NotAfter = now.AddDate(-5, 0, 0), now.AddDate(-1, 0, 0)
		case 1:
			p.PathLength = testmail.ZeroPathLength
		case 2:
			p.PathLength = 1
		case 3:
			p.ExcludedMail = []string{"example.org"}
		}
		c.bag = append(c.bag, pool[rnd.IntN(len(pool))].Intermediate(p))
		pool = append(pool, c.bag[i])
	}
	c.leaf = c.bag[rnd.IntN(len(c.bag))].Issue(bob())
	return c
}

// anyWay offers every way up from the last of a chain to the search alone.
func anyWay(w chain, up []*x509.Certificate) bool {
	last := up[len(up)-1]
	signed := func(p *x509.Certificate) bool {
		return bytes.Equal(p.RawSubject, last.RawIssuer) && p.CheckSignature(last.SignatureAlgorithm, last.RawTBSCertificate, last.Signature) == nil
	}
	for _, a := range w.anchors {
		if signed(a.Certificate) {
			p, r := trust.New(a).Path(up[0], up[1:], options())
			if r == nil && len(p.Chain) == len(up)+1 {
				return true
			}
		}
	}
	for _, id := range w.bag {
		again := false // the same CA, by name and key
		for _, c := range up {
			again = again || bytes.Equal(c.RawSubject, id.Cert.RawSubject) && bytes.Equal(c.RawSubjectPublicKeyInfo, id.Cert.RawSubjectPublicKeyInfo)
		}
		if !again && signed(id.Cert) && len(up) < options().MaxChain-1 && anyWay(w, append(up[:len(up):len(up)], id.Cert)) {
			return true
		}
	}
	return false
}
