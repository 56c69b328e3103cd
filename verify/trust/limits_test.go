package trust_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// TestLimits: whoever lists a CA sees every limit it has, of whatever form.
func TestLimits(t *testing.T) {
	box, utf, dns := testmail.RFC822Name, testmail.SmtpUTF8Mailbox, testmail.DNSName
	acme := testmail.DirectoryName(name(t, "C", "DE", "O", "Acme"))
	evil := testmail.DirectoryName(name(t, "O", "Evil\x1b[2J"))
	uri := testmail.Element(0x86, []byte(".example.org"))
	ip := testmail.Element(0x87, []byte{10, 0, 0, 0, 255, 0, 0, 0})
	ip6 := testmail.Element(0x87, append([]byte{0x20, 1, 0xd, 0xb8, 15: 0}, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
	rid := testmail.Element(0x88, []byte{0x2a, 3, 4})
	list := func(n ...[]byte) [][]byte { return n }
	var many [][]byte
	for i := range 13 {
		many = append(many, box(fmt.Sprintf("h%d.example.org", i)))
	}
	var first []string
	for i := range 10 {
		first = append(first, fmt.Sprintf("permitted email:h%d.example.org", i))
	}
	for title, c := range map[string]struct {
		value []byte
		want  []string
	}{
		"none":                 {nil, nil},
		"e-mail and directory": {testmail.NameConstraints(list(box("example.org"), acme), nil), []string{"permitted email:example.org", "permitted dirName:C=DE, O=Acme"}},
		"excluded only":        {testmail.NameConstraints(nil, list(evil, utf("büro@example.org"))), []string{"excluded dirName:O=Evil?[2J", "excluded otherName:SmtpUTF8Mailbox:büro@example.org"}},
		"what is not of mail": {testmail.NameConstraints(list(dns("example.org"), uri, ip), list(ip6, dns("a.example.org"))),
			[]string{"permitted DNS:example.org", "permitted URI:.example.org", "permitted IP:10.0.0.0/8", "excluded IP:2001:db8::/32", "excluded DNS:a.example.org"}},
		"forms that nobody compares": {testmail.NameConstraints(list(box(""), upn("x")), list(rid, testmail.Element(0xa3, nil), testmail.Element(0xa5, nil))),
			[]string{"permitted email:", "permitted otherName:1.3.6.1.4.1.311.20.2.3", "excluded RID:1.2.3.4", "excluded x400Address", "excluded ediPartyName"}},
		"many": {testmail.NameConstraints(append(many, acme), list(evil)),
			append(first, "permitted dirName:C=DE, O=Acme", "excluded dirName:O=Evil?[2J", "and 3 more permitted email")},
		"no directory name": {testmail.NameConstraints(list(box("example.org"), testmail.DirectoryName([]byte{5, 0})), nil),
			[]string{"name constraints that cannot be read: no name", "permitted email:example.org", "permitted dirName:?"}},
		"maximum": {testmail.Sequence(testmail.Element(0xa1, testmail.Sequence(acme, []byte{0x81, 1, 3}))),
			[]string{"name constraints that cannot be read: name constraint with a maximum", "excluded dirName:C=DE, O=Acme"}},
	} {
		ca := testmail.NewKeys().Root(testmail.Profile{Name: "CA", Kind: ec, Constraints: c.value})
		if ca.Cert == nil {
			t.Errorf("%s: the CA cannot be read", title)
			continue
		}
		if got := trust.Limits(ca.Cert); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", title, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
	long := testmail.NewKeys().Root(testmail.Profile{Name: "CA", Kind: ec, Constraints: testmail.NameConstraints(nil, list(testmail.DirectoryName(name(t, "O", strings.Repeat("ü", 5000)))))})
	if got := trust.Limits(long.Cert); len(got) != 1 || utf8.RuneCountInString(got[0]) != 128 || !strings.HasSuffix(got[0], "ü…") {
		t.Errorf("a long name: %q", got)
	}
}
