package main

import (
	"crypto/x509"
	"encoding/asn1"

	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
	"github.com/certinbox/certinbox/internal/testmail"
)

type usagesOf = []asn1.ObjectIdentifier

// preferring signs with one certificate and names another for encryption, both
// in the message.
func preferring(signing, encryption testmail.Profile) func(m *mail) {
	return func(m *mail) {
		m.signing.who = m.lab.leaf(signing)
		encryption.Name = or(encryption.Name, "Alice Encryption")
		enc := m.lab.leaf(encryption)
		m.signing.bag = []*testmail.Identity{m.signing.who, enc, m.lab.ca}
		m.signing.signer = func(s *cmstest.Signer) { s.Extra = [][]byte{cmstest.Preference(enc.Cert)} }
	}
}

// usages are about what the certificate is made for.
func usages() []recipe {
	usage, weak, key := "reject cert-usage", "reject cert-weak", "reject cert-key"
	signOnly := testmail.Profile{Usage: x509.KeyUsageDigitalSignature}
	encryptOnly := testmail.Profile{Usage: x509.KeyUsageKeyAgreement}
	with := func(p testmail.Profile, change func(p *testmail.Profile)) testmail.Profile {
		change(&p)
		return p
	}
	return []recipe{
		{"usage-server", "A certificate for TLS servers.", usage, "", certified(testmail.Profile{EKU: usagesOf{testmail.ServerAuth()}})},
		{"usage-client-and-mail", "A certificate for TLS clients and mail.", "accept", "", certified(testmail.Profile{EKU: usagesOf{testmail.ClientAuth(), testmail.EmailProtection()}})},
		{"usage-missing", "No extended key usage.", usage, "usage-missing-allowed", certified(testmail.Profile{NoEKU: true})},
		{"usage-missing-allowed", "No extended key usage, where the operator's anchor allows that.", "accept", "", all(certified(testmail.Profile{NoEKU: true}), policy("anchor_allow_missing_eku: yes"))},
		{"usage-any", "Any extended key usage.", usage, "usage-any-allowed", certified(testmail.Profile{EKU: usagesOf{testmail.AnyUsage()}})},
		{"usage-any-allowed", "Any extended key usage, where the operator's anchor allows that.", "accept", "", all(certified(testmail.Profile{EKU: usagesOf{testmail.AnyUsage()}}), policy("anchor_allow_missing_eku: yes"))},
		{"usage-server-allowed", "A certificate for TLS servers, where the operator's anchor allows a missing usage: it does not allow another one.", usage, "usage-missing-allowed", all(certified(testmail.Profile{EKU: usagesOf{testmail.ServerAuth()}}), policy("anchor_allow_missing_eku: yes"))},
		{"usage-intermediate-server", "The intermediate is for TLS servers only.", usage, "usage-intermediate-mail", below(testmail.Profile{EKU: usagesOf{testmail.ServerAuth()}}, testmail.Profile{})},
		{"usage-intermediate-mail", "The intermediate is for mail only.", "accept", "", below(testmail.Profile{EKU: usagesOf{testmail.EmailProtection()}}, testmail.Profile{})},
		{"usage-ca", "The signer's certificate is a CA.", usage, "", certified(testmail.Profile{CA: true, EKU: usagesOf{testmail.EmailProtection()}, Usage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign | x509.KeyUsageKeyAgreement})},
		{"usage-sign-only-ec", "A P-256 certificate for signing only.", usage, "", certified(signOnly)},
		{"usage-sign-only-rsa", "An RSA certificate for signing only.", usage, "usage-rsa", certified(with(signOnly, func(p *testmail.Profile) { p.Kind = "rsa2048" }))},
		{"usage-rsa", "An RSA certificate for signing and encryption.", "accept", "", certified(testmail.Profile{Kind: "rsa2048"})},
		{"usage-non-repudiation", "A certificate for nonRepudiation only.", usage, "", certified(testmail.Profile{Usage: x509.KeyUsageContentCommitment})},
		{"usage-no-key-usage", "No key usage: every use is allowed.", "accept", "", certified(testmail.Profile{NoUsage: true})},
		{"usage-rsa-1024", "An RSA key of 1024 bits.", weak, "usage-rsa", certified(testmail.Profile{Kind: "rsa1024"})},
		{"usage-rsa-2046", "An RSA key of 2046 bits.", weak, "usage-rsa", certified(testmail.Profile{Kind: "rsa2046"})},
		{"usage-ed25519", "An Ed25519 key can sign, and nobody can encrypt to it.", key, "", certified(testmail.Profile{Kind: "ed25519"})},
		{"usage-p224", "A P-224 key.", key, "", certified(testmail.Profile{Kind: "p224"})},

		{"usage-preference", "Two certificates: one signs and names the other for encryption.", "accept", "", preferring(signOnly, encryptOnly)},
		{"usage-preference-ed25519", "An Ed25519 certificate signs and names a P-256 one for encryption.", "accept", "", preferring(testmail.Profile{Kind: "ed25519"}, encryptOnly)},
		{"usage-preference-microsoft", "The preference under Microsoft's older identifier.", "accept", "", func(m *mail) {
			preferring(signOnly, encryptOnly)(m)
			enc := m.signing.bag[1]
			m.signing.signer = func(s *cmstest.Signer) { s.Extra = [][]byte{cmstest.MicrosoftPreference(enc.Cert)} }
		}},
		{"usage-preference-missing", "The named certificate is not in the message; the signer's is fit.", "accept", "", func(m *mail) {
			preferring(testmail.Profile{}, encryptOnly)(m)
			m.signing.bag = []*testmail.Identity{m.signing.who, m.lab.ca}
		}},
		{"usage-no-preference", "Two certificates as above, but nothing signed names the other: it is never chosen.", usage, "usage-preference", func(m *mail) {
			preferring(signOnly, encryptOnly)(m)
			m.signing.signer = nil
		}},
		{"usage-preference-sign-only", "The named certificate is for signing only.", usage, "usage-preference", preferring(signOnly, with(signOnly, func(p *testmail.Profile) { p.Name = "Alice Encryption" }))},
		{"usage-preference-expired", "The named certificate has expired.", "reject cert-expired", "usage-preference", preferring(signOnly, with(encryptOnly, func(p *testmail.Profile) { p.NotAfter = testmail.Instant().AddDate(0, -1, 0) }))},
		{"usage-preference-weak", "The named certificate has 1024 bits.", weak, "usage-preference-rsa", preferring(signOnly, testmail.Profile{Kind: "rsa1024"})},
		{"usage-preference-rsa", "The named certificate has 2048 bits.", "accept", "", preferring(signOnly, testmail.Profile{Kind: "rsa2048"})},
		{"usage-preference-of-other", "The named certificate is somebody else's.", "reject cert-address", "usage-preference", preferring(signOnly, with(encryptOnly, func(p *testmail.Profile) { p.Mailboxes = []string{"bob@example.org"} }))},
		{"usage-preference-untrusted", "The named certificate leads to no anchor.", "reject cert-untrusted", "usage-preference", func(m *mail) {
			preferring(signOnly, encryptOnly)(m)
			enc := m.lab.keys.SelfSigned(testmail.Profile{Name: "Alice Encryption", Kind: "p256", Mailboxes: []string{"alice@example.org"}})
			m.signing.bag[1] = enc
			m.signing.signer = func(s *cmstest.Signer) { s.Extra = [][]byte{cmstest.Preference(enc.Cert)} }
		}},
	}
}
