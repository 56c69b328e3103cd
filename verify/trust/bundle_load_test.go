package trust_test

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// embedded is the source that stands for the roots the program brings.
func embedded() trust.Source {
	return trust.Source{File: "mozilla", Public: true, Contents: trust.Embedded()}
}

func TestLoadEmbedded(t *testing.T) {
	set, problems, err := trust.Load([]trust.Source{embedded()}, time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC))
	if err != nil || len(problems) != 0 || set.Len() != 88 {
		t.Fatal(set.Len(), problems, err)
	}
	weak, labels := 0, map[string]bool{}
	for _, a := range set.List() {
		if !a.Public || a.Label == "" || a.Source != "mozilla: "+a.Label || a.Domains != nil || a.Exclusive || a.AllowMissingEKU || a.AllowSubjectAddress {
			t.Errorf("%+v", a)
		}
		labels[a.Label] = true
		if a.Certificate.SignatureAlgorithm == x509.SHA1WithRSA {
			weak++
		}
	}
	if weak == 0 {
		t.Error("no root signed itself with SHA-1: those of before 2010 are missing")
	}
	for _, l := range []string{"GlobalSign Root CA", "Sectigo Public Email Protection Root R46", "NetLock Arany (Class Gold) Főtanúsítvány"} {
		if !labels[l] {
			t.Errorf("%q is not among the roots", l)
		}
	}
}

// TestCertdataDecides: a leaf under a mail root is taken, one under a root for
// TLS alone is not, and both CAs stand in the same list.
func TestCertdataDecides(t *testing.T) {
	r := roots("Mail", "TLS", "Ended")
	day := testmail.Instant().AddDate(0, 0, -40)
	data := certdataHead + certificateObject(r["Mail"], "Mail", never) + trustObject(r["Mail"], "Mail", verifyWord, anchorWord) +
		certificateObject(r["TLS"], "TLS", never) + trustObject(r["TLS"], "TLS", anchorWord, verifyWord) +
		certificateObject(r["Ended"], "Ended", octal("CKA_NSS_EMAIL_DISTRUST_AFTER", []byte(day.UTC().Format("060102150405Z")))) +
		trustObject(r["Ended"], "Ended", verifyWord, anchorWord)
	set, problems, err := trust.Load([]trust.Source{{File: "list", Public: true, Contents: []byte(data)}}, testmail.Instant())
	if err != nil || len(problems) != 0 {
		t.Fatal(problems, err)
	}
	p, no := set.Path(r["Mail"].Issue(bob()).Cert, nil, options())
	want(t, "", p, no)
	if p.Anchor.Label != "Mail" || !p.Anchor.Public || p.Anchor.Source != "list: Mail" {
		t.Errorf("%+v", p.Anchor)
	}
	p, no = set.Path(r["TLS"].Issue(bob()).Cert, nil, options())
	want(t, "cert-untrusted", p, no)
	for _, a := range set.List() {
		if end := a.Label == "Ended"; end != a.DistrustAfter.Equal(day.Truncate(time.Second)) || !end && !a.DistrustAfter.IsZero() {
			t.Errorf("%s: distrusted after %v, want %v", a.Label, a.DistrustAfter, day)
		}
	}
}

func TestLoadContents(t *testing.T) {
	a := roots("A")["A"]
	for title, c := range map[string]struct {
		s      trust.Source
		source string // of the anchor; "over …" and "": an error that says so
	}{
		"no disk is read":            {trust.Source{File: "/nowhere/x", Contents: a.PEM()}, "/nowhere/x"},
		"nor for a bundle":           {trust.Source{File: "/nowhere/x", Contents: a.PEM(), Public: true}, "/nowhere/x: A"},
		"empty is not absent":        {trust.Source{File: "/nowhere/x", Contents: []byte{}}, ""},
		"empty bundle":               {trust.Source{File: "/nowhere/x", Contents: []byte{}, Public: true}, ""},
		"bundle without a root":      {trust.Source{File: "x", Contents: []byte(written(t, trust.Bundle{})), Public: true}, ""},
		"certdata without mail root": {trust.Source{File: "x", Contents: []byte(certdataHead), Public: true}, ""},
		"too large":                  {trust.Source{File: "x", Contents: make([]byte, 8<<20+1)}, "over 8388608 bytes"},
	} {
		t.Run(title, func(t *testing.T) {
			set, _, err := trust.Load([]trust.Source{c.s}, testmail.Instant())
			switch {
			case strings.HasPrefix(c.source, "over "):
				if err == nil || !strings.Contains(err.Error(), c.source) {
					t.Error(err)
				}
			case c.source == "" && (err == nil || !strings.Contains(err.Error(), c.s.File)):
				t.Error(err)
			case c.source != "" && (err != nil || set.Len() != 1 || set.List()[0].Source != c.source || set.List()[0].Public != c.s.Public):
				t.Error(set, err)
			}
		})
	}
}

