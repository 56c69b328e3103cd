package smime

import (
	"fmt"
	"math/rand"
	"net/mail"
	"strings"
	"testing"
)

func TestParseFrom(t *testing.T) {
	for in, want := range map[string]string{
		"a@example.org":                                 "a@example.org",
		" \ta@example.org ":                             "a@example.org",
		"<a@example.org>":                               "a@example.org",
		"Ann Lee <a@example.org>":                       "a@example.org",
		"Ann <a@example.org>":                           "a@example.org",
		"Ann<a@example.org>":                            "a@example.org",
		"Ann Q. Lee <a@example.org>":                    "a@example.org",
		`"Lee, Ann" <a@example.org>`:                    "a@example.org",
		`"Lee, Ann"<a@example.org>`:                     "a@example.org",
		`"a \" b \\" <a@example.org>`:                   "a@example.org",
		`"" <a@example.org>`:                            "a@example.org",
		`"b@evil.example" <a@example.org>`:              "a@example.org", // in quotes; the name is never used
		"a@example.org (Ann Lee)":                       "a@example.org",
		"(Ann (her (name))) a@example.org":              "a@example.org",
		`Ann (one \) two) <a@example.org> (three)`:      "a@example.org",
		"Ann O'Lee <a@example.org>":                     "a@example.org",
		"Jürgen Müller <a@example.org>":                 "a@example.org",
		"=?utf-8?q?J=C3=BCrgen?= <a@example.org>":       "a@example.org",
		"=?utf-8?q?b=40evil.example?= <a@example.org>":  "a@example.org",
		"a@example.org <a@example.org>":                 "a@example.org",
		"A@Example.org <a@example.org>":                 "a@example.org",
		"'a@example.org' <a@example.org>":               "a@example.org",
		"a@example.org (a@example.org) <a@example.org>": "a@example.org",
		"Ann (at work: a@example.org) <a@example.org>":  "a@example.org",
		"a@bücher.example <a@xn--bcher-kva.example>":    "a@xn--bcher-kva.example",
		"jürgen@bücher.example":                         "jürgen@xn--bcher-kva.example",
		"Ann <A.Lee+x@Example.ORG>":                     "A.Lee+x@example.org",
		"Ann / Lee ! # $ % & * = ? ^ <a@example.org>":   "a@example.org",
	} {
		a, err := ParseFrom(in)
		if err != nil || a.String() != want {
			t.Errorf("%q: %q, %v; want %q", in, a, err, want)
		}
	}
}

// What reads as one address to one program and as another, or as several, to
// the next. Half of it net/mail refuses, half it accepts.
func TestParseFromRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"empty":                          "",
		"blanks":                         " \t ",
		"comment only":                   "(a@example.org)",
		"name only":                      "Ann",
		"two addresses":                  "a@example.org, b@example.org",
		"two in brackets":                "<a@example.org>, <b@example.org>",
		"two without comma":              "a@example.org b@example.org",
		"trailing comma":                 "a@example.org,",
		"leading comma":                  ",a@example.org",
		"semicolon between":              "a@example.org;b@example.org",
		"address as name":                "b@evil.example <a@example.org>",
		"address as name, no blank":      "b@evil.example<a@example.org>",
		"address before":                 "a@x.example <b@y.example>",
		"address after":                  "<a@example.org>b@evil.example",
		"escaped comma after":            `<a@example.org>\,<b@evil.example>`,
		"address in a comment":           "<a@example.org>(<b@evil.example>)",
		"address in a comment in front":  "(b@evil.example) a@example.org",
		"near miss in a comment":         "a@example.org (=a@example.org)",
		"nested comment":                 "a@example.org (x (b@evil.example))",
		"glued to the name":              "Ann:b@evil.example <a@example.org>",
		"hidden by a zero width space":   "b@evil.example\u200b <a@example.org>",
		"at alone in the name":           "Ann @ work <a@example.org>",
		"at before the name":             "@ann <a@example.org>",
		"encoded word around an address": "=?utf-8?q?b@evil.example?= <a@example.org>",
		"half in single quotes":          "'b@evil.example' <a@example.org>",
		"group":                          "undisclosed:a@example.org;",
		"group with a name":              "Friends: Ann <a@example.org>;",
		"empty group":                    "Group:;",
		"colon in the name":              "Re: Ann <a@example.org>",
		"route":                          "<@a.example,@b.example:c@example.org>",
		"route of one":                   "<@a.example:c@example.org>",
		"encoded word as address":        "=?utf-8?q?a=40example.org?=",
		"encoded word in brackets":       "<=?utf-8?q?a=40example.org?=>",
		"encoded word as local part":     "=?utf-8?q?a?=@example.org",
		"encoded local part in brackets": "<=?utf-8?q?a?=@example.org>",
		"unclosed bracket":               "Ann <a@example.org",
		"stray bracket":                  "a@example.org>",
		"double brackets":                "<<a@example.org>>",
		"two brackets":                   "<a@example.org> <b@example.org>",
		"empty brackets":                 "Ann <>",
		"blank in brackets":              "<a@example.org b>",
		"blanks around at":               "<a @ example.org>",
		"blanks around bare at":          "a @ example.org",
		"comment around at":              "a(c)@example.org",
		"comment in the domain":          "a@example(c).org",
		"comment in brackets":            "<a@example.org(c)>",
		"quoted local part":              `"a"@example.org`,
		"quoted at in local part":        `"a@evil.example"@example.org`,
		"quoted local part in brackets":  `<"a"@example.org>`,
		"quote in the middle":            `a"b"@example.org`,
		"unclosed quote":                 `"Ann <a@example.org>`,
		"quote closed too late":          `"Ann <a@example.org>" <`,
		"escaped end of quote":           `"Ann\" <a@example.org>`,
		"unclosed comment":               "a@example.org (Ann",
		"stray end of comment":           "Ann) <a@example.org>",
		"name after":                     "<a@example.org> Ann",
		"quoted name after":              `<a@example.org> "Ann"`,
		"name without brackets":          "Ann a@example.org",
		"quoted name without brackets":   `"Ann" a@example.org`,
		"square brackets":                "[b@evil.example] <a@example.org>",
		"backslash":                      `Ann\ Lee <a@example.org>`,
		"two dots":                       "a..b@example.org",
		"trailing dot":                   "a@example.org.",
		"two at":                         "a@b@example.org",
		"IP literal":                     "a@[192.0.2.1]",
		"one label":                      "a@localhost",
		"NUL":                            "a@example.org\x00",
		"NUL in the name":                "Ann\x00 <a@example.org>",
		"NUL in quotes":                  "\"Ann\x00\" <a@example.org>",
		"escape in the name":             "\x1b[31mAnn <a@example.org>",
		"CR":                             "Ann\r <a@example.org>",
		"LF":                             "Ann\n <a@example.org>",
		"not UTF-8 in the name":          "J\xfcrgen <a@example.org>",
		"byte order mark in the address": "\ufeffa@example.org",
		"fullwidth at":                   "a＠example.org",
		"fullwidth bracket":              "Ann ＜a@example.org＞",
		"many addresses as name":         strings.Repeat("a@example.org ", 9) + "<a@example.org>",
	} {
		if a, err := ParseFrom(in); err == nil {
			t.Errorf("%s: %q became %q", name, in, a)
		} else if !strings.HasPrefix(err.Error(), "smime: ") || hasControl(err.Error()) || !isASCII(err.Error()) {
			t.Errorf("%s: error %q", name, err)
		}
	}
}

