package revoke

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
)

// An opensslCA makes lists with openssl ca.
type opensslCA struct {
	dir string
	ca  *testmail.Identity
}

// newOpensslCA writes a CA that has revoked the certificates 1 to 6: with no
// reason, keyCompromise, a hold with instruction, removeFromCRL, a compromise
// since a time, and in the year 2049. 7 is good.
func newOpensslCA(t *testing.T, kind string) opensslCA {
	t.Helper()
	needOpenSSL(t)
	o := opensslCA{t.TempDir(), listCA(kind, testmail.Profile{})}
	o.write(t, "ca.pem", string(o.ca.PEM()))
	o.write(t, "key.pem", string(o.ca.KeyPEM()))
	o.write(t, "number", "1F\n")
	var index strings.Builder
	for i, revoked := range []string{"260301100000Z", "260301100000Z,keyCompromise", "260301100000Z,holdInstruction,1.2.840.10040.2.3",
		"260301100000Z,removeFromCRL", "260301100000Z,keyTime,20260215080000Z", "490301100000Z,superseded"} {
		fmt.Fprintf(&index, "R\t360101000000Z\t%s\t%02X\tunknown\t/CN=%d\n", revoked, i+1, i+1)
	}
	index.WriteString("V\t360101000000Z\t\t07\tunknown\t/CN=7\n")
	o.write(t, "index", index.String())
	return o
}

func (o opensslCA) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(o.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// list makes a list that is valid around testmail.Instant with these
// extensions, lines of a configuration of openssl.
func (o opensslCA) list(t *testing.T, extensions string, args ...string) []byte {
	t.Helper()
	config := "[ca]\ndefault_ca = this\n[this]\ndatabase = " + o.dir + "/index\ncrlnumber = " + o.dir + "/number\n" +
		"certificate = " + o.dir + "/ca.pem\nprivate_key = " + o.dir + "/key.pem\ndefault_md = sha256\nunique_subject = no\n" +
		"crl_extensions = ext\n[ext]\n" + extensions + "\n"
	o.write(t, "config", config)
	all := append([]string{"ca", "-batch", "-gencrl", "-config", filepath.Join(o.dir, "config"), "-out", filepath.Join(o.dir, "crl.pem"),
		"-crl_lastupdate", "260302110000Z", "-crl_nextupdate", "260303110000Z"}, args...)
	if out, err := exec.Command("openssl", all...).CombinedOutput(); err != nil {
		t.Fatalf("openssl %v: %v\n%s", all, err, out)
	}
	text, err := os.ReadFile(filepath.Join(o.dir, "crl.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatalf("openssl wrote %q", text)
	}
	return block.Bytes
}

func TestListsOfOpenSSL(t *testing.T) {
	for kind, variants := range map[string][][]string{
		"rsa2048": {{}, {"-md", "sha384"}, {"-md", "sha512"},
			{"-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"},
			{"-md", "sha512", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"}},
		"p256":    {{}, {"-md", "sha384"}},
		"p521":    {{"-md", "sha512"}},
		"ed25519": {{"-md", "null"}},
	} {
		o := newOpensslCA(t, kind)
		for i, args := range variants {
			der := o.list(t, "authorityKeyIdentifier=keyid:always", args...)
			l := mustReadList(t, der, askList(o.ca))
			if l.number == nil || l.number.Cmp(big.NewInt(int64(0x1f+i))) != 0 || l.current(testmail.Instant()) != nil {
				t.Errorf("%s %v: %+v", kind, args, l)
			}
			reasons := map[string]int{"1": 0, "2": 1, "3": 6, "5": 1, "6": 4}
			if len(l.entries) != len(reasons) {
				t.Errorf("%s %v: %d entries: %+v", kind, args, len(l.entries), l.entries)
			}
			for key, want := range reasons {
				if e, there := l.entries[key]; !there || e.reason != want {
					t.Errorf("%s %v: %s: %+v", kind, args, key, e)
				}
			}
			if l.entries["6"].at.Year() != 2049 {
				t.Errorf("%s %v: revoked %v", kind, args, l.entries["6"].at)
			}
			sameList(t, o.ca, askList(o.ca), der)
		}
	}
}

func TestListsOfOpenSSLThatAreRefused(t *testing.T) {
	o := newOpensslCA(t, "rsa2048")
	q := askList(o.ca)
	q.points = []string{"http://crl.example/l.crl"}
	point := func(lines ...string) []byte {
		return o.list(t, "issuingDistributionPoint=critical,@idp\n[idp]\n"+strings.Join(lines, "\n"))
	}
	authority := q
	authority.ca = true
	for _, c := range []listCase{
		{"this point", point("fullname=URI:http://crl.example/l.crl", "onlyuser=TRUE"), q, ""},
		{"another point", point("fullname=URI:http://crl.example/m.crl"), q, "another distribution point"},
		{"relative name", point("relativename=rel", "[rel]", "CN=l"), q, "another distribution point"},
		{"users only, for a CA", point("onlyuser=TRUE"), authority, "users only"},
		{"CAs only", point("onlyCA=TRUE"), q, "CAs only"},
		{"CAs only, for a CA", point("onlyCA=TRUE"), authority, ""},
		{"attribute certificates", point("onlyAA=TRUE"), q, "attribute certificates"},
		{"indirect", point("indirectCRL=TRUE"), q, "other issuers"},
		{"some reasons", point("onlysomereasons=keyCompromise,CACompromise"), q, "some reasons"},
		{"delta", o.list(t, "2.5.29.27=critical,DER:02:01:01"), q, "only holds changes"},
		{"unknown and critical", o.list(t, "1.2.3.4=critical,DER:05:00"), q, "critical extension that is unknown"},
		{"unknown", o.list(t, "1.2.3.4=DER:05:00\nissuerAltName=URI:http://a.example"), q, ""},
		{"SHA-1", o.list(t, "authorityKeyIdentifier=keyid:always", "-md", "sha1"), q, "broken, unknown"},
		{"MD5", o.list(t, "authorityKeyIdentifier=keyid:always", "-md", "md5"), q, "broken, unknown"},
		{"PSS with SHA-1", o.list(t, "authorityKeyIdentifier=keyid:always", "-md", "sha1", "-sigopt", "rsa_padding_mode:pss"), q, "broken, unknown"},
		{"PSS with a long salt", o.list(t, "authorityKeyIdentifier=keyid:always", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:max"), q, "broken, unknown"},
	} {
		c.run(t)
	}
}

// TestOpenSSLReadsTheListsOfTests: the material of these tests is what it says.
func TestOpenSSLReadsTheListsOfTests(t *testing.T) {
	o := newOpensslCA(t, "p256")
	der := o.ca.CRL(testmail.List{Entries: []testmail.ListEntry{{Serial: big.NewInt(5), Reason: 1}}, Points: []string{"http://a.example/"}, OnlyUser: true})
	cmd := exec.Command("openssl", "crl", "-inform", "DER", "-noout", "-text", "-CAfile", filepath.Join(o.dir, "ca.pem"))
	cmd.Stdin = bytes.NewReader(der)
	out, err := cmd.CombinedOutput()
	for _, want := range []string{"verify OK", "Key Compromise", "URI:http://a.example/", "Only User Certificates"} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("no %q: %v\n%s", want, err, out)
		}
	}
}
