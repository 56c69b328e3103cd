package verify

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// reasons are all codes of the specification, in its order.
var reasons = strings.Fields(`message-malformed from-invalid header-duplicate auto-submitted too-big
	smime-none smime-pgp smime-encrypted smime-nested smime-certificate private-key
	dkim-none dkim-fail dkim-key dkim-unacceptable dkim-unaligned dkim-temperror
	cms-malformed cms-algorithm cms-integrity cms-signers cms-no-certificate
	cert-malformed cert-untrusted cert-incomplete cert-expired cert-not-yet-valid cert-distrusted
	cert-constraint cert-usage cert-key cert-weak cert-address cert-no-address cert-revoked cert-hold
	cert-revocation-unknown cert-revocation-none stale not-for-us cert-blocked token-required tls-required
	rate-limited recipients-split recipient-syntax busy store-full internal clock`)

func TestEveryReasonHasAReply(t *testing.T) {
	for _, reason := range reasons {
		r := ReplyFor(reason, "", "4cX9k2", "https://help.example/")
		if r.Code < 400 || r.Code > 599 {
			t.Errorf("%s: code %d", reason, r.Code)
		}
		if want := fmt.Sprint(r.Code / 100); !strings.HasPrefix(r.Enhanced, want+".") {
			t.Errorf("%s: enhanced code %s does not go with %d", reason, r.Enhanced, r.Code)
		}
		if len(r.Lines) != 3 {
			t.Errorf("%s: %d lines, want what, advice, reference: %q", reason, len(r.Lines), r.Lines)
		}
		if want := "https://help.example/ (" + reason + "; ref 4cX9k2)"; r.Lines[len(r.Lines)-1] != want {
			t.Errorf("%s: last line %q, want %q", reason, r.Lines[len(r.Lines)-1], want)
		}
	}
}

func TestReplyOnTheWire(t *testing.T) {
	got := ReplyFor("cert-address", "the certificate is for bob@example.net", "4cX9k2", "").String()
	want := "550-5.7.1 The certificate is for bob@example.net.\n" +
		"550-5.7.1 Send from the address in your certificate.\n" +
		"550 5.7.1 (cert-address; ref 4cX9k2)"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := ReplyFor("", "", "", "").String(); got != "250 2.0.0 Accepted." {
		t.Errorf("acceptance reads %q", got)
	}
}

func TestUnknownReasonIsOurTrouble(t *testing.T) {
	r := ReplyFor("no-such-reason", "text", "", "")
	if r.Code != 451 || r.Enhanced != "4.3.0" || strings.Contains(r.String(), "text") {
		t.Errorf("an unknown reason answers %s", r)
	}
}

var wire = regexp.MustCompile(`^[45]\d\d[- ][45]\.\d{1,3}\.\d{1,3} [ -~]{1,200}$`)

// FuzzReply: whatever text comes in, what goes out is at most three printable
// ASCII lines that end with the reason.
func FuzzReply(f *testing.F) {
	f.Add("dkim-fail", "a\r\n250 ok", "ref\x00", "https://x.example/%s")
	f.Add("", strings.Repeat("ü", 500), strings.Repeat("r", 500), strings.Repeat("h", 500))
	f.Fuzz(func(t *testing.T, reason, detail, ref, help string) {
		r := ReplyFor(reason, detail, ref, help)
		if r.Code == 250 {
			return
		}
		if len(r.Lines) > 3 {
			t.Fatalf("%d lines", len(r.Lines))
		}
		for _, l := range strings.Split(r.String(), "\n") {
			if !wire.MatchString(l) {
				t.Fatalf("line %q", l)
			}
		}
	})
}

// TestQuote: nothing foreign but the named characters gets through, and no
// more than 64 of them.
func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"Example CA 1":             "Example CA 1",
		"a\r\n550 no":              "a??550 no",
		"x;y=\"z\"%s":              "x?y??z??s",
		"ü":                        "??",
		strings.Repeat("a", 100):   strings.Repeat("a", 64),
		"alice@mail-1.example.org": "alice@mail-1.example.org",
	} {
		if got := Quote(in); got != want {
			t.Errorf("Quote(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestDocumentedChecks: doc/checks.md has a section for every check and names
// every reason, so that a refused sender's postmaster finds it.
func TestDocumentedChecks(t *testing.T) {
	b, err := os.ReadFile("../doc/checks.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	for _, name := range Checks() {
		if !strings.Contains(doc, "\n## "+name+"\n") {
			t.Errorf("doc/checks.md has no section %q", "## "+name)
		}
	}
	for _, reason := range reasons {
		if !strings.Contains(doc, "`"+reason+"`") {
			t.Errorf("doc/checks.md does not explain `%s`", reason)
		}
	}
}
