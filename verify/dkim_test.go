package verify

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/certinbox/certinbox/internal/testmail"
)

const (
	isAligned  = "aligned example.org"
	isNone     = "dkim none dkim-none"
	isFail     = "dkim fail dkim-fail"
	isBadKey   = "dkim permerror dkim-key"
	isPolicy   = "dkim policy dkim-unacceptable"
	isBroken   = "dkim permerror dkim-unacceptable"
	isTemp     = "dkim temperror dkim-temperror"
	isForeign  = "alignment fail dkim-unaligned"
	isTempLate = "alignment temperror dkim-temperror"
)

// TestDKIMSettings: each setting of a signature, with a word that the refusal
// must name. Every message but the changed ones verifies cryptographically.
func TestDKIMSettings(t *testing.T) {
	old := func(d time.Duration) string { return testTime(rigTime.Add(d)) }
	tests := []struct {
		name  string
		tags  []string
		want  string
		plain string
	}{
		{"ordinary", nil, isAligned, ""},
		{"t= now", []string{"t=" + old(0)}, isAligned, ""},
		{"t= within the skew", []string{"t=" + old(59*time.Minute)}, isAligned, ""},
		{"t= a day ahead", []string{"t=" + old(24*time.Hour)}, isPolicy, "future (t=)"},
		{"t= just beyond the skew", []string{"t=" + old(time.Hour+time.Second)}, isPolicy, "future (t=)"},
		{"t= no number", []string{"t=soon"}, isBroken, "t="},
		{"t= negative", []string{"t=-1"}, isBroken, "t="},
		{"x= far ahead", []string{"t=" + old(0), "x=999999999999"}, isAligned, ""},
		{"x= expired", []string{"x=" + old(-time.Second)}, isPolicy, "expired (x=)"},
		{"x= before t=", []string{"t=" + old(50*time.Minute), "x=" + old(40*time.Minute)}, isPolicy, "before it is made"},
		{"x= equal to t=", []string{"t=" + old(50*time.Minute), "x=" + old(50*time.Minute)}, isPolicy, "before it is made"},
		{"x= over int64", []string{"x=99999999999999999999"}, isBroken, "x="},
		{"x= of thirteen digits", []string{"x=9999999999999"}, isBroken, "x="},
		{"l= of a part", []string{"l=3"}, isPolicy, "l="},
		{"l= of everything", []string{"l=29"}, isPolicy, "l="},
		{"l= over everything", []string{"l=100000"}, isPolicy, "l="},
		{"l= empty", []string{"+l= "}, isPolicy, "l="},
		{"v=2", []string{"v=2"}, isPolicy, "version"},
		{"v=0.5", []string{"v=0.5"}, isPolicy, "version"},
		{"v=01", []string{"v=01"}, isPolicy, "version"},
		{"v= missing", []string{"v="}, isPolicy, "version"},
		{"i= of the domain", []string{"i=anna@example.org"}, isAligned, ""},
		{"i= below the domain", []string{"i=@mail.example.org"}, isAligned, ""},
		{"i= without @", []string{"i=example.org"}, isPolicy, "i="},
		{"i= elsewhere", []string{"i=anna@example.net"}, isPolicy, "i= outside"},
		{"i= that only ends like it", []string{"i=anna@badexample.org"}, isPolicy, "i= outside"},
		{"i= above", []string{"i=@org"}, isPolicy, "i="},
		{"i= in another case", []string{"i=@EXAMPLE.org"}, isAligned, ""},
		{"i= with an @ in the local part", []string{"i=a@b@example.org"}, isAligned, ""},
		{"i= with control characters", []string{"i=a\x01\xff@example.org"}, isAligned, ""},
		{"q= dns/txt among others", []string{"q=foo/bar:dns/txt"}, isAligned, ""},
		{"q= something else", []string{"q=foo/bar"}, isPolicy, "q="},
		{"c= unknown", []string{"c=nofws/simple"}, isPolicy, "c="},
		{"c= with a third part", []string{"c=relaxed/relaxed/relaxed"}, isPolicy, "c="},
		{"a= rsa-sha1", []string{"a=rsa-sha1"}, isPolicy, "SHA-1"},
		{"a= upper case", []string{"a=RSA-SHA256"}, isPolicy, "algorithm"},
		{"a= unknown", []string{"a=rsa-sha512"}, isPolicy, "algorithm"},
		{"d= with a blank", []string{"d=exam ple.org"}, isPolicy, "d="},
		{"d= with a fold", []string{"d=example.\r\n org"}, isPolicy, "d="},
		{"d= with a final dot", []string{"d=example.org."}, isPolicy, "d="},
		{"d= of one label", []string{"d=org"}, isPolicy, "d="},
		{"d= with a leading hyphen", []string{"d=-x.example.org"}, isPolicy, "d="},
		{"d= with an underscore", []string{"d=_acme-challenge.example.org"}, isPolicy, "d="},
		{"d= with a NUL-like byte", []string{"d=example.org\x01"}, isPolicy, "d="},
		{"d= too long", []string{"d=" + strings.Repeat("a.", 130) + "example.org"}, isPolicy, "d="},
		{"d= of a label too long", []string{"d=" + strings.Repeat("a", 64) + ".example.org"}, isPolicy, "d="},
		{"d= in another case", []string{"d=Example.ORG"}, isAligned, ""},
		{"d= missing", []string{"d="}, isBroken, "d="},
		{"s= with a blank", []string{"s=s 1"}, isPolicy, "s="},
		{"s= with an empty label", []string{"s=s..1"}, isPolicy, "s="},
		{"s= with a slash", []string{"s=s/1"}, isPolicy, "s="},
		{"s= too long with its domain", []string{"s=" + strings.Repeat("a.", 115) + "a"}, isPolicy, "s="},
		{"s= missing", []string{"s="}, isBroken, "s="},
		{"a= missing", []string{"a="}, isBroken, "a="},
		{"h= missing", []string{"h="}, isBroken, "h="},
		{"bh= missing", []string{"bh="}, isBroken, "bh="},
		{"bh= of another length", []string{"bh=AAAA"}, isBroken, "bh="},
		{"bh= no base64", []string{"bh=?"}, isBroken, "bh="},
		{"bh= of another body", []string{"bh=" + base64.StdEncoding.EncodeToString(make([]byte, 32))}, isFail, "body"},
		{"a tag twice", []string{"+d=example.org"}, isBroken, "repeated"},
		{"a tag twice, otherwise", []string{"+s=other"}, isBroken, "repeated"},
		{"a tag without a value", []string{"+x y=1"}, isBroken, "impossible name"},
		{"a tag with a foreign blank before it", []string{"+\u00a0l=1"}, isBroken, "impossible name"},
		{"z= with a b= in it", []string{"z=From:Bob=20x<bob@example.org>"}, isAligned, ""},
		{"z= without", []string{"z=From:Anna=20x<anna@example.org>"}, isAligned, ""},
		{"i= with a b= in it", []string{"i=b=20@example.org"}, isAligned, ""},
		{"unknown tags", []string{"+foo=bar", "+X_1=2"}, isAligned, ""},
		{"h= without From", []string{"h=To:Subject"}, isPolicy, "From"},
		{"h= with a name that is none", []string{"h=From:a b"}, isBroken, "h="},
		{"h= with a foreign blank", []string{"h=To:From\u00a0"}, isBroken, "h="},
	}
	base := newDKIMRig()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := base.again()
			d := r.signer("example.org", "s1")
			d.Tags = tt.tags
			f := r.expect(t, d.Sign(letter("example.org")), tt.want)
			if got := f.report.Results[1].Plain; !strings.Contains(got, tt.plain) || (tt.want == isAligned) != (got == "") {
				t.Errorf("says %q, want something about %q", got, tt.plain)
			}
			if tt.want == isPolicy || tt.want == isBroken {
				if len(r.asked) != 0 {
					t.Errorf("asked %q for a signature that can never pass", r.asked)
				}
			}
		})
	}
}

