package verify

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
)

// TestDKIMWork: what a stranger can make us do is bounded before it is done.
func TestDKIMWork(t *testing.T) {
	base := newDKIMRig()
	spoilt := base.unpublished("example.org", "s1")
	spoilt.SpoilSignature = true
	record := spoilt.Record()
	signed := spoilt.Sign(letter("example.org"))
	tests := []struct {
		name    string
		message testmail.Message
		want    string
		ops     int // public-key operations
	}{
		{"a field of 20000 folds", signed.With("Comments:" + strings.Repeat("\r\n x", 20000)), "message permerror message-malformed", 0},
		{"2000 signatures", signed.On(slices.Repeat(signed.Fields[:1], 2000)...), "message permerror message-malformed", 0},
		{"200 signatures over a large body", func() testmail.Message {
			m := letter("example.org")
			m.Body = slices.Repeat([]byte("0123456789abcdef\r\n"), 150_000)
			m = spoilt.Sign(m)
			return m.On(slices.Repeat(m.Fields[:1], 199)...)
		}(), isFail, 5},
		{"200 signatures of others", func() testmail.Message {
			other := base.unpublished("example.net", "s1")
			other.SpoilSignature = true
			m := other.Sign(letter("example.org"))
			return m.On(slices.Repeat(m.Fields[:1], 199)...)
		}(), isFail, 1},
		{"3000 names in h=", named(base, 3000), isPolicy, 0},
		{"201 names in h=", named(base, 201), isPolicy, 0},
		{"200 names in h=", named(base, 200), isAligned, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := base.again()
			r.zone.Add("s1._domainkey.example.org", record)
			other := r.unpublished("example.net", "s1")
			r.zone.Add(other.Name(), other.Record())
			f := r.expect(t, tt.message, tt.want)
			if got := r.policy.Limits.PublicKeyOps - f.ops.Left; got != tt.ops || len(r.asked) != tt.ops {
				t.Errorf("%d public-key operations and %d questions, want %d", got, len(r.asked), tt.ops)
			}
			if len(f.bodyHashes) > 1 {
				t.Errorf("%d forms of the body hashed", len(f.bodyHashes))
			}
			if len(f.signatures) > r.policy.Limits.DKIMLooked {
				t.Errorf("%d signatures looked at", len(f.signatures))
			}
		})
	}
}

// named is a letter whose signature has n names in h=.
func named(r *dkimRig, n int) testmail.Message {
	d := r.unpublished("example.org", "s1")
	d.Headers = []string{"From"}
	for i := range n - 1 {
		d.Headers = append(d.Headers, fmt.Sprint("X", i))
	}
	return d.Sign(letter("example.org"))
}

// TestDKIMSignedHeader: the named fields only, the lowest of each name first, in the
// order of h=, then the signature's own without its value.
func TestDKIMSignedHeader(t *testing.T) {
	r := newDKIMRig()
	d := r.signer("example.org", "s1")
	d.Headers = []string{"Comments", "From", "comments", "DKIM-Signature", "Absent"}
	m := d.Sign(letter("example.org").With("Comments: a", "Comments: b\r\n\tc ", "Comments:  d"))
	f := r.expect(t, m, isAligned)
	own := string(f.aligned.raw)
	want := "comments:d\r\nfrom:Anna <anna@example.org>\r\ncomments:b c\r\n" + "dkim-signature:" +
		strings.ReplaceAll(strings.TrimPrefix(own[:strings.LastIndex(own, "b=")+2], "DKIM-Signature: "), "\r\n\t", " ")
	if got := string(f.signedHeader(f.aligned)); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	kept := "From: Anna <anna@example.org>\r\nComments: b\r\n\tc \r\nComments:  d\r\n"
	if got := string(f.report.Evidence.Signed); got != kept || f.aligned.covers("Comments") {
		t.Errorf("evidence %q, want %q; covers all: %v", got, kept, f.aligned.covers("Comments"))
	}
}

// TestDKIMBodyHashedOnce: a second signature costs no second pass over the body, and
// the forms are told apart.
func TestDKIMBodyHashedOnce(t *testing.T) {
	r := newDKIMRig()
	f := r.expect(t, r.signer("example.org", "s1").Sign(letter("example.org")), isAligned)
	want := string(f.bodyHash(true))
	f.body = []byte("another body \r\n")
	if string(f.bodyHash(true)) != want {
		t.Error("hashed again")
	}
	if string(f.bodyHash(false)) == want || len(f.bodyHashes) != 2 {
		t.Error("the forms are not told apart")
	}
}

func TestTXTLine(t *testing.T) {
	if got, want := txtLine("a.example", "q\"b\\s\x00\u00e4"), `a.example TXT "q\"b\\s\000\195\164"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
