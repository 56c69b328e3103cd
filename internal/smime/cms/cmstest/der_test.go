package cmstest_test

import (
	"encoding/asn1"
	"testing"

	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
)

func TestDERAgreesWithASN1(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 255, 256, 65537, 1 << 30} {
		want, err := asn1.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		if got := cmstest.Int(n); string(got) != string(want) {
			t.Errorf("%d: % x, want % x", n, got, want)
		}
	}
	for _, n := range []int{0, 127, 128, 255, 256, 70000} {
		want, err := asn1.Marshal(make([]byte, n))
		if err != nil {
			t.Fatal(err)
		}
		if got := cmstest.Octets(make([]byte, n)); string(got) != string(want) {
			t.Errorf("%d octets: % x, want % x", n, got[:8], want[:8])
		}
	}
	for _, oid := range []asn1.ObjectIdentifier{{1, 2, 840, 113549, 1, 7, 2}, {2, 16, 840, 1, 101, 3, 4, 2, 1}, {1, 3, 14, 3, 2, 26}, {2, 999, 3}} {
		want, err := asn1.Marshal(oid)
		if err != nil {
			t.Fatal(err)
		}
		if got := cmstest.OID(oid.String()); string(got) != string(want) {
			t.Errorf("%s: % x, want % x", oid, got, want)
		}
	}
}
