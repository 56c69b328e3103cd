package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/certinbox/certinbox/internal/testmail"
)

// raw changes the finished bytes of a message once.
func replaced(old, new string) func(m *mail) {
	return func(m *mail) {
		m.raw = func(b []byte) []byte {
			if !bytes.Contains(b, []byte(old)) {
				panic("gen: nothing to replace: " + old)
			}
			return bytes.Replace(b, []byte(old), []byte(new), 1)
		}
	}
}

// field is an honest mail with a further field, covered by DKIM like the rest.
func field(f ...string) func(m *mail) {
	return func(m *mail) { m.add(f...) }
}

func setting(f string) func(m *mail) {
	return func(m *mail) { m.set(f) }
}

// messages are about the row message, but for From.
func messages() []recipe {
	malformed, duplicate, auto := "reject message-malformed", "reject header-duplicate", "reject auto-submitted"
	const subject = "Subject: My certificate\r\n"
	return []recipe{
		{"message-nul-in-header", "A NUL in the Subject; MTAs disagree on what follows it.", malformed, "", replaced("My certificate", "My\x00certificate")},
		{"message-bare-cr-in-header", "A carriage return by itself in the header: a line end for some readers.", malformed, "", replaced(subject, "Subject: My\rFrom: eve@example.net\r\n")},
		{"message-bare-lf-in-header", "A line feed by itself in the header: a line end for some readers.", malformed, "", replaced(subject, "Subject: My\nFrom: eve@example.net\r\n")},
		{"message-leading-blank", "The first line begins with a blank, so that some readers see no header at all.", malformed, "", func(m *mail) {
			m.raw = func(b []byte) []byte { return append([]byte(" "), b...) }
		}},
		{"message-byte-order-mark", "A byte order mark before the first field name.", malformed, "", func(m *mail) {
			m.raw = func(b []byte) []byte { return append([]byte("\xef\xbb\xbf"), b...) }
		}},
		{"message-line-without-colon", "A line that is no field ends the header for some readers.", malformed, "", replaced(subject, "Nofield\r\n"+subject)},
		{"message-blank-before-colon", "A blank between the field name and its colon: some readers see a From, some do not.", malformed, "", replaced("From: Alice", "From : Alice")},
		{"message-blank-in-name", "A blank before the colon of another field.", malformed, "", replaced(subject, "Subject : My certificate\r\n")},
		{"message-eight-bit-name", "A field name with a letter outside ASCII.", malformed, "", replaced(subject, "Subj\u00e9ct: x\r\n"+subject)},
		{"message-empty-name", "A field without a name.", malformed, "", replaced(subject, ": x\r\n"+subject)},
		{"message-nul-in-body", "A NUL in the body behind the signature.", malformed, "", func(m *mail) {
			m.edit = func(x testmail.Message) testmail.Message { x.Body = append(x.Body, "\x00\r\n"...); return x }
		}},
		{"message-bare-cr-in-body", "A carriage return by itself in the body: DKIM verifiers disagree on it.", malformed, "", func(m *mail) {
			m.edit = func(x testmail.Message) testmail.Message { x.Body = append(x.Body, "a\rb\r\n"...); return x }
		}},
		{"message-too-many-fields", "One field more than the limit of 1000.", malformed, "message-many-fields", func(m *mail) { m.add(manyFields(1000)...) }},
		{"message-many-fields", "Hundreds of fields are odd but bounded.", "accept", "", func(m *mail) { m.add(manyFields(900)...) }},
		{"message-too-many-lines", "A field of more than 500 lines; folding it is quadratic work for many readers.", malformed, "message-many-lines", field("X-Long: x" + strings.Repeat("\r\n y", 501))},
		{"message-many-lines", "A field of 400 lines is odd but bounded.", "accept", "", field("X-Long: x" + strings.Repeat("\r\n y", 400))},
		{"message-too-big", "The message is larger than the limit.", "reject too-big", "message-big", func(m *mail) { m.policy = []string{"limit_message: 3000"}; m.padded() }},
		{"message-big", "The message is smaller than the limit.", "accept", "", func(m *mail) { m.policy = []string{"limit_message: 30000"}; m.padded() }},

		{"header-two-subjects", "Two Subject fields: readers show either.", duplicate, "", field("Subject: Another")},
		{"header-two-to", "Two To fields.", duplicate, "", field("To: bob@example.com")},
		{"header-two-cc", "Two Cc fields.", duplicate, "header-one-cc", field("Cc: bob@example.com", "Cc: carol@example.com")},
		{"header-one-cc", "One Cc field beside To.", "accept", "", field("Cc: bob@example.com, carol@example.com")},
		{"header-two-dates", "Two Date fields, even if they agree.", duplicate, "", field("Date: Mon, 02 Mar 2026 11:55:00 +0000")},
		{"header-two-message-ids", "Two Message-ID fields.", duplicate, "", field("Message-ID: <2@example.org>")},
		{"header-two-content-types", "A second Content-Type, by which other readers see another message.", duplicate, "", func(m *mail) {
			m.edit = func(x testmail.Message) testmail.Message { return x.On("Content-Type: text/plain") }
		}},
		{"header-two-encodings", "Two Content-Transfer-Encoding fields.", duplicate, "header-one-encoding", field("Content-Transfer-Encoding: 7bit", "Content-Transfer-Encoding: 7bit")},
		{"header-one-encoding", "One Content-Transfer-Encoding beside multipart/signed.", "accept", "", field("Content-Transfer-Encoding: 7bit")},
		{"header-two-senders", "Two Sender fields.", duplicate, "header-one-sender", field("Sender: alice@example.org", "Sender: bob@example.org")},
		{"header-one-sender", "One Sender field; it identifies nobody here.", "accept", "", field("Sender: secretary@example.net")},
		{"header-two-reply-tos", "Two Reply-To fields.", duplicate, "header-one-reply-to", field("Reply-To: a@example.org", "Reply-To: b@example.org")},
		{"header-one-reply-to", "One Reply-To field; it identifies nobody here.", "accept", "", field("Reply-To: elsewhere@example.net")},
		{"header-two-mime-versions", "A repeated MIME-Version that says the same does no harm.", "accept", "", field("MIME-Version: 1.0")},

		{"auto-null-sender", "A bounce: the envelope sender is empty.", auto, "", func(m *mail) { m.sender = "" }},
		{"auto-replied", "An automatic answer.", auto, "auto-no", field("Auto-Submitted: auto-replied")},
		{"auto-notified", "An automatic notification.", auto, "auto-no", field("Auto-Submitted: auto-notified; owner-email=\"a@example.org\"")},
		{"auto-generated", "A mail made by a program.", auto, "auto-no", field("Auto-Submitted: Auto-Generated")},
		{"auto-no", "Auto-Submitted that says no.", "accept", "", field("Auto-Submitted: no")},
		{"auto-x-autoreply", "The older mark of an automatic answer.", auto, "", field("X-Autoreply: yes")},
		{"auto-bulk", "Bulk mail.", auto, "auto-first-class", field("Precedence: bulk")},
		{"auto-precedence-list", "List mail.", auto, "auto-first-class", field("Precedence: LIST")},
		{"auto-first-class", "A Precedence that means nothing.", "accept", "", field("Precedence: first-class")},
		{"auto-list-id", "A mailing list has sent it.", auto, "auto-list-unsubscribe", field("List-Id: <friends.example.org>")},
		{"auto-list-post", "A mailing list has sent it.", auto, "auto-list-unsubscribe", field("List-Post: <mailto:friends@example.org>")},
		{"auto-list-unsubscribe", "List-Unsubscribe stands in much personal mail of large providers.", "accept", "", field("List-Unsubscribe: <mailto:u@example.org>")},
		{"auto-report", "A delivery report is automatic mail, whatever it carries.", auto, "", func(m *mail) {
			e := testmail.Multipart("report; report-type=delivery-status", "=_report", m.content)
			m.entity = &e
		}},
	}
}

