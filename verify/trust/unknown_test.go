package trust_test

import (
	"crypto/x509"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

func serial(i int) *big.Int { return big.NewInt(int64(i + 1)) }

func TestIssuersAreCounted(t *testing.T) {
	keys := testmail.NewKeys()
	maker, other := newCompany(keys, "Maker", "maker.example"), newCompany(keys, "Evil \x1b[31m\"name\"", "other.example")
	f := openFolder(t)
	var i trust.Issuers
	at := testmail.Instant()
	i.Note(other.leaf.Cert, "cert-incomplete", "OTHER.example\n", at)
	for n := range 3 {
		i.Note(maker.leaf.Cert, "cert-untrusted", "maker.example", at.Add(time.Duration(n)*time.Hour))
	}
	i.Note(maker.leaf.Cert, "cert-expired", "maker.example", at) // not for want of an issuer
	i.Note(nil, "cert-untrusted", "maker.example", at)
	if err := i.Save(f, at); err != nil {
		t.Fatal(err)
	}
	read, err := trust.ReadIssuers(f)
	if err != nil {
		t.Fatal(err)
	}
	list := read.List(at.Add(3 * time.Hour))
	if len(list) != 2 || list[0].Name != "Maker CA" || list[0].Count != 3 || !list[0].First.Equal(at) || !list[0].Last.Equal(at.Add(2*time.Hour)) ||
		list[0].Domain != "maker.example" || list[0].Reason != "cert-untrusted" || list[0].KeyID != fmt.Sprintf("%x", maker.leaf.Cert.AuthorityKeyId) {
		t.Errorf("%+v", list)
	}
	if list[1].Domain != "other.example?" || strings.ContainsAny(list[1].Name, "\x1b\"\n") {
		t.Errorf("foreign text: %+v", list[1])
	}
	// It goes on from there, and ends after 30 days.
	read.Note(maker.leaf.Cert, "cert-distrusted", "maker.example", at.AddDate(0, 0, 20))
	list = read.List(at.AddDate(0, 0, 31))
	if len(list) != 1 || list[0].Count != 4 || list[0].Reason != "cert-distrusted" {
		t.Errorf("after 31 days: %+v", list)
	}
}

func TestIssuersAreBounded(t *testing.T) {
	keys := testmail.NewKeys()
	leaf := newCompany(keys, "Maker", "maker.example").leaf.Cert
	of := func(n int) *x509.Certificate {
		c := *leaf
		c.AuthorityKeyId = fmt.Appendf(nil, "%d", n)
		return &c
	}
	var i trust.Issuers
	at := testmail.Instant()
	for n := range 1001 {
		i.Note(of(n), "cert-untrusted", strings.Repeat("x", 300), at.Add(time.Duration(n)*time.Second))
	}
	list := i.List(at)
	if len(list) != 1000 {
		t.Fatalf("%d issuers", len(list))
	}
	for _, r := range list {
		if r.KeyID == fmt.Sprintf("%x", "0") {
			t.Error("the oldest is still there")
		}
	}
	f := openFolder(t)
	if err := i.Save(f, at); err != nil {
		t.Fatal(err)
	}
	if read, err := trust.ReadIssuers(f); err != nil || len(read.List(at)) != 1000 {
		t.Errorf("read back: %v", err)
	}
}

func TestIssuersOfManyAtOnce(t *testing.T) {
	leaf := newCompany(testmail.NewKeys(), "Maker", "maker.example").leaf.Cert
	f := openFolder(t)
	var i trust.Issuers
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				i.Note(leaf, "cert-untrusted", "maker.example", testmail.Instant())
			}
			if err := i.Save(f, testmail.Instant()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if list := i.List(testmail.Instant()); list[0].Count != 800 {
		t.Errorf("counted %d of 800", list[0].Count)
	}
}

func TestIssuersDamaged(t *testing.T) {
	f := openFolder(t)
	leaf := newCompany(testmail.NewKeys(), "Maker", "maker.example").leaf.Cert
	var i trust.Issuers
	i.Note(leaf, "cert-untrusted", "maker.example", testmail.Instant())
	if err := i.Save(f, testmail.Instant()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(f.Path(), "refused")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"x", string(good[:40]), strings.Replace(string(good), `"count":1`, `"count":-1`, 1),
		strings.Replace(string(good), "Maker CA", `\u001b[2J`, 1), strings.Repeat(string(good), 1001)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := trust.ReadIssuers(f); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%.60q: %v", text, err)
		}
	}
}
