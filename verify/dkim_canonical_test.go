package verify

import (
	"bytes"
	"crypto"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/certinbox/certinbox/internal/smime"
)

// TestCanonicalBody: the examples of RFC 6376 section 3.4.5 and the ends of bodies.
func TestCanonicalBody(t *testing.T) {
	for _, tt := range []struct{ body, simple, relaxed string }{
		{" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"},
		{"", "\r\n", ""},
		{"\r\n", "\r\n", ""},
		{"\r\n\r\n", "\r\n", ""},
		{" \t\r\n \r\n", " \t\r\n \r\n", ""},
		{"a", "a\r\n", "a\r\n"},
		{"a \t", "a \t\r\n", "a\r\n"},
		{"a\r\n \t", "a\r\n \t\r\n", "a\r\n"},
		{"a\r\n\r\n b\t\tc \r\n\r\n \r\n", "a\r\n\r\n b\t\tc \r\n\r\n \r\n", "a\r\n\r\n b c\r\n"},
		{"\ta  b\tc\t \td\r\n", "\ta  b\tc\t \td\r\n", " a b c d\r\n"},
	} {
		for _, form := range []struct {
			relaxed bool
			want    string
		}{{false, tt.simple}, {true, tt.relaxed}} {
			var got bytes.Buffer
			if canonicalBody(&got, []byte(tt.body), form.relaxed); got.String() != form.want {
				t.Errorf("%q, relaxed %v: %q, want %q", tt.body, form.relaxed, got.String(), form.want)
			}
		}
	}
}

func TestCanonicalField(t *testing.T) {
	for _, tt := range []struct{ field, relaxed string }{
		{"A: X\r\n", "a:X\r\n"},
		{"B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n"},
		{"Subject:\r\n a\r\n\r\n", "subject:a\r\n"},
		{"Empty:\r\n", "empty:\r\n"},
		{"Colons: a: b\r\n", "colons:a: b\r\n"},
	} {
		if got := string(appendField(nil, []byte(tt.field), true)); got != tt.relaxed {
			t.Errorf("%q: %q, want %q", tt.field, got, tt.relaxed)
		}
		if got := string(appendField([]byte("x"), []byte(tt.field), false)); got != "x"+tt.field {
			t.Errorf("%q, simple: %q", tt.field, got)
		}
	}
}

// TestWithoutValue: b= loses its value wherever it stands, and nothing else does.
func TestWithoutValue(t *testing.T) {
	for field, want := range map[string]string{
		"DKIM-Signature: a=1; b=AB\r\n C ; c=2\r\n": "DKIM-Signature: a=1; b=; c=2",
		"DKIM-Signature: bh=b=; b=AB==\r\n":         "DKIM-Signature: bh=b=; b=",
		"DKIM-Signature: z=b=x; \r\n\tb = AB\r\n\t": "DKIM-Signature: z=b=x; \r\n\tb =",
		"DKIM-Signature:b=AB;\r\n":                  "DKIM-Signature:b=;",
		"DKIM-Signature: a=1\r\n":                   "DKIM-Signature: a=1",
		"DKIM-Signature: xb=1; B=2; b\r\n =3 ;\r\n": "DKIM-Signature: xb=1; B=2; b\r\n =;",
	} {
		if got := string(withoutValue([]byte(field))); got != want {
			t.Errorf("%q: %q, want %q", field, got, want)
		}
	}
}

// TestCanonicalBodyPieces: a body that is right already goes on in one piece, and
// what has to be mended in few, however short its pieces are.
func TestCanonicalBodyPieces(t *testing.T) {
	for line, most := range map[string]int{
		strings.Repeat("a b c d ", 9) + "e\r\n": 2,
		strings.Repeat("x", 76) + "\r\n":        2,
		"a \r\n":                                8,
		"a\tb\r\n":                              8,
		" \t \t":                                2,
	} {
		var n writes
		canonicalBody(&n, []byte(strings.Repeat(line, 1000)), true)
		if int(n) > most {
			t.Errorf("%q: %d writes, at most %d", line, n, most)
		}
	}
}

// A writes counts.
type writes int

func (n *writes) Write(p []byte) (int, error) { *n++; return len(p), nil }

