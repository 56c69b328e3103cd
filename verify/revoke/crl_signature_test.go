package revoke

import (
	"bytes"
	"crypto/x509"
	"math/big"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
)

func TestSignaturesOfLists(t *testing.T) {
	rsa, ec, ed := listCA("rsa2048", testmail.Profile{}), listCA("p256", testmail.Profile{}), listCA("ed25519", testmail.Profile{})
	short, small := listCA("rsa1024", testmail.Profile{}), listCA("p224", testmail.Profile{})
	good := ec.CRL(testmail.List{})
	parts := testmail.Children(good)
	spoilt := bytes.Clone(good)
	spoilt[len(spoilt)-1] ^= 1
	said := bytes.Clone(good)
	said[bytes.Index(said, testmail.Time(testmail.Instant().AddDate(0, 0, 7)))+2+5] ^= 1
	const broken = "broken, unknown or not that of its issuer's key"
	long := []testmail.ListEntry{}
	for n := range int64(40000) {
		long = append(long, testmail.ListEntry{Serial: big.NewInt(1<<60 + n)})
	}
	for _, c := range []listCase{
		{"RSA, SHA-1", rsa.CRL(testmail.List{Algorithm: x509.SHA1WithRSA}), askList(rsa), broken},
		{"RSA, MD5", rsa.CRL(testmail.List{Algorithm: x509.MD5WithRSA}), askList(rsa), broken},
		{"ECDSA, SHA-1", ec.CRL(testmail.List{Algorithm: x509.ECDSAWithSHA1}), askList(ec), broken},
		{"RSA where the key is of ECDSA", ec.CRL(testmail.List{Signer: rsa}), askList(ec), broken},
		{"ECDSA where the key is of RSA", rsa.CRL(testmail.List{Signer: ec}), askList(rsa), broken},
		{"Ed25519 where the key is of RSA", rsa.CRL(testmail.List{Signer: ed}), askList(rsa), broken},
		{"ECDSA where the key is of Ed25519", ed.CRL(testmail.List{Signer: ec}), askList(ed), broken},
		{"key that is unknown", good, listQuestion{issuer: &x509.Certificate{RawSubject: ec.Cert.RawSubject}}, "of a kind that is not accepted"},
		{"RSA 1024", short.CRL(testmail.List{}), askList(short), "of 1024 bits"},
		{"P-224", small.CRL(testmail.List{}), askList(small), "of a kind that is not accepted"},
		{"two algorithms", testmail.Sequence(parts[0], testmail.Children(rsa.CRL(testmail.List{}))[1], parts[2]), askList(ec), "two signature algorithms"},
		{"spoilt signature", spoilt, askList(ec), "not that of the issuer"},
		{"another time", said, askList(ec), "not that of the issuer"},
		{"no signature", testmail.Sequence(parts[0], parts[1], testmail.Element(3, nil)), askList(ec), "not that of the issuer"},
		{"empty signature", testmail.Sequence(parts[0], parts[1], testmail.BitString(nil)), askList(ec), "not that of the issuer"},
		{"signature of odd bits", testmail.Sequence(parts[0], parts[1], testmail.Element(3, append([]byte{4}, make([]byte, 64)...))), askList(ec), "not that of the issuer"},
		{"signature over 4 KiB", testmail.Sequence(parts[0], parts[1], testmail.BitString(make([]byte, 4096))), askList(ec), "longer than 4096 bytes"},
		{"Ed25519 within 1 MiB", ed.CRL(testmail.List{Entries: long[:30000]}), askList(ed), ""},
		{"Ed25519 beyond 1 MiB", ed.CRL(testmail.List{Entries: long}), askList(ed), "longer than 1 MiB"},
		{"ECDSA beyond 1 MiB", ec.CRL(testmail.List{Entries: long}), askList(ec), ""},
	} {
		c.run(t)
	}
}

