package main

import (
	"bytes"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// TestDescribeLongNames: crypto/x509 writes a name in time that grows with its
// square. A file of CAs may come from anywhere, and the name in it is no reason to
// wait for hours.
func TestDescribeLongNames(t *testing.T) {
	attribute := testmail.Element(0x31, testmail.Sequence([]byte{6, 3, 0x55, 4, 10}, []byte{12, 1, 'a'}))
	name := testmail.Sequence(bytes.Repeat(attribute, 60000))
	root := testmail.NewKeys().Root(testmail.Profile{Name: "Root", Kind: "p256", Subject: name})
	done := make(chan described, 1)
	go func() { done <- describe("anchor", root.Cert) }()
	select {
	case d := <-done:
		if !strings.HasPrefix(d.Subject, "a name of ") || d.Issuer != d.Subject {
			t.Errorf("subject %.80q, issuer %.80q", d.Subject, d.Issuer)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it takes over 10 s")
	}
	honest := testmail.NewKeys().Root(testmail.Profile{Name: "Root", Organisation: strings.Repeat("O", 64), Kind: "p256"})
	if d := describe("anchor", honest.Cert); d.Subject != "CN=Root,O="+strings.Repeat("O", 64) || d.Issuer != d.Subject {
		t.Errorf("subject %q, issuer %q", d.Subject, d.Issuer)
	}
	hostile := testmail.NewKeys().Root(testmail.Profile{Kind: "p256", Name: "\x1b[2J\u202e\x07", Subject: testmail.Sequence(
		testmail.Element(0x31, testmail.Sequence([]byte{6, 3, 0x55, 4, 3}, testmail.Element(12, []byte("a\x1b[2J\u202e\u0085b")))))})
	if d := describe("anchor", hostile.Cert); d.Subject != "CN=a?[2J??b" {
		t.Errorf("subject %q", d.Subject)
	}
}

// TestDescribeLimits: list and verify show the limits of every form, for people
// and for programs.
func TestDescribeLimits(t *testing.T) {
	organisation := testmail.Sequence(testmail.Element(0x31, testmail.Sequence([]byte{6, 3, 0x55, 4, 10}, testmail.Element(12, []byte("Evil")))))
	root := testmail.NewKeys().Root(testmail.Profile{Name: "Root", Kind: "p256", Constraints: testmail.NameConstraints(
		[][]byte{testmail.RFC822Name("example.org"), testmail.SmtpUTF8Mailbox("büro@example.org")},
		[][]byte{testmail.DirectoryName(organisation)})})
	leaf := root.Issue(testmail.Profile{Name: "Leaf", Kind: "p256", Mailboxes: []string{"bob@example.org"}})
	const want = "permitted email:example.org; permitted otherName:SmtpUTF8Mailbox:büro@example.org; excluded dirName:O=Evil"
	var list, verify, programs bytes.Buffer
	d := describe("intermediate", root.Cert)
	if err := errors.Join(d.print(&list, false), d.print(&programs, true)); err != nil {
		t.Fatal(err)
	}
	writeChain(&verify, []*x509.Certificate{leaf.Cert, root.Cert}, trusted{anchors: trust.New()}, nil, nil)
	for _, text := range []string{list.String(), verify.String(), strings.ReplaceAll(programs.String(), `","`, "; ")} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
