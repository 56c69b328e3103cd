package main

import (
	"strings"

	"github.com/certinbox/certinbox/internal/testmail"
)

// addresses are about the author's address in the certificate.
func addresses() []recipe {
	other, none := "reject cert-address", "reject cert-no-address"
	san := func(mailboxes ...string) func(m *mail) { return certified(testmail.Profile{Mailboxes: mailboxes}) }
	utf8 := func(mailboxes ...string) func(m *mail) { return certified(testmail.Profile{UTF8Mailboxes: mailboxes}) }
	by := func(from string, cert func(m *mail)) func(m *mail) { return all(setting("From: "+from), cert) }
	idn := func(from string, cert func(m *mail)) func(m *mail) {
		return func(m *mail) {
			m.signedBy("xn--mnchen-3ya.example")
			by(from, cert)(m)
		}
	}
	// Profile.SAN of nothing but a DNS name: no mailbox at all.
	noMailbox := testmail.Profile{SAN: testmail.Sequence(testmail.DNSName("example.org"))}
	subject := noMailbox
	subject.SubjectMail = []string{"alice@example.org"}
	commonName := noMailbox
	commonName.Name = "alice@example.org"
	many := []string{"alice@example.org"}
	for len(many) < 101 {
		many = append(many, "alice"+strings.Repeat("x", len(many)%40)+"@example.org")
	}
	return []recipe{
		{"address-other-domain", "The same local part in another domain.", other, "", san("alice@example.com")},
		{"address-subdomain", "The same local part in a subdomain.", other, "", san("alice@mail.example.org")},
		{"address-plus", "A tag is part of the address and never stripped.", other, "address-plus-same", san("alice+certs@example.org")},
		{"address-plus-same", "A tag in both.", "accept", "", by("alice+certs@example.org", san("alice+certs@example.org"))},
		{"address-dots", "Dots are part of the address and never stripped.", other, "from-dot", san("al.ice@example.org")},
		{"address-second", "The author's is the second of two addresses.", "accept", "", san("alice@example.com", "alice@example.org")},
		{"address-case-of-domain", "The domain in capitals.", "accept", "", san("alice@EXAMPLE.ORG")},
		{"address-case-of-local-part", "The local part in other letters, which is noted.", "accept", "", san("Alice@example.org")},
		{"address-only-domain", "A certificate for the whole domain names no mailbox.", none, "", san("example.org")},
		{"address-wildcard", "A star is a character like others, not a wildcard.", other, "", san("*@example.org")},
		{"address-none", "The certificate names no mailbox.", none, "", certified(noMailbox)},
		{"address-common-name", "The address stands in the common name only, which counts for nothing.", none, "", certified(commonName)},
		{"address-subject", "The address stands in the subject only.", none, "address-subject-allowed", certified(subject)},
		{"address-subject-allowed", "The address stands in the subject only, and the operator's anchor allows that.", "accept", "", all(certified(subject), policy("anchor_allow_subject_address: yes"))},
		{"address-subject-beside", "The subject names the author, the SAN somebody else; the SAN counts, even where the anchor allows subjects.", other, "address-subject-allowed", all(certified(testmail.Profile{Mailboxes: []string{"bob@example.org"}, SubjectMail: []string{"alice@example.org"}}), policy("anchor_allow_subject_address: yes"))},
		{"address-nul", "A NUL behind the author's address, where C programs stop reading.", none, "", san("alice@example.org\x00.evil.example")},
		{"address-nul-beside", "A malformed mailbox stands beside the author's.", none, "address-second", san("alice@example.org", "alice@example.org\x00")},
		{"address-blank", "A blank in the mailbox.", none, "", san("alice @example.org")},
		{"address-two-at", "Two @ in the mailbox.", none, "", san("alice@example.org@example.com")},
		{"address-angles", "Angle brackets around the mailbox.", none, "", san("<alice@example.org>")},

		{"address-idn", "A domain outside ASCII, as A-labels in the certificate and as it is written in From.", "accept", "", idn("alice@münchen.example", san("alice@xn--mnchen-3ya.example"))},
		{"address-idn-a-labels", "A-labels in both.", "accept", "", idn("alice@xn--mnchen-3ya.example", san("alice@xn--mnchen-3ya.example"))},
		{"address-idn-other", "A domain that only looks alike without its diaeresis.", other, "address-idn", idn("alice@münchen.example", san("alice@munchen.example"))},
		{"address-idn-homograph", "A Cyrillic letter in the domain of the author, signed by that domain; the certificate is for the Latin one.", other, "address-idn-homograph-own", func(m *mail) {
			m.signedBy("xn--xample-2of.org")
			m.set("From: alice@xn--xample-2of.org")
		}},
		{"address-idn-homograph-own", "The same author with a certificate of his own.", "accept", "", func(m *mail) {
			m.signedBy("xn--xample-2of.org")
			m.from("From: alice@xn--xample-2of.org", "alice@xn--xample-2of.org")
		}},
		{"address-utf8", "A local part outside ASCII, in the kind of name made for it (RFC 9598).", "accept", "", by("älice@example.org", utf8("älice@example.org"))},
		{"address-utf8-other", "Another local part outside ASCII.", other, "address-utf8", by("älice@example.org", utf8("élice@example.org"))},
		{"address-utf8-raw", "UTF-8 in the kind of name that is ASCII only: such a certificate cannot be read.", "reject cert-key", "address-utf8", by("älice@example.org", san("älice@example.org"))},
		{"address-utf8-case", "Case is folded for ASCII letters only.", other, "address-utf8", by("älice@example.org", utf8("Älice@example.org"))},
		{"address-utf8-look-alike", "The certificate names a Cyrillic look-alike of the author.", other, "", utf8("аlice@example.org")},
		{"address-too-many", "More than 100 names.", "reject cert-malformed", "address-second", san(many...)},
	}
}
