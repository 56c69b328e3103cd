package main

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
)

// certified gives Alice another certificate of the usual CA.
func certified(p testmail.Profile) func(m *mail) {
	return func(m *mail) { m.signing.who = m.lab.leaf(p) }
}

// below gives Alice a certificate of another CA under the trusted root.
func below(ca, leaf testmail.Profile) func(m *mail) {
	return func(m *mail) {
		ca.Name, ca.Kind = or(ca.Name, "Other Mail CA"), or(ca.Kind, "p256")
		m.signing.who = m.lab.below(m.lab.root.Intermediate(ca), leaf)
	}
}

// rdn is a name of organisation and common name in DER.
func rdn(organisation, name string) []byte {
	n := pkix.Name{CommonName: name}
	if organisation != "" {
		n.Organization = []string{organisation}
	}
	der, err := asn1.Marshal(n.ToRDNSequence())
	if err != nil {
		panic(err)
	}
	return der
}

func policy(lines ...string) func(m *mail) {
	return func(m *mail) { m.policy = append(m.policy, lines...) }
}

// chains are about the way to an anchor.
func chains() []recipe {
	constraint, untrusted := "reject cert-constraint", "reject cert-untrusted"
	month := testmail.Instant().AddDate(0, -1, 0)
	permitted := func(domains ...string) testmail.Profile { return testmail.Profile{PermittedMail: domains} }
	return append([]recipe{
		{"chain-unknown-root", "A good certificate of a CA that nobody here knows.", untrusted, "", func(m *mail) {
			root := m.lab.keys.Root(testmail.Profile{Name: "Unknown Root", Kind: "p256"})
			m.signing.who = m.lab.below(root.Intermediate(testmail.Profile{Name: "Unknown CA", Kind: "p256"}), testmail.Profile{})
		}},
		{"chain-unknown-root-in-bag", "The unknown root is in the message: that makes it no anchor.", untrusted, "chain-below-root-in-bag", func(m *mail) {
			root := m.lab.keys.Root(testmail.Profile{Name: "Unknown Root", Kind: "p256"})
			m.signing.who = m.lab.below(root, testmail.Profile{})
			m.signing.bag = []*testmail.Identity{m.signing.who, root}
		}},
		{"chain-self-signed", "A self-signed certificate.", untrusted, "", func(m *mail) {
			m.signing.who = m.lab.keys.SelfSigned(testmail.Profile{Name: "Alice Example", Kind: "p256", Mailboxes: []string{"alice@example.org"}})
		}},
		{"chain-namesake-root", "A root with the name of the trusted one and another key.", untrusted, "chain-below-root-in-bag", func(m *mail) {
			root := m.lab.keys.Root(testmail.Profile{Name: "Example Root", Organisation: "Example Trust", Key: m.lab.keys.Key("p256", "mallory")})
			m.signing.who = m.lab.below(root, testmail.Profile{})
			m.signing.bag = []*testmail.Identity{m.signing.who, root}
		}},
		{"chain-no-anchors", "The anchor is another root.", untrusted, "", func(m *mail) {
			m.anchors = []*testmail.Identity{m.lab.keys.Root(testmail.Profile{Name: "Another Root", Kind: "p256"})}
		}},
		{"chain-incomplete", "The intermediate is missing; its issuer is known.", "reject cert-incomplete", "chain-complete", all(secondCA, func(m *mail) {
			m.signing.bag = []*testmail.Identity{m.signing.who}
		})},
		{"chain-complete", "The intermediate is there.", "accept", "", secondCA},
		{"chain-not-yet-valid", "The certificate is valid from tomorrow on.", "reject cert-not-yet-valid", "", certified(testmail.Profile{NotBefore: testmail.Instant().AddDate(0, 0, 1)})},
		{"chain-expired-a-second-ago", "The certificate expired just now.", "reject cert-expired", "chain-expires-now", certified(testmail.Profile{NotAfter: ago(1e9)})},
		{"chain-expires-now", "The last second of a certificate.", "accept", "", certified(testmail.Profile{NotAfter: testmail.Instant()})},
		{"chain-expired-intermediate", "The intermediate has expired.", "reject cert-expired", "chain-other-intermediate", below(testmail.Profile{NotAfter: month}, testmail.Profile{})},
		{"chain-other-intermediate", "Another intermediate of the trusted root.", "accept", "", below(testmail.Profile{}, testmail.Profile{})},
		{"chain-expired-signed-before", "The certificate has expired; the signer claims a time when it was valid.", "reject cert-expired", "", func(m *mail) {
			m.signing.who = m.lab.leaf(testmail.Profile{NotAfter: ago(3600e9)})
			m.signing.at = ago(7200e9)
		}},
		{"chain-expired-anchor", "The anchor itself has expired.", untrusted, "chain-old-anchor", oldRoot(month)},
		{"chain-old-anchor", "The same anchor, while it is still valid.", "accept", "", oldRoot(testmail.Instant().AddDate(0, 1, 0))},
		{"chain-distrusted", "Issued after the date from which the root is no longer trusted.", "reject cert-distrusted", "chain-trusted-then", policy("anchor_distrust_after: 2025-01-01T00:00:00Z")},
		{"chain-trusted-then", "Issued before the root lost its trust for new certificates.", "accept", "", policy("anchor_distrust_after: 2026-01-01T00:00:00Z")},
		{"chain-blocked-root", "The operator put the root on the block list.", "reject cert-blocked", "", policy("blocked_ca: Example Root")},
		{"chain-blocked-intermediate", "The operator put the intermediate on the block list.", "reject cert-blocked", "chain-blocked-other", policy("blocked_ca: Example Mail CA")},
		{"chain-blocked-other", "Another CA is on the block list.", "accept", "", policy("blocked_ca: Example Other CA")},
		{"chain-anchor-domains", "The operator's anchor may vouch for another domain.", constraint, "chain-anchor-domain", policy("anchor_domains: example.com")},
		{"chain-anchor-domain", "The operator's anchor may vouch for this domain.", "accept", "", policy("anchor_domains: example.com example.org")},
		{"chain-anchor-subdomain", "The anchor may vouch for subdomains only.", constraint, "chain-anchor-domain", policy("anchor_domains: .example.org")},

		{"chain-permitted-other", "The CA may issue for another domain.", constraint, "chain-permitted", below(permitted("example.com"), testmail.Profile{})},
		{"chain-permitted", "The CA may issue for this domain; the constraint is critical.", "accept", "", below(permitted("example.org"), testmail.Profile{})},
		{"chain-permitted-subdomains", "A constraint with a leading dot means subdomains, not the domain.", constraint, "chain-permitted", below(permitted(".example.org"), testmail.Profile{})},
		{"chain-permitted-host", "A constraint without a dot means the host, not its subdomains.", constraint, "chain-permitted-dot", all(below(permitted("example.org"), testmail.Profile{Mailboxes: []string{"alice@mail.example.org"}}), authorAt("mail.example.org"))},
		{"chain-permitted-dot", "A constraint with a leading dot permits a subdomain.", "accept", "", all(below(permitted(".example.org"), testmail.Profile{Mailboxes: []string{"alice@mail.example.org"}}), authorAt("mail.example.org"))},
		{"chain-excluded", "The CA may not issue for this domain.", constraint, "chain-excluded-other", below(testmail.Profile{ExcludedMail: []string{"example.org"}}, testmail.Profile{})},
		{"chain-excluded-other", "The CA may not issue for another domain.", "accept", "", below(testmail.Profile{ExcludedMail: []string{"example.com"}}, testmail.Profile{})},
		{"chain-excluded-capitals", "The excluded domain in other letters.", constraint, "chain-excluded-other", below(testmail.Profile{ExcludedMail: []string{"EXAMPLE.org"}}, testmail.Profile{})},
		{"chain-second-address", "One of two addresses is outside of what the CA may issue for.", constraint, "chain-permitted", below(permitted("example.org"), testmail.Profile{Mailboxes: []string{"alice@example.org", "alice@example.com"}})},
		{"chain-utf8-bypass", "The CA may issue for another domain; the address stands in the other kind of name, where old software does not look.", constraint, "chain-utf8-permitted", all(
			below(permitted("example.com"), testmail.Profile{UTF8Mailboxes: []string{"älice@example.org"}}), setting("From: älice@example.org"))},
		{"chain-utf8-permitted", "The CA may issue for the domain of a UTF-8 mailbox.", "accept", "", all(
			below(permitted("example.org"), testmail.Profile{UTF8Mailboxes: []string{"älice@example.org"}}), setting("From: älice@example.org"))},
		{"chain-directory-name", "The CA may issue for another organisation.", constraint, "chain-directory-name-permitted", below(
			testmail.Profile{Constraints: testmail.NameConstraints([][]byte{testmail.DirectoryName(rdn("Other", ""))}, nil)}, testmail.Profile{Organisation: "Example"})},
		{"chain-directory-name-permitted", "The CA may issue for this organisation.", "accept", "", below(
			testmail.Profile{Constraints: testmail.NameConstraints([][]byte{testmail.DirectoryName(organisation("Example"))}, nil)}, testmail.Profile{Organisation: "Example"})},
		{"chain-other-kind", "The CA may issue for DNS names elsewhere, and the certificate has one.", constraint, "chain-other-kind-absent", below(
			testmail.Profile{Constraints: testmail.NameConstraints([][]byte{testmail.DNSName("example.com")}, nil)}, testmail.Profile{Mailboxes: []string{"alice@example.org"}, DNSNames: []string{"example.org"}})},
		{"chain-other-kind-absent", "The CA may issue for DNS names elsewhere; the certificate has none.", "accept", "", below(
			testmail.Profile{Constraints: testmail.NameConstraints([][]byte{testmail.DNSName("example.com")}, nil)}, testmail.Profile{})},
		{"chain-path-length", "The CA may not have another CA below it.", constraint, "", func(m *mail) {
			sub := m.lab.ca.Intermediate(testmail.Profile{Name: "Too Deep CA", Kind: "p256"})
			m.signing.who = m.lab.below(sub, testmail.Profile{})
		}},
		{"chain-leaf-as-issuer", "Bob's certificate has issued one for Alice.", untrusted, "", func(m *mail) {
			bob := m.lab.leaf(testmail.Profile{Name: "Bob Example", Mailboxes: []string{"bob@example.org"}})
			m.signing.who = m.lab.below(bob, testmail.Profile{})
		}},
		{"chain-no-cert-sign", "The intermediate may sign revocation lists only.", untrusted, "chain-other-intermediate", below(testmail.Profile{Usage: x509.KeyUsageCRLSign}, testmail.Profile{})},
		{"chain-unknown-critical", "A critical extension that nobody knows.", constraint, "chain-unknown-extension", certified(testmail.Profile{Extra: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4, 5}, Critical: true, Value: []byte{5, 0}}}})},
		{"chain-unknown-extension", "An extension that nobody knows, not critical.", "accept", "", certified(testmail.Profile{Extra: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4, 5}, Value: []byte{5, 0}}}})},
		{"chain-sha1-intermediate", "The intermediate is signed with SHA-1.", "reject cert-weak", "chain-sha256-intermediate", intermediateBy(x509.SHA1WithRSA)},
		{"chain-sha256-intermediate", "The intermediate is signed with SHA-256.", "accept", "", intermediateBy(x509.SHA256WithRSA)},
		{"chain-sha1-leaf", "The certificate is signed with SHA-1.", "reject cert-weak", "demo-01-honest-rsa-detached", func(m *mail) {
			m.rsa()
			m.signing.who = m.lab.below(m.signing.who.Issuer, testmail.Profile{Kind: "rsa2048", Algorithm: x509.SHA1WithRSA})
		}},
		{"chain-too-long", "A path of ten certificates.", constraint, "chain-long", long(8)},
		{"chain-long", "A path of seven certificates.", "accept", "", long(5)},
	}, []recipe{
		{"chain-sha1-root", "The anchor's own signature is SHA-1, which nobody checks.", "accept", "", func(m *mail) {
			root := m.lab.keys.Root(testmail.Profile{Name: "Old RSA Root", Organisation: "Example Trust", Algorithm: x509.SHA1WithRSA})
			m.anchors = []*testmail.Identity{root}
			m.signing.who = m.lab.below(root.Intermediate(testmail.Profile{Name: "Newer CA", Kind: "p256"}), testmail.Profile{})
		}},
		{"chain-below-root", "Issued by the root itself.", "accept", "", func(m *mail) { m.signing.who = m.lab.below(m.lab.root, testmail.Profile{}) }},
		{"chain-below-root-in-bag", "Issued by the root itself, which is in the message.", "accept", "", func(m *mail) {
			m.signing.who = m.lab.below(m.lab.root, testmail.Profile{})
			m.signing.bag = []*testmail.Identity{m.signing.who, m.lab.root}
		}},
	}...)
}