// TestLoadBundleAsAnchors: the operator's own choice of CAs, in the form of a
// bundle, keeps what the bundle says of them.
func TestLoadBundleAsAnchors(t *testing.T) {
	b := bundleOf()
	dir := folder(t, map[string]string{"roots.pem": written(t, b)})
	for _, file := range []string{dir, filepath.Join(dir, "roots.pem")} {
		set, problems, err := trust.Load([]trust.Source{{File: file, Domains: []string{"a.de"}, Exclusive: true}}, b.Date.AddDate(0, 7, 0))
		if err != nil || len(problems) != 0 || set.Len() != 3 { // no word of age: these are the operator's own
			t.Fatal(set, problems, err)
		}
		for i, a := range set.List() {
			if a.Public || a.Label != b.Roots[i].Label || !a.DistrustAfter.Equal(b.Roots[i].DistrustAfter) ||
				!a.Exclusive || !slices.Equal(a.Domains, []string{"a.de"}) {
				t.Errorf("%+v", a)
			}
		}
	}
}

// TestLoadSaysThatACopyHasNoDate: a public root whose distrust date has been set is
// free of it where the operator names the same CA himself, and he is told.
func TestLoadSaysThatACopyHasNoDate(t *testing.T) {
	b := bundleOf()
	dated := b.Roots[1]
	own := trust.Source{File: "own.pem", Contents: []byte(block("CERTIFICATE", dated.Certificate.Raw)), Domains: []string{"a.de"}}
	set, problems, err := trust.Load([]trust.Source{{File: "roots", Public: true, Contents: []byte(written(t, b))}, own}, b.Date)
	if err != nil || set.Len() != 4 || len(problems) != 1 {
		t.Fatal(set.Len(), problems, err)
	}
	if says := problems[0].String(); !strings.Contains(says, "own.pem") || !strings.Contains(says, "issued after "+dated.DistrustAfter.UTC().Format("2 January 2006")) {
		t.Error(says)
	}
}

// TestObjectsSayLittleOfLongNames: crypto/x509 repeats whole what it cannot read.
func TestObjectsSayLittleOfLongNames(t *testing.T) {
	uri := testmail.Element(0x86, []byte("http://"+strings.Repeat("x", 100000)+" \x1b[2J"))
	root := testmail.NewKeys().Root(testmail.Profile{Name: "A", Kind: ec, Constraints: testmail.NameConstraints([][]byte{uri}, nil)})
	objects, _, err := trust.Objects("x", root.DER, testmail.Instant())
	if err != nil || len(objects) != 1 || objects[0].Problem == "" || len(objects[0].Problem) > 300 || strings.Contains(objects[0].Problem, "\x1b") {
		t.Errorf("%v, %.300v", err, objects)
	}
}

