package trust

import (
	"bytes"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
)

// FuzzFolderFile: what is read as an anchor is what would be written, so that
// no limit is lost on the way.
func FuzzFolderFile(f *testing.F) {
	c := testmail.NewKeys().Root(testmail.Profile{Name: "Root", Kind: "p256"}).Cert
	name := Fingerprint(c) + ".pem"
	for _, s := range []Source{{}, {Domains: []string{"a.example", ".b.example"}, Exclusive: true}, {AllowMissingEKU: true, AllowSubjectAddress: true}} {
		f.Add(formatFolderFile(c, &s, testmail.Instant(), "a \"file\""), true)
	}
	f.Add(formatFolderFile(c, nil, testmail.Instant(), "x"), false)
	f.Fuzz(func(t *testing.T, data []byte, anchor bool) {
		k, err := parseFolderFile(name, data, anchor)
		if err != nil {
			return
		}
		if !k.certificate.Equal(c) {
			t.Fatal("another certificate")
		}
		var s *Source
		if anchor {
			s = &k.settings
			if s.Domains != nil && len(s.Domains) == 0 {
				t.Fatal("no domain")
			}
			if s.Domains == nil && !bytes.Contains(data, []byte("# domains: any\n")) {
				t.Fatal("any domain, and nobody said so")
			}
		}
		again, err := parseFolderFile(name, formatFolderFile(k.certificate, s, k.added, k.from), anchor)
		if err != nil || again.settings.Exclusive != k.settings.Exclusive || len(again.settings.Domains) != len(k.settings.Domains) ||
			again.settings.AllowMissingEKU != k.settings.AllowMissingEKU || again.settings.AllowSubjectAddress != k.settings.AllowSubjectAddress {
			t.Fatalf("written and read again: %+v, %v", again.settings, err)
		}
	})
}

// FuzzIssuersFile: the file of refused issuers is bounded, and what is read of
// it can be shown on a terminal.
func FuzzIssuersFile(f *testing.F) {
	c := testmail.NewKeys().Root(testmail.Profile{Name: "Root", Kind: "p256"}).Cert
	var i Issuers
	i.Note(c, "cert-untrusted", "a.example", testmail.Instant())
	for _, r := range i.List(testmail.Instant()) {
		f.Add([]byte(`{"id":"` + r.ID + `","name":"Root","reason":"cert-untrusted","domain":"a.example","count":1,"first":"2026-03-02T12:00:00Z","last":"2026-03-02T12:00:00Z"}` + "\n"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		i, err := parseIssuers(data)
		if err != nil {
			return
		}
		for _, r := range i.List(time.Time{}) {
			if bytes.ContainsFunc([]byte(r.Name+r.Domain+r.Reason+r.KeyID+r.ID), func(c rune) bool { return c < ' ' || c > '~' }) {
				t.Fatalf("%+v", r)
			}
		}
	})
}

// FuzzObjects: any file can be listed.
func FuzzObjects(f *testing.F) {
	c := testmail.NewKeys().Root(testmail.Profile{Name: "Root", Kind: "p256"})
	f.Add(c.DER)
	f.Add(c.PEM())
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"))
	f.Add([]byte{0x30, 0x03, 0x02, 0x01, 0x03})
	f.Fuzz(func(t *testing.T, data []byte) {
		objects, _, err := Objects("x", data, testmail.Instant())
		if err != nil {
			return
		}
		for i, o := range objects {
			if o.Index != i+1 || o.Kind == "" || (o.Certificate == nil && o.Problem == "") || (o.Kind == MailCA) != (o.Certificate != nil && isCA(o.Certificate) && issuesForMail(o.Certificate)) {
				t.Fatalf("%+v", o)
			}
			if o.Certificate != nil {
				SelfSigned(o.Certificate)
			}
		}
	})
}
