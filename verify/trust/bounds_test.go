package trust_test

import (
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// hangGuard is far above what any search here takes.
const hangGuard = 20 * time.Second

// within fails if f takes longer than the hang guard.
func within(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(hangGuard):
		t.Fatal("it takes too long")
	}
}

// flood returns certificates of one name, each with a key of its own, all
// issued by that very name: every one can stand above every other.
func flood(w world, n int) []*x509.Certificate {
	var bag []*x509.Certificate
	for i := range n {
		ca := w.keys.Root(testmail.Profile{Name: "Root", Organisation: "Example Trust", Kind: ec,
			Key: w.keys.Key(ec, fmt.Sprint("flood ", i)), NoKeyID: true})
		bag = append(bag, ca.Cert)
	}
	return bag
}

func TestFloodOfIssuersIsBounded(t *testing.T) {
	w := newWorld()
	leaf := w.keys.Root(testmail.Profile{Name: "Root", Organisation: "Example Trust", Kind: ec,
		Key: w.keys.Key(ec, "unrelated"), NoKeyID: true}).Issue(bob())
	for _, n := range []int{8, 32, 200} {
		o, left := options(), 64
		o.Operations = &left
		within(t, func() {
			p, r := trust.New(anchor(w.root)).Path(leaf.Cert, flood(w, n), o)
			want(t, "cert-untrusted", p, r)
		})
		if left < 0 {
			t.Errorf("%d certificates: %d operations more than allowed", n, -left)
		}
	}
}

// TestMazeIsBounded builds a bag in which every path by name is too long, and
// the number of ways is astronomic.
func TestMazeIsBounded(t *testing.T) {
	w := newWorld()
	top := w.root
	for i := range 8 {
		top = top.Intermediate(testmail.Profile{Name: fmt.Sprint("Step ", i), Kind: ec})
	}
	entry := top.Intermediate(testmail.Profile{Name: "Maze", Kind: ec})
	bag := append(bagOf(entry), bagOf(entry.Above()...)...)
	for i := range 22 {
		ca := w.keys.Root(testmail.Profile{Name: "Maze", Kind: ec, Key: w.keys.Key(ec, fmt.Sprint("maze ", i))})
		bag = append(bag, ca.Cert)
	}
	within(t, func() {
		p, r := trust.New(anchor(w.root)).Path(entry.Issue(bob()).Cert, bag, options())
		want(t, "cert-untrusted", p, r)
	})
}

func TestSurplusDoesNotHideThePath(t *testing.T) {
	w := newWorld()
	bag := append(flood(w, 31), w.inter.Cert)
	p, r := trust.New(anchor(w.root)).Path(w.leaf.Cert, bag, options())
	want(t, "", p, r)
}

func TestPathSpendsTwoOperations(t *testing.T) {
	w := newWorld()
	for _, c := range []struct {
		left   int
		reason string
	}{{2, ""}, {1, "cert-untrusted"}, {0, "cert-untrusted"}} {
		o, left := options(), c.left
		o.Operations = &left
		p, r := trust.New(anchor(w.root)).Path(w.leaf.Cert, bagOf(w.inter), o)
		want(t, c.reason, p, r)
		if left != 0 {
			t.Errorf("of %d operations %d are left", c.left, left)
		}
	}
}

// TestPathOfOneNameCostsItsLength: crypto/x509 by itself tries every certificate
// of the name for every place, and gives up at 100 signatures.
func TestPathOfOneNameCostsItsLength(t *testing.T) {
	w := newWorld()
	top, bag := w.root, []*x509.Certificate{}
	for i := range 15 {
		top = top.Intermediate(testmail.Profile{Name: "Root", Organisation: "Example Trust", Kind: ec, Key: w.keys.Key(ec, fmt.Sprint("rekeyed ", i))})
		bag = append([]*x509.Certificate{top.Cert}, bag...)
	}
	o, left := options(), 200
	o.Operations, o.MaxChain = &left, 17
	p, r := trust.New(anchor(w.root)).Path(top.Issue(bob()).Cert, bag, o)
	want(t, "", p, r)
	if len(p.Chain) != 17 {
		t.Errorf("%d certificates", len(p.Chain))
	}
}

// oversizedTwin is an intermediate whose key has a modulus of 65536 bits. It
// is a copy in memory: what counts is that nobody computes with it.
func oversizedTwin(c *x509.Certificate) *x509.Certificate {
	big1 := *c
	n := new(big.Int).Lsh(big.NewInt(1), 65535)
	big1.PublicKey = &rsa.PublicKey{N: n.SetBit(n, 0, 1), E: 65537}
	big1.Raw = slices.Concat(c.Raw[:len(c.Raw)-1], []byte{1})
	return &big1
}

