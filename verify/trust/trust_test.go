package trust_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

const ec = "p256" // the kind of key of most certificates here: fast

// options are those of the specification, at the instant of the test mail.
func options() trust.Options {
	return trust.Options{At: testmail.Instant(), MaxChain: 8, MaxSANs: 100, RSABits: 8192}
}

func anchor(id *testmail.Identity) *trust.Anchor {
	return &trust.Anchor{Certificate: id.Cert, Source: "test"}
}

func bagOf(ids ...*testmail.Identity) []*x509.Certificate {
	var bag []*x509.Certificate
	for _, id := range ids {
		if id.Cert != nil {
			bag = append(bag, id.Cert)
		}
	}
	return bag
}

// A world is a root, an intermediate and an honest leaf.
type world struct {
	keys              *testmail.Keys
	root, inter, leaf *testmail.Identity
}

func newWorld() world {
	w := world{keys: testmail.NewKeys()}
	w.root = w.keys.Root(testmail.Profile{Name: "Root", Organisation: "Example Trust", Kind: ec})
	w.inter = w.root.Intermediate(testmail.Profile{Name: "Mail CA", Organisation: "Example Trust", Kind: ec})
	w.leaf = w.inter.Issue(bob())
	return w
}

// bob is the profile of an honest leaf.
func bob() testmail.Profile {
	return testmail.Profile{Name: "Bob", Kind: ec, Mailboxes: []string{"bob@example.org"}}
}

func critical(oid ...int) []pkix.Extension {
	return []pkix.Extension{{Id: asn1.ObjectIdentifier(oid), Critical: true, Value: []byte{5, 0}}}
}

// want asserts the reason of a search, "" for a path, and that what is
// returned fits the answer.
func want(t *testing.T, reason string, p trust.Path, r *trust.Refusal) {
	t.Helper()
	switch {
	case reason == "" && r != nil:
		t.Fatalf("refused: %s %v %v", r.Reason, r, r.Err)
	case reason == "" && (p.Anchor == nil || !p.Chain[len(p.Chain)-1].Equal(p.Anchor.Certificate)):
		t.Fatalf("the path does not end in its anchor: %v", p)
	case reason != "" && r == nil:
		t.Fatalf("accepted, want %s", reason)
	case reason != "" && (r.Reason != reason || r.Detail == ""):
		t.Fatalf("got %s (%s) %v, want %s", r.Reason, r.Detail, r.Err, reason)
	case reason != "" && (p.Chain != nil || p.Anchor != nil):
		t.Fatal("a refusal comes with a path")
	}
	for i := 0; reason == "" && i+1 < len(p.Chain); i++ {
		if !bytes.Equal(p.Chain[i].RawIssuer, p.Chain[i+1].RawSubject) {
			t.Fatalf("certificate %d of the path was not issued by the next", i)
		}
	}
}
