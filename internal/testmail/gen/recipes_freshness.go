package main

import (
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
)

// signedAt dates the signature, dated the Date field, both before Instant.
func signedAt(before time.Duration) func(m *mail) {
	return func(m *mail) { m.signing.at = ago(before) }
}

func dated(before time.Duration) func(m *mail) {
	return setting("Date: " + ago(before).Format(time.RFC1123Z))
}

// noSigningTime leaves signingTime out.
func noSigningTime() func(m *mail) {
	return attributed(func(_ *mail, u [][]byte) [][]byte { return [][]byte{u[0], u[2]} })
}

// covering says what DKIM covers.
func covering(names ...string) func(m *mail) {
	return func(m *mail) { m.dkim[0].Headers = names }
}

// inner puts fields into the signed part (RFC 9788).
func inner(fields ...string) func(m *mail) {
	return func(m *mail) {
		m.content.Fields[0] += "; hp=\"clear\""
		m.content.Fields = append(m.content.Fields, fields...)
	}
}

// times are about when a mail was signed and for whom.
func times() []recipe {
	const day = 24 * time.Hour
	stale, foreign := "reject stale", "reject not-for-us"
	noDate := func(m *mail) { m.fields = testmail.Message{Fields: m.fields}.Without("Date").Fields }
	require := policy("recipient_binding: require")
	others := "To: bob@example.com"
	return []recipe{
		{"freshness-old", "Signed eight days ago.", stale, "freshness-week", all(signedAt(8*day), noDate)},
		{"freshness-week", "Signed nearly seven days ago.", "accept", "", all(signedAt(7*day-time.Minute), noDate)},
		{"freshness-ahead", "Signed four hours ahead of our clock.", stale, "freshness-slightly-ahead", signedAt(-4 * time.Hour)},
		{"freshness-slightly-ahead", "Signed two hours ahead: a wrong time zone.", "accept", "", signedAt(-2 * time.Hour)},
		{"freshness-old-date", "The covered Date is eight days old.", stale, "freshness-older-date", all(dated(8*day), signedAt(6*day))},
		{"freshness-older-date", "The covered Date is six days old.", "accept", "", all(dated(6*day), signedAt(6*day))},
		{"freshness-date-ahead", "The covered Date is four hours ahead.", stale, "", dated(-4 * time.Hour)},
		{"freshness-apart", "The covered Date and the signing time are four days apart.", stale, "freshness-near", signedAt(4 * day)},
		{"freshness-near", "The covered Date and the signing time are two days apart.", "accept", "", signedAt(2 * day)},
		{"freshness-uncovered-date", "An old Date that DKIM does not cover counts for nothing.", "accept", "", all(dated(30*day), covering("From", "To", "Subject"))},
		{"freshness-no-signing-time", "No signing time; the covered Date stands in.", "accept", "", noSigningTime()},
		{"freshness-no-time-at-all", "No signing time, and no Date.", stale, "freshness-no-signing-time", all(noSigningTime(), noDate)},
		{"freshness-nothing-covered", "No signing time, and a Date that DKIM does not cover.", stale, "freshness-no-signing-time", all(noSigningTime(), covering("From", "To", "Subject"))},
		{"freshness-no-date", "No Date; the signing time decides.", "accept", "", noDate},
		{"freshness-replayed", "An honest mail, sent again a month later.", stale, "", func(m *mail) { m.at = m.at.AddDate(0, 1, 0) }},
		{"freshness-unreadable-date", "A covered Date that is none, and no signing time.", stale, "freshness-no-signing-time", all(noSigningTime(), setting("Date: yesterday"))},
		{"freshness-policy", "Older than the operator takes.", stale, "freshness-policy-kept", all(policy("max_age: 1h"), signedAt(2*time.Hour))},
		{"freshness-policy-kept", "Within what the operator takes.", "accept", "", all(policy("max_age: 3h"), signedAt(2*time.Hour))},

		{"binding-required", "The covered To names the collection address, as the operator requires.", "accept", "", require},
		{"binding-other-recipient", "To names somebody else, where the operator requires a binding.", foreign, "binding-required", all(require, setting(others))},
		{"binding-uncovered", "To names us, but DKIM does not cover it.", foreign, "binding-required", all(require, covering("From", "Subject", "Date"))},
		{"binding-word", "The covered Subject holds the agreed word.", "accept", "", all(require, policy("binding_word: zebra"), setting(others), setting("Subject: zebra, my certificate"))},
		{"binding-no-word", "The agreed word is missing in Subject.", foreign, "binding-word", all(require, policy("binding_word: zebra"), setting(others))},
		{"binding-bonus", "To names somebody else, where a binding is only a bonus.", "accept", "", setting(others)},
		{"binding-inner", "The signed part itself says who it is for.", "accept", "", inner("From: alice@example.org", "To: secureme@example.com")},
		{"binding-inner-others", "The signed part says that it is for somebody else: taken from another mail.", foreign, "binding-inner", inner("From: alice@example.org", "To: bob@example.com")},
		{"binding-inner-from", "The author in the signed part is somebody else.", "reject from-invalid", "binding-inner", inner("From: bob@example.org", "To: secureme@example.com")},
		{"binding-older-headers", "Headers protected in the older way are neither trusted nor refused.", "accept", "", func(m *mail) {
			m.content.Fields[0] += "; protected-headers=\"v1\""
			m.content.Fields = append(m.content.Fields, "From: bob@example.org", "To: bob@example.com")
		}},
		{"binding-inner-opaque", "The author inside an opaque signature is somebody else.", "reject from-invalid", "binding-inner-opaque-own", all(
			func(m *mail) { m.signing.opaque = true }, inner("From: bob@example.org"))},
		{"binding-inner-opaque-own", "The author inside an opaque signature is the author.", "accept", "", all(
			func(m *mail) { m.signing.opaque = true }, inner("From: alice@example.org"))},
	}
}