// testTime writes a time as DKIM does.
func testTime(at time.Time) string { return big.NewInt(at.Unix()).String() }

func TestDKIMCoverage(t *testing.T) {
	tests := []struct {
		name    string
		headers []string
		message testmail.Message
		want    string
		covers  string
		not     string
	}{
		{"as large senders sign, without To", []string{"From", "Date", "Subject", "Message-ID", "Content-Type", "MIME-Version"}, letter("example.org"), isAligned, "From Date DATE subject", "To"},
		{"without Content-Type", []string{"mime-version", "from", "date", "message-id", "subject", "to", "cc"}, letter("example.org"), isAligned, "To", "Content-Type Cc"},
		{"empty element", []string{"From", "", "To"}, letter("example.org"), isAligned, "From To", ""},
		{"more often than there are", []string{"From", "From", "Date", "Date"}, letter("example.org"), isAligned, "From Date", "Subject"},
		{"named, but absent", []string{"From", "Date"}, letter("example.org").Without("Date"), isAligned, "From", "Date"},
		{"two fields, one covered", []string{"From", "Comments"}, letter("example.org").With("Comments: a", "Comments: b"), isAligned, "From", "Comments"},
		{"two fields, both covered", []string{"From", "Comments", "Comments"}, letter("example.org").With("Comments: a", "Comments: b"), isAligned, "Comments", ""},
	}
	base := newDKIMRig()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := base.again()
			d := r.signer("example.org", "s1")
			d.Headers = tt.headers
			f := r.expect(t, d.Sign(tt.message), tt.want)
			for name := range strings.FieldsSeq(tt.covers) {
				if !f.aligned.covers(name) {
					t.Errorf("does not cover %s", name)
				}
			}
			for name := range strings.FieldsSeq(tt.not) {
				if f.aligned.covers(name) {
					t.Errorf("covers %s", name)
				}
			}
		})
	}
	if (*dkimSignature)(nil).covers("From") {
		t.Error("no signature covers From")
	}
}

