package main

import (
	"crypto/rsa"
	"math/big"
	"strconv"
	"strings"

	"github.com/certinbox/certinbox/internal/testmail"
)

func tag(tags ...string) func(m *mail) { return func(m *mail) { m.tag(tags...) } }

// keyTags changes the tags of the key record.
func keyTags(tags ...string) func(m *mail) {
	return func(m *mail) { m.record(m.dkim[0].Record(tags...)) }
}

func withKey(kind string) func(m *mail) {
	return func(m *mail) {
		m.dkim[0].Key = m.lab.keys.Key(kind, "dkim")
		m.record(m.dkim[0].Record())
	}
}

// Times as DKIM writes them, relative to the usual clock.
const (
	hourAgo         = "1772449200"
	minutesAgo      = "1772452000"
	tenMinutesAhead = "1772453400"
	halfHourAhead   = "1772454600"
	yearAhead       = "1803988800"
	endOfTimes      = "253402300799"
)

// keysAndTags are about the row dkim.
func keysAndTags() []recipe {
	no, broken, key := "reject dkim-unacceptable", "reject dkim-fail", "reject dkim-key"
	return append([]recipe{
		{"dkim-body-changed", "A footer was added behind DKIM, outside of what S/MIME covers.", broken, "", func(m *mail) {
			m.after = func(x testmail.Message) testmail.Message {
				x.Body = append(append([]byte{}, x.Body...), "A footer.\r\n"...)
				return x
			}
		}},
		{"dkim-subject-changed", "A list put its tag into the covered Subject.", broken, "", func(m *mail) {
			m.after = func(x testmail.Message) testmail.Message { return x.Set("Subject: [friends] My certificate") }
		}},
		{"dkim-signature-broken", "One bit of the signature value is wrong.", broken, "", func(m *mail) { m.dkim[0].SpoilSignature = true }},
		{"dkim-other-key", "The signature was made with another key than the one in the DNS.", broken, "", func(m *mail) {
			m.dkim[0].Key = m.lab.keys.Key("rsa2048", "stolen")
		}},
		{"dkim-length", "l= covers the beginning of the body only: anybody may append.", no, "", func(m *mail) {
			m.dkim[0].BodyLength = 40
			m.tag("l=40")
		}},
		{"dkim-length-all", "l= covers the whole body, today.", no, "", func(m *mail) {
			n := len(m.message().Body)
			m.dkim[0].BodyLength = n
			m.tag("l=" + strconv.Itoa(n))
		}},
		{"dkim-length-appended", "l= covers the honest mail; Mallory has appended to it.", no, "", func(m *mail) {
			n := len(m.message().Body)
			m.dkim[0].BodyLength = n
			m.tag("l=" + strconv.Itoa(n))
			m.after = func(x testmail.Message) testmail.Message {
				x.Body = append(append([]byte{}, x.Body...), "Appended.\r\n"...)
				return x
			}
		}},
		{"dkim-expired", "x= is past.", no, "dkim-not-expired", tag("t="+hourAgo, "x="+minutesAgo)},
		{"dkim-not-expired", "x= is far ahead.", "accept", "", tag("t="+hourAgo, "x="+endOfTimes)},
		{"dkim-expiry-before-date", "x= lies before t=.", no, "dkim-clock-ahead", tag("t="+halfHourAhead, "x="+tenMinutesAhead)},
		{"dkim-clock-ahead", "t= is half an hour ahead, x= far ahead.", "accept", "", tag("t="+halfHourAhead, "x="+endOfTimes)},
		{"dkim-future", "t= is a year ahead.", no, "dkim-past", tag("t=" + yearAhead)},
		{"dkim-past", "t= is an hour ago.", "accept", "", tag("t=" + hourAgo)},
		{"dkim-version", "A version of DKIM that does not exist.", no, "", tag("v=0.5")},
		{"dkim-sha1", "rsa-sha1, which RFC 8301 forbids.", no, "", func(m *mail) { m.dkim[0].Algorithm = "rsa-sha1" }},
		{"dkim-from-not-covered", "From is not among the covered fields.", no, "", func(m *mail) {
			m.dkim[0].Headers = []string{"To", "Subject", "Date"}
		}},
		{"dkim-few-fields-covered", "Only From is covered; large senders leave out To and Content-Type.", "accept", "", func(m *mail) {
			m.dkim[0].Headers = []string{"From"}
		}},
		{"dkim-identity-outside", "i= lies outside d=.", no, "dkim-identity-below", tag("i=@example.net")},
		{"dkim-identity-without-at", "i= without an @.", no, "dkim-identity-below", tag("i=example.org")},
		{"dkim-identity-below", "i= in a subdomain of d=.", "accept", "", tag("i=news@mail.example.org")},
		{"dkim-blank-in-domain", "A blank inside d=, which some libraries strip.", no, "", tag("d=example .org")},
		{"dkim-selector-not-a-name", "A selector that is no host name.", no, "", tag("s=s1/../s2")},
		{"dkim-too-many-names", "More than 200 names in h=.", no, "dkim-few-fields-covered", func(m *mail) {
			m.dkim[0].Headers = append([]string{"From"}, strings.Split(strings.Repeat("X-Absent ", 200)+"X", " ")...)
		}},
		{"dkim-too-many-foreign", "Twenty foreign signatures stand above the good one: no more are looked at.", "reject dkim-unaligned", "dkim-many-foreign", foreign(20)},
		{"dkim-many-foreign", "Fifteen foreign signatures stand above the good one.", "accept", "", foreign(15)},
		{"dkim-too-many-broken", "Five broken signatures of the domain stand above the good one: no more are verified.", broken, "dkim-some-broken", spoilt(5)},
		{"dkim-some-broken", "Four broken signatures of the domain stand above the good one.", "accept", "", spoilt(4)},
		{"dkim-repeated-tag", "d= stands twice in one signature: libraries take either.", no, "", tag("+d=example.net")},
		{"dkim-temporary-beside-broken", "The key of the one aligned signature cannot be asked for; another domain's signature holds.", "defer dkim-temperror", "alignment-both-sign", func(m *mail) {
			m.record(testmail.TempError)
			other := m.lab.domainKey("mailer.example.net")
			m.dkim = append(m.dkim, other)
			m.zone.Add(other.Name(), other.Record())
		}},

		{"dkim-key-missing", "There is no key record.", key, "", func(m *mail) { m.zone = testmail.Zone{} }},
		{"dkim-key-revoked", "The key record has an empty p=: revoked.", key, "", func(m *mail) { m.record("v=DKIM1; k=rsa; p=") }},
		{"dkim-key-garbage", "The key is no key.", key, "", func(m *mail) { m.record("v=DKIM1; k=rsa; p=AAECAwQF") }},
		{"dkim-key-of-other-kind", "The record says ed25519, the signature RSA.", key, "", func(m *mail) {
			d := m.dkim[0]
			d.Key = m.lab.keys.Key("ed25519", "dkim")
			m.record(d.Record())
		}},
		{"dkim-two-keys", "Two key records at one name.", key, "dkim-other-record", func(m *mail) {
			d := m.dkim[0]
			d.Key = m.lab.keys.Key("rsa2048", "stolen")
			m.record(m.dkim[0].Record(), d.Record())
		}},
		{"dkim-other-record", "A record that is no DKIM key stands beside the key.", "accept", "", func(m *mail) {
			m.record("v=spf1 -all", m.dkim[0].Record())
		}},
		{"dkim-testing", "The key is marked as testing.", no, "", keyTags("t=y")},
		{"dkim-not-for-mail", "The key is for another service than mail.", no, "dkim-for-mail", keyTags("s=tlsrpt")},
		{"dkim-for-mail", "The key names mail among its services.", "accept", "", keyTags("s=tlsrpt:email")},
		{"dkim-strict-identity", "The key forbids subdomains in i= (t=s), which names one.", no, "dkim-identity-below", func(m *mail) {
			m.tag("i=news@mail.example.org")
			m.record(m.dkim[0].Record("t=s"))
		}},
		{"dkim-rsa-512", "A key of 512 bits, broken by anybody in hours.", no, "dkim-rsa-1024", withKey("rsa512")},
		{"dkim-rsa-1024", "A key of 1024 bits, still in wide use.", "accept", "", withKey("rsa1024")},
		{"dkim-rsa-below-policy", "A key of 1024 bits where the operator asks for 2048.", no, "dkim-rsa-1024", func(m *mail) {
			withKey("rsa1024")(m)
			m.policy = []string{"min_rsa_bits: 2048"}
		}},
		{"dkim-rsa-too-large", "A key of more than 8192 bits, which is never used.", no, "", func(m *mail) {
			huge := *m.lab.keys.Key("rsa2048", "dkim").(*rsa.PrivateKey)
			huge.N = new(big.Int).Lsh(huge.N, 6400)
			huge.N.SetBit(huge.N, 0, 1)
			m.record(testmail.DKIM{Key: &huge}.Record())
		}},
	}, honestDKIM()...)
}

