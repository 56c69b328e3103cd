package webhook

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func TestClientOf(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	for _, c := range []struct {
		peer   string
		fields []string
		want   string
	}{
		{"192.0.2.1:5", nil, "192.0.2.1"},
		{"192.0.2.1:5", []string{"198.51.100.1"}, "192.0.2.1"}, // not a proxy of ours: not believed
		{"127.0.0.1:5", nil, "127.0.0.1"},
		{"127.0.0.1:5", []string{"198.51.100.1"}, "198.51.100.1"},
		{"127.0.0.1:5", []string{"203.0.113.66, 198.51.100.1"}, "198.51.100.1"}, // whoever comes first says what he likes
		{"127.0.0.1:5", []string{"203.0.113.66,198.51.100.1 , 10.1.2.3"}, "198.51.100.1"},
		{"127.0.0.1:5", []string{"203.0.113.66", "198.51.100.1", "10.1.2.3"}, "198.51.100.1"},
		{"127.0.0.1:5", []string{"10.1.1.1, 10.1.2.3"}, "10.1.1.1"},
		{"127.0.0.1:5", []string{"198.51.100.1, unknown"}, "127.0.0.1"},
		{"127.0.0.1:5", []string{"198.51.100.1, unknown, 10.1.2.3"}, "10.1.2.3"},
		{"127.0.0.1:5", []string{"198.51.100.1, "}, "127.0.0.1"},
		{"127.0.0.1:5", []string{""}, "127.0.0.1"},
		{"127.0.0.1:5", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"127.0.0.1:5", []string{"[2001:db9::1]:4711"}, "2001:db9::1"},
		{"127.0.0.1:5", []string{"[2001:db9::1]"}, "2001:db9::1"},
		{"[::ffff:127.0.0.1]:5", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"[2001:db8::1%eth0]:5", []string{"2001:db9::1%eth0"}, "2001:db9::1"},
		{"@", nil, "invalid IP"},
		{"", []string{"198.51.100.1"}, "198.51.100.1"},
		{"@", []string{"203.0.113.66, 198.51.100.1, 10.1.2.3"}, "198.51.100.1"},
		{"127.0.0.1:5", []string{"198.51.100.1" + strings.Repeat(", 10.0.0.1", 40)}, "10.0.0.1"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.fields}}
		if got := clientOf(r, proxies).String(); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.peer, c.fields, got, c.want)
		}
	}
}

func TestNeighbourhood(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.77": "192.0.2.0/24", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "127.0.0.9": "invalid Prefix", "::1": "invalid Prefix", "": "invalid Prefix",
	} {
		a, _ := netip.ParseAddr(in)
		if got := neighbourhood(a).String(); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// FuzzClientOf: whatever a client writes into the field, it does not come out as a
// proxy's word unless a proxy stands behind it.
func FuzzClientOf(f *testing.F) {
	f.Add("203.0.113.66, 198.51.100.1", "198.51.100.1")
	f.Add(",,,", "")
	f.Add("[::1]:5, 10.0.0.1", "x")
	f.Add("10.0.0.1%eth0", "[::ffff:10.0.0.1]")
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	f.Fuzz(func(t *testing.T, forged, field string) {
		r := &http.Request{RemoteAddr: "127.0.0.1:5", Header: http.Header{"X-Forwarded-For": {forged + ", 192.0.2.1"}}}
		if got := clientOf(r, proxies); got.String() != "192.0.2.1" {
			t.Fatalf("%q: %s", forged, got)
		}
		r.Header["X-Forwarded-For"] = []string{forged, field}
		if got := clientOf(r, proxies); !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Fatalf("%q: %s", field, got)
		}
		r.RemoteAddr = "192.0.2.7:5"
		if got := clientOf(r, proxies); got.String() != "192.0.2.7" {
			t.Fatalf("%q: %s", field, got)
		}
	})
}
