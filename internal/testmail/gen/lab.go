package main

import (
	"strings"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
)

// honestName is the case of the mail that nearly all recipes start from.
const honestName = "honest"

// A lab holds the keys and authorities that all cases share.
type lab struct {
	keys *testmail.Keys
	root *testmail.Identity // trusted
	ca   *testmail.Identity // below root
	dkim testmail.DKIM      // of example.org
}

func newLab() *lab {
	l := &lab{keys: testmail.NewKeys()}
	l.root = l.keys.Root(testmail.Profile{Name: "Example Root", Organisation: "Example Trust", Kind: "p256"})
	l.ca = l.root.Intermediate(testmail.Profile{Name: "Example Mail CA", Organisation: "Example Trust", Kind: "p256",
		PathLength: testmail.ZeroPathLength})
	l.dkim = l.domainKey("example.org")
	return l
}

// domainKey is an RSA 2048 key in the DNS of a domain, the same for all of
// them: RSA keys take time.
func (l *lab) domainKey(domain string) testmail.DKIM {
	return testmail.DKIM{Domain: domain, Selector: "s1", Key: l.keys.Key("rsa2048", "dkim")}
}

// leaf is Alice's certificate, changed as p says.
func (l *lab) leaf(p testmail.Profile) *testmail.Identity { return l.below(l.ca, p) }

func (l *lab) below(ca *testmail.Identity, p testmail.Profile) *testmail.Identity {
	p.Name = or(p.Name, "Alice Example")
	p.Kind = or(p.Kind, "p256")
	if p.Mailboxes == nil && p.UTF8Mailboxes == nil && p.SAN == nil {
		p.Mailboxes = []string{"alice@example.org"}
	}
	return ca.Issue(p)
}

// A mail is a message in the making, with the world around it. Recipes change
// its fields; bytes puts it together.
type mail struct {
	lab *lab

	// Header of the message, and what is signed.
	fields  []string
	content testmail.Entity

	// S/MIME.
	signing signing
	entity  *testmail.Entity                      // instead of a signed one
	wrap    func(testmail.Entity) testmail.Entity // around or into the signed one

	edit  func(testmail.Message) testmail.Message // before DKIM
	dkim  []testmail.DKIM                         // the last one signs last and stands on top
	after func(testmail.Message) testmail.Message // behind DKIM
	raw   func([]byte) []byte                     // the bytes of all

	// The world.
	zone       testmail.Zone
	anchors    []*testmail.Identity
	sender     string // "unknown": not said
	recipients []string
	submission bool
	policy     []string
	revocation string
	at         time.Time
}

// honest is a mail that is accepted: Alice signs with a P-256 certificate of a
// trusted CA, and her domain with DKIM.
func (l *lab) honest() *mail {
	return &mail{
		lab: l,
		fields: []string{
			"From: Alice Example <alice@example.org>",
			"To: secureme@example.com",
			"Subject: My certificate",
			"Date: Mon, 02 Mar 2026 11:55:00 +0000",
			"Message-ID: <20260302115500.1@example.org>",
			"MIME-Version: 1.0",
		},
		content:    testmail.Text("Please keep my certificate, so that you can write to me encrypted.", "", "Alice"),
		signing:    signing{who: l.leaf(testmail.Profile{}), at: testmail.Instant().Add(-6 * time.Minute)},
		dkim:       []testmail.DKIM{l.dkim},
		zone:       testmail.Zone{}.Add(l.dkim.Name(), l.dkim.Record()),
		anchors:    []*testmail.Identity{l.root},
		sender:     "alice@example.org",
		recipients: []string{"secureme@example.com"},
		at:         testmail.Instant(),
	}
}

// set replaces a header field.
func (m *mail) set(field string) {
	m.fields = testmail.Message{Fields: m.fields}.Set(field).Fields
}

// add adds header fields that stand below the others.
func (m *mail) add(fields ...string) { m.fields = append(m.fields, fields...) }

// from makes another author: the field as given, the certificate for address.
func (m *mail) from(field, address string) {
	m.set(field)
	if address != "" {
		m.signing.who = m.lab.leaf(testmail.Profile{Mailboxes: []string{address}})
	}
}

// signedBy makes DKIM sign for another domain, with its key in the DNS.
func (m *mail) signedBy(domain string) {
	d := m.lab.domainKey(domain)
	m.dkim = []testmail.DKIM{d}
	m.zone = testmail.Zone{}.Add(d.Name(), d.Record())
}

// tag changes or adds tags of the DKIM signature.
func (m *mail) tag(tags ...string) { m.dkim[0].Tags = append(m.dkim[0].Tags, tags...) }

// record replaces the DKIM key record.
func (m *mail) record(records ...string) { m.zone[m.dkim[0].Name()] = records }

func (m *mail) message() testmail.Message {
	entity := m.entity
	if entity == nil {
		e := m.signing.entity(m.content.Bytes())
		entity = &e
	}
	if m.wrap != nil {
		e := m.wrap(*entity)
		entity = &e
	}
	message := testmail.Message{Fields: append(append([]string{}, m.fields...), entity.Fields...), Body: entity.Body}
	if m.edit != nil {
		message = m.edit(message)
	}
	for _, d := range m.dkim {
		message = d.Sign(message)
	}
	if m.after != nil {
		message = m.after(message)
	}
	return message
}

func (m *mail) bytes() []byte {
	b := m.message().Bytes()
	if m.raw != nil {
		b = m.raw(b)
	}
	return b
}

func (m *mail) envelope() string {
	lines := []string{"sender: " + m.sender, "recipients: " + strings.Join(m.recipients, " "), "client: 192.0.2.1"}
	if m.submission {
		lines = append(lines, "authenticated: yes")
	}
	return strings.Join(lines, "\n")
}

func (m *mail) anchorsPEM() string {
	var b strings.Builder
	for _, a := range m.anchors {
		b.Write(a.PEM())
	}
	return b.String()
}