// foreign puts n signatures of a mailing service above that of the domain.
func foreign(n int) func(m *mail) {
	return func(m *mail) {
		other := m.lab.domainKey("mailer.example.net")
		m.zone.Add(other.Name(), other.Record())
		for range n {
			m.dkim = append(m.dkim, other)
		}
	}
}

// spoilt puts n broken signatures of the domain above the good one.
func spoilt(n int) func(m *mail) {
	return func(m *mail) {
		bad := m.dkim[0]
		bad.SpoilSignature = true
		for range n {
			m.dkim = append(m.dkim, bad)
		}
	}
}

func honestDKIM() []recipe {
	return []recipe{
		{"dkim-ed25519", "An Ed25519 key (RFC 8463).", "accept", "", withKey("ed25519")},
		{"dkim-simple", "Canonicalisation simple.", "accept", "", func(m *mail) { m.dkim[0].Simple = true }},
		{"dkim-simple-blanks", "Canonicalisation simple, over a Subject with blanks in front, at its fold and at its end: to the byte.", "accept", "",
			func(m *mail) {
				m.dkim[0].Simple = true
				m.set("Subject:  \t My \r\n \t certificate \t ")
			}},
		{"dkim-domain-in-capitals", "d= in capitals.", "accept", "", tag("d=EXAMPLE.ORG")},
		{"dkim-second-is-good", "A broken signature of the same domain beside a good one does no harm.", "accept", "", func(m *mail) {
			bad := m.dkim[0]
			bad.SpoilSignature = true
			m.dkim = append(m.dkim, bad)
		}},
		{"dkim-foreign-in-trouble", "The DNS of a mailing service is in trouble; the author's domain has signed too.", "accept", "", func(m *mail) {
			other := m.lab.domainKey("mailer.example.net")
			m.dkim = append(m.dkim, other)
			m.zone.Add(other.Name(), testmail.TempError)
		}},
		{"dkim-blank-in-key", "Blanks inside p=.", "accept", "", func(m *mail) {
			m.record(strings.Replace(m.dkim[0].Record(), "AQEF", "A QE F", 1))
		}},
		{"dkim-subject-on-top", "An uncovered second Subject would be refused; an uncovered field of another name does no harm.", "accept", "", func(m *mail) {
			m.after = func(x testmail.Message) testmail.Message { return x.On("X-Spam: no") }
		}},
		{"dkim-forged-results", "An Authentication-Results field that claims a pass proves nothing and harms nothing.", "accept", "", func(m *mail) {
			m.after = func(x testmail.Message) testmail.Message {
				return x.On("Authentication-Results: mx.example.com; dkim=pass header.d=example.net")
			}
		}},
	}
}

