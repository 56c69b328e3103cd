package revoke

import (
	"net/netip"
	"strings"
	"testing"
)

func TestParseAllowed(t *testing.T) {
	long := strings.Repeat("a", 63)
	for in, want := range map[string]Allowed{
		"crl.corp.example":          {"crl.corp.example", ""},
		"CRL.Corp.Example:8080":     {"crl.corp.example", "8080"},
		"pki":                       {"pki", ""},
		"pki_srv.corp.example:*":    {"pki_srv.corp.example", "*"},
		"10.1.2.3":                  {"10.1.2.3", ""},
		"10.1.2.3:*":                {"10.1.2.3", "*"},
		"10.1.2.3:1":                {"10.1.2.3", "1"},
		"fd00::1":                   {"fd00::1", ""},
		"FD00:0:0::1":               {"fd00::1", ""},
		"fd00::1:8080":              {"fd00::1:8080", ""},
		"[fd00::1]":                 {"fd00::1", ""},
		"[fd00::1]:65535":           {"fd00::1", "65535"},
		"[::1]:*":                   {"::1", "*"},
		"::ffff:10.0.0.1":           {"10.0.0.1", ""},
		"xn--mller-kva.example:443": {"xn--mller-kva.example", "443"},
		long + ".example":           {long + ".example", ""},
	} {
		if got, err := ParseAllowed(in); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", in, got, err, want)
		}
	}
}

func TestParseAllowedSaysWhatToWrite(t *testing.T) {
	for in, want := range map[string]string{
		"":                                "HOST:PORT",
		"http://crl.corp.example/":        "host alone",
		"10.0.0.0/8":                      "every host by itself",
		"crl.corp.example/crl":            "every host by itself",
		"crl.corp.example:":               "no port behind the colon",
		"crl.corp.example:0":              "1 to 65535",
		"crl.corp.example:080":            "without leading zeros",
		"crl.corp.example:65536":          "1 to 65535",
		"crl.corp.example:http":           "1 to 65535",
		"crl.corp.example:+80":            "1 to 65535",
		"crl.corp.example: 80":            "1 to 65535",
		"crl.corp.example:**":             "1 to 65535",
		"a:b:80":                          "brackets",
		"fd00::1:*":                       "brackets",
		"[fd00::1":                        "brackets",
		"[fd00::1]80":                     "brackets",
		"[fd00::1]:":                      "brackets",
		"[10.1.2.3]:80":                   "brackets",
		"[crl.corp.example]":              "brackets",
		"[]":                              "brackets",
		"fe80::1%eth0":                    "zone",
		"0.0.0.0":                         "single machine",
		"[::]:*":                          "single machine",
		"224.0.0.1":                       "single machine",
		"*":                               "neither name nor address",
		"*:80":                            "neither name nor address",
		".corp.example":                   "neither name nor address",
		"*.corp.example":                  "neither name nor address",
		"crl.corp.example.":               "neither name nor address",
		"crl..example":                    "neither name nor address",
		"-crl.example":                    "neither name nor address",
		"müller.example":                  "xn--",
		"user@crl.example":                "neither name nor address",
		"crl.corp.example\n":              "neither name nor address",
		"0177.0.0.1":                      "ends in a number",
		"2130706433":                      "ends in a number",
		"0x7f000001":                      "ends in a number",
		"127.1":                           "ends in a number",
		"10.1.2.3.":                       "neither name nor address",
		strings.Repeat("a", 64) + ".b":    "63 bytes",
		strings.Repeat("a.", 127) + "b":   "253 bytes",
		strings.Repeat("a", 1000) + ".de": "longer than",
	} {
		got, err := ParseAllowed(in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v; want an error with %q", in, got, err, want)
		}
	}
}

func TestAllowList(t *testing.T) {
	l := allowList{{"pki", ""}, {"crl.corp.example", "8080"}, {"10.1.2.3", "*"}, {"fd00::1", "81"}, {"::ffff:10.9.9.9", ""}}
	for _, c := range []struct {
		host, port string
		want       bool
	}{
		{"pki", "80", true}, {"pki", "443", true}, {"pki", "8080", false},
		{"crl.corp.example", "8080", true}, {"crl.corp.example", "80", false},
		{"x.crl.corp.example", "8080", false}, {"corp.example", "8080", false},
	} {
		if got := l.name(c.host, c.port); got != c.want {
			t.Errorf("name %s:%s: %v", c.host, c.port, got)
		}
	}
	for _, c := range []struct {
		addr, port string
		want       bool
	}{
		{"10.1.2.3", "1", true}, {"10.1.2.4", "1", false}, {"fd00::1", "81", true}, {"fd00::1", "80", false},
		{"10.9.9.9", "80", true},
	} {
		if got := l.address(netip.MustParseAddr(c.addr), c.port); got != c.want {
			t.Errorf("address %s %s: %v", c.addr, c.port, got)
		}
	}
	if !l.anyAddress("25") || (allowList{{"pki", "*"}}).anyAddress("25") || (allowList{{"fd00::1", "81"}}).anyAddress("82") {
		t.Error("anyAddress is about addresses and their ports")
	}
}

// FuzzParseAllowed: what is read has one form, and that form reads as itself.
func FuzzParseAllowed(f *testing.F) {
	for _, s := range []string{"crl.corp.example:8080", "pki:*", "10.1.2.3", "[fd00::1]:81", "::ffff:10.0.0.1", "fd00::1", "fe80::1%eth0", "a:b:c", "0x7f.1", "[[::1]]", "müller.example", "*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAllowed(s)
		if err != nil {
			return
		}
		if a.Host == "" || a.Host != strings.ToLower(a.Host) || strings.ContainsAny(a.Host, "/@[]%* \t\r\n") {
			t.Fatalf("%q: host %q", s, a.Host)
		}
		if a.Port != "" && a.Port != "*" && !portNumber(a.Port) {
			t.Fatalf("%q: port %q", s, a.Port)
		}
		again := a.Host
		if strings.Contains(a.Host, ":") {
			again = "[" + a.Host + "]"
		}
		if a.Port != "" {
			again += ":" + a.Port
		}
		if b, err := ParseAllowed(again); err != nil || b != a {
			t.Fatalf("%q is %+v, but %q is %+v, %v", s, a, again, b, err)
		}
	})
}
