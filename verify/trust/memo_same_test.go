package trust_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// TestSearchAnswersAlikeColdAndWarm judges all the chains that OpenSSL is asked
// about, and webs of CAs, by anchors that have never seen a path and by those that
// have seen this one, with every budget up to the one that suffices: path, refusal and
// what is left of the budget are the same.
func TestSearchAnswersAlikeColdAndWarm(t *testing.T) {
	all := oracleChains(t)
	k := testmail.NewKeys()
	for seed := range uint64(100) {
		all[fmt.Sprint("web ", seed)] = randomWeb(k, rand.New(rand.NewPCG(seed, 9)))
	}
	remembered := 0
	for title, c := range all {
		if c.leaf.Cert == nil { // cannot be read
			continue
		}
		warm := trust.New(c.anchors...)
		answer(warm, c, 64)
		remembered += min(warm.Remembered(), 1)
		for _, budget := range []int{0, 1, 2, 3, 4, 5, 8, 64} {
			first, second := answer(trust.New(c.anchors...), c, budget), answer(warm, c, budget)
			if first != second {
				t.Errorf("%s, %d operations:\ncold %s\nwarm %s", title, budget, first, second)
			}
		}
	}
	if remembered < 100 {
		t.Errorf("%d of %d chains are remembered: they prove little", remembered, len(all))
	}
}

// answer is all that comes out of a search, in one line.
func answer(a *trust.Anchors, c chain, budget int) string {
	o, left := options(), budget
	o.Operations = &left
	p, r := a.Path(c.leaf.Cert, bagOf(c.bag...), o)
	path, refused := p.Chain, ""
	if r != nil {
		path, refused = r.Chain, fmt.Sprintf("%s %q %q %d %q %v", r.Reason, r.Detail, r.Names, r.Where, r.Constraint, r.Err)
	}
	var sums string
	for _, x := range path {
		sums += trust.Fingerprint(x)[:8] + " "
	}
	return fmt.Sprintf("%s%p %s, %d left", sums, p.Anchor, refused, left)
}
