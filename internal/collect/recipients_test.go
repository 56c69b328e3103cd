package collect

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/verify"
)

func TestWants(t *testing.T) {
	tests := []struct {
		rcpt      string
		want      bool
		delimited bool // with recipient_delimiter: +
	}{
		{"<secureme@example.com>", true, true},
		{"secureme@example.com", true, true},
		{"<SecureMe@EXAMPLE.com>", true, true},
		{"<secureme@example.com.>", true, true},
		{"<@relay.example.net,@other.example.net:secureme@example.com>", true, true},
		{`<"secureme"@example.com>`, true, true},
		{`<"sec\ureme"@example.com>`, true, true},
		{"<secureme>", true, true},
		{"<zertifikat@müller.example>", true, true},
		{"<zertifikat@xn--mller-kva.example>", true, true},
		{"<zertifikat@MÜLLER.example>", true, true},
		// Postfix or Sendmail deliver each of these to the collection address.
		{"<example.com!secureme>", true, true},
		{"<example.com!secureme@mx.example.net>", true, true},
		{"<relay!example.com!secureme>", true, true},
		{"<secureme%example.com@mx.example.net>", true, true},
		{"<secureme%example.com%relay@mx.example.net>", true, true},
		{"<relay!secureme%example.com@mx.example.net>", true, true},
		{`<"secureme@example.com"@mx.example.net>`, true, true},
		{"<secureme@example.com@mx.example.net>", true, true},
		{"<group:secureme@example.com;>", true, true},
		{"<secureme@example.com,>", true, true},
		{"<secureme@example.com>>", true, true},
		{"<secureme@example.com@>", true, true},
		{"<SecureMe%EXAMPLE.com.@mx>", true, true},
		{"<secureme@[192.0.2.1]>", true, true},
		{"<example.com!secureme+token>", false, true},
		{"<ſecureme@example.com>", true, true}, // long s
		{"<ſECUREME@example.com.>", true, true},
		{"<example.com!ſecureme>", true, true},
		{"<ofﬁce@müller.example>", true, true}, // ligature
		{"<OFFICE@müller.example>", true, true},
		{"<secureme@meße.example>", true, true}, // sharp s, in a domain with ss
		{"<secureme%meße.example@mx>", true, true},
		{"<secureme@example>", true, true}, // the MTA may append .com
		{"<example!secureme>", true, true},
		{"<secureme@exam>", false, false},
		{"<bob@example>", false, false},
		{"<secureme+" + strings.Repeat("a", 1100) + "@example.com>", false, true},
		{"<" + strings.Repeat("a", 1100) + ":secureme@example.com;>", true, true},
		{"<ſecure@example.com>", false, false},
		{"<bob%example.com@mx.example.net>", false, false},
		{"<example.com!bob>", false, false},
		{"<secureme!bob@example.com>", true, true}, // nobody's
		{"<secureme%example.org@mx.example.net>", false, false},
		{"<bounce+secureme=example.com@lists.example>", false, false},
		{"<bob@[192.0.2.1]>", false, false},
		{"<bob@[IPv6:2001:db8::1]>", false, false},
		{"<secureme+token@example.com>", false, true},
		{"<SECUREME+a+b@example.com>", false, true},
		{"<secureme-token@example.com>", false, false},
		{"<+secureme@example.com>", false, false},
		{"<secureme@example.org>", false, false},
		{"<secureme@sub.example.com>", false, false},
		{"<bob@example.com>", false, false},
		{"<bob>", false, false},
		{"<>", false, false},
		{"", false, false},
		{"<\"", false, false},
		{"<@>", false, false},
	}
	for _, delimiter := range []string{"", "+"} {
		s := settings(&keeper{}, &bytes.Buffer{})
		s.Verifier.Policy.Collect = append(s.Verifier.Policy.Collect, "zertifikat@xn--mller-kva.example", "office@xn--mller-kva.example", "secureme@messe.example")
		s.Verifier.Policy.RecipientDelimiter = delimiter
		c := New(s)
		for _, tt := range tests {
			want := tt.want
			if delimiter != "" {
				want = tt.delimited
			}
			if got := c.Wants(tt.rcpt); got != want {
				t.Errorf("delimiter %q: Wants(%q) = %v", delimiter, tt.rcpt, got)
			}
		}
	}
}

func TestPlain(t *testing.T) {
	for path, want := range map[string]bool{
		"secureme@example.com": true, "secureme": true, "ſecureme@example.com": true, `"a b"@example.com`: true, `"a@b\"c"@example.com`: true, `"secureme@example.com"`: true,
		"bob@[192.0.2.1]": true, "bob@[IPv6:2001:db8::1]": true, "example.com!secureme": true, "secureme%example.com@mx": true, "": true,
		";secureme@example.com": false, "secureme@example.com(x": false, "secureme(c)@example.com": false, "secureme;": false, "secureme @example.com": false,
		"secureme\v@example.com": false, `secure\me@example.com`: false, `"sec"ureme@example.com`: false, `sec"ureme"@example.com`: false, `"open@example.com`: false,
		`secureme@"example.com"`: false, "secureme@example.com@mx": false, "secureme@example.com@": false, "group:secureme@example.com;": false, "secureme@[x]y": false,
	} {
		if got := Plain(path); got != want {
			t.Errorf("Plain(%q) = %v", path, got)
		}
	}
}

func TestMentions(t *testing.T) {
	c := New(settings(&keeper{}, &bytes.Buffer{}))
	for path, want := range map[string]bool{
		";SecureMe": true, "secureme@\\\texample.com": true, ">example.com!secureme+": false, ">secureme(@x": true, "x<ſecureme>": true, "bob,": false, "": false,
	} {
		if got := c.Mentions(path); got != want {
			t.Errorf("Mentions(%q) = %v", path, got)
		}
	}
}

func TestSplit(t *testing.T) {
	s := settings(&keeper{}, &bytes.Buffer{})
	s.OwnNetworks = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}
	c := New(s)
	r := c.Split(verify.Envelope{Client: "192.0.2.1"})
	if r == nil || r.Code != 452 || r.Enhanced != "4.5.3" {
		t.Errorf("a stranger: %v", r)
	}
	if c.Split(verify.Envelope{Client: "192.0.2.1", Authenticated: true}) != nil {
		t.Error("an authenticated client is split")
	}
	if c.Split(verify.Envelope{Client: "198.51.100.9"}) != nil {
		t.Error("a client of an own network is split")
	}
	s.Observe = true
	c.Set(s)
	if c.Split(verify.Envelope{Client: "192.0.2.1"}) != nil {
		t.Error("observe splits")
	}
}

// TestMisspelt: a recipient that cannot be read for certain is refused for good,
// with words that help, but never in observe.
func TestMisspelt(t *testing.T) {
	s := settings(&keeper{}, &bytes.Buffer{})
	for _, refuse := range []string{RefuseAll, RefuseSigned, RefuseNone} {
		s.Refuse = refuse
		if r := New(s).Misspelt(); r == nil || r.Code != 550 || r.Enhanced != "5.1.3" {
			t.Errorf("refuse %s: %v", refuse, r)
		}
	}
	s.Observe = true
	if r := New(s).Misspelt(); r != nil {
		t.Errorf("observe refuses: %v", r)
	}
}

func BenchmarkWantsForeign(b *testing.B) {
	c := New(settings(&keeper{}, &bytes.Buffer{}))
	b.ReportAllocs()
	for b.Loop() {
		if c.Wants("<somebody.else@example.net>") {
			b.Fatal("not ours")
		}
	}
}
