package revoke

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
)

// distributionPoint makes one in DER of URLs and what follows.
func distributionPoint(urls []string, more ...[]byte) []byte {
	var names []byte
	for _, u := range urls {
		names = append(names, testmail.Element(0x86, []byte(u))...)
	}
	return testmail.Sequence(append([][]byte{testmail.Element(0xa0, testmail.Element(0xa0, names))}, more...)...)
}

func certWithPoints(value []byte) *x509.Certificate {
	return &x509.Certificate{Extensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 31}, Value: value}}}
}

func TestListPoints(t *testing.T) {
	const a, b, c = "http://a.example/1.crl", "HTTPS://b.example/2.crl", "http://c.example/3.crl"
	reasons, issuer := testmail.Element(0x81, []byte{1, 6}), testmail.Element(0xa2, testmail.DirectoryName(testmail.Sequence()))
	var nine [][]byte
	for i := range 9 {
		nine = append(nine, distributionPoint([]string{fmt.Sprint("ldap://x/", i)}))
	}
	nine[8] = distributionPoint([]string{a})
	for title, v := range map[string]struct {
		der  []byte
		want []string // url, then | and the URLs of its point
	}{
		"none":               {nil, nil},
		"one":                {testmail.Sequence(distributionPoint([]string{a})), []string{a + "|" + a}},
		"two of a point":     {testmail.Sequence(distributionPoint([]string{a, b})), []string{a + "|" + a + " " + b, b + "|" + a + " " + b}},
		"two points":         {testmail.Sequence(distributionPoint([]string{a}), distributionPoint([]string{c})), []string{a + "|" + a, c + "|" + c}},
		"the same twice":     {testmail.Sequence(distributionPoint([]string{a}), distributionPoint([]string{a})), []string{a + "|" + a}},
		"ldap":               {testmail.Sequence(distributionPoint([]string{"ldap://x/y", a, "file:///etc/passwd", "//x/y", "http://"})), []string{a + "|ldap://x/y " + a + " file:///etc/passwd //x/y http://"}},
		"with reasons":       {testmail.Sequence(distributionPoint([]string{a}, reasons), distributionPoint([]string{b})), []string{b + "|" + b}},
		"of another":         {testmail.Sequence(distributionPoint([]string{a}, issuer), distributionPoint([]string{b})), []string{b + "|" + b}},
		"reasons and issuer": {testmail.Sequence(distributionPoint([]string{a}, reasons, issuer)), nil},
		"issuer alone":       {testmail.Sequence(testmail.Sequence(issuer)), nil},
		"empty point":        {testmail.Sequence(testmail.Sequence()), nil},
		"relative name":      {testmail.Sequence(testmail.Sequence(testmail.Element(0xa0, testmail.Element(0xa1, nil)))), nil},
		"other name":         {testmail.Sequence(testmail.Sequence(testmail.Element(0xa0, testmail.Element(0xa0, testmail.DNSName("a.example"))))), nil},
		"long":               {testmail.Sequence(distributionPoint([]string{"http://" + strings.Repeat("a", maxURL)})), nil},
		"damaged at the end": {append(testmail.Sequence(distributionPoint([]string{a})), 0), nil},
		"damaged inside":     {testmail.Sequence(distributionPoint([]string{a}), []byte{0x30, 5}), nil},
		"surplus":            {testmail.Sequence(distributionPoint([]string{a}, []byte{5, 0})), nil},
		"ninth point":        {testmail.Sequence(nine...), nil},
		"five": {testmail.Sequence(distributionPoint([]string{a + "1", a + "2", a + "3"}), distributionPoint([]string{a + "4", a + "5"})),
			[]string{a + "1|" + a + "1 " + a + "2 " + a + "3", a + "2|" + a + "1 " + a + "2 " + a + "3", a + "3|" + a + "1 " + a + "2 " + a + "3", a + "4|" + a + "4 " + a + "5"}},
	} {
		var got []string
		for _, p := range listPoints(certWithPoints(v.der)) {
			got = append(got, p.url+"|"+strings.Join(p.same, " "))
		}
		if !slices.Equal(got, v.want) {
			t.Errorf("%s: %q, want %q", title, got, v.want)
		}
	}
}

func TestResponders(t *testing.T) {
	leaf := sharedKeys().Root(testmail.Profile{Name: "Root"}).Issue(testmail.Profile{Name: "Bob", Kind: "p256",
		Extra: []pkix.Extension{testmail.OCSPURLs("ldap://x", "http://a.example", "http://a.example", "https://b.example/", "http://c.example")}})
	if got, want := responders(leaf.Cert), []string{"http://a.example", "https://b.example/"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// FuzzListPoints: whatever a certificate brings is bounded, and of what
// crypto/x509 reads nothing is invented.
func FuzzListPoints(f *testing.F) {
	f.Add(testmail.Sequence(distributionPoint([]string{"http://a.example/1.crl", "ldap://b"})))
	f.Add(testmail.Sequence(distributionPoint([]string{"http://a.example"}, testmail.Element(0x81, []byte{1, 6}))))
	f.Add(testmail.Sequence(testmail.Sequence(testmail.Element(0xa0, testmail.Element(0xa1, nil)))))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, der []byte) {
		got := listPoints(certWithPoints(der))
		if len(got) > maxListURLs {
			t.Fatalf("%d URLs", len(got))
		}
		for _, p := range got {
			if !fetchable(p.url) || len(p.url) > maxURL || !slices.Contains(p.same, p.url) || !strings.Contains(string(der), p.url) {
				t.Errorf("%q", p.url)
			}
		}
	})
}
