package revoke

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func TestUsable(t *testing.T) {
	f := newFetcher(fetchOptions{})
	for in, want := range map[string]string{ // "": let through; "-": refused, by net/url or by us
		"http://crl.example.com/a.crl":                          "",
		"https://crl.example.com":                               "",
		"HTTP://CRL.Example.COM/A.crl":                          "",
		"http://crl.example.com:80/":                            "",
		"http://crl.example.com:443/":                           "",
		"https://crl.example.com:80/":                           "",
		"http://crl.example.com/a?b=c#d":                        "",
		"http://xn--mller-kva.example/":                         "",
		"http://a_b.example.com/":                               "",
		"http://1.2.3.4.example/":                               "",
		"http://crl.example.com/%2F..%00":                       "",
		"http://crl.example.com/a@b":                            "",
		"":                                                      "neither http nor https",
		"crl.example.com/a.crl":                                 "neither http nor https",
		"//crl.example.com/a.crl":                               "neither http nor https",
		"ftp://crl.example.com/":                                "neither http nor https",
		"file:///etc/passwd":                                    "neither http nor https",
		"ldap://crl.example.com/cn=a":                           "neither http nor https",
		"gopher://crl.example.com/":                             "neither http nor https",
		"javascript:alert(1)":                                   "neither http nor https",
		"http:crl.example.com":                                  "no host",
		"http:///a":                                             "no host",
		"http://":                                               "no host",
		`http:\\crl.example.com\`:                               "no host",
		"http://:80/":                                           "empty label",
		"http://crl.example.com:8080/":                          "port 8080",
		"http://crl.example.com:25/":                            "port 25",
		"http://crl.example.com:0/":                             "port that is none",
		"http://crl.example.com:080/":                           "port that is none",
		"http://crl.example.com:65616/":                         "port that is none", // 80 in 16 bits
		"http://crl.example.com:/":                              "colon without a port",
		"http://crl.example.com:80:80/":                         "not a URL",
		"http://crl.example.com:-80/":                           "not a URL",
		"http://user@crl.example.com/":                          "names a user",
		"http://user:pw@crl.example.com/":                       "names a user",
		"http://@crl.example.com/":                              "names a user",
		"http://crl.example.com@127.0.0.1/":                     "names a user",
		"http://crl.example.com:80@127.0.0.1/":                  "names a user",
		`http://crl.example.com\@127.0.0.1/`:                    "not a URL",
		"http://9.9.9.9/":                                       "an address instead of a name",
		"http://127.0.0.1/":                                     "an address instead of a name",
		"http://[::1]/":                                         "an address instead of a name",
		"http://[2a00::1]:80/":                                  "an address instead of a name",
		"http://[::ffff:127.0.0.1]/":                            "an address instead of a name",
		"http://[::ffff:7f00:1]/":                               "an address instead of a name",
		"http://[0:0:0:0:0:0:0:1]/":                             "an address instead of a name",
		"http://[fe80::1%25eth0]/":                              "zone",
		"http://[127.0.0.1]/":                                   "-",
		"http://[crl.example.com]/":                             "-",
		"http://[v1.a]/":                                        "-",
		"http://::1/":                                           "-",
		"http://2130706433/":                                    "ends in a number",
		"http://0177.0.0.1/":                                    "ends in a number",
		"http://0x7f000001/":                                    "ends in a number",
		"http://0x7f.0.0.1/":                                    "ends in a number",
		"http://127.1/":                                         "ends in a number",
		"http://127.0.0.0x1/":                                   "ends in a number",
		"http://127.0.0.0x/":                                    "ends in a number",
		"http://127.0.0.1./":                                    "dot at its end",
		"http://crl.example.com./":                              "dot at its end",
		"http://crl..example.com/":                              "empty label",
		"http://.example.com/":                                  "empty label",
		"http://localhost/":                                     "one label",
		"http://pki/":                                           "one label",
		"http://-crl.example.com/":                              "hyphen",
		"http://müller.example/":                                "not printable ASCII",
		"http://m%C3%BCller.example/":                           "character other than",
		"http://crl%2eexample%2ecom/":                           "not a URL",
		"http://127%2e0%2e0%2e1/":                               "not a URL",
		"http://crl.example.com/ä":                              "not printable ASCII",
		"http://crl.example.com/a b":                            "not printable ASCII",
		"http://crl.example.com/\r\nHost: x":                    "not printable ASCII",
		"http://crl.example.com\x00.evil/":                      "not printable ASCII",
		" http://crl.example.com/":                              "not printable ASCII",
		"http://crl.example.com/%zz":                            "not a URL",
		"http://*.example.com/":                                 "character other than",
		"http://crl.example.com/" + strings.Repeat("a", maxURL): "longer than 2048",
		"http://" + strings.Repeat("a.", 130) + "com/":          "longer than 253",
	} {
		err := f.usable(in)
		if want == "-" && err != nil {
			want = err.Error()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v; want %q", in, err, want)
		}
		if err != nil {
			tellable(t, in, err)
		}
	}
}

