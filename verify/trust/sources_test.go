package trust_test

import (
	"encoding/asn1"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

func oids(list ...asn1.ObjectIdentifier) []asn1.ObjectIdentifier { return list }

// folder writes files into a new folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoadFolder(t *testing.T) {
	k := testmail.NewKeys()
	root := func(name string) *testmail.Identity { return k.Root(testmail.Profile{Name: name, Kind: ec}) }
	dir := folder(t, map[string]string{
		"b.crt": string(root("B").PEM()), "a.der": string(root("A").DER), "c.p7b": string(pkcs7(root("C").DER, root("D").DER)),
		"notes.txt": "these are ours", ".hidden": "x", "empty.pem": "",
	})
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "z.pem")); err != nil {
		t.Fatal(err)
	}
	set, problems, err := trust.Load([]trust.Source{{File: dir}}, testmail.Instant())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range set.List() {
		names = append(names, a.Certificate.Subject.CommonName+" "+strings.TrimPrefix(a.Source, dir+"/"))
	}
	if want := []string{"A a.der", "B b.crt", "C c.p7b, object 1", "D c.p7b, object 2"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	var told []string
	for _, p := range problems {
		told = append(told, filepath.Base(p.File))
	}
	if want := []string{"empty.pem", "notes.txt", "z.pem"}; !slices.Equal(told, want) {
		t.Errorf("problems of %q, want %q", told, want)
	}
}

func TestLoadStops(t *testing.T) {
	root := string(testmail.NewKeys().Root(testmail.Profile{Name: "A", Kind: ec}).PEM())
	dir := folder(t, map[string]string{"good.pem": root, "bad.pem": "nothing"})
	empty := t.TempDir()
	good, bad := filepath.Join(dir, "good.pem"), filepath.Join(dir, "bad.pem")
	huge := filepath.Join(t.TempDir(), "huge.pem")
	if err := os.WriteFile(huge, []byte(root), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, 9<<20); err != nil {
		t.Fatal(err)
	}
	for title, c := range map[string]struct {
		sources []trust.Source
		says    []string
	}{
		"no such file":       {[]trust.Source{{File: good}, {File: dir + "/absent"}}, []string{"absent"}},
		"both are named":     {[]trust.Source{{File: bad}, {File: good}, {File: empty}}, []string{bad, empty}},
		"empty folder":       {[]trust.Source{{File: empty}}, []string{"no usable CA certificate"}},
		"too large":          {[]trust.Source{{File: huge}}, []string{"over 8388608 bytes"}},
		"a device":           {[]trust.Source{{File: "/dev/null"}}, []string{"not a regular file"}},
		"domain with a star": {[]trust.Source{{File: good, Domains: []string{"*.example.org"}}}, []string{"domains", "*.example.org", "write a.de"}},
		"address as domain":  {[]trust.Source{{File: good, Domains: []string{"bob@example.org"}}}, []string{"bob@example.org"}},
		"empty domain":       {[]trust.Source{{File: good, Domains: []string{""}}}, []string{"is not a domain"}},
	} {
		t.Run(title, func(t *testing.T) {
			set, _, err := trust.Load(c.sources, testmail.Instant())
			if err == nil || set != nil {
				t.Fatalf("%v, %v", set, err)
			}
			for _, s := range c.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%v does not say %q", err, s)
				}
			}
		})
	}
	if set, problems, err := trust.Load(nil, testmail.Instant()); err != nil || set.Len() != 0 || problems != nil {
		t.Error("no source is no error", err)
	}
}

func TestLoadMergesToTheNarrower(t *testing.T) {
	root := string(testmail.NewKeys().Root(testmail.Profile{Name: "A", Kind: ec}).PEM())
	dir := folder(t, map[string]string{"1.pem": root, "2.pem": root})
	one, two := dir+"/1.pem", dir+"/2.pem"
	for title, c := range map[string]struct {
		a, b    trust.Source
		domains []string
		eku     bool
		says    string
	}{
		"same":              {trust.Source{}, trust.Source{}, nil, false, "stands in"},
		"any, then a list":  {trust.Source{}, trust.Source{Domains: []string{"a.de"}}, []string{"a.de"}, false, "narrower"},
		"a list, then any":  {trust.Source{Domains: []string{"a.de"}}, trust.Source{}, []string{"a.de"}, false, "narrower"},
		"two lists":         {trust.Source{Domains: []string{"b.de", "a.de"}}, trust.Source{Domains: []string{"c.de", "B.de"}}, []string{"b.de"}, false, "narrower"},
		"nothing in common": {trust.Source{Domains: []string{"a.de"}}, trust.Source{Domains: []string{"b.de"}}, []string{}, false, "may vouch for none"},
		"permission once":   {trust.Source{AllowMissingEKU: true}, trust.Source{}, nil, false, "narrower"},
		"permission twice":  {trust.Source{AllowMissingEKU: true}, trust.Source{AllowMissingEKU: true}, nil, true, "stands in"},
	} {
		t.Run(title, func(t *testing.T) {
			c.a.File, c.b.File = one, two
			set, problems, err := trust.Load([]trust.Source{c.a, c.b}, testmail.Instant())
			if err != nil || set.Len() != 1 || len(problems) != 1 {
				t.Fatal(set, problems, err)
			}
			a := set.List()[0]
			if !slices.Equal(a.Domains, c.domains) || (a.Domains == nil) != (c.domains == nil) || a.AllowMissingEKU != c.eku {
				t.Errorf("%+v", a)
			}
			if p := problems[0]; !p.Warning || p.File != two || !strings.Contains(p.Text, c.says) || !strings.Contains(p.Text, one) {
				t.Errorf("%+v", p)
			}
		})
	}
}