// TestDKIMChanges: what happens on the way to a message that was signed.
func TestDKIMChanges(t *testing.T) {
	over := func(name string) []string { return []string{"From", "To", "Subject", "Date", name} }
	tests := []struct {
		name    string
		headers []string
		change  func(m testmail.Message) []byte
		want    string
	}{
		{"nothing", nil, testmail.Message.Bytes, isAligned},
		{"body", nil, func(m testmail.Message) []byte { m.Body = append(m.Body, "footer\r\n"...); return m.Bytes() }, isFail},
		{"empty lines at the end", nil, func(m testmail.Message) []byte { m.Body = append(m.Body, "\r\n\r\n"...); return m.Bytes() }, isAligned},
		{"white space, relaxed", nil, func(m testmail.Message) []byte {
			m.Body = bytes.ReplaceAll(m.Body, []byte("  "), []byte("\t"))
			return m.Set("Subject:my certificate").Bytes()
		}, isAligned},
		{"a covered field", nil, func(m testmail.Message) []byte { return m.Set("Subject: yours").Bytes() }, isFail},
		{"a field more below, not oversigned", nil, func(m testmail.Message) []byte { return m.With("Comments: x").Bytes() }, isAligned},
		{"a field more, oversigned", over("Comments"), func(m testmail.Message) []byte { return m.With("Comments: x").Bytes() }, isFail},
		{"another From on top", nil, func(m testmail.Message) []byte { return m.On("From: evil@example.org").Bytes() }, "message permerror from-invalid"},
		{"another From, both covered", []string{"From", "From"}, func(m testmail.Message) []byte { return m.On("From: evil@example.org").Bytes() }, "message permerror from-invalid"},
		{"another Subject on top", nil, func(m testmail.Message) []byte { return m.On("Subject: x").Bytes() }, "message permerror header-duplicate"},
		{"blank before the colon of From", nil, func(m testmail.Message) []byte { return m.Set("From : Anna <anna@example.org>").Bytes() }, "message permerror message-malformed"},
		{"bare CR in the body", nil, func(m testmail.Message) []byte { m.Body = append(m.Body, "a\rb\r\n"...); return m.Bytes() }, "message permerror message-malformed"},
		{"signature removed", nil, func(m testmail.Message) []byte { return m.Without("DKIM-Signature").Bytes() }, isNone},
		{"an Authentication-Results that says pass", nil, func(m testmail.Message) []byte {
			return m.Without("DKIM-Signature").On("Authentication-Results: mx.example.com; dkim=pass header.d=example.org").Bytes()
		}, isNone},
	}
	base := newDKIMRig()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := base.again()
			d := r.signer("example.org", "s1")
			d.Headers = tt.headers
			f := r.judge(t, tt.change(d.Sign(letter("example.org"))))
			if got := f.verdict(); got != tt.want {
				t.Errorf("%s, want %s; %+v", got, tt.want, f.report.Results)
			}
		})
	}
}

