package trust_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// octal is an attribute of octets as certdata.txt has it.
func octal(name string, value []byte) string {
	var out strings.Builder
	out.WriteString(name + " MULTILINE_OCTAL")
	for i, b := range value {
		if i%16 == 0 {
			out.WriteByte('\n')
		}
		fmt.Fprintf(&out, "\\%03o", b)
	}
	return out.String() + "\nEND\n"
}

func serialOf(id *testmail.Identity) []byte {
	der, err := asn1.Marshal(id.Cert.SerialNumber)
	if err != nil {
		panic(err) // a number can be written
	}
	return der
}

const (
	anchorWord = "CKT_NSS_TRUSTED_DELEGATOR"
	verifyWord = "CKT_NSS_MUST_VERIFY_TRUST"
	never      = "CKA_NSS_EMAIL_DISTRUST_AFTER CK_BBOOL CK_FALSE\n"
)

// certificateObject is a certificate in a certdata.txt; more are the lines after it.
func certificateObject(id *testmail.Identity, label, more string) string {
	return "\nCKA_CLASS CK_OBJECT_CLASS CKO_CERTIFICATE\nCKA_TOKEN CK_BBOOL CK_TRUE\nCKA_LABEL UTF8 \"" + label + "\"\n" +
		"CKA_CERTIFICATE_TYPE CK_CERTIFICATE_TYPE CKC_X_509\n" + octal("CKA_SUBJECT", id.Cert.RawSubject) + "CKA_ID UTF8 \"0\"\n" +
		octal("CKA_ISSUER", id.Cert.RawIssuer) + octal("CKA_SERIAL_NUMBER", serialOf(id)) + octal("CKA_VALUE", id.DER) +
		"CKA_NSS_MOZILLA_CA_POLICY CK_BBOOL CK_TRUE\n" + more
}

// trustObject says what id is trusted for.
func trustObject(id *testmail.Identity, label, server, mail string) string {
	sum := sha1.Sum(id.DER)
	return "\n# Trust for " + label + "\nCKA_CLASS CK_OBJECT_CLASS CKO_NSS_TRUST\nCKA_TOKEN CK_BBOOL CK_TRUE\nCKA_LABEL UTF8 \"" + label + "\"\n" +
		octal("CKA_CERT_SHA1_HASH", sum[:]) + octal("CKA_CERT_MD5_HASH", make([]byte, 16)) +
		octal("CKA_ISSUER", id.Cert.RawIssuer) + octal("CKA_SERIAL_NUMBER", serialOf(id)) +
		"CKA_TRUST_SERVER_AUTH CK_TRUST " + server + "\nCKA_TRUST_EMAIL_PROTECTION CK_TRUST " + mail + "\n" +
		"CKA_TRUST_CODE_SIGNING CK_TRUST " + verifyWord + "\nCKA_TRUST_STEP_UP_APPROVED CK_BBOOL CK_FALSE\n"
}

// standardTrust is a trust object of PKCS#11 3.2.
func standardTrust(id *testmail.Identity, mail string) string {
	sum := sha256.Sum256(id.DER)
	return "\nCKA_CLASS CK_OBJECT_CLASS CKO_TRUST\n" + octal("CKA_ISSUER", id.Cert.RawIssuer) + octal("CKA_SERIAL_NUMBER", serialOf(id)) +
		octal("CKA_HASH_OF_CERTIFICATE", sum[:]) + "CKA_NAME_HASH_ALGORITHM CK_MECHANISM_TYPE CKM_SHA256\n" +
		"CKA_PKCS_TRUST_SERVER_AUTH CK_TRUST CKT_TRUST_ANCHOR\nCKA_PKCS_TRUST_EMAIL_PROTECTION CK_TRUST " + mail + "\n"
}

const certdataHead = "#\n# a list for tests\n#\nBEGINDATA\nCKA_CLASS CK_OBJECT_CLASS CKO_NSS_BUILTIN_ROOT_LIST\n" +
	"CKA_TOKEN CK_BBOOL CK_TRUE\nCKA_LABEL UTF8 \"Roots\"\n"

// roots makes one CA for each name.
func roots(names ...string) map[string]*testmail.Identity {
	k := testmail.NewKeys()
	all := map[string]*testmail.Identity{}
	for _, n := range names {
		all[n] = k.Root(testmail.Profile{Name: n, Kind: ec, Key: k.Key(ec, "certdata "+n)})
	}
	return all
}

