package smime

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseAddress(t *testing.T) {
	label := strings.Repeat("a", 63)
	for in, want := range map[string]string{
		"a@example.org":                       "a@example.org",
		"First.Last+tag@Example.ORG":          "First.Last+tag@example.org",
		"!#$%&'*+-/=?^_`{|}~@example.org":     "!#$%&'*+-/=?^_`{|}~@example.org",
		"1@2.3.com":                           "1@2.3.com",
		"a@r3---sn.example.org":               "a@r3---sn.example.org",
		"a@bücher.example":                    "a@xn--bcher-kva.example",
		"a@BücHER.Example":                    "a@xn--bcher-kva.example",
		"a@xn--bcher-kva.example":             "a@xn--bcher-kva.example",
		"a@XN--BCHER-KVA.example":             "a@xn--bcher-kva.example",
		"a@faß.example":                       "a@xn--fa-hia.example",
		"用户@例子.广告":                            "用户@xn--fsqu00a.xn--4rr70v",
		"jürgen@example.org":                  "jürgen@example.org",
		strings.Repeat("l", 64) + "@a.org":    strings.Repeat("l", 64) + "@a.org",
		"a@" + label + ".org":                 "a@" + label + ".org",
		"a@" + label + "." + label + ".b.org": "a@" + label + "." + label + ".b.org",
	} {
		a, err := ParseAddress(in)
		if err != nil || a.String() != want {
			t.Errorf("%q: %q, %v; want %q", in, a, err, want)
			continue
		}
		if again, err := ParseAddress(a.String()); err != nil || again != a {
			t.Errorf("%q is not read again: %v", a, err)
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	label := strings.Repeat("a", 63)
	for name, in := range map[string]string{
		"empty":                  "",
		"no at":                  "example.org",
		"no local part":          "@example.org",
		"no domain":              "a@",
		"two at":                 "a@b@example.org",
		"quoted":                 `"a"@example.org`,
		"quoted at":              `"a@evil"@example.org`,
		"backslash":              `a\b@example.org`,
		"comma":                  "a,b@example.org",
		"semicolon":              "a;b@example.org",
		"colon":                  "x:a@example.org",
		"angle":                  "<a@example.org>",
		"comment":                "a(c)@example.org",
		"blank":                  "a b@example.org",
		"leading blank":          " a@example.org",
		"trailing blank":         "a@example.org ",
		"tab":                    "a@example.org\t",
		"CRLF":                   "a@example.org\r\nBcc: b@example.org",
		"NUL":                    "a@example.org\x00.evil.example",
		"NUL in local part":      "a\x00@example.org",
		"DEL":                    "a\x7f@example.org",
		"leading dot":            ".a@example.org",
		"trailing dot in local":  "a.@example.org",
		"two dots":               "a..b@example.org",
		"trailing dot":           "a@example.org.",
		"leading dot in domain":  "a@.example.org",
		"empty label":            "a@example..org",
		"one label":              "a@localhost",
		"IP literal":             "a@[192.0.2.1]",
		"IPv6 literal":           "a@[IPv6:2001:db8::1]",
		"IP address":             "a@192.0.2.1",
		"numeric top label":      "a@example.1",
		"underscore":             "a@ex_ample.org",
		"leading hyphen":         "a@-example.org",
		"trailing hyphen":        "a@example-.org",
		"slash":                  "a@example.org/x",
		"percent":                "a@ex%41mple.org",
		"local part 65":          strings.Repeat("l", 65) + "@a.org",
		"label 64":               "a@" + label + "a.org",
		"over 254":               "a@" + strings.Repeat(label+".", 4) + "org",
		"over 254 as A-labels":   strings.Repeat("l", 60) + "@" + strings.Repeat("ü.", 24) + "org",
		"over 253 as A-labels":   "a@" + strings.Repeat("ü.", 40) + "org",
		"not UTF-8":              "\xfc@example.org",
		"not UTF-8 domain":       "a@b\xfccher.example",
		"overlong UTF-8":         "a\xc0\xaf@example.org",
		"not NFC":                "ju\u0308rgen@example.org",
		"C1 control":             "a\u0085@example.org",
		"no-break space":         "a\u00a0b@example.org",
		"zero width space":       "a\u200bb@example.org",
		"right-to-left override": "a\u202egro@example.org",
		"line separator":         "a\u2028b@example.org",
		"upper-case U-label":     "a@BÜCHER.example",
		"Kelvin sign":            "a@\u212aelvin.example",
		"fullwidth letters":      "a@ｅxample.org",
		"ideographic full stop":  "a@example。org",
		"decomposed domain":      "a@bu\u0308cher.example",
		"soft hyphen":            "a@exam\u00adple.org",
		"zero width joiner":      "a@exam\u200dple.org",
		"fullwidth at":           "a＠example.org",
		"broken A-label":         "a@xn--a.example",
		"A-label of ASCII":       "a@xn--abc-.example",
		"A-label of upper case":  "a@xn--bcher-2pa.example",
		"A-label of a blank":     "a@xn--ab-g1t.example",
		"emoji lookalike dots":   "a@․example.org",
	} {
		if a, err := ParseAddress(in); err == nil {
			t.Errorf("%s: %q became %q", name, in, a)
		} else if strings.ContainsAny(err.Error(), "\r\n\x00") {
			t.Errorf("%s: the error repeats the input: %q", name, err)
		}
	}
}

func TestSame(t *testing.T) {
	for _, c := range []struct {
		a, b         string
		same, folded bool
	}{
		{"a@example.org", "a@EXAMPLE.org", true, false},
		{"Ann.Lee@example.org", "ann.lee@example.org", true, true},
		{"a@bücher.example", "a@xn--bcher-kva.example", true, false},
		{"ann.lee@example.org", "annlee@example.org", false, false},
		{"ann+x@example.org", "ann@example.org", false, false},
		{"a@example.org", "a@mail.example.org", false, false},
		{"Ä@example.org", "ä@example.org", false, false}, // folding is for ASCII alone
		{"ß@example.org", "ss@example.org", false, false},
	} {
		a, errA := ParseAddress(c.a)
		b, errB := ParseAddress(c.b)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		same, folded := Same(a, b)
		if same != c.same || folded != c.folded {
			t.Errorf("Same(%s, %s) = %v, %v", a, b, same, folded)
		}
		if (a.Key() == b.Key()) != same {
			t.Errorf("%s and %s: keys %q and %q, same %v", a, b, a.Key(), b.Key(), same)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"a@example.org", "A.b+c@Bücher.example", `"a"@b.c`, "a@xn--bcher-kva.example", "a@1.2.3.4", "\x00@a.b", "用户@例子.广告", "a@b_c.d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		guard(t)
		a, err := ParseAddress(s)
		if err != nil {
			return
		}
		text := a.String()
		if len(text) > maxAddress || len(a.Local) > maxLocal || !utf8.ValidString(text) || hasControl(text) || strings.Count(text, "@") != 1 {
			t.Fatalf("%q became %q", s, text)
		}
		if !isASCII(a.Domain) || a.Domain != lowerASCII(a.Domain) || !strings.Contains(a.Domain, ".") {
			t.Fatalf("domain %q", a.Domain)
		}
		again, err := ParseAddress(text)
		if err != nil || again != a {
			t.Fatalf("%q became %q, %v", text, again, err)
		}
		if same, folded := Same(a, again); !same || folded {
			t.Fatal("an address is not the same as itself")
		}
		key, err := ParseAddress(a.Key())
		if err != nil || key.Key() != a.Key() {
			t.Fatalf("key %q, %v", a.Key(), err)
		}
	})
}