func TestDKIMCanonicalForms(t *testing.T) {
	base := newDKIMRig()
	for name, edit := range map[string]func(d *testmail.DKIM, m *testmail.Message){
		"simple":                   func(d *testmail.DKIM, m *testmail.Message) { d.Simple = true },
		"simple, c= absent":        func(d *testmail.DKIM, m *testmail.Message) { d.Simple, d.Tags = true, []string{"c="} },
		"simple, c= without slash": func(d *testmail.DKIM, m *testmail.Message) { d.Simple, d.Tags = true, []string{"c=simple"} },
		"empty body, simple":       func(d *testmail.DKIM, m *testmail.Message) { d.Simple, m.Body = true, nil },
		"empty body, relaxed":      func(d *testmail.DKIM, m *testmail.Message) { m.Body = nil },
		"no final line end":        func(d *testmail.DKIM, m *testmail.Message) { m.Body = []byte("Hello") },
		"folded fields":            func(d *testmail.DKIM, m *testmail.Message) { *m = m.Set("Subject: a\r\n\tb\r\n c") },
		"ed25519":                  func(d *testmail.DKIM, m *testmail.Message) { d.Key = base.keys.Key("ed25519", "k") },
		"rsa 2048":                 func(d *testmail.DKIM, m *testmail.Message) { d.Key = base.keys.Key("rsa2048", "k") },
	} {
		t.Run(name, func(t *testing.T) {
			r := base.again()
			d, m := r.unpublished("example.org", "s1"), letter("example.org")
			edit(&d, &m)
			r.zone.Add(d.Name(), d.Record())
			r.expect(t, d.Sign(m), isAligned)
		})
	}
}

// TestDKIMOfTheLibrary: signatures of another maker, in every canonicalisation.
func TestDKIMOfTheLibrary(t *testing.T) {
	r := newDKIMRig()
	r.at = time.Now() // it writes t= by the real clock
	d := r.signer("example.org", "s1")
	forms := []dkim.Canonicalization{dkim.CanonicalizationSimple, dkim.CanonicalizationRelaxed}
	for _, header := range forms {
		for _, body := range forms {
			var signed bytes.Buffer
			err := dkim.Sign(&signed, bytes.NewReader(letter("example.org").Bytes()), &dkim.SignOptions{
				Domain: "example.org", Selector: "s1", Signer: d.Key, Hash: crypto.SHA256,
				HeaderCanonicalization: header, BodyCanonicalization: body})
			if err != nil {
				t.Fatal(err)
			}
			if got := r.judge(t, signed.Bytes()).verdict(); got != isAligned {
				t.Errorf("%s/%s: %s", header, body, got)
			}
		}
	}
}

func TestReadForms(t *testing.T) {
	for _, tt := range []struct {
		c                string
		header, body, ok bool
	}{
		{"", false, false, true},
		{"simple", false, false, true},
		{"relaxed", true, false, true}, // RFC 6376 section 3.5: the body is then simple
		{"simple/relaxed", false, true, true},
		{"relaxed/simple", true, false, true},
		{"relaxed/relaxed", true, true, true},
		{"relaxed/", true, false, false},
		{"/relaxed", false, true, false},
		{"Relaxed/Relaxed", false, false, false},
	} {
		var s dkimSignature
		if ok := s.readForms(tt.c); ok != tt.ok || s.relaxedHeader != tt.header || s.relaxedBody != tt.body {
			t.Errorf("%q: %v, header %v, body %v", tt.c, ok, s.relaxedHeader, s.relaxedBody)
		}
	}
}

