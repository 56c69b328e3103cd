package verify

import (
	"context"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/smime"
	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

func TestAddress(t *testing.T) {
	p := newPKI()
	box, utf := testmail.RFC822Name, testmail.SmtpUTF8Mailbox
	san := func(names ...[]byte) testmail.Profile { return testmail.Profile{SAN: testmail.Sequence(names...)} }
	subject := testmail.Profile{SubjectMail: []string{"bob@example.org"}}
	beside := testmail.Profile{SubjectMail: []string{"bob@example.org"}, Mailboxes: []string{"robert@example.org"}}
	for title, c := range map[string]struct {
		author  string
		profile testmail.Profile
		allow   bool // the anchor allows the subject's address
		reason  string
		noted   bool // in another case
	}{
		"same":                           {"bob@example.org", san(box("bob@example.org")), false, "", false},
		"domain in another case":         {"bob@example.org", san(box("bob@EXAMPLE.Org")), false, "", false},
		"local part in another case":     {"bob@example.org", san(box("Bob@example.org")), false, "", true},
		"exact one behind a folded one":  {"bob@example.org", san(box("BOB@example.org"), box("bob@example.org")), false, "", false},
		"one of several":                 {"bob@example.org", san(box("b@example.org"), box("bob@example.org")), false, "", false},
		"other local part":               {"bob@example.org", san(box("alice@example.org")), false, "cert-address", false},
		"other domain":                   {"bob@example.org", san(box("bob@example.net")), false, "cert-address", false},
		"host below":                     {"bob@example.org", san(box("bob@mx.example.org")), false, "cert-address", false},
		"tag is not dropped":             {"bob+news@example.org", san(box("bob@example.org")), false, "cert-address", false},
		"dots are not dropped":           {"b.ob@example.org", san(box("bob@example.org")), false, "cert-address", false},
		"prefix":                         {"bob@example.org", san(box("bob@example.organic")), false, "cert-address", false},
		"U-label author, A-label name":   {"bob@bücher.example", san(box("bob@xn--bcher-kva.example")), false, "", false},
		"A-label author, U-label name":   {"bob@xn--bcher-kva.example", san(utf("bob@bücher.example")), false, "", false},
		"UTF-8 local part":               {"büro@example.org", san(utf("büro@example.org")), false, "", false},
		"UTF-8 local part, other case":   {"büro@example.org", san(utf("BÜRO@example.org")), false, "cert-address", false},
		"no name at all":                 {"bob@example.org", testmail.Profile{}, false, "cert-no-address", false},
		"only a DNS name":                {"bob@example.org", testmail.Profile{DNSNames: []string{"example.org"}}, false, "cert-no-address", false},
		"common name never":              {"bob@example.org", testmail.Profile{Name: "bob@example.org"}, true, "cert-no-address", false},
		"subject, not allowed":           {"bob@example.org", subject, false, "cert-no-address", false},
		"subject, allowed":               {"bob@example.org", subject, true, "", false},
		"subject of somebody else":       {"alice@example.org", subject, true, "cert-address", false},
		"subject beside a SAN":           {"bob@example.org", beside, true, "cert-address", false},
		"subject malformed":              {"bob@example.org", testmail.Profile{SubjectMail: []string{"bob@example.org@x"}}, true, "cert-no-address", false},
		"malformed beside the right one": {"bob@example.org", san(box("bob@example.org"), box("x y@example.org")), false, "cert-no-address", false},
		"NUL after the right one":        {"bob@example.org", san(box("bob@example.org\x00.evil.example")), false, "cert-no-address", false},
		"malformed, subject allowed":     {"bob@example.org", testmail.Profile{SAN: testmail.Sequence(box("bob")), SubjectMail: []string{"bob@example.org"}}, true, "cert-no-address", false},
	} {
		t.Run(title, func(t *testing.T) {
			if c.profile.Name == "" {
				c.profile.Name = "Bob"
			}
			c.profile.Kind = "p256"
			leaf := p.ca.Issue(c.profile)
			set := trust.New(&trust.Anchor{Certificate: p.root.Cert, AllowSubjectAddress: c.allow})
			f := factsOf(t, set, leaf, []*testmail.Identity{leaf, p.ca})
			author, err := smime.ParseAddress(c.author)
			if err != nil {
				t.Fatal(err)
			}
			f.author = &author
			if r := checkChain(context.Background(), f); r.Status != Pass {
				t.Fatalf("%+v", r)
			}
			r := checkAddress(context.Background(), f)
			wantRow(t, r, c.reason)
			if got := strings.Contains(r.Detail, "another case"); got != c.noted {
				t.Errorf("%q", r.Detail)
			}
			if c.reason == "" && (len(r.Props) != 1 || r.Props[0].Name != "body.smime-identifier" || r.Props[0].Value == "") {
				t.Errorf("%q", r.Props)
			}
			if c.reason != "" && (r.Plain == "" || strings.Contains(r.Plain, "example")) {
				t.Errorf("plain %q", r.Plain)
			}
		})
	}
}

func TestAddressWithoutAuthor(t *testing.T) {
	p := newPKI()
	leaf := p.leaf("Bob", nil)
	f := factsOf(t, p.anchors(), leaf, []*testmail.Identity{leaf, p.ca})
	checkChain(context.Background(), f)
	f.author = nil
	if r := checkAddress(context.Background(), f); r.Status != None || r.Status.holds() {
		t.Errorf("%+v", r)
	}
}
