package trust_test

import (
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// TestSearchAnswersAlikeColdAndWarm judges all the chains that OpenSSL is asked
// about, and webs of CAs, by anchors that have never seen a path and by those that
// have seen this one, with every budget up to the one that suffices: path, refusal and
// what is left of the budget are the same.
func TestSearchAnswersAlikeColdAndWarm(t *testing.T) {
	all := chainsAndWebs(t, 100)
	remembered := 0
	for title, c := range all {
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

// TestSearchAnswersAlikeAfterOtherQuestions asks about the same certificates at other
// times, within other bounds, with other block lists, and with the shelf instead of the
// bag. Whatever has been asked before, in whatever order, no answer changes.
func TestSearchAnswersAlikeAfterOtherQuestions(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for title, c := range chainsAndWebs(t, 30) {
		warm := trust.New(c.anchors...)
		questions := questionsAbout(c)
		cold := make([]string, len(questions))
		for i, q := range questions {
			cold[i] = q.ask(trust.New(c.anchors...), c)
		}
		for range 2 {
			for _, i := range rnd.Perm(len(questions)) {
				if got := questions[i].ask(warm, c); got != cold[i] {
					t.Errorf("%s, question %d at %v:\ncold %s\nwarm %s", title, i, questions[i].o.At, cold[i], got)
				}
			}
		}
	}
}

// chainsAndWebs are those that OpenSSL is asked about and that can be read, and webs of CAs.
func chainsAndWebs(t *testing.T, webs uint64) map[string]chain {
	all := oracleChains(t)
	k := testmail.NewKeys()
	for seed := range webs {
		all[fmt.Sprint("web ", seed)] = randomWeb(k, rand.New(rand.NewPCG(seed, 9)))
	}
	for title, c := range all {
		if c.leaf.Cert == nil {
			delete(all, title)
		}
	}
	return all
}

// A question is a search in one of many settings.
type question struct {
	o       trust.Options
	blocked *testmail.Identity
	shelf   bool // the intermediates come from there
}

func (q question) ask(a *trust.Anchors, c chain) string {
	bag := bagOf(c.bag...)
	var shelf *trust.Shelf
	if q.shelf {
		shelf, bag = trust.NewShelf(bag), nil
	}
	blocked := func(x *x509.Certificate) bool { return q.blocked != nil && x.Equal(q.blocked.Cert) }
	left := 64
	q.o.Operations = &left
	return said(a.With(shelf, blocked), c, bag, q.o)
}

func questionsAbout(c chain) []question {
	var out []question
	add := func(change func(*question)) {
		q := question{o: options()}
		change(&q)
		out = append(out, q)
	}
	add(func(*question) {})
	add(func(q *question) { q.shelf = true })
	for _, n := range []int{2, 3, 4} {
		add(func(q *question) { q.o.MaxChain = n })
	}
	add(func(q *question) { q.o.MaxSANs = 1 })
	add(func(q *question) { q.o.RSABits = 2048 })
	for _, x := range c.bag {
		add(func(q *question) { q.blocked = x })
	}
	dated := append(bagOf(c.bag...), c.leaf.Cert)
	for _, a := range c.anchors {
		dated = append(dated, a.Certificate)
	}
	for _, x := range dated {
		for _, edge := range []time.Time{x.NotBefore.Add(-1), x.NotBefore, x.NotAfter, x.NotAfter.Add(1)} {
			if !slices.ContainsFunc(out, func(q question) bool { return q.o.At.Equal(edge) }) {
				add(func(q *question) { q.o.At = edge })
			}
		}
	}
	return out
}

// answer is what a search within a budget answers.
func answer(a *trust.Anchors, c chain, budget int) string {
	o, left := options(), budget
	o.Operations = &left
	return said(a, c, bagOf(c.bag...), o)
}

// said is all that comes out of a search, in one line.
func said(a *trust.Anchors, c chain, bag []*x509.Certificate, o trust.Options) string {
	p, r := a.Path(c.leaf.Cert, bag, o)
	path, refused := p.Chain, ""
	if r != nil {
		path, refused = r.Chain, fmt.Sprintf("%s %q %q %d %q %v", r.Reason, r.Detail, r.Names, r.Where, r.Constraint, r.Err)
	}
	var sums string
	for _, x := range path {
		sums += trust.Fingerprint(x)[:8] + " "
	}
	return fmt.Sprintf("%s%p %s, %d left", sums, p.Anchor, refused, *o.Operations)
}