func manyFields(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("X-%d: y", i))
	}
	return out
}

// padded makes the signed text long.
func (m *mail) padded() {
	m.content.Body = append(m.content.Body, strings.Repeat("This line makes the message longer than the limit.\r\n", 60)...)
}

// froms are about the author.
func froms() []recipe {
	invalid := "reject from-invalid"
	set := func(f string) func(m *mail) { return setting(f) }
	address := func(f, address string) func(m *mail) { return func(m *mail) { m.from(f, address) } }
	return []recipe{
		{"from-none", "There is no From field.", invalid, "", func(m *mail) {
			m.fields = testmail.Message{Fields: m.fields}.Without("From").Fields
			m.dkim[0].Headers = []string{"To", "Subject"}
		}},
		{"from-two-fields", "A second From on top, above the one that DKIM covers: many readers show the first.", invalid, "", func(m *mail) {
			m.after = func(x testmail.Message) testmail.Message { return x.On("From: Mallory <mallory@example.net>") }
		}},
		{"from-two-fields-signed", "Two From fields, both covered by DKIM.", invalid, "", func(m *mail) {
			m.fields = append([]string{"From: alice@example.org"}, m.fields...)
			m.dkim[0].Headers = []string{"From", "From", "To", "Subject", "Date"}
		}},
		{"from-empty", "From without anything.", invalid, "", set("From: ")},
		{"from-name-only", "From with a name and no address.", invalid, "", set("From: Alice Example")},
		{"from-two-mailboxes", "Two authors: it cannot be said whose certificate this is.", invalid, "", set("From: Alice <alice@example.org>, Bob <bob@example.org>")},
		{"from-group", "A group of one looks like an address to lenient readers.", invalid, "", set("From: Friends: alice@example.org;")},
		{"from-route", "An address with a source route.", invalid, "", set("From: <@relay.example.net:alice@example.org>")},
		{"from-quoted-local-part", "A quoted local part that holds an address of somebody else.", invalid, "", set("From: <\"mallory@example.net\"@example.org>")},
		{"from-encoded-word-address", "An encoded word in the place of the address.", invalid, "", set("From: =?utf-8?q?alice=40example=2Eorg?=")},
		{"from-address-as-name", "Another address stands unquoted as the display name, where readers show it.", invalid, "from-own-address-as-name", set("From: ceo@example.org <alice@example.org>")},
		{"from-own-address-as-name", "Some programs write the address twice.", "accept", "", set("From: alice@example.org <alice@example.org>")},
		{"from-quoted-address-as-name", "A quoted display name may hold anything: only the address counts.", "accept", "", set("From: \"ceo@example.net\" <alice@example.org>")},
		{"from-two-angles", "Two addresses in angle brackets.", invalid, "", set("From: <alice@example.org> <mallory@example.net>")},
		{"from-unclosed-angle", "An angle bracket that is never closed.", invalid, "", set("From: Alice <alice@example.org")},
		{"from-two-at", "Two @ in an address.", invalid, "", set("From: alice@example.net@example.org")},
		{"from-two-dots", "An empty atom in the local part.", invalid, "from-dot", set("From: al..ice@example.org")},
		{"from-dot", "A dot in the local part, never stripped.", "accept", "", address("From: al.ice@example.org", "al.ice@example.org")},
		{"from-trailing-dot", "A domain with a final dot.", invalid, "", set("From: alice@example.org.")},
		{"from-ip-literal", "An address literal has no domain that could sign.", invalid, "", set("From: alice@[192.0.2.1]")},
		{"from-single-label", "A domain of one label.", invalid, "", set("From: alice@localhost")},
		{"from-underscore", "An underscore in a host name.", invalid, "", set("From: alice@exa_mple.org")},
		{"from-control-character", "A control character in the address.", invalid, "", set("From: <ali\x07ce@example.org>")},
		{"from-long-local-part", "A local part of 65 bytes.", invalid, "from-longest-local-part", set("From: " + strings.Repeat("a", 65) + "@example.org")},
		{"from-longest-local-part", "A local part of 64 bytes.", "accept", "", address("From: "+strings.Repeat("a", 64)+"@example.org", strings.Repeat("a", 64)+"@example.org")},
		{"from-path-traversal", "Dots and slashes that would lead out of a folder; they are no dot-atom either.", invalid, "from-slashes", set("From: ../../etc/passwd@example.org")},
		{"from-slashes", "Slashes in a local part are legal; file names escape them.", "accept", "", address("From: /etc/passwd@example.org", "/etc/passwd@example.org")},
		{"from-shell-characters", "Every character that a dot-atom may hold.", "accept", "", address("From: a!#$%&'*+/=^?_`{|}~-b@example.org", "a!#$%&'*+/=^?_`{|}~-b@example.org")},
		{"from-comment", "Comments and raw UTF-8 beside the address.", "accept", "", set("From: Älice (of the (old) team) Example <alice@example.org>")},
	}
}