// organisation is a name of nothing but an organisation.
func organisation(o string) []byte {
	der, err := asn1.Marshal(pkix.Name{Organization: []string{o}}.ToRDNSequence())
	if err != nil {
		panic(err)
	}
	return der
}

// authorAt moves Alice and her DKIM key to another domain.
func authorAt(domain string) func(m *mail) {
	return func(m *mail) {
		m.set("From: alice@" + domain)
		m.signedBy(domain)
	}
}

// secondCA gives Alice a certificate of another intermediate of the same house.
func secondCA(m *mail) {
	ca := m.lab.root.Intermediate(testmail.Profile{Name: "Issuing CA 2", Organisation: "Example Trust", Kind: "p256"})
	m.signing.who = m.lab.below(ca, testmail.Profile{})
}

// oldRoot makes an anchor of its own that ends at notAfter.
func oldRoot(notAfter time.Time) func(m *mail) {
	return func(m *mail) {
		root := m.lab.keys.Root(testmail.Profile{Name: "Old Root", Kind: "p256", NotAfter: notAfter})
		m.anchors = []*testmail.Identity{root}
		m.signing.who = m.lab.below(root.Intermediate(testmail.Profile{Name: "Old CA", Kind: "p256"}), testmail.Profile{})
	}
}

// intermediateBy says how the RSA root signs the intermediate.
func intermediateBy(a x509.SignatureAlgorithm) func(m *mail) {
	return func(m *mail) {
		root := m.lab.keys.Root(testmail.Profile{Name: "Example RSA Root", Organisation: "Example Trust"})
		ca := root.Intermediate(testmail.Profile{Name: "SHA-1 CA", Kind: "p256", Algorithm: a})
		m.anchors = []*testmail.Identity{root}
		m.signing.who = m.lab.below(ca, testmail.Profile{})
	}
}

// long is a path with n intermediates.
func long(n int) func(m *mail) {
	return func(m *mail) {
		ca := m.lab.root
		for i := range n {
			ca = ca.Intermediate(testmail.Profile{Name: "CA " + string(rune('A'+i)), Kind: "p256"})
		}
		m.signing.who = m.lab.below(ca, testmail.Profile{})
	}
}