// revocations are about the CAs' answers, which a stub gives.
func revocations() []recipe {
	says := func(lines string) func(m *mail) { return func(m *mail) { m.revocation = lines } }
	demands := func(lines string) func(m *mail) {
		return func(m *mail) { m.policy, m.revocation = append(m.policy, "revocation: hard"), lines }
	}
	const good = "revocation-good"
	return []recipe{
		{good, "The CAs stand by every certificate.", "accept", "", says("0: good\n1: good")},
		{"revocation-revoked", "The certificate has been revoked.", "reject cert-revoked", good, says("0: revoked\n1: good")},
		{"revocation-any-source", "One source says good, another revoked: any that says revoked wins.", "reject cert-revoked", good, says("0: good\n0: revoked\n1: good")},
		{"revocation-hold", "The certificate is on hold.", "reject cert-hold", good, says("0: hold\n1: good")},
		{"revocation-hold-and-revoked", "The certificate is on hold, the intermediate revoked: the worse answer wins.", "reject cert-revoked", good, says("0: hold\n1: revoked")},
		{"revocation-unknown", "The CA does not know the certificate, which is no answer: kept, and marked as not checked.", "accept", "", says("0: unknown\n1: good")},
		{"revocation-no-answer", "No CA answers: kept, and marked as not checked.", "accept", "", says("error: no route to host")},
		{"revocation-half-answer", "The certificate has been revoked, and then the line broke.", "reject cert-revoked", "revocation-no-answer", says("0: revoked\nerror: connection reset")},
		{"revocation-intermediate", "The intermediate has been revoked.", "reject cert-revoked", good, says("0: good\n1: revoked")},
		{"revocation-none", "The certificate names nobody to ask: kept, and marked as not checked.", "accept", "", says("0: none\n1: good")},
		{"revocation-hard-good", "An answer is demanded, and the CAs stand by every certificate.", "accept", "", demands("0: good\n1: good")},
		{"revocation-hard-unknown", "An answer is demanded, and the CA does not know the certificate: put off.", "defer cert-revocation-unknown", "revocation-hard-good", demands("0: unknown\n1: good")},
		{"revocation-hard-no-answer", "An answer is demanded, and no CA answers: put off.", "defer cert-revocation-unknown", "revocation-hard-good", demands("error: no route to host")},
		{"revocation-hard-none", "An answer is demanded, and the certificate names nobody to ask: no try will help.", "reject cert-revocation-none", "revocation-hard-good", demands("0: none\n1: good")},
		{"revocation-hard-hold", "An answer is demanded, the intermediate is silent, and the certificate is on hold.", "reject cert-hold", "revocation-hard-good", demands("0: hold")},
		{"revocation-off", "Nobody is asked, so nobody can say that the certificate has been revoked.", "accept", "", func(m *mail) {
			m.policy, m.revocation = append(m.policy, "revocation: off"), "0: revoked"
		}},
	}
}