// FuzzCanonicalBody: the relaxed form is what RFC 6376 section 3.4.4 says, step by step.
func FuzzCanonicalBody(f *testing.F) {
	for _, s := range []string{"a b\r\n", "1234567 \tb", "12345678 \r\n", "1234567  8 \r\n\r\n", " \t\r\n", "123456 \r\n7", "\t12345678"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r", ""), "\n", "\r\n")
		lines := strings.Split(s, "\r\n")
		for i, line := range lines {
			words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
			lines[i] = strings.Join(words, " ")
			if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
				lines[i] = strings.TrimRight(" "+lines[i], " ")
			}
		}
		want := strings.Join(lines, "\r\n")
		for strings.HasSuffix(want, "\r\n") {
			want = strings.TrimSuffix(want, "\r\n")
		}
		if want != "" {
			want += "\r\n"
		}
		var got bytes.Buffer
		if canonicalBody(&got, []byte(s), true); got.String() != want {
			t.Errorf("%q: %q, want %q", s, got.String(), want)
		}
	})
}

// FuzzDKIMOracle: a message signed by go-msgauth and changed at one byte has the same
// verdict there and here, wherever we compute a verdict at all.
func FuzzDKIMOracle(f *testing.F) {
	f.Add("Subject: a  b\r\n\tc", "Hello, \r\n\r\n  this\tis mine \r\n\r\n", byte(3), uint16(0), byte(0))
	f.Add("Subject:\r\n x \r\nTo: b@example.com", "", byte(0), uint16(0), byte(0))
	f.Add("Comments: a\r\nComments: b", " \t", byte(1), uint16(600), byte(' '))
	f.Add("To: c@example.com", "a\r\n \r\n", byte(2), uint16(0), byte(0))
	f.Add("Subject: z=; b=x", "\r\n\r\n", byte(3), uint16(200), byte('b'))
	r := newDKIMRig()
	d := r.unpublished("example.org", "s1")
	d.Key = r.keys.Key("ed25519", "oracle")
	r.zone.Add(d.Name(), d.Record())
	form := map[bool]dkim.Canonicalization{false: dkim.CanonicalizationSimple, true: dkim.CanonicalizationRelaxed}
	f.Fuzz(func(t *testing.T, header, body string, forms byte, place uint16, to byte) {
		lines := strings.NewReplacer("\r\n", "\r\n", "\r", "", "\n", "\r\n", "\x00", "")
		message := []byte("From: anna@example.org\r\n" + strings.Trim(lines.Replace(header), "\r\n") + "\r\n\r\n" + lines.Replace(body))
		var signed bytes.Buffer
		if err := dkim.Sign(&signed, bytes.NewReader(message), &dkim.SignOptions{Domain: "example.org", Selector: "s1",
			Signer: d.Key, Hash: crypto.SHA256, HeaderCanonicalization: form[forms&1 > 0], BodyCanonicalization: form[forms&2 > 0]}); err != nil {
			return // no message for the library
		}
		b := signed.Bytes()
		if place > 0 {
			b[int(place)%len(b)] = to
		}
		h, text, err := smime.ScanHeader(b, r.policy.Limits.Header)
		if err != nil || damagedBody(text) != "" {
			return // refused before anybody asks for a signature
		}
		x := (&Verifier{Policy: r.policy, Now: time.Now, TXT: r.zone.TXT}).Begin(r.env) // the library writes t= by the real clock
		facts := newFacts(x)
		facts.header, facts.body, facts.author = h, text, &smime.Address{Local: "anna", Domain: "example.org"}
		facts.readSignatures()
		if len(facts.signatures) != 1 || facts.signatures[0].status != "" {
			return // refused by its settings, which others than the library judge
		}
		s := &facts.signatures[0]
		facts.verifySignature(t.Context(), s)
		if s.status != Pass && s.status != Fail {
			return // its key
		}
		results, err := dkim.VerifyWithOptions(bytes.NewReader(b), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
			return r.zone.TXT(t.Context(), name)
		}})
		if err != nil || len(results) != 1 {
			t.Fatalf("%v, %d results; here %s", err, len(results), s.status)
		}
		if ours := s.status == Pass; ours != (results[0].Err == nil) && !libraryOdd(s) {
			t.Errorf("here %s %v, there %v\n%q", s.status, s.err, results[0].Err, b)
		}
	})
}

// libraryOdd says whether the library is known to compute something else: it takes
// what follows any b= for the signature, be it in a value or at the end of a name.
func libraryOdd(s *dkimSignature) bool {
	_, value, _ := bytes.Cut(s.raw, []byte(":"))
	tags, _ := parseTags(string(value))
	for name, v := range tags {
		if name != "b" && strings.Contains(name+"="+stripFWS(v), "b=") {
			return true
		}
	}
	return false
}
