package trust_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// checkBundle asserts what holds of every answer of ReadBundle.
func checkBundle(t *testing.T, data []byte) {
	t.Helper()
	begin := time.Now()
	b, problems, err := trust.ReadBundle("f", data)
	if took := time.Since(begin); took > 10*time.Second {
		t.Fatalf("one input took %v", took)
	}
	if err != nil {
		if b.Roots != nil || problems != nil {
			t.Fatal("an error comes with roots")
		}
		return
	}
	for _, p := range problems {
		if p.Text == "" || p.File != "f" || strings.ContainsAny(p.String(), "\n\r\x1b") {
			t.Fatalf("problem %q", p)
		}
	}
	seen := map[string]bool{}
	for _, r := range b.Roots {
		if r.Certificate == nil || r.Label == "" || strings.ContainsAny(r.Label, "\n\r\x1b\"\\") || seen[string(r.Certificate.Raw)] {
			t.Fatalf("root %+v", r)
		}
		seen[string(r.Certificate.Raw)] = true
	}
	var out bytes.Buffer
	if err := trust.WriteBundle(&out, b); err != nil {
		t.Fatal(err)
	}
	again, problems, err := trust.ReadBundle("again", out.Bytes())
	if err != nil || len(problems) > 0 || !sameBundle(b, again) {
		t.Fatalf("written and read again: %+v, %v, %v; it was %+v", again, problems, err, b)
	}
	set, _, err := trust.Load([]trust.Source{{File: "f", Public: true, Contents: data}}, testmail.Instant())
	if (err == nil) != (len(b.Roots) > 0) || err == nil && set.Len() != len(b.Roots) {
		t.Fatalf("%d roots are read, Load says %v", len(b.Roots), err)
	}
}

func FuzzCertdata(f *testing.F) {
	r := roots("A", "B")
	a, b := r["A"], r["B"]
	f.Add([]byte(certdataHead + certificateObject(a, "A", never) + trustObject(a, "A", anchorWord, anchorWord)))
	f.Add([]byte(certdataHead + certificateObject(a, `A\xC5\x91`, octal("CKA_NSS_EMAIL_DISTRUST_AFTER", []byte("240630000000Z"))) + trustObject(a, "A", verifyWord, anchorWord) +
		certificateObject(b, "B", "") + trustObject(b, "B", anchorWord, verifyWord)))
	f.Add([]byte("# NSS builtins 2.92\n" + certdataHead + certificateObject(a, "A", never) + standardTrust(a, "CKT_TRUST_ANCHOR")))
	f.Add([]byte("CVS_ID \"x\"\n" + strings.ReplaceAll(certdataHead, "\n", "\r\n")))
	f.Add([]byte("BEGINDATA\nCKA_CLASS CK_OBJECT_CLASS CKO_CERTIFICATE\nCKA_VALUE MULTILINE_OCTAL\n\\060\\000\nEND\n"))
	f.Fuzz(func(t *testing.T, data []byte) { checkBundle(t, data) })
}

func FuzzBundle(f *testing.F) {
	var out bytes.Buffer
	if err := trust.WriteBundle(&out, bundleOf()); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add([]byte(strings.ReplaceAll(out.String(), "\n", "\r\n")))
	f.Add(out.Bytes()[:out.Len()/2])
	f.Add([]byte("# email-distrust-after=none\n"))
	f.Add(roots("A")["A"].PEM())
	f.Fuzz(func(t *testing.T, data []byte) { checkBundle(t, data) })
}
