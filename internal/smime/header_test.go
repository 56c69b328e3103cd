package smime

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

// guard fails a test that takes longer than any linear work on its input could.
func guard(t *testing.T) {
	t.Helper()
	start := time.Now()
	t.Cleanup(func() {
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("took %v", d)
		}
	})
}

// What an MTA takes as the start of the body, repairs, or shows differently to
// different filters is an error in every transport.
func TestScanHeaderRefuses(t *testing.T) {
	const good = "From: a@example.org\r\n"
	for name, c := range map[string]struct {
		message string
		kind    HeaderErrorKind
	}{
		"leading blank on the first line": {" Received: x\r\n" + good + "\r\n", HeaderLeadingBlank},
		"leading tab on the first line":   {"\tx\r\n" + good + "\r\n", HeaderLeadingBlank},
		"line without colon":              {good + "garbage\r\nTo: b@example.org\r\n\r\n", HeaderNoColon},
		"name alone, colon on the fold":   {"From\r\n : a@example.org\r\n\r\n", HeaderNoColon},
		"8-bit name":                      {good + "S\xfcbject: x\r\n\r\n", HeaderName},
		"UTF-8 name":                      {good + "Sübject: x\r\n\r\n", HeaderName},
		"byte order mark":                 {"\xef\xbb\xbfFrom: a@example.org\r\n\r\n", HeaderName},
		"empty name":                      {good + ": x\r\n\r\n", HeaderName},
		"NUL in the name":                 {"Fr\x00om: a@example.org\r\n\r\n", HeaderNUL},
		"NUL in the value":                {"From: a@example.org\x00.evil.example\r\n\r\n", HeaderNUL},
		"control in the name":             {"Fr\x01om: a@example.org\r\n\r\n", HeaderName},
		"DEL in the name":                 {"From\x7f: a@example.org\r\n\r\n", HeaderName},
		"blank before the colon":          {"From : a@example.org\r\n\r\n", HeaderName},
		"tab before the colon":            {"From\t: a@example.org\r\n\r\n", HeaderName},
		"blank inside the name":           {"Reply To: a@example.org\r\n\r\n", HeaderName},
		"separator of a mailbox file":     {"From a@example.org Thu Jan  1 00:00:00 1970\r\n" + good + "\r\n", HeaderName},
		"bare CR":                         {"Subject: a\rFrom: b@example.org\r\n\r\n", HeaderBareCR},
		"bare CR before CRLF":             {"Subject: a\r\r\n" + good + "\r\n", HeaderBareCR},
		"bare CR on an empty line":        {good + "\r\r\n\r\n", HeaderBareCR},
		"bare LF":                         {"Subject: a\nFrom: b@example.org\r\n\r\n", HeaderBareLF},
		"bare LF as the empty line":       {good + "\nbody\r\n", HeaderBareLF},
		"truncated":                       {good + "To: b@examp", HeaderTruncated},
		"truncated after CR":              {good + "To: b@example.org\r", HeaderTruncated},
		"truncated name":                  {"Fro", HeaderTruncated},
	} {
		h, body, err := ScanHeader([]byte(c.message), DefaultHeaderLimits())
		var he *HeaderError
		if !errors.As(err, &he) || he.Kind != c.kind {
			t.Errorf("%s: error %v, want kind %s", name, err, c.kind)
			continue
		}
		if h.Fields != nil || h.Raw != nil || body != nil {
			t.Errorf("%s: a refused header gave something", name)
		}
		if he.Detail == "" || strings.ContainsAny(he.Detail, "\r\n\x00") {
			t.Errorf("%s: detail %q", name, he.Detail)
		}
	}
}

func TestScanHeaderSplits(t *testing.T) {
	for name, c := range map[string]struct {
		message string
		fields  []string // Name=Value
		body    string
	}{
		"ordinary":        {"From: a@example.org\r\nSubject:x\r\n\r\nbody\r\n", []string{"From=a@example.org", "Subject=x"}, "body\r\n"},
		"folded":          {"Subject: one\r\n\ttwo\r\n  three\r\n\r\n", []string{"Subject=one\ttwo  three"}, ""},
		"folded at once":  {"References:\r\n <a@example.org>\r\n\r\n", []string{"References=<a@example.org>"}, ""},
		"blank fold":      {"Subject: x\r\n \r\n y\r\n\r\n", []string{"Subject=x  y"}, ""},
		"empty value":     {"X-Empty:\r\nX-Blank: \t\r\n\r\n", []string{"X-Empty=", "X-Blank="}, ""},
		"8-bit value":     {"Subject: \xfc\r\n\r\n", []string{"Subject=\xfc"}, ""},
		"colons in value": {"X: a:b: c\r\n\r\n", []string{"X=a:b: c"}, ""},
		"odd name":        {"x!#$%&'*+-/=?^_`{|}~\"(),;<>@[\\]: v\r\n\r\n", []string{"x!#$%&'*+-/=?^_`{|}~\"(),;<>@[\\]=v"}, ""},
		"header only":     {"From: a@example.org\r\n", []string{"From=a@example.org"}, ""},
		"empty body":      {"From: a@example.org\r\n\r\n", []string{"From=a@example.org"}, ""},
		"no fields":       {"\r\nbody", nil, "body"},
		"nothing":         {"", nil, ""},
		"body is no header": {"A: b\r\n\r\nC: d\r\n\r\n \x00\r\r\n",
			[]string{"A=b"}, "C: d\r\n\r\n \x00\r\r\n"},
	} {
		h, body, err := ScanHeader([]byte(c.message), DefaultHeaderLimits())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, f := range h.Fields {
			got = append(got, f.Name+"="+f.Value())
		}
		if strings.Join(got, "|") != strings.Join(c.fields, "|") || string(body) != c.body {
			t.Errorf("%s: %q, body %q", name, got, body)
		}
	}
}

