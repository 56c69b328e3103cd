package verify

import (
	"slices"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
)

func TestRelate(t *testing.T) {
	for _, tt := range []struct {
		signing, author string
		want            relation
	}{
		{"example.org", "example.org", equal},
		{"example.org", "mail.example.org", above},
		{"mail.example.org", "a.mail.example.org", above},
		{"mail.example.org", "example.org", below},
		{"a.b.example.org", "example.org", below},
		{"news.example.org", "mail.example.org", beside},
		{"a.b.example.org", "b.example.org", below},
		{"a.b.example.org", "c.example.org", beside},
		{"example.net", "example.org", foreign},
		{"badexample.org", "example.org", foreign},
		{"example.org.evil.example", "example.org", foreign},
		{"example.co.uk", "other.co.uk", foreign},
		// Public suffixes.
		{"co.uk", "example.co.uk", foreign},
		{"uk", "example.co.uk", foreign},
		{"github.io", "anna.github.io", foreign},
		{"bob.github.io", "anna.github.io", foreign},
		{"bob.github.io", "github.io", foreign},
		{"github.io", "github.io", equal},
		{"anna.github.io", "mail.anna.github.io", above},
		// A public suffix in between: a stranger's name below that of a company.
		{"bucket.s3.amazonaws.com", "amazonaws.com", foreign},
		// Names that the list lacks.
		{"onmicrosoft.com", "tenant.onmicrosoft.com", foreign},
		{"tenant.onmicrosoft.com", "tenant.onmicrosoft.com", equal},
		{"other.onmicrosoft.com", "tenant.onmicrosoft.com", foreign},
		{"tenant.onmicrosoft.com", "onmicrosoft.com", foreign},
		{"tenant.onmicrosoft.com", "mail.tenant.onmicrosoft.com", above},
		{"tenant.onmicrosoft.com", "example.org", foreign},
		{"onmicrosoft.com", "tenant.mail.onmicrosoft.com", foreign},
		{"mail.onmicrosoft.com", "tenant.mail.onmicrosoft.com", foreign},
		{"example-org.20230601.gappssmtp.com", "example.org", foreign},
		{"20230601.gappssmtp.com", "example-org.20230601.gappssmtp.com", foreign},
		{"other.20230601.gappssmtp.com", "example-org.20230601.gappssmtp.com", foreign},
		// A top-level domain of one's own house.
		{"corp.internal", "mail.corp.internal", above},
		{"internal", "corp.internal", foreign},
	} {
		if got := relate(tt.signing, tt.author); got != tt.want {
			t.Errorf("%s for %s: %d, want %d", tt.signing, tt.author, got, tt.want)
		}
	}
}

