package main

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/certinbox/certinbox/internal/testmail"
)

// authorities writes the files of the trust scripts: a car maker's root and
// issuing CA in DER as its host gives them out, in a PKCS #7 and with keys and
// leaves that do not belong there, the CA of a rival, and files that look like a
// certdata.txt. All of it is valid from 2000 to 2999.
func authorities(ts *testscript.TestScript, neg bool, args []string) {
	keys := testmail.NewKeys()
	long := func(p testmail.Profile) testmail.Profile {
		p.Kind = "p256"
		p.NotBefore = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		if p.NotAfter.IsZero() {
			p.NotAfter = time.Date(2999, 12, 31, 0, 0, 0, 0, time.UTC)
		}
		return p
	}
	write := func(name string, parts ...[]byte) {
		ts.Check(os.WriteFile(ts.MkAbs(name), bytes.Join(parts, nil), 0o600))
	}
	root := keys.Root(long(testmail.Profile{Name: "Maker Root", Organisation: "Maker AG"}))
	ca := root.Intermediate(long(testmail.Profile{Name: "Maker Issuing CA", Organisation: "Maker AG", PathLength: testmail.ZeroPathLength}))
	second := root.Intermediate(long(testmail.Profile{Name: "Maker Second CA", PermittedMail: []string{"maker.example"}}))
	worker := ca.Issue(long(testmail.Profile{Name: "Worker", Mailboxes: []string{"worker@maker.example"}}))
	write("maker-root.cer", root.DER)
	write("maker-ca.cer", ca.DER)
	write("maker.p7b", certsOnly(root, ca, second))
	write("issuing-only.p7b", certsOnly(ca, second))
	write("worker.pem", worker.PEM())
	write("worker-chain.pem", worker.PEM(), ca.PEM())
	write("stranger.pem", ca.Issue(long(testmail.Profile{Name: "Stranger", Mailboxes: []string{"x@other.example"}})).PEM())
	write("below.pem", ca.Issue(long(testmail.Profile{Name: "Below", Mailboxes: []string{"x@berlin.maker.example"}})).PEM())
	rival := keys.Root(long(testmail.Profile{Name: "Rival Root"}))
	write("rival-root.pem", rival.PEM())
	write("rival-worker.pem", rival.Issue(long(testmail.Profile{Name: "Worker", Mailboxes: []string{"worker@maker.example"}})).PEM())
	write("rival-other.pem", rival.Issue(long(testmail.Profile{Name: "Other", Mailboxes: []string{"x@other.example"}})).PEM())

	web := keys.Root(long(testmail.Profile{Name: "Web Root", EKU: []asn1.ObjectIdentifier{testmail.ServerAuth()}}))
	write("web-root.pem", web.PEM())
	write("expired.pem", keys.Root(long(testmail.Profile{Name: "Old Root", NotAfter: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)})).PEM())
	key, err := x509.MarshalPKCS8PrivateKey(keys.Key("rsa2048", "Maker Root"))
	ts.Check(err)
	write("key.der", key)
	write("key.pem", root.PEM(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	write("mixed.pem", root.PEM(), worker.PEM(), []byte("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"), web.PEM())

	// The roots of the mail cases, the first for mail and the other for TLS.
	known := keys.Root(testmail.Profile{Name: "Example Root", Organisation: "Example Trust", Kind: "p256"})
	rsa := keys.Root(testmail.Profile{Name: "Example RSA Root", Organisation: "Example Trust"})
	unknown := keys.Root(testmail.Profile{Name: "Unknown Root", Kind: "p256"})
	write("cases.txt", certdata(entry{id: known, mail: true}, entry{id: rsa, mail: true}, entry{id: unknown}))

	var roots []entry
	for i := range 10 {
		roots = append(roots, entry{id: keys.Root(long(testmail.Profile{Name: fmt.Sprintf("Root %d", i)})), mail: true})
	}
	tls := entry{id: web}
	write("ten.txt", certdata(append(roots, tls)...))
	roots[1].distrust = "240630000000Z"
	write("nine.txt", certdata(append(roots[:9:9], tls)...))
	write("seven.txt", certdata(append(roots[:7:7], tls)...))
	ended := append([]entry(nil), roots[:9]...)
	ended[2].distrust, ended[3].distrust = "200101000000Z", "200101000000Z"
	write("ended.txt", certdata(append(ended, tls)...))
	write("none.txt", certdata(tls))
	write("cut.txt", certdata(append(roots, tls)...)[:3000])
	write("nine.pem", roots[0].id.PEM(), roots[1].id.PEM())
}

// certsOnly returns a PKCS #7 of certificates alone (RFC 5652 section 5), as in a .p7b.
func certsOnly(ids ...*testmail.Identity) []byte {
	oid := func(last ...int) []byte {
		der, err := asn1.Marshal(append(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7}, last...))
		if err != nil {
			panic(err)
		}
		return der
	}
	var certs []byte
	for _, id := range ids {
		certs = append(certs, id.DER...)
	}
	signed := testmail.Sequence([]byte{2, 1, 1}, testmail.Element(0x31, nil), testmail.Sequence(oid(1)), testmail.Element(0xa0, certs), testmail.Element(0x31, nil))
	return testmail.Sequence(oid(2), testmail.Element(0xa0, signed))
}

