package verify

import (
	"crypto/ed25519"
	"crypto/rsa"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/smime"
)

func TestParseTags(t *testing.T) {
	tags, err := parseTags(" v = 1 ;\r\n\ta=\t rsa-sha256\r\n ; z=a=b ; empty= ; X_9=;; ")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"v": "1", "a": "rsa-sha256", "z": "a=b", "empty": "", "X_9": ""} {
		if got, ok := tags[name]; !ok || got != want {
			t.Errorf("%s: %q, %v, want %q", name, got, ok, want)
		}
	}
	if len(tags) != 5 {
		t.Errorf("%d tags: %q", len(tags), tags)
	}
	for _, bad := range []string{"v", "v=1; a", "=1", "v=1; v=1", "1v=1", "_v=1", "v v=1", "v\x00=1", "\u00a0v=1",
		"v\v=1", "v=1;\f;", manyTags(maxTags + 1)} {
		if tags, err := parseTags(bad); err == nil {
			t.Errorf("%q: %q", bad, tags)
		}
	}
	if _, err := parseTags(manyTags(maxTags)); err != nil {
		t.Error(err)
	}
}

func manyTags(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("t" + strings.Repeat("a", i) + "=1;")
	}
	return b.String()
}

// FuzzDKIMTags reads a signature out of anything. Whatever passes the reading
// is fit to be asked about: a host name, a selector, a covered From.
func FuzzDKIMTags(f *testing.F) {
	f.Add(" v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=s1; h=From:To;\r\n bh=" + strings.Repeat("A", 43) + "=; b=AAAA")
	f.Add(" v=1; a=ed25519-sha256; d=b\u00fccher.example; s=a.b; i=x@y.xn--bcher-kva.example; t=1; x=2; q=dns/txt; h=from; bh=; b=")
	f.Add("v=1;;;=;a")
	header, _, err := smime.ScanHeader([]byte("From: a@example.org\r\nTo: b\r\nTo: c\r\n\r\n"), smime.DefaultHeaderLimits())
	if err != nil {
		f.Fatal(err)
	}
	v := &Verifier{Policy: DefaultPolicy(), Now: func() time.Time { return rigTime }}
	f.Fuzz(func(t *testing.T, in string) {
		start := time.Now()
		facts := newFacts(v.Begin(Envelope{}))
		facts.author = &smime.Address{Local: "a", Domain: "example.org"}
		facts.header = smime.Header{Fields: append([]smime.Field{{Name: "DKIM-Signature", Raw: []byte("DKIM-Signature:" + in + "\r\n")}}, header.Fields...)}
		facts.readSignatures()
		s := &facts.signatures[0]
		if took := time.Since(start); took > 10*time.Second {
			t.Fatalf("%d bytes took %v", len(in), took)
		}
		checkSafe(t, facts.dkimRow())
		if s.status != "" {
			if s.plain == "" || s.reason == "" {
				t.Errorf("%q is refused without a word", in)
			}
			return
		}
		if !dnsLabels(s.keyName()) || len(s.keyName()) > 253 || !strings.Contains(s.domain, ".") ||
			!s.covers("From") || len(s.bodyHash) != 32 || !strings.HasSuffix(s.identity, s.domain) {
			t.Errorf("%q is taken: %+v", in, s)
		}
	})
}

func FuzzKeyRecord(f *testing.F) {
	f.Add("v=DKIM1; k=ed25519; p=" + strings.Repeat("A", 43) + "=")
	f.Add("v=DKIM1; k=rsa; t=y:s; h=sha256; s=email; p=AAAA")
	f.Add("p=\nv=DKIM1")
	f.Fuzz(func(t *testing.T, in string) {
		start := time.Now()
		key, err := readKey(strings.Split(in, "\n"))
		if took := time.Since(start); took > 10*time.Second {
			t.Fatalf("%d bytes took %v", len(in), took)
		}
		if err != nil {
			checkSafe(t, Result{Detail: err.Error()})
			return
		}
		if key.bits < 1 || key.kind != "rsa" && key.kind != "ed25519" {
			t.Errorf("%q gives %+v", in, key)
		}
		switch key.public.(type) {
		case *rsa.PublicKey, ed25519.PublicKey:
		default:
			t.Errorf("%q gives a key of type %T", in, key.public)
		}
	})
}