func TestOrganisation(t *testing.T) {
	for in, want := range map[string]string{
		"example.org": "example.org", "a.b.example.org": "example.org", "org": "", "": "",
		"a.example.co.uk": "example.co.uk", "co.uk": "", "github.io": "", "a.github.io": "a.github.io",
		"a.b.onmicrosoft.com": "b.onmicrosoft.com", "onmicrosoft.com": "",
		"x.t.20230601.gappssmtp.com": "t.20230601.gappssmtp.com", "20230601.gappssmtp.com": "",
	} {
		if got := organisation(in); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// TestAlignment: every relation in every mode, and what DMARC makes of it. The
// author is at mail.example.org.
func TestAlignment(t *testing.T) {
	const author = "mail.example.org"
	aligned := func(d string) string { return "aligned " + d }
	type zone map[string]string // below _dmarc.
	tests := []struct {
		name   string
		mode   string
		signer string
		dmarc  zone
		want   string
		asked  string // DMARC questions, below _dmarc.
	}{
		{"equal", Relaxed, author, nil, aligned(author), ""},
		{"equal, strict", Strict, author, nil, aligned(author), ""},
		{"equal, organisation", Organisation, author, nil, aligned(author), ""},
		{"equal, whatever DMARC says", Relaxed, author, zone{author: "v=DMARC1; adkim=s; psd=y"}, aligned(author), ""},
		{"above", Relaxed, "example.org", nil, aligned("example.org"), "mail.example.org example.org"},
		{"above, strict", Strict, "example.org", nil, isForeign, ""},
		{"above, organisation", Organisation, "example.org", nil, aligned("example.org"), "mail.example.org example.org"},
		{"above, an unknown mode", "lax", "example.org", nil, isForeign, ""},
		{"below", Relaxed, "a.mail.example.org", nil, aligned("a.mail.example.org"), "mail.example.org example.org"},
		{"below, strict", Strict, "a.mail.example.org", nil, isForeign, ""},
		{"below, two labels", Relaxed, "b.a.mail.example.org", nil, aligned("b.a.mail.example.org"), "mail.example.org example.org a.mail.example.org"},
		{"beside", Relaxed, "news.example.org", nil, isForeign, ""},
		{"beside, organisation", Organisation, "news.example.org", nil, aligned("news.example.org"), "mail.example.org example.org"},
		{"beside, strict", Strict, "news.example.org", nil, isForeign, ""},
		{"elsewhere, organisation", Organisation, "example.net", nil, isForeign, ""},

		{"DMARC relaxed", Relaxed, "example.org", zone{author: "v=DMARC1; p=none; adkim=r"}, aligned("example.org"), "mail.example.org example.org"},
		{"DMARC strict", Relaxed, "example.org", zone{author: "v=DMARC1; p=none; adkim=s"}, isForeign, "mail.example.org"},
		{"DMARC strict, below", Relaxed, "a.mail.example.org", zone{author: "v=DMARC1; adkim=s"}, isForeign, "mail.example.org"},
		{"DMARC strict, beside", Organisation, "news.example.org", zone{author: "v=DMARC1; adkim=s"}, isForeign, "mail.example.org"},
		{"DMARC of the organisation is strict", Relaxed, "example.org", zone{"example.org": "v=DMARC1; adkim=s"}, isForeign, "mail.example.org example.org"},
		{"the author's record hides the organisation's", Relaxed, "a.mail.example.org", zone{author: "v=DMARC1", "example.org": "v=DMARC1; adkim=s"}, aligned("a.mail.example.org"), "mail.example.org"},
		{"DMARC trouble", Relaxed, "example.org", zone{author: testmail.TempError}, isTempLate, "mail.example.org"},
		{"DMARC trouble of the organisation", Relaxed, "a.mail.example.org", zone{"example.org": testmail.TempError}, isTempLate, "mail.example.org example.org"},
		{"DMARC trouble, equal", Relaxed, author, zone{author: testmail.TempError}, aligned(author), ""},

		{"the parent is a public suffix by its own word", Relaxed, "example.org", zone{"example.org": "v=DMARC1; psd=y"}, isForeign, "mail.example.org example.org"},
		{"the author's domain is one, signed below", Relaxed, "a.mail.example.org", zone{author: "v=DMARC1; psd=y"}, isForeign, "mail.example.org"},
		{"one in between", Relaxed, "b.a.mail.example.org", zone{"a.mail.example.org": "v=DMARC1; psd=y"}, isForeign, "mail.example.org example.org a.mail.example.org"},
		{"the signer is one, which is its own affair", Relaxed, "a.mail.example.org", zone{"a.mail.example.org": "v=DMARC1; psd=y"}, aligned("a.mail.example.org"), "mail.example.org example.org"},
		{"psd=n", Relaxed, "example.org", zone{"example.org": "v=DMARC1; psd=n"}, aligned("example.org"), "mail.example.org example.org"},
		{"the organisation is one, signed beside", Organisation, "news.example.org", zone{"example.org": "v=DMARC1; psd=y"}, isForeign, "mail.example.org example.org"},
		{"many names below", Relaxed, strings.Repeat("a.", 12) + author, nil, isForeign, "mail.example.org example.org"},
	}
	base := newDKIMRig()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := base.again()
			r.policy.Alignment = tt.mode
			for name, record := range tt.dmarc {
				r.zone.Add("_dmarc."+name, record)
			}
			f := r.expect(t, r.signer(tt.signer, "s1").Sign(letter(author)), tt.want)
			var asked []string
			for _, name := range r.asked {
				if domain, ok := strings.CutPrefix(name, "_dmarc."); ok {
					asked = append(asked, domain)
				}
			}
			if got := strings.Join(asked, " "); got != tt.asked {
				t.Errorf("asked %q, want %q", got, tt.asked)
			}
			if row := f.report.Result("alignment"); strings.HasPrefix(tt.want, "alignment fail") && !strings.Contains(row.Detail, "From is in mail.example.org") {
				t.Errorf("says %q", row.Detail)
			}
		})
	}
}

