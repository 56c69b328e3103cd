package main

import (
	"bytes"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
)

// demonstration is what `certinbox demo` shows.
func demonstration() []recipe {
	return []recipe{
		{honestName, "The mail that most cases start from: a P-256 certificate, a detached signature, DKIM by the author's domain.", "accept", "", nil},
		{"demo-01-honest-rsa-detached", "An honest mail with an RSA certificate, clear-signed as most mail programs do.", "accept", "", func(m *mail) {
			m.rsa()
		}},
		{"demo-02-honest-ec-opaque", "An honest mail with a P-256 certificate whose content stands inside the signature.", "accept", "", func(m *mail) {
			m.author("Bob Example", "bob@example.org")
			m.signing.opaque = true
		}},
		{"honest-opaque", "The honest mail with its content inside the signature.", "accept", "", func(m *mail) {
			m.signing.opaque = true
		}},
		{"demo-03-key-id-signer", "An honest mail whose signature names the signer by key identifier instead of issuer and serial number.", "accept", "", func(m *mail) {
			m.author("Carol Example", "carol@example.org")
			m.signing.keyID = true
		}},
		{"demo-04-spoofed-from", "Mallory's own honest mail, with From changed to Alice's address on the way.", "reject dkim-fail", "honest-mallory", func(m *mail) {
			m.from("From: Mallory <mallory@example.org>", "mallory@example.org")
			m.after = func(x testmail.Message) testmail.Message { return x.Set("From: Alice Example <alice@example.org>") }
		}},
		{"honest-mallory", "Mallory's own honest mail.", "accept", "", func(m *mail) {
			m.from("From: Mallory <mallory@example.org>", "mallory@example.org")
		}},
		{"demo-05-tampered-body", "A gateway put a banner into the signed text and then signed with DKIM.", "reject cms-integrity", "", func(m *mail) {
			m.edit = func(x testmail.Message) testmail.Message {
				x.Body = bytes.Replace(x.Body, []byte("Please keep"), []byte("[EXTERNAL] Please keep"), 1)
				return x
			}
		}},
		{"demo-06-no-dkim", "The domain of the author does not sign its mail.", "reject dkim-none", "", func(m *mail) { m.dkim = nil }},
		{"demo-07-unaligned-dkim", "Only the mailing service has signed, for its own domain.", "reject dkim-unaligned", "", func(m *mail) {
			m.signedBy("mailer.example.net")
		}},
		{"demo-08-somebody-elses-certificate", "Alice signs with a good certificate of Bob's.", "reject cert-address", "", func(m *mail) {
			m.signing.who = m.lab.leaf(testmail.Profile{Name: "Bob Example", Mailboxes: []string{"bob@example.org"}})
		}},
		{"demo-09-unsigned", "A plain mail, in good order but for the missing S/MIME signature.", "reject smime-none", "", func(m *mail) {
			m.entity = &m.content
		}},
		{"demo-10-expired-certificate", "The certificate expired a month ago.", "reject cert-expired", "", func(m *mail) {
			m.signing.who = m.lab.leaf(testmail.Profile{NotAfter: testmail.Instant().AddDate(0, -1, 0)})
		}},
		{"demo-11-dns-down", "The DNS of the author's domain is in trouble.", "defer dkim-temperror", "", func(m *mail) {
			m.record(testmail.TempError)
		}},
		{"demo-12-mail-for-other-people", "A plain mail to somebody else. The judge would refuse it, but is never asked: nobody here is a collection address.", "reject smime-none", "", func(m *mail) {
			m.recipients = []string{"bob@example.com"}
			m.set("To: bob@example.com")
			m.set("Subject: Lunch?")
			m.entity = &testmail.Entity{Fields: m.content.Fields, Body: []byte("At noon, at the usual place?\r\n")}
			m.dkim = nil
		}},
	}
}

// author makes the mail somebody else's throughout: From, envelope and
// certificate.
func (m *mail) author(name, address string) {
	m.set("From: " + name + " <" + address + ">")
	m.sender = address
	m.signing.who = m.lab.leaf(testmail.Profile{Name: name, Mailboxes: []string{address}})
}

// rsa signs with RSA certificates throughout.
func (m *mail) rsa() {
	root := m.lab.keys.Root(testmail.Profile{Name: "Example RSA Root", Organisation: "Example Trust"})
	ca := root.Intermediate(testmail.Profile{Name: "Example RSA Mail CA", Organisation: "Example Trust"})
	m.anchors = []*testmail.Identity{root}
	m.signing.who = m.lab.below(ca, testmail.Profile{Kind: "rsa2048"})
}

// minutes before Instant.
func ago(d time.Duration) time.Time { return testmail.Instant().Add(-d) }