// TestLoadMergesBundles: the same CA in two bundles is one anchor with the
// earlier date.
func TestLoadMergesBundles(t *testing.T) {
	b := bundleOf()
	early, late := b.Roots[1].DistrustAfter, b.Roots[1].DistrustAfter.AddDate(1, 0, 0)
	bundle := trust.Source{File: "roots", Public: true, Contents: []byte(written(t, b))}
	b.Roots[1].DistrustAfter = late
	newer := trust.Source{File: "newer", Public: true, Contents: []byte(written(t, b))}
	for title, c := range map[string]struct {
		sources []trust.Source
		says    string
	}{
		"newer first":    {[]trust.Source{newer, bundle}, "narrower"},
		"newer last":     {[]trust.Source{bundle, newer}, "narrower"},
		"twice the same": {[]trust.Source{bundle, bundle}, "too"},
	} {
		t.Run(title, func(t *testing.T) {
			set, problems, err := trust.Load(c.sources, testmail.Instant())
			if err != nil || set.Len() != 3 || len(problems) == 0 {
				t.Fatal(set, problems, err)
			}
			a := set.List()[slices.IndexFunc(set.List(), func(a *trust.Anchor) bool { return a.Certificate.Equal(b.Roots[1].Certificate) })]
			if !a.Public || a.Exclusive || a.Domains != nil || !a.DistrustAfter.Equal(early) || a.Label != b.Roots[1].Label {
				t.Errorf("%+v", a)
			}
			if !slices.ContainsFunc(problems, func(p trust.Problem) bool { return p.Warning && strings.Contains(p.Text, c.says) }) {
				t.Errorf("no problem says %q: %v", c.says, problems)
			}
		})
	}
}

// TestLoadPublicAndOwn: a public root that the operator names too keeps vouching
// for everybody, and his settings hold for his domains; whichever comes first.
func TestLoadPublicAndOwn(t *testing.T) {
	keys := testmail.NewKeys()
	root, other := keys.Root(testmail.Profile{Name: "Root"}), keys.Root(testmail.Profile{Name: "Other"})
	leaf := func(ca *testmail.Identity, address string) *x509.Certificate {
		return ca.Issue(testmail.Profile{Name: address, Mailboxes: []string{address}}).Cert
	}
	bundle := trust.Source{File: "roots", Public: true, Contents: []byte(written(t, trust.Bundle{Date: testmail.Instant(),
		Roots: []trust.Root{{Certificate: root.Cert, Label: "Root"}, {Certificate: other.Cert, Label: "Other"}}}))}
	own := trust.Source{File: "own", Contents: root.PEM(), Domains: []string{"bank.de"}, Exclusive: true, AllowSubjectAddress: true}
	for title, sources := range map[string][]trust.Source{"own first": {own, bundle}, "own last": {bundle, own}} {
		t.Run(title, func(t *testing.T) {
			set, problems, err := trust.Load(sources, testmail.Instant())
			if err != nil || set.Len() != 3 {
				t.Fatal(set.Len(), problems, err)
			}
			if !slices.ContainsFunc(problems, func(p trust.Problem) bool {
				return p.Warning && strings.Contains(p.Text, "vouches for any address as a public root")
			}) {
				t.Errorf("nobody says that it is both: %v", problems)
			}
			for _, c := range []struct {
				leaf   *x509.Certificate
				reason string
				public bool
			}{
				{leaf(root, "a@elsewhere.example"), "", true},
				{leaf(other, "a@elsewhere.example"), "", true},
				{leaf(root, "a@bank.de"), "", false},
				{leaf(other, "a@bank.de"), "cert-constraint", false},
			} {
				p, r := set.Path(c.leaf, nil, trust.Options{At: testmail.Instant(), MaxChain: 8, MaxSANs: 100, RSABits: 8192})
				switch {
				case c.reason != "" && (r == nil || r.Reason != c.reason), c.reason == "" && r != nil:
					t.Errorf("%s: %v, want %q", c.leaf.Subject, r, c.reason)
				case c.reason == "" && (p.Anchor.Public != c.public || p.Anchor.AllowSubjectAddress == c.public):
					t.Errorf("%s: by the anchor %+v", c.leaf.Subject, p.Anchor)
				}
			}
		})
	}
}

