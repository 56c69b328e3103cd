package trust

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/certinbox/certinbox/internal/smime"
	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
	"github.com/certinbox/certinbox/internal/testmail"
)

// fuzzGuard is the time that one input may take. It is far above what a few
// kilobytes need and far below what a quadratic reader would.
const fuzzGuard = 2 * time.Second

func guard(t *testing.T, f func()) {
	t.Helper()
	begin := time.Now()
	f()
	if took := time.Since(begin); took > fuzzGuard {
		t.Fatalf("one input took %v", took)
	}
}

// holding returns a certificate in memory with one extension.
func holding(n int, value []byte) *x509.Certificate {
	return &x509.Certificate{RawSubject: []byte{0x30, 0},
		Extensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, n}, Value: value}}}
}

func FuzzMailboxes(f *testing.F) {
	box, utf := testmail.RFC822Name, testmail.SmtpUTF8Mailbox
	f.Add(testmail.Sequence(box("bob@example.org")))
	f.Add(testmail.Sequence(utf("büro@bücher.example"), box("bob@example.org"), testmail.DNSName("example.org")))
	f.Add(testmail.Sequence(testmail.DirectoryName(testmail.Sequence()), box("a@b")))
	f.Add([]byte{0x30, 0x80})
	f.Add([]byte{0x30, 4, 0xa0, 2, 6, 0})
	f.Fuzz(func(t *testing.T, value []byte) {
		guard(t, func() {
			c := holding(17, value)
			boxes, err := Mailboxes(c, 100)
			if err != nil && boxes != nil || len(boxes) > 100 {
				t.Fatalf("%v, %v", boxes, err)
			}
			for _, b := range boxes {
				again, err := smime.ParseAddress(b.String())
				if err != nil || again != b {
					t.Fatalf("%q is not read as itself: %q, %v", b, again, err)
				}
				if !strings.Contains(string(value), b.Local) {
					t.Fatalf("%q does not stand in the name", b)
				}
			}
			namesOf(c, 100)
		})
	})
}

func FuzzConstraints(f *testing.F) {
	box := testmail.RFC822Name
	f.Add(testmail.NameConstraints([][]byte{box("example.org"), box(".example.org"), box("")}, [][]byte{box("bob@example.org")}), "bob@example.org")
	f.Add(testmail.NameConstraints([][]byte{testmail.DirectoryName(testmail.Sequence())}, nil), "bob@a.example.org")
	f.Add(testmail.NameConstraints(nil, [][]byte{testmail.SmtpUTF8Mailbox("büro@example.org"), testmail.DNSName("x")}), "büro@example.org")
	f.Add([]byte{0x30, 2, 0xa0, 0}, "a@b.c")
	f.Add(testmail.NameConstraints([][]byte{testmail.DirectoryName(testmail.Sequence(testmail.Element(0x31,
		testmail.Sequence([]byte{6, 3, 0x55, 4, 10}, testmail.Element(0x13, []byte("Other"))))))}, nil), "bob@example.org")
	f.Add(testmail.NameConstraints(nil, [][]byte{testmail.Element(0x88, []byte{0x2a, 0x86}), testmail.Element(0xa0, []byte{6, 2, 0x2a, 0xff, 0xa0, 2, 5, 0})}), "bob@example.org")
	f.Fuzz(func(t *testing.T, value []byte, address string) {
		guard(t, func() {
			nc, err := readConstraints(holding(30, value))
			lines := Limits(holding(30, value))
			if len(lines) == 0 || len(lines) > 221 {
				t.Fatalf("%d limits", len(lines))
			}
			for _, line := range lines {
				if line == "" || utf8.RuneCountInString(line) > maxConstraint || strings.ContainsFunc(line, func(c rune) bool { return !unicode.IsPrint(c) }) {
					t.Fatalf("limit %q", line)
				}
			}
			if strings.HasPrefix(lines[0], "name constraints that cannot be read: ") != (err != nil) {
				t.Fatalf("limit %q, but %v", lines[0], err)
			}
			if err != nil {
				if nc != nil {
					t.Fatal("an error comes with constraints")
				}
				return
			}
			a, err := smime.ParseAddress(address)
			if err != nil {
				return
			}
			held := nc.refuse(namesOf(everyName(address), 100))
			if held != nil && (held.detail == "" || held.limit == "" || utf8.RuneCountInString(held.limit) > maxConstraint ||
				strings.ContainsFunc(held.limit, func(c rune) bool { return !unicode.IsPrint(c) })) {
				t.Fatalf("%+v", held)
			}
			broken := nc.refuse(subject{mailboxes: []smime.Address{a}}) != nil
			// what is constrained as one kind is constrained as the other
			if broken && nc.refuse(subject{utf8: []smime.Address{a}}) == nil {
				t.Fatalf("%q passes as SmtpUTF8Mailbox only", a)
			}
			// more constraints never let more pass
			nc.excluded.mailbox = append(nc.excluded.mailbox, mailboxTree{always: true})
			if nc.refuse(subject{mailboxes: []smime.Address{a}}) == nil {
				t.Fatalf("%q passes although everything is excluded", a)
			}
		})
	})
}

// everyName is a certificate in memory with names of all kinds, the address among them.
func everyName(address string) *x509.Certificate {
	upn := testmail.Element(0xa0, append([]byte{6, 3, 0x2a, 3, 4}, testmail.Element(0xa0, []byte{5, 0})...))
	c := holding(17, testmail.Sequence(testmail.RFC822Name(address), testmail.SmtpUTF8Mailbox(address), upn, testmail.Element(0x88, []byte{0x2a})))
	attribute := testmail.Sequence([]byte{6, 3, 0x55, 4, 10}, testmail.Element(0x0c, []byte("Acme")))
	c.RawSubject = testmail.Sequence(testmail.Element(0x31, attribute))
	return c
}

func FuzzReadAnchors(f *testing.F) {
	root := testmail.NewKeys().Root(testmail.Profile{Name: "Root", Kind: "p256"})
	f.Add(root.DER)
	f.Add(root.PEM())
	f.Add([]byte("\xef\xbb\xbftext\r\n" + string(root.PEM())))
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "TRUSTED CERTIFICATE", Bytes: append(root.DER, 0x30, 0)}))
	certsOnly, err := cmstest.Blob{Extra: [][]byte{root.DER}}.Build()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(certsOnly)
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: certsOnly}))
	f.Add([]byte("\xff\xfe-\x00-\x00"))
	f.Add([]byte("-----BEGIN X-----\n-----BEGIN X-----\n-----END Y-----"))
	f.Fuzz(func(t *testing.T, data []byte) {
		guard(t, func() {
			objects, err := read(data)
			if err == nil && len(objects) == 0 || err != nil && objects != nil {
				t.Fatalf("%d objects, %v", len(objects), err)
			}
			for _, o := range objects {
				c, text, _ := o.certificate()
				if (c == nil) == (text == "") {
					t.Fatal("neither a certificate nor a reason, or both")
				}
			}
			l := &loader{now: testmail.Instant(), merged: map[string]*Anchor{}}
			usable, err := l.take("file", data, Source{})
			if usable < len(l.anchors) || err == nil && usable+len(l.problems) < len(objects) {
				t.Fatalf("of %d objects %d are used and %d reported: %v", len(objects), usable, len(l.problems), err)
			}
		})
	})
}
