package trust_test

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

func block(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

// pkcs7 is a SignedData of certificates in DER, without a signer.
func pkcs7(members ...[]byte) []byte {
	der, err := cmstest.Blob{Extra: members}.Build()
	if err != nil {
		panic(err) // only a signer can fail
	}
	return der
}

func utf16File(s string, big bool) []byte {
	out := []byte{0xff, 0xfe}
	if big {
		out = []byte{0xfe, 0xff}
	}
	for _, u := range utf16.Encode([]rune(s)) {
		if big {
			out = append(out, byte(u>>8), byte(u))
		} else {
			out = append(out, byte(u), byte(u>>8))
		}
	}
	return out
}

// aux is what OpenSSL appends to a TRUSTED CERTIFICATE.
func aux(trusted, rejected [][]byte) []byte {
	var parts [][]byte
	if trusted != nil {
		parts = append(parts, testmail.Sequence(trusted...))
	}
	if rejected != nil {
		parts = append(parts, testmail.Element(0xa0, bytes.Join(rejected, nil)))
	}
	return testmail.Sequence(parts...)
}

func TestLoadFormats(t *testing.T) {
	k := testmail.NewKeys()
	a := k.Root(testmail.Profile{Name: "Root A", Kind: ec})
	b := k.Root(testmail.Profile{Name: "Root B", Kind: ec})
	beyond := k.Root(testmail.Profile{Name: "Root C", Kind: ec, Edit: testmail.BeyondUTC})
	leaf := a.Issue(bob())
	onlyTLS := a.Intermediate(testmail.Profile{Name: "TLS CA", Kind: ec, EKU: oids(testmail.ServerAuth())})
	ca := func(p testmail.Profile) string {
		if p.Kind == "" {
			p.Kind = ec
		}
		return string(k.Root(p).PEM())
	}
	one, two := string(a.PEM()), string(b.PEM())
	now := testmail.Instant()
	mail := []byte{6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 4}
	server := []byte{6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1}
	damaged := strings.Replace(two, "MI", "M!", 1)
	trusted := func(aux []byte) string { return block("TRUSTED CERTIFICATE", append(slices.Clone(a.DER), aux...)) }
	privateKey := block("EC PRIVATE KEY", []byte("no key at all, only the label"))

	for title, c := range map[string]struct {
		data     string
		anchors  int      // 0: the source is an error
		problems []string // parts of each problem, in order
	}{
		"PEM":                       {one, 1, nil},
		"two PEM":                   {one + two, 2, nil},
		"CRLF":                      {strings.ReplaceAll(one+two, "\n", "\r\n"), 2, nil},
		"CR":                        {strings.ReplaceAll(one, "\n", "\r"), 1, nil},
		"byte order mark":           {"\xef\xbb\xbf" + one, 1, nil},
		"UTF-16, little end first":  {string(utf16File(one, false)), 1, nil},
		"UTF-16, big end first":     {string(utf16File(one+two, true)), 2, nil},
		"text around":               {"Bag Attributes\n  friendlyName: x\n" + one + "# and\n\n" + two + "end", 2, nil},
		"indented":                  {"  " + strings.ReplaceAll(one, "\n", "\n  "), 1, nil},
		"no line end at the end":    {strings.TrimRight(one, "\n"), 1, nil},
		"X509 CERTIFICATE":          {block("X509 CERTIFICATE", a.DER), 1, nil},
		"DER":                       {string(a.DER), 1, nil},
		"DER with a line end":       {string(a.DER) + "\r\n", 1, nil},
		"two DER":                   {string(a.DER) + string(b.DER), 2, nil},
		"PKCS#7 in DER":             {string(pkcs7(a.DER, b.DER)), 2, nil},
		"PKCS#7 in PEM":             {block("PKCS7", pkcs7(a.DER, b.DER)), 2, nil},
		"CMS in PEM":                {block("CMS", pkcs7(a.DER)), 1, nil},
		"PKCS#7 with attributes":    {string(pkcs7(a.DER, testmail.Element(0xa2, nil))), 1, []string{"attribute certificate"}},
		"trusted without settings":  {trusted(nil), 1, nil},
		"trusted for mail":          {trusted(aux([][]byte{server, mail}, nil)), 1, nil},
		"trusted for TLS only":      {trusted(aux([][]byte{server}, nil)), 0, []string{"other purposes"}},
		"rejected for mail":         {trusted(aux(nil, [][]byte{mail})), 0, []string{"rejected for mail"}},
		"rejected for TLS":          {trusted(aux(nil, [][]byte{server})), 1, nil},
		"settings of another kind":  {trusted([]byte{0x30, 3, 1, 1, 1}), 1, nil},
		"settings that are damaged": {trusted([]byte{0x30, 3}), 0, []string{"trust settings"}},

		"empty":                       {"", 0, nil},
		"blank":                       {" \n\n", 0, nil},
		"neither":                     {"hello", 0, nil},
		"base64 without a frame":      {base64.StdEncoding.EncodeToString(a.DER), 0, nil},
		"damaged second":              {one + damaged, 1, []string{"damaged"}},
		"damaged first":               {damaged + one, 1, []string{"damaged"}},
		"only damaged":                {damaged, 0, []string{"damaged"}},
		"truncated":                   {one + two[:len(two)/2], 1, []string{"no END line"}},
		"truncated, then another":     {two[:len(two)/2] + "\n" + one, 1, []string{"no END line"}},
		"another END":                 {strings.Replace(one, "END CERTIFICATE", "END CMS", 1) + two, 1, []string{"damaged"}},
		"DER cut short":               {string(a.DER[:len(a.DER)-1]), 0, nil},
		"no certificate in the block": {one + block("CERTIFICATE", []byte{0x30, 0}), 1, []string{"cannot be read"}},
		"validity beyond UTC":         {one + block("CERTIFICATE", beyond.DER), 1, []string{"validity is not in UTC"}},
		"no DER in the block":         {one + block("CERTIFICATE", []byte("x")), 1, []string{"no DER"}},
		"private key":                 {privateKey + one, 1, []string{"private key"}},
		"only a private key":          {privateKey, 0, []string{"private key"}},
		"CRL beside":                  {one + block("X509 CRL", []byte{0x30, 0}), 1, []string{"not used"}},
		"PKCS#7 of nothing":           {block("PKCS7", pkcs7()), 0, []string{"holds no certificate"}},
		"PKCS#7 of other data":        {string(testmail.Sequence([]byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 3})), 0, []string{"PKCS#7 cannot be read"}},

		"leaf":                     {string(leaf.PEM()), 0, []string{"not that of a CA"}},
		"leaf beside":              {one + string(leaf.PEM()), 1, []string{"not that of a CA"}},
		"CA for TLS only":          {one + string(onlyTLS.PEM()), 1, []string{"may not issue certificates for mail"}},
		"intermediate":             {string(a.Intermediate(testmail.Profile{Name: "I", Kind: ec}).PEM()), 1, nil},
		"expired is usable":        {ca(testmail.Profile{Name: "Old", NotAfter: now.AddDate(0, -1, 0)}), 1, []string{"expired on 2 February 2026"}},
		"not yet valid is usable":  {ca(testmail.Profile{Name: "New", NotBefore: now.AddDate(0, 1, 0)}), 1, []string{"not valid yet"}},
		"RSA 1024":                 {ca(testmail.Profile{Name: "Small", Kind: "rsa1024"}), 0, []string{"2048 to 8192 bits"}},
		"P-224":                    {ca(testmail.Profile{Name: "Small", Kind: "p224"}), 0, []string{"at least 256 bits"}},
		"unknown critical":         {ca(testmail.Profile{Name: "Odd", Extra: critical(1, 3, 6, 1, 4, 1, 99999, 1)}), 0, []string{"not understood"}},
		"constraints are read":     {ca(testmail.Profile{Name: "C", PermittedMail: []string{"example.org"}}), 1, nil},
		"constraints that are not": {ca(testmail.Profile{Name: "C", Constraints: testmail.NameConstraints([][]byte{testmail.Element(0x8a, nil)}, nil)}), 0, []string{"name constraints"}},
		"the same twice":           {one + two + one, 2, []string{"stands in"}},
		"name of another terminal": {one + string(a.Issue(testmail.Profile{Name: "x\x1b[2J\"", Kind: ec}).PEM()), 1, []string{`"x?[2J?"`}},
	} {
		t.Run(title, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "anchors.pem")
			if err := os.WriteFile(file, []byte(c.data), 0o600); err != nil {
				t.Fatal(err)
			}
			set, problems, err := trust.Load([]trust.Source{{File: file}}, now)
			if (err != nil) != (c.anchors == 0) {
				t.Fatalf("error %v, want %d anchors; problems %v", err, c.anchors, problems)
			}
			if err != nil && !strings.Contains(err.Error(), file) {
				t.Errorf("%v does not name the file", err)
			}
			if err == nil && set.Len() != c.anchors {
				t.Errorf("%d anchors, want %d; problems %v", set.Len(), c.anchors, problems)
			}
			if len(problems) != len(c.problems) {
				t.Fatalf("problems %v, want %q", problems, c.problems)
			}
			for i, p := range problems {
				if !strings.Contains(p.String(), c.problems[i]) || p.File != file || p.Index < 1 {
					t.Errorf("problem %+v, want %q", p, c.problems[i])
				}
			}
		})
	}
}

func TestLoadedAnchorVouches(t *testing.T) {
	w := newWorld()
	file := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(file, w.root.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		domains []string
		reason  string
	}{{nil, ""}, {[]string{"Example.ORG"}, ""}, {[]string{".example.org"}, "cert-constraint"}, {[]string{}, "cert-constraint"}} {
		set, problems, err := trust.Load([]trust.Source{{File: file, Domains: c.domains, AllowMissingEKU: true}}, testmail.Instant())
		if err != nil || len(problems) != 0 {
			t.Fatal(err, problems)
		}
		p, r := set.Path(w.leaf.Cert, bagOf(w.inter), options())
		want(t, c.reason, p, r)
		if r == nil && (p.Anchor.Source != file || !p.Anchor.AllowMissingEKU || p.Anchor.AllowSubjectAddress) {
			t.Errorf("%+v", p.Anchor)
		}
	}
}