// TestLoadExclusiveTwice: who is to have which domains for himself must be said once.
func TestLoadExclusiveTwice(t *testing.T) {
	root := testmail.NewKeys().Root(testmail.Profile{Name: "Root"})
	own := func(file string, exclusive bool, domains ...string) trust.Source {
		return trust.Source{File: file, Contents: root.PEM(), Domains: domains, Exclusive: exclusive}
	}
	for title, sources := range map[string][]trust.Source{
		"other domains": {own("a", true, "a.de"), own("b", true, "b.de")},
		"only one":      {own("a", false, "a.de"), own("b", true, "b.de")},
		"and any":       {own("a", true, "a.de"), own("b", false)},
	} {
		if _, _, err := trust.Load(sources, testmail.Instant()); err == nil || !strings.Contains(err.Error(), "name it once") {
			t.Errorf("%s: %v", title, err)
		}
	}
	if _, _, err := trust.Load([]trust.Source{own("a", true, "a.de"), own("b", true, "a.de")}, testmail.Instant()); err != nil {
		t.Errorf("twice the same: %v", err)
	}
}

func TestBundleOld(t *testing.T) {
	now := testmail.Instant()
	day := 24 * time.Hour
	for _, c := range []struct {
		date time.Time
		old  bool
	}{{now, false}, {now.Add(-180 * day), false}, {now.Add(-180*day - time.Second), true}, {now.Add(day), false}, {time.Time{}, false}} {
		if got := (trust.Bundle{Date: c.date}).Old(now); got != c.old {
			t.Errorf("%v: %v", c.date, got)
		}
	}
	b := bundleOf()
	text := written(t, b)
	count := func(s trust.Source, now time.Time) int {
		t.Helper()
		_, problems, err := trust.Load([]trust.Source{s}, now)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, p := range problems {
			if strings.Contains(p.Text, "days old") && p.Warning && p.Index == 0 && p.File == s.File {
				n++
			}
		}
		return n
	}
	memory := trust.Source{File: "roots", Public: true, Contents: []byte(text)}
	file := filepath.Join(folder(t, map[string]string{"roots.pem": string(roots("A")["A"].PEM())}), "roots.pem")
	if err := os.Chtimes(file, now, now); err != nil {
		t.Fatal(err)
	}
	disk := trust.Source{File: file, Public: true}
	own := trust.Source{File: file}
	for _, c := range []struct {
		s    trust.Source
		when time.Time
		want int
	}{
		{memory, b.Date.Add(179 * day), 0}, {memory, b.Date.Add(181 * day), 1},
		{disk, now.Add(179 * day), 0}, {disk, now.Add(181 * day), 1}, // no date in it: that of the file
		{own, now.Add(181 * day), 0}, // an operator's own CA does not age
	} {
		if got := count(c.s, c.when); got != c.want {
			t.Errorf("%s after %v: %d warnings, want %d", c.s.File, c.when.Sub(now), got, c.want)
		}
	}
}

func TestLooksLikeTLS(t *testing.T) {
	own, _, err := trust.ReadBundle("embedded", trust.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	var others []trust.Root
	for i := range 60 {
		name := fmt.Sprint("Other ", i)
		others = append(others, trust.Root{Certificate: roots(name)[name].Cert, Label: name})
	}
	mix := func(mail, other int) trust.Bundle {
		return trust.Bundle{Roots: slices.Concat(own.Roots[:mail], others[:other])}
	}
	for _, c := range []struct {
		mail, other int
		want        bool
	}{{88, 0, false}, {67, 41, false}, {30, 30, false}, {30, 31, true}, {39, 60, true}, {0, 40, true}, {0, 39, false}, {0, 1, false}, {1, 0, false}} {
		if got := trust.LooksLikeTLS(mix(c.mail, c.other)); got != c.want {
			t.Errorf("%d e-mail roots and %d others: %v", c.mail, c.other, got)
		}
	}
	_, problems, err := trust.Load([]trust.Source{{File: "tls", Public: true, Contents: []byte(written(t, mix(30, 31)))}}, testmail.Instant())
	if err != nil || !slices.ContainsFunc(problems, func(p trust.Problem) bool {
		return p.Warning && p.File == "tls" && strings.Contains(p.Text, "look like the roots for TLS")
	}) {
		t.Error(problems, err)
	}
}

// BenchmarkLoadEmbedded is what a start and each SIGHUP cost.
func BenchmarkLoadEmbedded(b *testing.B) {
	for b.Loop() {
		if _, _, err := trust.Load([]trust.Source{embedded()}, testmail.Instant()); err != nil {
			b.Fatal(err)
		}
	}
}
