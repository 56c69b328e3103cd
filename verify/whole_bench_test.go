package verify_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/trust"
)

// BenchmarkWholeJob measures the judgement of an honest message (DKIM, CMS,
// chain, all RSA 2048) against the bare cryptography in a first message: two SHA-256
// passes, four RSA verifications, three small hashes. From the second on, two of the four
// are not made: the path has been found before. The figure to read is x-floor, a
// median of ratios of CPU time taken in turns in this one run.
func BenchmarkWholeJob(b *testing.B) {
	for _, size := range []int{10 << 10, 100 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			v, message := honestRSA(b, size)
			floor := testmail.NewKeys().Floor(len(message))
			job := func() {
				x := v.Begin(verify.Envelope{})
				for rest := message; len(rest) > 0; {
					n := min(len(rest), 65535)
					x.Write(rest[:n])
					rest = rest[n:]
				}
				if r := x.Report(b.Context()); r.Verdict() != verify.Accept {
					b.Fatalf("judged %s: %+v", r.Verdict(), r.Decisive())
				}
			}
			each := 1 + (4<<20)/size/20
			var ratios []float64
			for b.Loop() {
				ratios = append(ratios, float64(testmail.CPU(each, job))/float64(testmail.CPU(each, floor)))
			}
			b.ReportMetric(testmail.Median(ratios), "x-floor")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func honestRSA(b *testing.B, size int) (*verify.Verifier, []byte) {
	b.Helper()
	keys := testmail.NewKeys()
	root := keys.Root(testmail.Profile{Name: "Root"})
	ca := root.Intermediate(testmail.Profile{Name: "Mail CA"})
	alice := ca.Issue(testmail.Profile{Name: "Alice", Mailboxes: []string{"alice@example.org"}})
	dkim := testmail.DKIM{Domain: "example.org", Selector: "s1", Key: keys.Key("rsa2048", "dkim")}
	content := testmail.Text(slices.Repeat([]string{strings.Repeat("certinbox ", 7)}, size/72)...).Bytes()
	blob, err := cmstest.Blob{Content: content, Extra: [][]byte{ca.DER},
		Signers: []cmstest.Signer{{Key: alice.Key, Certificate: alice.Cert}}}.Build()
	if err != nil {
		b.Fatal(err)
	}
	entity := testmail.MultipartSigned(content, blob)
	m := dkim.Sign(testmail.Message{Fields: append([]string{"From: alice@example.org", "To: secureme@example.com",
		"Date: Mon, 02 Mar 2026 11:55:00 +0000", "Subject: s", "Message-ID: <1@example.org>", "MIME-Version: 1.0"}, entity.Fields...), Body: entity.Body})
	zone := testmail.Zone{}.Add(dkim.Name(), dkim.Record())
	v := &verify.Verifier{Policy: verify.DefaultPolicy(), TXT: zone.TXT, Now: testmail.Instant,
		Anchors: trust.New(&trust.Anchor{Certificate: root.Cert})}
	v.Policy.Collect = []string{"secureme@example.com"}
	return v, m.Bytes()
}
