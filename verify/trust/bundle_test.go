package trust_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// bundleOf is a bundle of three roots, one of them with a date.
func bundleOf() trust.Bundle {
	r := roots("A", "B", "C")
	return trust.Bundle{Version: "NSS builtins 2.92", Date: testmail.Instant().Truncate(time.Second).UTC(), Roots: []trust.Root{
		{Certificate: r["A"].Cert, Label: "A"},
		{Certificate: r["B"].Cert, Label: "Főtanúsítvány (Gold) = # 1", DistrustAfter: time.Date(2024, 6, 30, 0, 0, 0, 0, time.UTC)},
		{Certificate: r["C"].Cert, Label: "A"},
	}}
}

func written(t *testing.T, b trust.Bundle) string {
	t.Helper()
	var out bytes.Buffer
	if err := trust.WriteBundle(&out, b); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func sameBundle(a, b trust.Bundle) bool {
	return a.Version == b.Version && a.Date.Equal(b.Date) && slices.EqualFunc(a.Roots, b.Roots, func(x, y trust.Root) bool {
		return x.Certificate.Equal(y.Certificate) && x.Label == y.Label && x.DistrustAfter.Equal(y.DistrustAfter)
	})
}

func TestBundleRoundTrip(t *testing.T) {
	whole := bundleOf()
	for title, b := range map[string]trust.Bundle{"whole": whole, "nothing known": {Roots: whole.Roots}, "no root": {Version: "x"}} {
		t.Run(title, func(t *testing.T) {
			text := written(t, b)
			if !strings.Contains(text, "Mozilla Public") {
				t.Error("the notice is not in the bundle")
			}
			for _, form := range []string{text, "\xef\xbb\xbf" + text, strings.ReplaceAll(text, "\n", "\r\n"), string(utf16File(text, true)), text + "\n\n", strings.TrimRight(text, "\n")} {
				again, problems, err := trust.ReadBundle("roots.pem", []byte(form))
				if err != nil || len(problems) != 0 || !sameBundle(b, again) {
					t.Fatalf("%+v, %v, %v", again, problems, err)
				}
				if written(t, again) != text {
					t.Error("written again it is another text")
				}
			}
		})
	}
}

func TestBundleThatCannotBeWritten(t *testing.T) {
	twice := bundleOf()
	twice.Roots = append(twice.Roots, twice.Roots[0])
	lines, unknown := bundleOf(), bundleOf()
	lines.Version, unknown.Version = "NSS\n# roots=0", "unknown"
	for title, b := range map[string]trust.Bundle{"a root twice": twice, "a version of two lines": lines, "a version that means none": unknown} {
		var out bytes.Buffer
		if err := trust.WriteBundle(&out, b); err == nil || out.Len() > 0 {
			t.Errorf("%s: %v, %d bytes", title, err, out.Len())
		}
	}
	label := bundleOf()
	label.Roots = label.Roots[:1]
	label.Roots[0].Label = "A\n# email-distrust-after=none"
	again, _, err := trust.ReadBundle("roots.pem", []byte(written(t, label)))
	if err != nil || again.Roots[0].Label != "A?# email-distrust-after=none" {
		t.Errorf("%+v, %v", again, err)
	}
}

// TestBundleDamaged: nothing of a damaged bundle is used, and above all no root
// without the date that stood beside it.
func TestBundleDamaged(t *testing.T) {
	text := written(t, bundleOf())
	swap := func(old, new string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("%q does not stand in the bundle", old)
		}
		return strings.Replace(text, old, new, 1)
	}
	const date = "# email-distrust-after=2024-06-30T00:00:00Z"
	second := strings.Index(text, "# label=Főtanúsítvány")
	for title, x := range map[string]struct{ data, says string }{
		"date of another form":      {swap(date, "# email-distrust-after=2024-06-30"), "email-distrust-after"},
		"date that is none":         {swap(date, "# email-distrust-after=2024-13-30T00:00:00Z"), "email-distrust-after"},
		"date in another zone":      {swap(date, "# email-distrust-after=2024-06-30T00:00:00+02:00"), "email-distrust-after"},
		"date of the year one":      {swap(date, "# email-distrust-after=0001-01-01T00:00:00Z"), "email-distrust-after"},
		"date empty":                {swap(date, "# email-distrust-after="), "email-distrust-after"},
		"date in capitals":          {swap(date, strings.ToUpper(date)), "email-distrust-after"},
		"None":                      {swap(date, "# email-distrust-after=None"), "email-distrust-after"},
		"date missing":              {swap(date+"\n", ""), "email-distrust-after"},
		"date no comment":           {swap(date, date[2:]), "email-distrust-after"},
		"date twice":                {swap(date, date+"\n# email-distrust-after=none"), "source"},
		"label missing":             {swap("# label=A\n", ""), "label"},
		"label with an escape":      {swap("# label=A", "# label=\x1b[2J"), "cannot be printed"},
		"hash of another":           {swap("# sha256=", "# sha256=00"), "sha256"},
		"hash in capitals":          {regexp.MustCompile("# sha256=.*").ReplaceAllStringFunc(text, strings.ToUpper), "sha256"},
		"another source":            {swap("# source=NSS builtins 2.92", "# source=mine"), "source"},
		"another certificate":       {text[:second] + strings.Replace(text[second:], "-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nMII=\n", 1), "no base64"},
		"another block":             {swap("-----BEGIN CERTIFICATE-----", "-----BEGIN PKCS7-----"), "no certificate follows"},
		"no END":                    {swap("-----END CERTIFICATE-----\n", ""), "no END"},
		"no empty line":             {swap("\n\n# label=A", "\n# label=A"), "empty line"},
		"an own comment":            {swap("\n\n# label=A", "\n\n# mine\n# label=A"), "label"},
		"cut short":                 {text[:second], "label"},
		"cut short in a block":      {text[:len(text)-40], "no END"},
		"beginning lost":            {text[second:], "beginning of the bundle is lost"},
		"something before":          {"# mine\n" + text, "beginning of the bundle is lost"},
		"another format":            {swap("format 1.", "format 2."), "another format"},
		"only the header":           {text[:strings.Index(text, "\n\n")], "label"},
		"one root more":             {swap("# roots=3", "# roots=4"), "label"},
		"one root fewer":            {swap("# roots=3", "# roots=2"), "more stands in the file"},
		"no number of roots":        {swap("# roots=3", "# roots=all"), "roots"},
		"too many roots":            {swap("# roots=3", "# roots=2001"), "roots"},
		"fewer than none":           {swap("# roots=3", "# roots=-3"), "roots"},
		"version with an escape":    {strings.ReplaceAll(text, "NSS builtins 2.92", "NSS\x1b[2J"), "cannot be printed"},
		"no version":                {swap("# version=NSS builtins 2.92\n", ""), "version"},
		"date of data of no form":   {regexp.MustCompile("# date=.*").ReplaceAllString(text, "# date=yesterday"), "date"},
		"two bundles after another": {text + "\n" + text, "more stands in the file"},
		"a root twice":              {strings.Replace(text, "# roots=3", "# roots=4", 1) + text[strings.LastIndex(text, "\n# label="):], "twice"},
	} {
		t.Run(title, func(t *testing.T) {
			b, problems, err := trust.ReadBundle("roots.pem", []byte(x.data))
			if err == nil || b.Roots != nil || problems != nil {
				t.Fatalf("%d roots, %v, %v", len(b.Roots), problems, err)
			}
			if !strings.Contains(err.Error(), x.says) || !strings.Contains(err.Error(), "line ") {
				t.Errorf("%v does not say %q", err, x.says)
			}
			// not as anchors of the operator either, where no date is asked for
			file := filepath.Join(t.TempDir(), "roots.pem")
			if err := os.WriteFile(file, []byte(x.data), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, public := range []bool{true, false} {
				if set, _, err := trust.Load([]trust.Source{{File: file, Public: public}}, testmail.Instant()); err == nil {
					t.Errorf("%d anchors are loaded, public %v", set.Len(), public)
				}
			}
		})
	}
}

// TestBundleOfOtherFiles: what Load takes is a bundle without dates.
func TestBundleOfOtherFiles(t *testing.T) {
	r := roots("A", "B")
	a, b := r["A"], r["B"]
	one, two := string(a.PEM()), string(b.PEM())
	for title, x := range map[string]struct {
		data     string
		labels   []string
		problems []string
	}{
		"PEM":            {one + two, []string{"A", "B"}, nil},
		"with comments":  {"# A, our own\n" + one, []string{"A"}, nil},
		"DER":            {string(a.DER), []string{"A"}, nil},
		"PKCS#7":         {string(pkcs7(a.DER, b.DER)), []string{"A", "B"}, nil},
		"PKCS#7 in PEM":  {block("PKCS7", pkcs7(a.DER, b.DER)), []string{"A", "B"}, nil},
		"twice":          {one + two + one, []string{"A", "B"}, []string{"twice"}},
		"a leaf beside":  {one + string(a.Issue(bob()).PEM()), []string{"A"}, []string{"not that of a CA"}},
		"damaged beside": {one + strings.Replace(two, "MI", "M!", 1), []string{"A"}, []string{"damaged"}},
	} {
		t.Run(title, func(t *testing.T) {
			bundle, problems, err := trust.ReadBundle("f", []byte(x.data))
			if err != nil || bundle.Version != "" || !bundle.Date.IsZero() {
				t.Fatal(bundle, err)
			}
			var labels []string
			for _, r := range bundle.Roots {
				labels = append(labels, r.Label)
				if !r.DistrustAfter.IsZero() {
					t.Error(r.DistrustAfter)
				}
			}
			if !slices.Equal(labels, x.labels) || len(problems) != len(x.problems) {
				t.Fatalf("%q, want %q; %v, want %q", labels, x.labels, problems, x.problems)
			}
			for i, p := range problems {
				if !strings.Contains(p.Text, x.problems[i]) || p.File != "f" || p.Index == 0 {
					t.Errorf("%+v, want %q", p, x.problems[i])
				}
			}
		})
	}
	for _, bad := range []string{"", " \n", "hello", "BEGINDATA", "\xff\xfea"} {
		if b, _, err := trust.ReadBundle("f", []byte(bad)); err == nil || b.Roots != nil {
			t.Errorf("%q is a bundle", bad)
		}
	}
}

// TestEmbeddedRoots recounts the bundle that the program brings, without its reader.
func TestEmbeddedRoots(t *testing.T) {
	text := string(trust.Embedded())
	b, problems, err := trust.ReadBundle("embedded", trust.Embedded())
	if err != nil || len(problems) != 0 {
		t.Fatal(problems, err)
	}
	if b.Version != "NSS builtins 2.92" || b.Date.Format(time.DateOnly) != "2026-10-28" || len(b.Roots) != 88 {
		t.Errorf("%q of %v with %d roots: is this test of the same version?", b.Version, b.Date, len(b.Roots))
	}
	if n := strings.Count(text, "BEGIN CERTIFICATE"); n != len(b.Roots) {
		t.Errorf("%d blocks and %d roots", n, len(b.Roots))
	}
	sums := regexp.MustCompile(`(?m)^# sha256=([0-9a-f]{64})$`).FindAllStringSubmatch(text, -1)
	if len(sums) != len(b.Roots) {
		t.Fatalf("%d hashes and %d roots", len(sums), len(b.Roots))
	}
	seen := map[string]bool{}
	kinds := map[string]int{}
	for i, r := range b.Roots {
		sum := sha256.Sum256(r.Certificate.Raw)
		if h := hex.EncodeToString(sum[:]); h != sums[i][1] || seen[h] {
			t.Errorf("%s: hash %s, in the comment %s, seen before: %v", r.Label, h, sums[i][1], seen[h])
		} else {
			seen[h] = true
		}
		if !r.DistrustAfter.IsZero() {
			t.Errorf("%s: distrusted after %v, and none is in this version", r.Label, r.DistrustAfter)
		}
		kinds[keyOf(r)]++
	}
	if want := map[string]int{"RSA 4096": 41, "RSA 2048": 25, "EC P-384": 21, "EC P-256": 1}; fmt.Sprint(kinds) != fmt.Sprint(want) {
		t.Errorf("keys %v, want %v", kinds, want)
	}
	if written(t, b) != text {
		t.Error("written again it is another text")
	}
	for _, s := range []string{"Mozilla Public\n# License, v. 2.0", "lib/ckfw/builtins"} {
		if !strings.Contains(text, s) {
			t.Errorf("the notice does not say %q", s)
		}
	}
}

func keyOf(r trust.Root) string {
	if k, ok := r.Certificate.PublicKey.(*rsa.PublicKey); ok {
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	}
	return "EC " + keyCurve(r)
}

func keyCurve(r trust.Root) string {
	if k, ok := r.Certificate.PublicKey.(*ecdsa.PublicKey); ok {
		return k.Curve.Params().Name
	}
	return "none"
}