func TestOversizeKeysAreNeverUsed(t *testing.T) {
	w := newWorld()
	twin := oversizedTwin(w.inter.Cert)
	o, left := options(), 64
	o.Operations = &left
	p, r := trust.New(anchor(w.root)).Path(w.leaf.Cert, []*x509.Certificate{twin}, o)
	want(t, "cert-incomplete", p, r)
	if left != 64 {
		t.Errorf("%d operations were made", 64-left)
	}
	p, r = trust.New(anchor(w.root)).Path(w.leaf.Cert, []*x509.Certificate{twin, w.inter.Cert}, o)
	want(t, "", p, r)
	p, r = trust.New(&trust.Anchor{Certificate: oversizedTwin(w.root.Cert)}).Path(w.leaf.Cert, bagOf(w.inter), o)
	want(t, "cert-incomplete", p, r)
	if left != 62 {
		t.Errorf("%d operations were made, want the two of the good path", 64-left)
	}
}

func TestAnchorInTheBagKeepsItsLimits(t *testing.T) {
	w := newWorld()
	limited := &trust.Anchor{Certificate: w.inter.Cert, Domains: []string{"other.example"}}
	p, r := trust.New(limited, anchor(w.root)).Path(w.leaf.Cert, bagOf(w.inter), options())
	want(t, "cert-constraint", p, r)
}

func TestCertificatesAreNotChanged(t *testing.T) {
	w := newWorld()
	ca := w.root.Intermediate(testmail.Profile{Name: "Constrained", Kind: ec, PermittedMail: []string{"example.org"},
		Constraints: testmail.NameConstraints([][]byte{testmail.RFC822Name("example.org"), testmail.DirectoryName(testmail.Sequence())}, nil)})
	leaf := ca.Issue(testmail.Profile{Name: "Bob", Kind: ec, UTF8Mailboxes: []string{"büro@example.org"}, SANCritical: true})
	before := []int{len(ca.Cert.UnhandledCriticalExtensions), len(leaf.Cert.UnhandledCriticalExtensions), len(leaf.Cert.ExtKeyUsage), len(ca.Cert.PermittedEmailAddresses)}
	p, r := trust.New(anchor(w.root)).Path(leaf.Cert, bagOf(ca), options())
	want(t, "", p, r)
	after := []int{len(ca.Cert.UnhandledCriticalExtensions), len(leaf.Cert.UnhandledCriticalExtensions), len(leaf.Cert.ExtKeyUsage), len(ca.Cert.PermittedEmailAddresses)}
	if !slices.Equal(before, after) || before[0] != 1 || before[1] != 1 {
		t.Errorf("before %v, after %v", before, after)
	}
	if p.Chain[0] != leaf.Cert || p.Chain[1] != ca.Cert || p.Chain[2] != w.root.Cert {
		t.Error("the path holds copies")
	}
}

func TestRefusalNamesStandApart(t *testing.T) {
	w := newWorld()
	leaf := w.keys.Root(testmail.Profile{Name: "Evil\r\nissuer", Kind: ec}).Issue(bob())
	_, r := trust.New(anchor(w.root)).Path(leaf.Cert, nil, options())
	if r == nil || len(r.Names) != 1 || r.Names[0] != "Evil\r\nissuer" {
		t.Fatalf("%+v", r)
	}
	if got := r.Error(); got != "trust: the issuer is not trusted here" {
		t.Errorf("%q", got)
	}
}

// TestNamesakesCostOneOperationEach: where a signature did not hold, the next path is
// first asked for the one signature by which it differs.
func TestNamesakesCostOneOperationEach(t *testing.T) {
	w := newWorld()
	partner := w.keys.Root(testmail.Profile{Name: "Partner", Kind: ec})
	hostile := partner.Intermediate(testmail.Profile{Name: "Partner CA", Kind: ec})
	between := []*testmail.Identity{hostile}
	keyID := pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 14}, Value: testmail.Element(4, w.inter.Cert.SubjectKeyId)}
	for i := range 28 {
		between = append(between, hostile.Intermediate(testmail.Profile{Name: "Mail CA", Organisation: "Example Trust",
			Key: w.keys.Key(ec, fmt.Sprint("namesake ", i)), Extra: []pkix.Extension{keyID}}))
	}
	shelf := trust.NewShelf(bagOf(append(between, w.inter)...))
	o, left := options(), 64
	o.Operations = &left
	p, r := trust.New(anchor(partner), anchor(w.root)).With(shelf, nil).Path(w.leaf.Cert, nil, o)
	want(t, "", p, r)
	if left < 24 {
		t.Errorf("%d operations are left of 64", left)
	}
}