func TestDKIMKeyRecords(t *testing.T) {
	r := newDKIMRig()
	good := r.unpublished("example.org", "s1").Record()
	p := good[strings.Index(good, "p=")+2:]
	rsaPublic := r.keys.Key("rsa1024", "example.org").Public().(*rsa.PublicKey)
	huge := rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 8192, 1), E: 65537}
	weak := r.keys.Key("rsa512", "weak").Public().(*rsa.PublicKey)
	tests := []struct {
		name    string
		records []string
		tags    []string // of the signature
		want    string
		says    string // in Plain for policy, in Detail else
	}{
		{"good", []string{good}, nil, isAligned, ""},
		{"without v=", []string{"k=rsa; p=" + p}, nil, isAligned, ""},
		{"v= not first", []string{"k=rsa; v=DKIM1; p=" + p}, nil, isAligned, ""},
		{"without k=", []string{"p=" + p}, nil, isAligned, ""},
		{"white space in p=", []string{"v=DKIM1; p=" + p[:20] + "\t" + p[20:40] + " \r\n" + p[40:]}, nil, isAligned, ""},
		{"PKCS#1 in p=", []string{"v=DKIM1; p=" + base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(rsaPublic))}, nil, isAligned, ""},
		{"h= with sha256", []string{"v=DKIM1; h=sha1 : sha256; p=" + p}, nil, isAligned, ""},
		{"s= email", []string{"v=DKIM1; s=tlsrpt:email; p=" + p}, nil, isAligned, ""},
		{"s= *", []string{"v=DKIM1; s=*; p=" + p}, nil, isAligned, ""},
		{"unknown flags and notes", []string{"v=DKIM1; t=x:z; n=a=20note; g=; p=" + p}, nil, isAligned, ""},
		{"beside records that are no keys", []string{"v=spf1 -all", "google-site-verification=x", good, "", "p", "v=DKIM2; p=" + p}, nil, isAligned, ""},
		{"t=s without i=", []string{"v=DKIM1; t=s; p=" + p}, nil, isAligned, ""},
		{"t=s with i= of the domain", []string{"v=DKIM1; t=s; p=" + p}, []string{"i=anna@example.org"}, isAligned, ""},
		{"t=s with i= below", []string{"v=DKIM1; t=s; p=" + p}, []string{"i=anna@mail.example.org"}, isPolicy, "t=s"},
		{"t=y", []string{"v=DKIM1; t=y; p=" + p}, nil, isPolicy, "t=y"},
		{"t= s:y", []string{"v=DKIM1; t= s : y; p=" + p}, nil, isPolicy, "t=y"},
		{"s= without email", []string{"v=DKIM1; s=tlsrpt; p=" + p}, nil, isPolicy, "s="},
		{"none", nil, nil, isBadKey, "s1._domainkey.example.org"},
		{"none that is a key", []string{"v=spf1 -all", ""}, nil, isBadKey, "no key record"},
		{"two", []string{good, good}, nil, isBadKey, "several"},
		{"a good one and a broken one", []string{good, "v=DKIM1; p"}, nil, isBadKey, "several"},
		{"revoked", []string{"v=DKIM1; p="}, nil, isBadKey, "revoked"},
		{"without p=", []string{"v=DKIM1; k=rsa"}, nil, isBadKey, "no p="},
		{"v=DKIM2", []string{"v=DKIM2; p=" + p}, nil, isBadKey, "no key record"},
		{"v= in another case", []string{"v=dkim1; p=" + p}, nil, isBadKey, "no key record"},
		{"a tag twice", []string{"v=DKIM1; p=" + p + "; p=" + p}, nil, isBadKey, "repeated"},
		{"p= no base64", []string{"v=DKIM1; p=***"}, nil, isBadKey, "not base64"},
		{"p= no key", []string{"v=DKIM1; p=AAAA"}, nil, isBadKey, "not an RSA key"},
		{"p= too long", []string{"v=DKIM1; p=" + strings.Repeat("AAAA", 2000)}, nil, isBadKey, "too long"},
		{"k= unknown", []string{"v=DKIM1; k=dsa; p=" + p}, nil, isBadKey, "kind"},
		{"k= upper case", []string{"v=DKIM1; k=RSA; p=" + p}, nil, isBadKey, "kind"},
		{"k= ed25519 with an RSA key", []string{"v=DKIM1; k=ed25519; p=" + p}, nil, isBadKey, "not an Ed25519 key"},
		{"ed25519 key for an RSA signature", []string{"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(make([]byte, 32))}, nil, isBadKey, "another kind"},
		{"h= without sha256", []string{"v=DKIM1; h=sha1; p=" + p}, nil, isBadKey, "SHA-256"},
		{"RSA of 512 bits", []string{"v=DKIM1; p=" + keyText(weak)}, nil, isPolicy, "1024 bits"},
		{"RSA of more than 8192 bits", []string{"v=DKIM1; p=" + keyText(&huge)}, nil, isPolicy, "8192 bits"},
		{"another key", []string{"v=DKIM1; p=" + keyText(r.keys.Key("rsa1024", "other").Public().(*rsa.PublicKey))}, nil, isFail, "header"},
		{"DNS trouble", []string{testmail.TempError}, nil, isTemp, "DNS"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := r.again()
			d := r.unpublished("example.org", "s1")
			d.Tags = tt.tags
			r.zone[d.Name()] = tt.records
			f := r.expect(t, d.Sign(letter("example.org")), tt.want)
			row := f.report.Results[1]
			said := row.Detail
			if tt.want == isPolicy {
				said = row.Plain
			}
			if !strings.Contains(said, tt.says) {
				t.Errorf("says %q, want something about %q", said, tt.says)
			}
			if tt.want == isBadKey && (!strings.Contains(row.Detail, "s1._domainkey.example.org") || strings.Contains(row.Plain, "example")) {
				t.Errorf("detail %q should name the record, plain %q should not", row.Detail, row.Plain)
			}
		})
	}
}