func TestCertdata(t *testing.T) {
	r := roots("A", "B", "C", "D")
	a, b, c, d := r["A"], r["B"], r["C"], r["D"]
	both := func(id *testmail.Identity, label string) string {
		return certificateObject(id, label, never) + trustObject(id, label, anchorWord, anchorWord)
	}
	after := func(date string) string { return octal("CKA_NSS_EMAIL_DISTRUST_AFTER", []byte(date)) }
	good := both(a, "A")
	leaf := a.Issue(bob())
	for title, x := range map[string]struct {
		data     string
		roots    []string // label, and date where there is one
		problems []string
	}{
		"mail and TLS": {both(a, "A"), []string{"A"}, nil},
		"mail only":    {certificateObject(a, "A", never) + trustObject(a, "A", verifyWord, anchorWord), []string{"A"}, nil},
		"TLS only":     {good + certificateObject(b, "B", never) + trustObject(b, "B", anchorWord, verifyWord), []string{"A"}, nil},
		"all together": {both(a, "A") + certificateObject(b, "B", never) + trustObject(b, "B", anchorWord, verifyWord) +
			certificateObject(c, "C", after("240630000000Z")) + trustObject(c, "C", verifyWord, anchorWord) +
			certificateObject(d, "D", "") + trustObject(d, "D", "CKT_NSS_NOT_TRUSTED", "CKT_NSS_NOT_TRUSTED"),
			[]string{"A", "C 2024-06-30T00:00:00Z"}, nil},
		"distrusted for TLS only":       {certificateObject(a, "A", octal("CKA_NSS_SERVER_DISTRUST_AFTER", []byte("240630000000Z"))+never) + trustObject(a, "A", anchorWord, anchorWord), []string{"A"}, nil},
		"no date at all":                {certificateObject(a, "A", "") + trustObject(a, "A", anchorWord, anchorWord), []string{"A"}, nil},
		"a date of the last century":    {certificateObject(a, "A", after("991231235959Z")) + trustObject(a, "A", anchorWord, anchorWord), []string{"A 1999-12-31T23:59:59Z"}, nil},
		"a date that is none":           {good + certificateObject(b, "B", after("241330000000Z")) + trustObject(b, "B", anchorWord, anchorWord), []string{"A"}, []string{"EMAIL_DISTRUST_AFTER"}},
		"a date of another length":      {good + certificateObject(b, "B", after("20240630000000Z")) + trustObject(b, "B", anchorWord, anchorWord), []string{"A"}, []string{"EMAIL_DISTRUST_AFTER"}},
		"a date without seconds":        {good + certificateObject(b, "B", after("2406300000Z")) + trustObject(b, "B", anchorWord, anchorWord), []string{"A"}, []string{"EMAIL_DISTRUST_AFTER"}},
		"another kind of certificate":   {good + strings.Replace(both(b, "B"), "CKC_X_509", "CKC_WTLS", 1), []string{"A"}, []string{"no X.509"}},
		"a date of no octets":           {good + certificateObject(b, "B", after("")) + trustObject(b, "B", anchorWord, anchorWord), []string{"A"}, []string{"EMAIL_DISTRUST_AFTER"}},
		"distrusted, no date said":      {good + certificateObject(b, "B", "CKA_NSS_EMAIL_DISTRUST_AFTER CK_BBOOL CK_TRUE\n") + trustObject(b, "B", anchorWord, anchorWord), []string{"A"}, []string{"EMAIL_DISTRUST_AFTER"}},
		"an end entity's trust":         {good + certificateObject(b, "B", never) + trustObject(b, "B", anchorWord, "CKT_NSS_TRUSTED"), []string{"A"}, nil},
		"trust of an unknown kind":      {good + certificateObject(b, "B", never) + trustObject(b, "B", anchorWord, "CKT_NSS_SOMETHING_NEW"), []string{"A"}, nil},
		"no word about mail":            {good + certificateObject(b, "B", never) + strings.Replace(trustObject(b, "B", anchorWord, anchorWord), "CKA_TRUST_EMAIL_PROTECTION CK_TRUST "+anchorWord+"\n", "", 1), []string{"A"}, nil},
		"a word instead of trust":       {good + certificateObject(b, "B", never) + strings.Replace(trustObject(b, "B", anchorWord, anchorWord), "EMAIL_PROTECTION CK_TRUST", "EMAIL_PROTECTION CK_BBOOL", 1), []string{"A"}, nil},
		"no trust object":               {good + certificateObject(b, "B", never), []string{"A"}, nil},
		"trust before certificate":      {trustObject(a, "A", anchorWord, anchorWord) + both(b, "B") + certificateObject(a, "A", never), []string{"B", "A"}, nil},
		"one label for two":             {certificateObject(a, "Same", never) + certificateObject(b, "Same", never) + trustObject(b, "Same", anchorWord, anchorWord) + trustObject(a, "Same", anchorWord, verifyWord), []string{"Same"}, nil},
		"labels exchanged":              {certificateObject(a, "A", never) + trustObject(a, "B", anchorWord, anchorWord) + certificateObject(b, "B", never) + trustObject(b, "A", anchorWord, verifyWord), []string{"A"}, nil},
		"another SHA-1":                 {good + certificateObject(b, "B", never) + strings.Replace(trustObject(b, "B", anchorWord, anchorWord), octal("CKA_CERT_SHA1_HASH", sha1Of(b)), octal("CKA_CERT_SHA1_HASH", sha1Of(c)), 1), []string{"A"}, []string{"another hash"}},
		"no SHA-1":                      {good + certificateObject(b, "B", never) + strings.Replace(trustObject(b, "B", anchorWord, anchorWord), octal("CKA_CERT_SHA1_HASH", sha1Of(b)), "", 1), []string{"A"}, []string{"another hash"}},
		"another issuer":                {good + certificateObject(b, "B", never) + strings.Replace(trustObject(b, "B", anchorWord, anchorWord), octal("CKA_ISSUER", b.Cert.RawIssuer), octal("CKA_ISSUER", c.Cert.RawIssuer), 1), []string{"A"}, []string{"another issuer"}},
		"another serial number":         {good + certificateObject(b, "B", never) + strings.Replace(trustObject(b, "B", anchorWord, anchorWord), octal("CKA_SERIAL_NUMBER", serialOf(b)), octal("CKA_SERIAL_NUMBER", []byte{2, 1, 77}), 1), []string{"A"}, []string{"another issuer and serial"}},
		"another serial number beside":  {good + strings.ReplaceAll(both(b, "B"), octal("CKA_SERIAL_NUMBER", serialOf(b)), octal("CKA_SERIAL_NUMBER", []byte{2, 1, 77})), []string{"A"}, []string{"not those in it"}},
		"trust without a certificate":   {good + trustObject(b, "B", anchorWord, anchorWord), []string{"A"}, []string{"no certificate stands in the file"}},
		"distrust without one":          {good + trustObject(b, "B", verifyWord, "CKT_NSS_NOT_TRUSTED"), []string{"A"}, nil},
		"trusted and distrusted":        {good + both(b, "B") + trustObject(b, "B", verifyWord, "CKT_NSS_NOT_TRUSTED"), []string{"A"}, []string{"another does not"}},
		"distrusted by name":            {good + both(b, "B") + strings.Replace(trustObject(b, "B", verifyWord, "CKT_NSS_NOT_TRUSTED"), octal("CKA_CERT_SHA1_HASH", sha1Of(b)), "", 1), []string{"A"}, []string{"another does not"}},
		"said twice":                    {good + trustObject(a, "A", anchorWord, anchorWord), []string{"A"}, nil},
		"said too often":                {good + both(b, "B") + strings.Repeat(trustObject(b, "B", anchorWord, anchorWord), 16), []string{"A"}, []string{"over 16 trust objects"}},
		"a date beside the trust":       {certificateObject(a, "A", never) + trustObject(a, "A", anchorWord, anchorWord) + after("240630000000Z"), []string{"A 2024-06-30T00:00:00Z"}, nil},
		"two dates":                     {certificateObject(a, "A", after("240630000000Z")) + trustObject(a, "A", anchorWord, anchorWord) + after("230630000000Z"), []string{"A 2023-06-30T00:00:00Z"}, nil},
		"a date beside the trust, none": {good + certificateObject(b, "B", never) + trustObject(b, "B", anchorWord, anchorWord) + after("24"), []string{"A"}, []string{"EMAIL_DISTRUST_AFTER"}},
		"the same root twice": {certificateObject(a, "A", after("240630000000Z")) + certificateObject(a, "A", after("230630000000Z")) + trustObject(a, "A", anchorWord, anchorWord),
			[]string{"A 2023-06-30T00:00:00Z"}, []string{"twice"}},
		"a constraint not known":       {good + certificateObject(b, "B", never+octal("CKA_NSS_PERMITTED_SUBTREES", []byte("x"))) + trustObject(b, "B", anchorWord, anchorWord), []string{"A"}, []string{"CKA_NSS_PERMITTED_SUBTREES"}},
		"the same, TLS only":           {good + certificateObject(b, "B", never+octal("CKA_NSS_PERMITTED_SUBTREES", []byte("x"))) + trustObject(b, "B", anchorWord, verifyWord), []string{"A"}, nil},
		"trust with something unknown": {good + both(b, "B") + "CKA_NSS_TRUST_FOR CK_ULONG 3\n", []string{"A"}, []string{"CKA_NSS_TRUST_FOR"}},
		"an object not known":          {good + "CKA_CLASS CK_OBJECT_CLASS CKO_NSS_CRL\nCKA_TOKEN CK_BBOOL CK_TRUE\n", []string{"A"}, []string{"CKO_NSS_CRL"}},
		"no certificate in it":         {good + strings.Replace(both(b, "B"), octal("CKA_VALUE", b.DER), octal("CKA_VALUE", b.DER[:50]), 1), []string{"A"}, []string{"another hash"}},
		"an end entity as root":        {good + both(leaf, "leaf"), []string{"A"}, []string{"not that of a CA"}},
		"names of newer headers":       {strings.ReplaceAll(strings.ReplaceAll(both(a, "A"), "CKA_TRUST_", "CKA_NSS_TRUST_"), "CKA_CERT_", "CKA_NSS_CERT_"), []string{"A"}, nil},
		"names of older headers":       {strings.ReplaceAll(both(a, "A"), "_NSS_TRUST", "_NETSCAPE_TRUST"), []string{"A"}, nil},
		"trust by PKCS#11 3.2":         {certificateObject(a, "A", never) + standardTrust(a, "CKT_TRUST_ANCHOR"), []string{"A"}, nil},
		"the same, not for mail":       {good + certificateObject(b, "B", never) + standardTrust(b, "CKT_TRUST_MUST_VERIFY_TRUST"), []string{"A"}, nil},
		"the same, another hash":       {good + certificateObject(b, "B", never) + strings.Replace(standardTrust(b, "CKT_TRUST_ANCHOR"), "CKM_SHA256", "CKM_SHA_1", 1), []string{"A"}, []string{"another hash"}},
		"the same, unknown hash":       {good + certificateObject(b, "B", never) + strings.Replace(standardTrust(b, "CKT_TRUST_ANCHOR"), "CKM_SHA256", "CKM_SHA3_256", 1), []string{"A"}, []string{"another hash"}},
		"words of the other kind":      {good + certificateObject(b, "B", never) + standardTrust(b, anchorWord), []string{"A"}, nil},
		"the two kinds disagree":       {good + both(b, "B") + standardTrust(b, "CKT_TRUST_MUST_VERIFY_TRUST"), []string{"A"}, []string{"another does not"}},
		"distrusted by SHA-256":        {good + both(b, "B") + strings.Replace(standardTrust(b, "CKT_NOT_TRUSTED"), octal("CKA_ISSUER", b.Cert.RawIssuer), octal("CKA_ISSUER", c.Cert.RawIssuer), 1), []string{"A"}, []string{"another does not"}},
		"a label to be escaped":        {both(a, `Főtanú\x22 \x1b[2J "x"`), []string{`Főtanú? ?[2J ?x?`}, nil},
		"no label":                     {strings.Replace(both(a, "A"), "CKA_LABEL UTF8 \"A\"\n", "", 1), []string{"A"}, nil},
	} {
		t.Run(title, func(t *testing.T) {
			for _, ends := range []string{"\n", "\r\n"} {
				data := strings.ReplaceAll(certdataHead+x.data, "\n", ends)
				bundle, problems, err := trust.ReadBundle("certdata.txt", []byte(data))
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, r := range bundle.Roots {
					s := r.Label
					if !r.DistrustAfter.IsZero() {
						s += " " + r.DistrustAfter.Format(time.RFC3339)
					}
					got = append(got, s)
				}
				if !slices.Equal(got, x.roots) {
					t.Errorf("roots %q, want %q; problems %v", got, x.roots, problems)
				}
				if len(problems) != len(x.problems) {
					t.Fatalf("problems %v, want %q", problems, x.problems)
				}
				for i, p := range problems {
					if !strings.Contains(p.Text, x.problems[i]) || p.File != "certdata.txt" || p.Index < 2 {
						t.Errorf("problem %+v, want %q", p, x.problems[i])
					}
				}
			}
		})
	}
}