// An entry of a certdata.txt: trusted for mail, or for TLS alone.
type entry struct {
	id       *testmail.Identity
	mail     bool
	distrust string // YYMMDDhhmmssZ
}

// certdata writes a list in the form of NSS.
func certdata(entries ...entry) []byte {
	var b strings.Builder
	octal := func(name string, value []byte) {
		fmt.Fprintf(&b, "%s MULTILINE_OCTAL\n", name)
		for _, o := range value {
			fmt.Fprintf(&b, "\\%03o", o)
		}
		b.WriteString("\nEND\n")
	}
	common := func(class string, e entry) {
		fmt.Fprintf(&b, "\nCKA_CLASS CK_OBJECT_CLASS %s\nCKA_TOKEN CK_BBOOL CK_TRUE\nCKA_LABEL UTF8 \"%s\"\n", class, e.id.Cert.Subject.CommonName)
		octal("CKA_ISSUER", e.id.Cert.RawIssuer)
		serial, err := asn1.Marshal(e.id.Cert.SerialNumber)
		if err != nil {
			panic(err)
		}
		octal("CKA_SERIAL_NUMBER", serial)
	}
	b.WriteString("# a list for tests\nBEGINDATA\nCKA_CLASS CK_OBJECT_CLASS CKO_NSS_BUILTIN_ROOT_LIST\nCKA_LABEL UTF8 \"Roots\"\n")
	for _, e := range entries {
		common("CKO_CERTIFICATE", e)
		b.WriteString("CKA_CERTIFICATE_TYPE CK_CERTIFICATE_TYPE CKC_X_509\n")
		octal("CKA_SUBJECT", e.id.Cert.RawSubject)
		octal("CKA_VALUE", e.id.DER)
		if e.distrust != "" {
			octal("CKA_NSS_EMAIL_DISTRUST_AFTER", []byte(e.distrust))
		}
		mail, tls := "CKT_NSS_MUST_VERIFY_TRUST", "CKT_NSS_TRUSTED_DELEGATOR"
		if e.mail {
			mail, tls = tls, mail
		}
		common("CKO_NSS_TRUST", e)
		sum := sha1.Sum(e.id.DER)
		octal("CKA_CERT_SHA1_HASH", sum[:])
		fmt.Fprintf(&b, "CKA_TRUST_SERVER_AUTH CK_TRUST %s\nCKA_TRUST_EMAIL_PROTECTION CK_TRUST %s\n", tls, mail)
	}
	return []byte(b.String())
}
