package testmail

import (
	"bytes"
	"context"
	"crypto/x509"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/miekg/dns"
)

func TestKeysAreTheSameEverywhere(t *testing.T) {
	for _, kind := range []string{"rsa512", "rsa1024", "p224", "p256", "p384", "p521", "ed25519"} {
		a, b := NewKeys().Key(kind, "x"), NewKeys().Key(kind, "x")
		if !bytes.Equal(must(x509.MarshalPKIXPublicKey(a.Public())), must(x509.MarshalPKIXPublicKey(b.Public()))) {
			t.Errorf("%s: two different keys of one name", kind)
		}
		if c := NewKeys().Key(kind, "y"); bytes.Equal(must(x509.MarshalPKIXPublicKey(a.Public())), must(x509.MarshalPKIXPublicKey(c.Public()))) {
			t.Errorf("%s: one key of two names", kind)
		}
	}
}

func TestChainHoldsForTheStandardLibrary(t *testing.T) {
	keys := NewKeys()
	root := keys.Root(Profile{Name: "Test Root", Kind: "p256"})
	sub := root.Intermediate(Profile{Name: "Test CA", Kind: "rsa1024", PathLength: ZeroPathLength})
	for _, kind := range []string{"rsa1024", "p384", "p521", "ed25519"} {
		leaf := sub.Issue(Profile{Name: kind, Kind: kind, Mailboxes: []string{"alice@example.org"}})
		if leaf.Cert == nil || len(leaf.Cert.EmailAddresses) != 1 {
			t.Fatalf("%s: leaf not readable or without address", kind)
		}
		roots, between := x509.NewCertPool(), x509.NewCertPool()
		roots.AddCert(root.Cert)
		between.AddCert(sub.Cert)
		_, err := leaf.Cert.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: Instant(),
			KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}})
		if err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		again := sub.Issue(Profile{Name: kind, Kind: kind, Mailboxes: []string{"alice@example.org"}})
		if !bytes.Equal(leaf.DER, again.DER) {
			t.Errorf("%s: the same recipe gives another certificate", kind)
		}
	}
	if !sub.Cert.MaxPathLenZero || root.Cert.MaxPathLen != -1 {
		t.Errorf("path lengths: root %d, intermediate %d", root.Cert.MaxPathLen, sub.Cert.MaxPathLen)
	}
}

func TestWeakAndEditedCertificates(t *testing.T) {
	keys := NewKeys()
	root := keys.Root(Profile{Name: "Test Root", Kind: "rsa1024"})
	sha1 := root.Issue(Profile{Name: "sha1", Kind: "p256", Algorithm: x509.SHA1WithRSA})
	if sha1.Cert == nil || sha1.Cert.SignatureAlgorithm != x509.SHA1WithRSA {
		t.Errorf("SHA-1 certificate reads as %+v", sha1.Cert)
	}
	negative := root.Issue(Profile{Name: "negative", Kind: "p256", Edit: func(tbs []byte) []byte {
		return Replace(tbs, Children(tbs)[1], []byte{0x02, 0x01, 0xff})
	}})
	if negative.Cert != nil {
		t.Error("crypto/x509 reads a negative serial now: the cases need another unreadable certificate")
	}
}

func TestDKIMHoldsForGoMsgauth(t *testing.T) {
	keys := NewKeys()
	m := Message{[]string{"From: A <a@example.org>", "To: b@example.com", "Subject:  folded\r\n  value  ", "Date: x"},
		[]byte("one  two \r\n\r\n three\r\n\r\n\r\n")}
	for _, d := range []DKIM{
		{Domain: "example.org", Selector: "s", Key: keys.Key("rsa1024", "dkim")},
		{Domain: "example.org", Selector: "s", Key: keys.Key("rsa1024", "dkim"), Simple: true},
		{Domain: "example.org", Selector: "s", Key: keys.Key("ed25519", "dkim")},
	} {
		signed := d.Sign(m).Bytes()
		check := func(message []byte) error {
			v, err := dkim.VerifyWithOptions(bytes.NewReader(message), &dkim.VerifyOptions{
				LookupTXT: func(string) ([]string, error) { return []string{d.Record()}, nil }})
			if err != nil || len(v) != 1 {
				t.Fatalf("%s: %d signatures, %v", d.algorithm(), len(v), err)
			}
			return v[0].Err
		}
		if err := check(signed); err != nil {
			t.Errorf("%s simple=%v: %v", d.algorithm(), d.Simple, err)
		}
		if check(bytes.Replace(signed, []byte("three"), []byte("Three"), 1)) == nil {
			t.Errorf("%s: a changed body passes", d.algorithm())
		}
	}
}

func TestServeDNS(t *testing.T) {
	long := string(bytes.Repeat([]byte("x"), 2000))
	zone := Zone{}.Add("a.example", "one").Add("a.example", "two").Add("long.example", long).Add("bad.example", TempError)
	addr, stop, err := ServeDNS(zone.TXT)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	ask := func(network, name string) *dns.Msg {
		q := new(dns.Msg)
		q.SetQuestion(name, dns.TypeTXT)
		r, _, err := (&dns.Client{Net: network}).Exchange(q, addr)
		if err != nil {
			t.Fatalf("%s %s: %v", network, name, err)
		}
		return r
	}
	if r := ask("udp", "a.example."); len(r.Answer) != 2 {
		t.Errorf("two records: %v", r)
	}
	if r := ask("udp", "long.example."); !r.Truncated {
		t.Error("2000 bytes over UDP are not truncated")
	}
	if r := ask("tcp", "long.example."); len(r.Answer) != 1 || len(r.Answer[0].(*dns.TXT).Txt) != 8 {
		t.Errorf("2000 bytes over TCP: %v", r)
	}
	if r := ask("udp", "bad.example."); r.Rcode != dns.RcodeServerFailure {
		t.Errorf("TEMPERROR: %v", r)
	}
	if r := ask("udp", "none.example."); r.Rcode != dns.RcodeNameError {
		t.Errorf("absent: %v", r)
	}
	if _, err := zone.TXT(context.Background(), "bad.example"); err == nil {
		t.Error("the zone does not fail")
	}
}
