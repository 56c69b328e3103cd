package store

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	long := strings.Repeat("ä", 64) + "@example.com"
	for address, want := range map[string]string{
		"alice@example.com":       "alice@example.com",
		"a.b+c_d-e@xn--bcher.de":  "a.b+c_d-e@xn--bcher.de",
		"../../etc/passwd":        "%2E.%2F..%2Fetc%2Fpasswd",
		".hidden@example.com":     "%2Ehidden@example.com",
		"-rf@example.com":         "%2Drf@example.com",
		"Alice@example.com":       "%41lice@example.com",
		"a b\n\x00@example.com":   "a%20b%0A%00@example.com",
		"100%@example.com":        "100%25@example.com",
		"müller@example.com":      "m%C3%BCller@example.com",
		"o'brien/x@example.com":   "o%27brien%2Fx@example.com",
		"":                        "%",
		"..":                      "%2E.",
		".":                       "%2E",
		strings.Repeat("a", 200):  strings.Repeat("a", 200),
		strings.Repeat("a", 201):  strings.Repeat("a", 96) + "%-",
		long:                      strings.Repeat("%C3%A4", 16) + "%-",
		"a" + long:                "a" + strings.Repeat("%C3%A4", 15) + "%C3" + "%-",
		strings.Repeat("a/", 127): strings.Repeat("a%2F", 24) + "%-",
	} {
		got := Name(address)
		if strings.HasSuffix(want, "%-") {
			if !strings.HasPrefix(got, want) || len(got) != len(want)+64 {
				t.Errorf("Name(%q) = %q, want %q and a hash", address, got, want)
			}
		} else if got != want {
			t.Errorf("Name(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestNamesDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, a := range []string{"", "%", "%25", "a", "A", "%41", ".", "..", "%2E", "a@b", "a@b.crt", strings.Repeat("a", 253), strings.Repeat("a", 254), strings.Repeat("A", 254)} {
		n := Name(a)
		if b, ok := seen[n]; ok {
			t.Errorf("%q and %q share the name %q", a, b, n)
		}
		seen[n] = a
	}
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"alice@example.com", "", ".", "..", "../x", "\x00", "a/b", "%2E", strings.Repeat("%", 90), strings.Repeat("é", 127), "-x", "A@B"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if len(address) > MaxAddress {
			address = address[:MaxAddress]
		}
		n := Name(address)
		if n == "" || len(n) > maxName || strings.HasPrefix(n, ".") || strings.HasPrefix(n, "-") || strings.ContainsAny(n, "/\\\x00\n ") {
			t.Fatalf("Name(%q) = %q", address, n)
		}
		for _, ending := range endings() {
			if p := filepath.Join("/d", "."+n+ending); filepath.Dir(p) != "/d" || len(n+ending) > 254 {
				t.Fatalf("%q leaves the directory or is too long: %q", address, p)
			}
			if back, ok := endingOf(n + ending); !ok || back != n {
				t.Fatalf("endingOf(%q) = %q", n+ending, back)
			}
		}
		if strings.Contains(n, "%-") {
			return // hashed: the address stands in the state file
		}
		if n == "%" {
			n = ""
		}
		if back, err := url.PathUnescape(n); err != nil || back != address {
			t.Fatalf("%q comes back as %q, %v", address, back, err)
		}
	})
}