func TestParametersOfSignaturesOfLists(t *testing.T) {
	rsa, ec, ed := listCA("rsa2048", testmail.Profile{}), listCA("p256", testmail.Profile{}), listCA("ed25519", testmail.Profile{})
	const broken = "broken, unknown or not that of its issuer's key"
	seq, null := testmail.Sequence, []byte{5, 0}
	id := func(der []byte) []byte { return testmail.Children(der)[0] }
	algorithm := func(l testmail.List, ca *testmail.Identity) []byte { return testmail.Children(ca.CRL(l))[1] }
	// signed is an honest signature under another name for the algorithm
	signed := func(ca *testmail.Identity, a x509.SignatureAlgorithm, named []byte) []byte {
		l := testmail.List{Algorithm: a}
		old := algorithm(l, ca)
		l.Edit = func(tbs []byte) []byte { return testmail.Replace(tbs, old, named) }
		parts := testmail.Children(ca.CRL(l))
		return seq(parts[0], named, parts[2])
	}
	pkcs1 := id(algorithm(testmail.List{}, rsa))
	ecdsa := id(algorithm(testmail.List{}, ec))
	eddsa := id(algorithm(testmail.List{}, ed))
	pss := algorithm(testmail.List{Algorithm: x509.SHA256WithRSAPSS}, rsa)
	fields := testmail.Children(testmail.Children(pss)[1]) // hash, mask, salt
	other := testmail.Children(testmail.Children(algorithm(testmail.List{Algorithm: x509.SHA384WithRSAPSS}, rsa))[1])
	sha256 := testmail.Children(fields[0])[0]
	bare := seq(id(sha256))
	mgf := testmail.Children(testmail.Children(fields[1])[0])[0]
	params := func(parts ...[]byte) []byte { return seq(id(pss), seq(parts...)) }
	salt := func(n int) []byte { return testmail.Element(0xa2, testmail.Integer(n)) }
	forPSS := func(named []byte) []byte { return signed(rsa, x509.SHA256WithRSAPSS, named) }
	for _, c := range []listCase{
		{"PKCS #1 without parameters", signed(rsa, 0, seq(pkcs1)), askList(rsa), ""},
		{"PKCS #1 with others", signed(rsa, 0, seq(pkcs1, seq())), askList(rsa), broken},
		{"ECDSA with NULL", signed(ec, 0, seq(ecdsa, null)), askList(ec), broken},
		{"Ed25519 with NULL", signed(ed, 0, seq(eddsa, null)), askList(ed), broken},
		{"no OID", signed(ec, 0, seq(null)), askList(ec), "cannot be read"},
		{"PSS as it is", forPSS(pss), askList(rsa), ""},
		{"PSS without parameters", forPSS(seq(id(pss))), askList(rsa), broken},
		{"PSS with NULL", forPSS(seq(id(pss), null)), askList(rsa), broken},
		{"PSS by default", forPSS(params()), askList(rsa), broken},
		{"PSS without hash", forPSS(params(fields[1], fields[2])), askList(rsa), broken},
		{"PSS without mask", forPSS(params(fields[0], fields[2])), askList(rsa), broken},
		{"PSS without salt", forPSS(params(fields[0], fields[1])), askList(rsa), broken},
		{"PSS with a short salt", forPSS(params(fields[0], fields[1], salt(20))), askList(rsa), broken},
		{"PSS with a salt that is not there", forPSS(params(fields[0], fields[1], salt(0))), askList(rsa), broken},
		{"PSS with another mask", forPSS(params(fields[0], other[1], fields[2])), askList(rsa), broken},
		{"PSS with another hash", forPSS(params(other[0], other[1], other[2])), askList(rsa), "not that of the issuer"},
		{"PSS with an unknown mask", forPSS(params(fields[0], testmail.Element(0xa1, seq(pkcs1, sha256)), fields[2])), askList(rsa), broken},
		{"PSS without NULLs", forPSS(params(testmail.Element(0xa0, bare), testmail.Element(0xa1, seq(mgf, bare)), fields[2])), askList(rsa), ""},
		{"PSS, usual trailer written out", forPSS(params(fields[0], fields[1], fields[2], testmail.Element(0xa3, testmail.Integer(1)))), askList(rsa), ""},
		{"PSS, another trailer", forPSS(params(fields[0], fields[1], fields[2], testmail.Element(0xa3, testmail.Integer(2)))), askList(rsa), broken},
		{"PSS, something more", forPSS(seq(id(pss), seq(fields...), null)), askList(rsa), broken},
	} {
		c.run(t)
	}
}
