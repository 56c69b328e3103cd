package trust_test

import (
	"crypto/x509"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// pieces are a leaf, what may stand above it, good and bad, and two roots.
func pieces() (leaf *x509.Certificate, cas []*x509.Certificate, roots []*trust.Anchor) {
	w := newWorld()
	now := testmail.Instant()
	other := w.keys.Root(testmail.Profile{Name: "Other root", Kind: ec})
	lower := w.inter.Intermediate(testmail.Profile{Name: "Lower", Kind: ec})
	cross := other.Intermediate(testmail.Profile{Name: "Root", Organisation: "Example Trust", Key: w.root.Key})
	twin := w.root.Intermediate(testmail.Profile{Name: "Mail CA", Organisation: "Example Trust", Key: w.inter.Key, Serial: lower.Cert.SerialNumber})
	old := w.root.Intermediate(testmail.Profile{Name: "Mail CA", Organisation: "Example Trust", Key: w.inter.Key, NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(-1, 0, 0)})
	tight := w.inter.Intermediate(testmail.Profile{Name: "Lower", Key: lower.Key, PermittedMail: []string{"other.example"}})
	forged := w.keys.Root(testmail.Profile{Name: "Mail CA", Organisation: "Example Trust", Kind: ec, Key: w.keys.Key(ec, "forger"), NoKeyID: true})
	round := lower.Intermediate(testmail.Profile{Name: "Mail CA", Organisation: "Example Trust", Key: w.inter.Key})
	return lower.Issue(bob()).Cert, bagOf(w.inter, lower, cross, twin, old, tight, forged, round), []*trust.Anchor{anchor(w.root), anchor(other)}
}

// chosen returns those of list that the bits name.
func chosen[T any](list []T, bits byte) (out []T) {
	for i, x := range list {
		if bits>>i&1 == 1 {
			out = append(out, x)
		}
	}
	return out
}

// FuzzShelf deals certificates out to bag, operator, what was learnt, the block
// list and the anchors. What is found is a path of signatures without anybody
// blocked; and where a certificate stands makes no difference to whether one
// is found, an expired one excepted, which is none.
func FuzzShelf(f *testing.F) {
	leaf, cas, roots := pieces()
	f.Add(byte(0b11), byte(0), byte(0), byte(0), byte(1))
	f.Add(byte(0), byte(0b10), byte(0b01), byte(0), byte(3))
	f.Add(byte(0b01000010), byte(0b100), byte(0b1001), byte(0b1), byte(2))
	f.Add(byte(0b11110000), byte(0b10010000), byte(0b10), byte(0b1000), byte(3))
	f.Add(byte(0b01101101), byte(0b00111101), byte(0b11111011), byte(0b01001100), byte(3)) // many stand there twice
	f.Fuzz(func(t *testing.T, inMail, operators, learnt, blocked, trusted byte) {
		anchors := trust.New(chosen(roots, trusted)...)
		if anchors.Len() == 0 {
			return
		}
		bag, list := chosen(cas, inMail), chosen(cas, blocked)
		blocks := func(c *x509.Certificate) bool {
			for _, b := range list {
				if b.Equal(c) {
					return true
				}
			}
			return false
		}
		shelf := trust.NewShelf(chosen(cas, operators))
		shelf.Learn(trust.Path{Chain: append(append([]*x509.Certificate{leaf}, chosen(cas, learnt)...), roots[0].Certificate), Anchor: roots[0]}, testmail.Instant())
		o, left := options(), 200
		o.Operations = &left
		p, r := anchors.With(shelf, blocks).Path(leaf, bag, o)
		if (r == nil) == (p.Anchor == nil) {
			t.Fatalf("%v, %v", p, r)
		}
		for i := 0; i+1 < len(p.Chain); i++ {
			if err := p.Chain[i].CheckSignatureFrom(p.Chain[i+1]); err != nil || blocks(p.Chain[i+1]) {
				t.Fatalf("certificate %d of the path: %v, or the next is blocked", i, err)
			}
		}
		if r != nil && r.Chain != nil && (r.Where >= len(r.Chain) || r.Chain[0] != leaf) {
			t.Fatalf("refused at %d of %d", r.Where, len(r.Chain))
		}
		all := append(append(bag, chosen(cas, operators)...), shelf.Learnt()...)
		left = 200
		if _, together := anchors.With(nil, blocks).Path(leaf, all, o); (together == nil) != (r == nil) {
			t.Fatalf("all in the mail: %v; as dealt: %v", together, r)
		}
	})
}