func sha1Of(id *testmail.Identity) []byte {
	sum := sha1.Sum(id.DER)
	return sum[:]
}

// TestCertdataDamaged: what does not fit the form is an error that names the line.
func TestCertdataDamaged(t *testing.T) {
	a := roots("A")["A"]
	good := certdataHead + certificateObject(a, "A", never) + trustObject(a, "A", anchorWord, anchorWord)
	for title, x := range map[string]struct{ data, says string }{
		"cut short in octets":    {good[:strings.LastIndex(good, "END")], "no END"},
		"cut short in a line":    {good[:strings.LastIndex(good, "\\")+2], "octal"},
		"nothing after the head": {"BEGINDATA\n", "cut short"},
		"two beginnings":         {good + "BEGINDATA\n", "second BEGINDATA"},
		"text before":            {"hello\n" + good, "line 1:"},
		"text between":           {good + "hello\n", "CKA_"},
		"attribute first":        {"BEGINDATA\nCKA_TOKEN CK_BBOOL CK_TRUE\n", "before the first CKA_CLASS"},
		"attribute twice":        {good + "CKA_TOKEN CK_BBOOL CK_TRUE\n", "stands twice"},
		"no value":               {good + "CKA_NEW CK_BBOOL\n", "no value"},
		"no type":                {good + "CKA_NEW\n", "no value"},
		"two values":             {good + "CKA_NEW CK_TRUST CKT_X CKT_Y\n", "more than one value"},
		"no quotation marks":     {good + "CKA_NEW UTF8 A\n", "quotation"},
		"one quotation mark":     {good + "CKA_NEW UTF8 \"\n", "quotation"},
		"value after octal":      {good + "CKA_NEW MULTILINE_OCTAL \\060\nEND\n", "after MULTILINE_OCTAL"},
		"octet too large":        {good + "CKA_NEW MULTILINE_OCTAL\n\\400\nEND\n", "over 377"},
		"no octal":               {good + "CKA_NEW MULTILINE_OCTAL\n\\080\nEND\n", "octal"},
		"hexadecimal":            {good + "CKA_NEW MULTILINE_OCTAL\n0x60\nEND\n", "octal"},
		"comment in octets":      {good + "CKA_NEW MULTILINE_OCTAL\n# 0\nEND\n", "octal"},
		"a huge value":           {good + "CKA_NEW MULTILINE_OCTAL\n" + strings.Repeat(strings.Repeat(`\060`, 16)+"\n", 4097) + "END\n", "over 65536 bytes"},
		"many objects":           {certdataHead + strings.Repeat("CKA_CLASS CK_OBJECT_CLASS CKO_DATA\n", 4001), "over 4000 objects"},
		"many attributes":        {certdataHead + manyAttributes(100), "over 64 attributes"},
	} {
		t.Run(title, func(t *testing.T) {
			b, problems, err := trust.ReadBundle("certdata.txt", []byte(x.data))
			if err == nil || b.Roots != nil || problems != nil {
				t.Fatalf("%d roots, %v, %v", len(b.Roots), problems, err)
			}
			if !strings.Contains(err.Error(), x.says) {
				t.Errorf("%v does not say %q", err, x.says)
			}
		})
	}
	if _, _, err := trust.ReadBundle("certdata.txt", bytes.Repeat([]byte("#\n"), 4<<20+1)); err == nil || !strings.Contains(err.Error(), "over 8388608 bytes") {
		t.Error("a huge file is read", err)
	}
}

func manyAttributes(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, "CKA_N%d CK_BBOOL CK_TRUE\n", i)
	}
	return out.String()
}

// TestCertdataVersion: the program that reads libraries writes their version.
func TestCertdataVersion(t *testing.T) {
	a := roots("A")["A"]
	data := certdataHead + certificateObject(a, "A", never) + trustObject(a, "A", anchorWord, anchorWord)
	for head, want := range map[string]string{"": "", "# NSS builtins 2.92\n": "NSS builtins 2.92",
		"# NSS builtins 2.92 or so\n": "", "#NSS builtins 2.92\n": ""} {
		b, _, err := trust.ReadBundle("certdata.txt", []byte(head+data))
		if err != nil || b.Version != want || !b.Date.IsZero() {
			t.Errorf("%q: %q, %v, %v", head, b.Version, b.Date, err)
		}
	}
}