// tellable: a refusal is one, fits into a log line and has no foreign bytes.
func tellable(t *testing.T, in string, err error) {
	t.Helper()
	var refused *refusedURL
	if !errors.As(err, &refused) {
		t.Errorf("%q: %T is no refusal", in, err)
	}
	text := err.Error()
	if len(text) > 220 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Errorf("%q: error text %q", in, text)
	}
}

func TestTarget(t *testing.T) {
	for in, want := range map[string][3]string{ // host, port, what is asked for
		"http://CRL.Example.com/A.crl#x":       {"crl.example.com", "80", "http://crl.example.com/A.crl"},
		"https://crl.example.com:80/a?B":       {"crl.example.com", "80", "https://crl.example.com:80/a?B"},
		"https://crl.example.com":              {"crl.example.com", "443", "https://crl.example.com"},
		"http://ocsp.example.com/MFo%2BA%2FB=": {"ocsp.example.com", "80", "http://ocsp.example.com/MFo%2BA%2FB="},
		"http://[FD00::1]:81/":                 {"fd00::1", "81", "http://[fd00::1]:81/"},
	} {
		got, err := parseTarget(in)
		if err != nil || got.host != want[0] || got.port != want[1] || got.url.String() != want[2] {
			t.Errorf("%q: %q %q %v, %v", in, got.host, got.port, got.url, err)
		}
	}
}

func TestUsableWithExceptions(t *testing.T) {
	f := newFetcher(fetchOptions{allow: []Allowed{{"pki", ""}, {"crl.corp.example", "8080"}, {"10.1.2.3", "81"}, {"fd00::1", "*"}}})
	for in, want := range map[string]bool{
		"http://pki/":                   true,
		"https://PKI:80/":               true,
		"http://pki:8080/":              false,
		"http://other/":                 false,
		"http://crl.corp.example:8080/": true,
		"http://crl.corp.example/":      true, // by the rules for everybody
		"http://crl.corp.example:81/":   true, // it may lead to 10.1.2.3
		"http://10.1.2.3:81/":           true,
		"http://10.1.2.3/":              false,
		"http://10.1.2.4:81/":           false,
		"http://[::ffff:10.1.2.3]:81/":  true,
		"http://[fd00:0::1]:9/":         true,
		"http://[fd00::2]:9/":           false,
		"http://a@pki/":                 false,
		"ftp://pki/":                    false,
	} {
		if err := f.usable(in); (err == nil) != want {
			t.Errorf("%q: %v", in, err)
		}
	}
	f = newFetcher(fetchOptions{allow: []Allowed{{"10.1.2.3", "81"}}})
	if f.usable("http://a.example:82/") == nil {
		t.Error("a port that no exception names is let through")
	}
}

// FuzzFetchURL: what is let through without exceptions leads to a DNS name on a
// usual port, however it is read.
func FuzzFetchURL(f *testing.F) {
	for _, s := range []string{"http://crl.example.com/a.crl", "HTTPS://A.B:443?x#y", "http://a@b.c/", "http://[::1]/", "http://0177.0.0.1/",
		"http://2130706433/", "http://a.b:080/", "http://a.b\\@c.d/", "http://a%2eb/", "http:a.b", "file:///a", "http://a.b./", "http://m%C3%BCller.example/", "http://a.0x7f/"} {
		f.Add(s)
	}
	fetcher := newFetcher(fetchOptions{})
	f.Fuzz(func(t *testing.T, s string) {
		got, err := fetcher.check(s)
		if err != nil {
			tellable(t, s, err)
			return
		}
		if _, err := netip.ParseAddr(got.host); err == nil || net.ParseIP(got.host) != nil || got.addr.IsValid() {
			t.Fatalf("%q leads to the address %s", s, got.host)
		}
		if !strings.Contains(got.host, ".") || strings.Trim(got.host, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" || !strings.ContainsAny(got.host, "abcdefghijklmnopqrstuvwxyz-_") {
			t.Fatalf("%q leads to %q", s, got.host)
		}
		if got.port != "80" && got.port != "443" {
			t.Fatalf("%q leads to port %s", s, got.port)
		}
		again, err := url.Parse(got.url.String())
		if err != nil || again.Hostname() != got.host || again.User != nil || again.Fragment != "" || again.Scheme != "http" && again.Scheme != "https" {
			t.Fatalf("%q is asked for as %q: %v", s, got.url, err)
		}
		if b, err := fetcher.check(got.url.String()); err == nil && (b.host != got.host || b.port != got.port) {
			t.Fatalf("%q and %q lead to different places", s, got.url)
		}
	})
}
