package verify

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
)

func TestDistinguishedNames(t *testing.T) {
	email := func(v any) pkix.AttributeTypeAndValue {
		return pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: v}
	}
	for want, n := range map[string]pkix.Name{
		"CN=Mail CA,O=Example":                {CommonName: "Mail CA", Organization: []string{"Example"}},
		"emailAddress=bob@example.net,CN=Bob": {CommonName: "Bob", ExtraNames: []pkix.AttributeTypeAndValue{email("bob@example.net")}},
		`emailAddress=x\,CN=Root`:             {ExtraNames: []pkix.AttributeTypeAndValue{email("x,CN=Root")}},
		"emailAddress=a??550 no":              {ExtraNames: []pkix.AttributeTypeAndValue{email("a\r\n550 no")}},
		"":                                    {},
	} {
		der, err := asn1.Marshal(n.ToRDNSequence())
		if err != nil {
			t.Fatal(err)
		}
		if got := distinguished(der); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := distinguished([]byte{0x30, 0x05}); got != "a name that cannot be read" {
		t.Errorf("a broken name reads %q", got)
	}
}