// TestAlignmentSeveral: signatures of the house that hold, of which only some
// are aligned once DMARC is known.
func TestAlignmentSeveral(t *testing.T) {
	const author = "mail.example.org"
	t.Run("the second is", func(t *testing.T) {
		r := newDKIMRig()
		r.zone.Add("_dmarc.example.org", "v=DMARC1; psd=y")
		m := r.signer("example.org", "s1").Sign(r.signer("a.mail.example.org", "s1").Sign(letter(author)))
		f := r.expect(t, m, "aligned a.mail.example.org")
		if !slices.Contains(f.report.Evidence.TXT, `_dmarc.example.org TXT "v=DMARC1; psd=y"`) {
			t.Errorf("answers kept: %q", f.report.Evidence.TXT)
		}
	})
	t.Run("the one of the author's domain could not be verified", func(t *testing.T) {
		r := newDKIMRig()
		r.zone.Add("_dmarc."+author, "v=DMARC1; adkim=s")
		equal := r.unpublished(author, "s1")
		r.zone.Add(equal.Name(), testmail.TempError)
		r.expect(t, equal.Sign(r.signer("example.org", "s1").Sign(letter(author))), isTempLate)
	})
	t.Run("the one of the author's domain failed", func(t *testing.T) {
		r := newDKIMRig()
		r.zone.Add("_dmarc."+author, "v=DMARC1; adkim=s")
		equal := r.signer(author, "s1")
		equal.SpoilSignature = true
		r.expect(t, equal.Sign(r.signer("example.org", "s1").Sign(letter(author))), isForeign)
	})
	t.Run("DNS trouble about one, the other is", func(t *testing.T) {
		r := newDKIMRig()
		r.zone.Add("_dmarc."+author, "v=DMARC1").Add("_dmarc.example.org", testmail.TempError)
		m := r.signer("example.org", "s1").Sign(r.signer("a.mail.example.org", "s1").Sign(letter(author)))
		r.expect(t, m, "aligned a.mail.example.org")
	})
	t.Run("DNS trouble about one, the other is not", func(t *testing.T) {
		r := newDKIMRig()
		r.zone.Add("_dmarc."+author, "v=DMARC1; psd=y").Add("_dmarc.example.org", testmail.TempError)
		m := r.signer("example.org", "s1").Sign(r.signer("a.mail.example.org", "s1").Sign(letter(author)))
		r.expect(t, m, isTempLate)
	})
	t.Run("the one above could not be verified, the one below is a stranger's", func(t *testing.T) {
		r := newDKIMRig()
		r.zone.Add("_dmarc."+author, "v=DMARC1; psd=y")
		above := r.unpublished("example.org", "s1")
		r.zone.Add(above.Name(), testmail.TempError)
		r.expect(t, above.Sign(r.signer("a.mail.example.org", "s1").Sign(letter(author))), isTempLate)
	})
	t.Run("the one above could not be verified and would not be", func(t *testing.T) {
		r := newDKIMRig()
		r.zone.Add("_dmarc."+author, "v=DMARC1; psd=y").Add("_dmarc.example.org", "v=DMARC1; psd=y")
		above := r.unpublished("example.org", "s1")
		r.zone.Add(above.Name(), testmail.TempError)
		r.expect(t, above.Sign(r.signer("a.mail.example.org", "s1").Sign(letter(author))), isForeign)
	})
}