func TestScanHeaderLimits(t *testing.T) {
	lim := HeaderLimits{Bytes: 100, Fields: 3, FieldBytes: 40, FieldLines: 4}
	filled := func(n int) string { return "X: " + strings.Repeat("a", n-5) + "\r\n" } // n bytes
	for name, c := range map[string]struct {
		within, beyond string
	}{
		"block":       {filled(40) + filled(40) + filled(20), filled(40) + filled(40) + filled(21)},
		"fields":      {"A:\r\nB:\r\nC:\r\n", "A:\r\nB:\r\nC:\r\nD:\r\n"},
		"field":       {filled(40), filled(41)},
		"fold bytes":  {filled(20) + " " + strings.Repeat("b", 17) + "\r\n", filled(20) + " " + strings.Repeat("b", 18) + "\r\n"},
		"field lines": {"A:\r\n \r\n \r\n \r\n", "A:\r\n \r\n \r\n \r\n \r\n"},
		"endless":     {filled(40), "X: " + strings.Repeat("a", 1000)},
	} {
		for _, end := range []string{"", "\r\n", "\r\nbody\r\n"} {
			if _, _, err := ScanHeader([]byte(c.within+end), lim); err != nil {
				t.Errorf("%s, within: %v", name, err)
			}
			_, _, err := ScanHeader([]byte(c.beyond+end), lim)
			var he *HeaderError
			if !errors.As(err, &he) || he.Kind != HeaderTooLarge {
				t.Errorf("%s, beyond: %v", name, err)
			}
		}
	}
}

// A fold must cost what its bytes cost: libraries that join continuation lines
// one by one copy the field once for each.
func TestScanHeaderFoldsWithoutCopies(t *testing.T) {
	short := []byte("A: x\r\n" + strings.Repeat(" y\r\n", 10) + "\r\n")
	long := []byte("A: x\r\n" + strings.Repeat(" y\r\n", 490) + "\r\n")
	count := func(message []byte) float64 {
		return testing.AllocsPerRun(10, func() {
			if _, _, err := ScanHeader(message, DefaultHeaderLimits()); err != nil {
				t.Fatal(err)
			}
		})
	}
	if s, l := count(short), count(long); s != l {
		t.Errorf("10 folds: %v allocations, 490 folds: %v", s, l)
	}
}

func TestHeaderLookup(t *testing.T) {
	h, _, err := ScanHeader([]byte("To: 1\r\nTO: 2\r\nto: 3\r\nCc: 4\r\n\r\n"), DefaultHeaderLimits())
	if err != nil {
		t.Fatal(err)
	}
	if all := h.All("tO"); len(all) != 3 || all[0].Value() != "1" || all[2].Value() != "3" {
		t.Errorf("All: %v", all)
	}
	if f, ok := h.First("cc"); !ok || f.Value() != "4" || string(f.Raw) != "Cc: 4\r\n" {
		t.Errorf("First: %v %v", f, ok)
	}
	if _, ok := h.First("Bcc"); ok || h.Has("Bcc") || h.All("Bcc") != nil || !h.Has("CC") {
		t.Error("Bcc is there, or Cc is not")
	}
}

func FuzzScanHeader(f *testing.F) {
	for _, s := range []string{
		"From: a@example.org\r\n\r\nbody", "A: b\r\n c\r\n\td\r\n\r\n", " x\r\n", "From : a\r\n\r\n",
		"\xef\xbb\xbfA: b\r\n\r\n", "A\r\n :b\r\n", ":\r\n", "A: \x00\r\n", "A: \r\r\n", "A: b\nC: d\r\n", "", "\r\n", "A:b",
	} {
		f.Add([]byte(s))
	}
	lim := HeaderLimits{Bytes: 4096, Fields: 50, FieldBytes: 1000, FieldLines: 20}
	f.Fuzz(func(t *testing.T, message []byte) {
		guard(t)
		h, body, err := ScanHeader(message, lim)
		if err != nil {
			var he *HeaderError
			if !errors.As(err, &he) {
				t.Fatalf("error of type %T", err)
			}
			return
		}
		var joined []byte
		for _, f := range h.Fields {
			if f.Name == "" || !bytes.HasPrefix(f.Raw, []byte(f.Name+":")) || !bytes.HasSuffix(f.Raw, crlf) {
				t.Fatalf("field %q %q", f.Name, f.Raw)
			}
			if strings.ContainsAny(f.Value(), "\r\n\x00") {
				t.Fatalf("value %q", f.Value())
			}
			joined = append(joined, f.Raw...)
		}
		if !bytes.Equal(joined, h.Raw) {
			t.Fatalf("fields %q are not the header %q", joined, h.Raw)
		}
		whole := append(joined, crlf...)
		whole = append(whole, body...)
		if !bytes.Equal(whole, message) && !(body == nil && bytes.Equal(h.Raw, message)) {
			t.Fatalf("header %q and body %q are not the message %q", h.Raw, body, message)
		}
	})
}