func keyText(k *rsa.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(k)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

func TestDKIMMinimumOfThePolicy(t *testing.T) {
	r := newDKIMRig()
	r.policy.MinRSABits = 2048
	m := r.signer("example.org", "s1").Sign(letter("example.org"))
	f := r.expect(t, m, isPolicy)
	if got := f.report.Results[1].Plain; !strings.Contains(got, "2048") {
		t.Error(got)
	}
	r.policy.MinRSABits = 1024
	f = r.expect(t, m, isAligned)
	if got := f.report.Results[1].Detail; !strings.Contains(got, "1024 bits (weak") {
		t.Error(got)
	}
}

// TestDKIMPastTime: x= is judged at the time of the judgement, whatever the real one.
func TestDKIMPastTime(t *testing.T) {
	r := newDKIMRig()
	r.at = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	d := r.signer("example.org", "s1")
	d.Tags = []string{"t=" + testTime(r.at), "x=" + testTime(r.at.AddDate(0, 1, 0))}
	m := d.Sign(letter("example.org"))
	r.expect(t, m, isAligned)
	r.at = r.at.AddDate(0, 1, 0)
	r.expect(t, m, isAligned)
	r.at = r.at.Add(time.Second)
	f := r.expect(t, m, isPolicy)
	if got := f.report.Results[1].Plain; !strings.Contains(got, "expired (x=)") {
		t.Error(got)
	}
}

// TestDKIMRow: what the row says of a signature that holds, and what is kept.
func TestDKIMRow(t *testing.T) {
	r := newDKIMRig()
	d := r.signer("example.org", "s1")
	d.Tags = []string{"i=anna@mail.example.org"}
	m := d.Sign(letter("example.org"))
	f := r.expect(t, m, isAligned)
	props := map[string]string{}
	for _, p := range f.report.Results[1].Props {
		props[p.Name] = p.Value
	}
	b := m.Fields[0][strings.LastIndex(m.Fields[0], "b=")+2:]
	for name, want := range map[string]string{"header.d": "example.org", "header.s": "s1", "header.i": "anna@mail.example.org",
		"header.a": "rsa-sha256", "header.b": b[:8], "policy.key-bits": "1024"} {
		if props[name] != want {
			t.Errorf("%s is %q, want %q", name, props[name], want)
		}
	}
	e := f.report.Evidence
	if string(e.DKIMSignature) != m.Fields[0]+"\r\n" {
		t.Errorf("field kept: %q", e.DKIMSignature)
	}
	if want := strings.Join(letter("example.org").Fields, "\r\n") + "\r\n"; string(e.Signed) != want {
		t.Errorf("fields kept: %q", e.Signed)
	}
	if !strings.Contains(m.Fields[0], "bh="+base64.StdEncoding.EncodeToString(e.BodyHash)+";") {
		t.Errorf("body hash kept: %x", e.BodyHash)
	}
	if want := `s1._domainkey.example.org TXT "` + d.Record() + `"`; len(e.TXT) != 1 || e.TXT[0] != want {
		t.Errorf("answers kept: %q", e.TXT)
	}
}