// alignments are about whose DKIM signature it is.
func alignments() []recipe {
	no := "reject dkim-unaligned"
	by := func(author, d string, more ...string) func(m *mail) {
		return func(m *mail) {
			m.from("From: alice@"+author, "alice@"+author)
			m.signedBy(d)
			for _, x := range more {
				if name, record, ok := strings.Cut(x, " TXT "); ok {
					m.zone.Add(name, record)
				} else {
					m.policy = append(m.policy, x)
				}
			}
		}
	}
	claim := func(x testmail.Message) testmail.Message {
		return x.On("Authentication-Results: mx.example.com; dkim=pass header.d=example.org")
	}
	return []recipe{
		{"alignment-look-alike", "A domain that only ends in the same letters.", no, "alignment-equal", by("example.org", "badexample.org")},
		{"alignment-equal", "d= is the author's domain.", "accept", "", by("example.org", "example.org")},
		{"alignment-public-suffix", "d= is a public suffix: everybody's parent.", no, "alignment-parent", by("mail.example.co.uk", "co.uk")},
		{"alignment-top-level", "d= is a top-level domain, which is no host name.", "reject dkim-unacceptable", "alignment-equal", by("example.org", "org")},
		{"alignment-parent", "d= is the parent of the author's domain.", "accept", "", by("mail.example.co.uk", "example.co.uk")},
		{"alignment-parent-strict", "d= is the parent where the operator takes only equal domains.", no, "alignment-parent-plain", by("mail.example.org", "example.org", "alignment: strict")},
		{"alignment-parent-plain", "d= is the parent under an ordinary top-level domain.", "accept", "", by("mail.example.org", "example.org")},
		{"alignment-onmicrosoft", "d= is the common parent of all tenants of a provider.", no, "alignment-onmicrosoft-tenant", by("tenant.onmicrosoft.com", "onmicrosoft.com")},
		{"alignment-onmicrosoft-tenant", "d= is the tenant.", "accept", "", by("tenant.onmicrosoft.com", "tenant.onmicrosoft.com")},
		{"alignment-other-tenant", "Another tenant of the same provider, where domains of one organisation count.", no, "alignment-organisation", by("one.onmicrosoft.com", "two.onmicrosoft.com", "alignment: organisation")},
		{"alignment-private-suffix", "d= is a private suffix of the public suffix list.", no, "alignment-private-suffix-own", by("alice.github.io", "github.io")},
		{"alignment-private-suffix-own", "d= is the author's own domain below a private suffix.", "accept", "", by("alice.github.io", "alice.github.io")},
		{"alignment-psd", "The parent's DMARC record says that it is a public suffix.", no, "alignment-no-psd", by("shop.suffix.example", "suffix.example", "_dmarc.suffix.example TXT v=DMARC1; p=none; psd=y")},
		{"alignment-no-psd", "The parent's DMARC record says that it is no public suffix.", "accept", "", by("shop.suffix.example", "suffix.example", "_dmarc.suffix.example TXT v=DMARC1; p=none; psd=n")},
		{"alignment-below", "d= is below the author's domain.", "accept", "", by("example.org", "mail.example.org")},
		{"alignment-below-strict", "d= is below, and the domain's DMARC record asks for strict alignment.", no, "alignment-below", by("example.org", "mail.example.org", "_dmarc.example.org TXT v=DMARC1; p=none; adkim=s")},
		{"alignment-parent-dmarc-strict", "d= is the parent, and its DMARC record asks for strict alignment.", no, "alignment-dmarc-relaxed", by("mail.example.org", "example.org", "_dmarc.example.org TXT v=DMARC1; p=reject; adkim=s")},
		{"alignment-dmarc-relaxed", "d= is the parent, and its DMARC record is content with that.", "accept", "", by("mail.example.org", "example.org", "_dmarc.example.org TXT v=DMARC1; p=reject; adkim=r")},
		{"alignment-equal-dmarc-strict", "d= is equal: strict alignment asks for no more.", "accept", "", by("example.org", "example.org", "_dmarc.example.org TXT v=DMARC1; p=reject; adkim=s")},
		{"alignment-dmarc-trouble", "d= is the parent, and it cannot be asked whether that is enough.", "defer dkim-temperror", "alignment-dmarc-relaxed", by("mail.example.org", "example.org", "_dmarc.mail.example.org TXT "+testmail.TempError)},
		{"alignment-beside", "d= is beside the author's domain.", no, "alignment-organisation", by("a.example.org", "b.example.org")},
		{"alignment-organisation", "d= is beside, where the operator takes the whole organisation.", "accept", "", by("a.example.org", "b.example.org", "alignment: organisation")},
		{"alignment-results-claim", "Another domain's signature and a forged claim of a pass.", no, "alignment-results-claim-own", func(m *mail) {
			m.signedBy("mailer.example.net")
			m.after = claim
		}},
		{"alignment-results-claim-own", "The claim of a pass above a signature by the author's domain.", "accept", "", func(m *mail) { m.after = claim }},
		{"alignment-sender-field", "DKIM is aligned with Sender, not with From.", no, "alignment-sender-field-own", func(m *mail) {
			m.add("Sender: news@mailer.example.net")
			m.signedBy("mailer.example.net")
		}},
		{"alignment-sender-field-own", "Sender is elsewhere, DKIM is aligned with From.", "accept", "", field("Sender: news@mailer.example.net")},
		{"alignment-both-sign", "The mailing service and the author's domain have signed.", "accept", "", func(m *mail) {
			other := m.lab.domainKey("mailer.example.net")
			m.dkim = append(m.dkim, other)
			m.zone.Add(other.Name(), other.Record())
		}},
		{"alignment-own-user", "A user of ours on the submission service, whose mail is signed after us.", "accept", "", func(m *mail) {
			m.dkim, m.submission, m.policy = nil, true, []string{"own_domains: example.org"}
		}},
		{"alignment-own-domain-stranger", "A stranger under one of our own domains.", "reject dkim-none", "alignment-own-user", func(m *mail) {
			m.dkim, m.policy = nil, []string{"own_domains: example.org"}
		}},
		{"alignment-user-other-domain", "A user of ours under a domain that is not ours.", "reject dkim-none", "alignment-own-user", func(m *mail) {
			m.dkim, m.submission, m.policy = nil, true, []string{"own_domains: example.com"}
		}},
	}
}
