package verify_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/trust"
)

// TestStrangersDoNotFillTheReport: anybody with a domain can sign with
// certificates as large as the limits allow. What is logged, kept for the
// phone call, and written into a header stays small.
func TestStrangersDoNotFillTheReport(t *testing.T) {
	keys := testmail.NewKeys()
	long := new(big.Int).Lsh(big.NewInt(3), 8*25000).Bytes()
	var boxes []string
	for i := range 100 {
		boxes = append(boxes, fmt.Sprint(i, "@", strings.Repeat(strings.Repeat("b", 60)+".", 3), "example"))
	}
	var bag [][]byte
	var signer *testmail.Identity
	for i := range 15 {
		signer = keys.SelfSigned(testmail.Profile{Name: fmt.Sprint("Box ", i), Kind: "p256", Mailboxes: boxes, Edit: func(tbs []byte) []byte {
			return testmail.Replace(tbs, testmail.Children(tbs)[1], cmstest.TLV(0x02, long))
		}})
		bag = append(bag, signer.DER)
	}
	content := testmail.Text("hi").Bytes()
	blob, err := cmstest.Blob{Content: content, Certificates: bag, Signers: []cmstest.Signer{{Key: signer.Key, Certificate: signer.Cert}}}.Build()
	if err != nil {
		t.Fatal(err)
	}
	entity := testmail.MultipartSigned(content, blob)
	dkim := testmail.DKIM{Domain: "example.org", Selector: "s1", Key: keys.Key("rsa1024", "dkim")}
	message := dkim.Sign(testmail.Message{Fields: append([]string{"From: alice@example.org"}, entity.Fields...), Body: entity.Body}).Bytes()

	v := &verify.Verifier{Policy: verify.DefaultPolicy(), TXT: testmail.Zone{}.Add(dkim.Name(), dkim.Record()).TXT, Now: testmail.Instant, Anchors: trust.New()}
	x := v.Begin(verify.Envelope{})
	x.Write(message)
	r := x.Report(t.Context())
	if d := r.Decisive(); d == nil || d.Reason != "cert-untrusted" || len(r.Seen) != 15 {
		t.Fatalf("%+v, %d certificates seen", d, len(r.Seen))
	}
	out, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for name, n := range map[string]int{"JSON": len(out), "text": text.Len(), "header": len(r.AuthResults("mx.example.com")) * 32} {
		if n > 64<<10 {
			t.Errorf("%s: %d bytes for a message of %d", name, n, len(message))
		}
	}
	for line := range strings.SplitSeq(r.AuthResults("mx.example.com"), "\n") {
		if len(line) > 998 { // RFC 5322 section 2.1.1
			t.Errorf("a header line of %d bytes", len(line))
		}
	}
	if s := r.Seen[0]; len(s.Mailboxes) != 9 || s.Mailboxes[8] != "and 92 more" || len(s.Serial) != 67 || !strings.HasSuffix(s.Serial, "00...") {
		t.Errorf("seen: %d mailboxes, serial %s", len(s.Mailboxes), s.Serial)
	}
}
