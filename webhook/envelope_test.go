package webhook

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"testing"
)

// FuzzReadEnvelope: what is taken is within the bounds, and what cannot be read is
// an error with words.
func FuzzReadEnvelope(f *testing.F) {
	f.Add("rcpt=a@example.com&sender=&client=192.0.2.1&id=1&tls_version=TLSv1.3&tls_cipher=x&authenticated=1&keep=0&after_queue=1", "Rcpt", "b@example.com")
	f.Add("rcpt=a&rcpt=b&rcpt=", "Sender", "<>")
	f.Add("%zz;=&&", "Tls-Version", "\x00")
	f.Add("", "Tls_version", "x")
	f.Add("rcpt=a&client=fe80::1%25a%0Ab", "Id", "x")
	f.Fuzz(func(t *testing.T, query, name, value string) {
		r := &http.Request{URL: &url.URL{RawQuery: query}, Header: http.Header{}}
		r.Header.Set(fieldPrefix+name, value)
		e, err := readEnvelope(r)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without words")
			}
			return
		}
		if len(e.rcpts) == 0 || len(e.rcpts) > maxRecipients || slices.Contains(e.rcpts, "") {
			t.Fatalf("%d recipients", len(e.rcpts))
		}
		for _, v := range append([]string{e.env.ID, e.env.Client, e.env.TLS.Version, e.env.TLS.Cipher}, e.rcpts...) {
			if len(v) > maxValue {
				t.Fatalf("a value of %d bytes", len(v))
			}
		}
		if e.env.Client != "" {
			if a, err := netip.ParseAddr(e.env.Client); err != nil || a.Zone() != "" {
				t.Fatal(e.env.Client, err)
			}
		}
		if e.env.Via != "check" || len(e.env.Recipients) != 0 || e.env.LastTry || e.env.Mixed {
			t.Fatalf("%+v", e.env)
		}
	})
}
