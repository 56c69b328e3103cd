package dns

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestZone(t *testing.T) {
	z, err := ReadZone(strings.NewReader(strings.Join([]string{
		"# keys of the example",
		"; and of others",
		"",
		`s1._domainkey.example.org TXT "v=DKIM1; p=AA" ; a comment`,
		"S2._domainkey.Example.ORG.\tTXT\t\"v=DKIM1; \" \"p=BB#\"# another\r",
		`two.example TXT "a"`,
		`two.example TXT "b"`,
		`quoted.example TXT "q\"b\\s\195\164"`,
		`empty.example TXT ""`,
		"down.example TEMPERROR",
		"down2.example TXT TEMPERROR # for a while",
		"gone.example NXDOMAIN",
		"gone2.example TXT NXDOMAIN",
	}, "\n")), "dns.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"s1._domainkey.example.org":  {"v=DKIM1; p=AA"},
		"s2._domainkey.EXAMPLE.org.": {"v=DKIM1; p=BB#"},
		"two.example":                {"a", "b"},
		"quoted.example":             {"q\"b\\s\xc3\xa4"},
		"empty.example":              {""},
		"gone.example":               nil,
		"gone2.example":              nil,
		"absent.example":             nil,
		"bad name":                   nil,
	} {
		got, err := z.TXT(t.Context(), name)
		if err != nil || !slices.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"down.example", "down2.example"} {
		if got, err := z.TXT(t.Context(), name); got != nil || err == nil || !strings.Contains(err.Error(), "TEMPERROR") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := z.TXT(ctx, "absent.example"); err == nil {
		t.Error("an ended context gives an answer")
	}
}

func TestZoneMistakes(t *testing.T) {
	tests := map[string]string{
		"a b":                                 `"b" in the place of TXT`,
		"a":                                   "a name without a value",
		`a TXT`:                               "TXT without a text",
		`a TXT ; "b"`:                         "TXT without a text",
		`a TXT b`:                             "outside quotes",
		`a TXT "b" c`:                         "outside quotes",
		`a TXT "b`:                            "not closed",
		`a TXT "b\"`:                          "not closed",
		`a TXT "\300"`:                        "over 255",
		`a TXT "\1"`:                          "fewer than three digits",
		`a IN TXT "b"`:                        `"IN" in the place of TXT`,
		`a TXT TXT "b"`:                       "outside quotes",
		`a "b"`:                               "in the place of TXT",
		"a..b NXDOMAIN":                       "no domain name",
		"ä.example NXDOMAIN":                  "no domain name",
		"a NXDOMAIN b":                        `"b" stands after NXDOMAIN`,
		"a TXT \"b\"\na TEMPERROR":            "line 2: a has another value in line 1",
		"a NXDOMAIN\na TXT \"b\"":             "line 2: a has another value in line 1",
		"ok NXDOMAIN\n\na\nfine TEMPERROR\nb": "line 5",
	}
	for in, want := range tests {
		_, err := ReadZone(strings.NewReader(in), "dns.txt")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "dns: dns.txt: line ") {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
	_, err := ReadZone(strings.NewReader(strings.Repeat("a\n", 100)), "dns.txt")
	if err == nil || strings.Count(err.Error(), "\n") != maxZoneMistakes || !strings.Contains(err.Error(), "80 more lines") {
		t.Errorf("100 mistakes: %v", err)
	}
	if _, err := ReadZone(strings.NewReader(strings.Repeat("#", maxZoneBytes+1)), "dns.txt"); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("large file: %v", err)
	}
}

func FuzzReadZone(f *testing.F) {
	f.Add("a TXT \"b\" \"c\" # d\nb NXDOMAIN\nc TXT TEMPERROR")
	f.Add("a TXT \"\\\"\\065\\\\\"\na TXT \"x\"")
	f.Add("\"\n;\n\\")
	f.Fuzz(func(t *testing.T, in string) {
		start := time.Now()
		z, err := ReadZone(strings.NewReader(in), "fuzz")
		if took := time.Since(start); took > 5*time.Second {
			t.Fatalf("%d bytes took %v", len(in), took)
		}
		if err != nil {
			return
		}
		for name, v := range z.names {
			if c, ok := canonical(name); !ok || c != name {
				t.Errorf("kept the name %q", name)
			}
			if (v.word == "") == (len(v.records) == 0) {
				t.Errorf("%q has the word %q and %d records", name, v.word, len(v.records))
			}
		}
	})
}

func FuzzUnescape(f *testing.F) {
	f.Add(`a\"b\\c\255`)
	f.Add(`\`)
	f.Add(`\25`)
	f.Fuzz(func(t *testing.T, in string) {
		out, err := unescape(in)
		if err == nil && (len(out) > len(in) || !strings.Contains(in, `\`) && out != in) {
			t.Errorf("%q became %q", in, out)
		}
	})
}