// agrees fails if net/mail reads another single address than ParseFrom does.
func agrees(t *testing.T, in string) bool {
	a, err := ParseFrom(in)
	if err != nil {
		return false
	}
	theirs, err := mail.ParseAddressList(in)
	if err != nil {
		return true // stricter than we are, about names
	}
	if len(theirs) != 1 {
		t.Fatalf("%q: one address to us, %d to net/mail", in, len(theirs))
	}
	b, err := ParseAddress(theirs[0].Address)
	if err != nil || a != b {
		t.Fatalf("%q: %q to us, %q to net/mail", in, a, theirs[0].Address)
	}
	return true
}

// Whatever is put together from the pieces of address fields is read as
// net/mail reads it, or refused. There is no exception to list.
func TestParseFromAgreesWithNetMail(t *testing.T) {
	pieces := []string{"a@example.org", "b@evil.example", "<", ">", "(", ")", `"`, `\`, ",", ";", ":", " ", ".", "@", "'",
		"Ann", "=?utf-8?q?a=40b.example?=", "ü", "<a@example.org>", `"Ann"`, "(c)", "[", "]", "\t"}
	r := rand.New(rand.NewSource(1))
	accepted := 0
	for range 300_000 {
		var b strings.Builder
		for range 1 + r.Intn(6) {
			b.WriteString(pieces[r.Intn(len(pieces))])
		}
		if agrees(t, b.String()) {
			accepted++
		}
	}
	if accepted < 1000 {
		t.Errorf("only %d inputs were accepted: this compares nothing", accepted)
	}
}

func FuzzFrom(f *testing.F) {
	for _, s := range []string{"Ann <a@example.org>", "a@example.org (x)", `"b@c.example" <a@example.org>`, "g:a@example.org;", "<@x:a@example.org>",
		"a@example.org <a@example.org>", "a@b.example <c@d.example>", strings.Repeat("(", 100) + "a@example.org", "=?utf-8?q?a?=@b.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		guard(t)
		agrees(t, s)
	})
}

// Nesting costs nothing: comments are counted, not recursed into.
func TestParseFromDeepComments(t *testing.T) {
	const depth = 30_000
	in := strings.Repeat("(", depth) + strings.Repeat(")", depth) + " a@example.org"
	if a, err := ParseFrom(in); err != nil || a.String() != "a@example.org" {
		t.Errorf("%v, %v", a, err)
	}
	if _, err := ParseFrom(strings.Repeat("(", depth)); err == nil {
		t.Error("a comment without end was accepted")
	}
}

func ExampleParseFrom() {
	a, _ := ParseFrom(`"Lee, Ann" <Ann.Lee@Example.ORG>`)
	fmt.Println(a, a.Key())
	// Output: Ann.Lee@example.org ann.lee@example.org
}
