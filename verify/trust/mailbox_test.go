package trust_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

func TestMailboxes(t *testing.T) {
	k := testmail.NewKeys()
	box, utf := testmail.RFC822Name, testmail.SmtpUTF8Mailbox
	other := testmail.Element(0xa0, append([]byte{6, 3, 0x2a, 3, 4}, testmail.Element(0xa0, testmail.Element(0x0c, []byte("x")))...))
	many := func(n int) [][]byte {
		var out [][]byte
		for i := range n {
			out = append(out, box(fmt.Sprintf("b%d@example.org", i)))
		}
		return out
	}
	for title, c := range map[string]struct {
		names  [][]byte
		want   []string
		reason string
	}{
		"one":                            {[][]byte{box("bob@example.org")}, []string{"bob@example.org"}, ""},
		"domain in upper case":           {[][]byte{box("Bob@EXAMPLE.org")}, []string{"Bob@example.org"}, ""},
		"both kinds in order":            {[][]byte{utf("büro@example.org"), box("bob@example.org")}, []string{"büro@example.org", "bob@example.org"}, ""},
		"U-label host":                   {[][]byte{utf("büro@bücher.example")}, []string{"büro@xn--bcher-kva.example"}, ""},
		"no mailbox among others":        {[][]byte{testmail.DNSName("example.org"), other}, nil, ""},
		"hundred names":                  {many(100), nil, ""},
		"hundred and one":                {many(101), nil, "cert-malformed"},
		"NUL":                            {[][]byte{box("bob@example.org\x00.evil.example")}, nil, "cert-no-address"},
		"space at the end":               {[][]byte{box("bob@example.org ")}, nil, "cert-no-address"},
		"dot at the end":                 {[][]byte{box("bob@example.org.")}, nil, "cert-no-address"},
		"two @":                          {[][]byte{box("bob@example.org@evil.example")}, nil, "cert-no-address"},
		"no @":                           {[][]byte{box("example.org")}, nil, "cert-no-address"},
		"empty":                          {[][]byte{box("")}, nil, "cert-no-address"},
		"one label":                      {[][]byte{box("bob@localhost")}, nil, "cert-no-address"},
		"quoted":                         {[][]byte{box(`"bob"@example.org`)}, nil, "cert-no-address"},
		"address literal":                {[][]byte{box("bob@[192.0.2.1]")}, nil, "cert-no-address"},
		"angle brackets":                 {[][]byte{box("<bob@example.org>")}, nil, "cert-no-address"},
		"mailto":                         {[][]byte{box("mailto:bob@example.org")}, nil, "cert-no-address"},
		"a good one beside a bad one":    {[][]byte{box("bob@example.org"), box("bob@")}, nil, "cert-no-address"},
		"U-label that does not survive":  {[][]byte{utf("büro@BÜCHER.example")}, nil, "cert-no-address"},
		"SmtpUTF8Mailbox, not UTF-8":     {[][]byte{utf("b\xff@example.org")}, nil, "cert-no-address"},
		"SmtpUTF8Mailbox of another tag": {[][]byte{wrongString()}, nil, "cert-no-address"},
		"unknown form":                   {[][]byte{box("bob@example.org"), testmail.Element(0x8a, nil)}, nil, "cert-no-address"},
		"rfc822Name as constructed":      {[][]byte{box("bob@example.org"), testmail.Element(0xa1, []byte("x@example.org"))}, nil, "cert-no-address"},
	} {
		t.Run(title, func(t *testing.T) {
			leaf := k.SelfSigned(testmail.Profile{Name: "Bob", Kind: ec, SAN: testmail.Sequence(c.names...)})
			if leaf.Cert == nil {
				t.Fatal("the certificate cannot be read")
			}
			boxes, err := trust.Mailboxes(leaf.Cert, 100)
			if got := reasonOf(t, err); got != c.reason {
				t.Fatalf("got %q (%v), want %q", got, err, c.reason)
			}
			if err != nil && boxes != nil {
				t.Error("an error comes with mailboxes")
			}
			if c.want != nil && !slices.Equal(c.want, texts(boxes)) {
				t.Errorf("got %q, want %q", texts(boxes), c.want)
			}
			if title == "no mailbox among others" && len(boxes) != 0 {
				t.Errorf("got %q", texts(boxes))
			}
		})
	}
}

func texts[T fmt.Stringer](list []T) []string {
	var out []string
	for _, x := range list {
		out = append(out, x.String())
	}
	return out
}

func reasonOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var r *trust.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("%v is no refusal", err)
	}
	return r.Reason
}

// wrongString is a SmtpUTF8Mailbox that is an IA5String.
func wrongString() []byte {
	id := []byte{6, 8, 0x2b, 6, 1, 5, 5, 7, 8, 9}
	return testmail.Element(0xa0, append(id, testmail.Element(0xa0, testmail.Element(0x16, []byte("bob@example.org")))...))
}

func TestMailboxesWithoutSAN(t *testing.T) {
	leaf := testmail.NewKeys().SelfSigned(testmail.Profile{Name: "bob@example.org", Kind: ec, SubjectMail: []string{"bob@example.org", "b2@Example.org"}})
	boxes, err := trust.Mailboxes(leaf.Cert, 100)
	if err != nil || len(boxes) != 0 {
		t.Errorf("%v, %v: a common name or subject address is no SAN mailbox", boxes, err)
	}
	boxes, err = trust.SubjectMailboxes(leaf.Cert, 100)
	if err != nil || !slices.Equal(texts(boxes), []string{"bob@example.org", "b2@example.org"}) {
		t.Errorf("%v, %v", boxes, err)
	}
	for _, bad := range []string{"bob@example.org@evil.example", "bob", ""} {
		leaf = testmail.NewKeys().SelfSigned(testmail.Profile{Name: "Bob", Kind: ec, SubjectMail: []string{bad}})
		if _, err = trust.SubjectMailboxes(leaf.Cert, 100); reasonOf(t, err) != "cert-no-address" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
