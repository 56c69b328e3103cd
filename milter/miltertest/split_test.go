package miltertest

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// What Postfix shows a filter of what it was sent.
func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		fields   []Field
		body     string
	}{
		{"plain", "A: 1\r\nB:2\r\n\r\nx\r\n", []Field{{"A", " 1"}, {"B", "2"}}, "x\r\n"},
		{"bare LF", "A: 1\nB: 2\n\nx\n", []Field{{"A", " 1"}, {"B", " 2"}}, "x\r\n"},
		{"bare CR", "A: a\rb\r\n\r\nx\ry\r\n", []Field{{"A", " a b"}}, "x y\r\n"},
		{"folded", "A: 1\r\n\t2 \r\n 3\r\n\r\n", []Field{{"A", " 1\n\t2 \n 3"}}, ""},
		{"blank before the colon", "From : a\r\n\r\n", []Field{{"From", " a"}}, ""},
		{"NUL in a value", "A: 1\x002\r\nB: 3\r\n\r\n", []Field{{"A", " 1"}, {"B", " 3"}}, ""},
		{"no colon", "A: 1\r\nnone\r\nB: 2\r\n", []Field{{"A", " 1"}}, "none\r\nB: 2\r\n"},
		{"8-bit name", "\xc3\xa4: 1\r\n\r\nx", nil, "\xc3\xa4: 1\r\n\r\nx"},
		{"leading blank", " A: 1\r\n\r\nx", nil, " A: 1\r\n\r\nx"},
		{"empty name", ": 1\r\n\r\nx", nil, ": 1\r\n\r\nx"},
		{"empty value", "A:\r\n\r\n", []Field{{"A", ""}}, ""},
		{"no final line end", "A: 1", []Field{{"A", " 1"}}, ""},
		{"long field", "A:" + strings.Repeat("x", 70000) + "\r\n\r\n", []Field{{"A", strings.Repeat("x", 60000)}}, ""},
		{"empty", "", nil, ""},
	} {
		fields, body := Split([]byte(tt.in))
		if len(fields) != len(tt.fields) || string(body) != tt.body {
			t.Errorf("%s: got %.200q and %.100q", tt.name, fields, body)
			continue
		}
		for i := range fields {
			if fields[i] != tt.fields[i] {
				t.Errorf("%s: field %d is %.100q, want %.100q", tt.name, i, fields[i], tt.fields[i])
			}
		}
	}
}

// FuzzSplit: a message that is split and joined again is split alike, and no
// field holds what the protocol cannot carry.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{"A: 1\r\n\r\nx", "A : 1\n 2\n\n", "\r\n", " x", "A: \x00\r\r\n", ":", "A"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		began := time.Now()
		fields, body := Split(message)
		var joined bytes.Buffer
		for _, field := range fields {
			if field.Name == "" || strings.ContainsAny(field.Name, "\x00\r\n: \t") || strings.ContainsAny(field.Value, "\x00\r") {
				t.Fatalf("field %q", field)
			}
			joined.WriteString(field.Name + ":" + strings.ReplaceAll(field.Value, "\n", "\r\n") + "\r\n")
		}
		joined.WriteString("\r\n")
		joined.Write(body)
		again, rest := Split(joined.Bytes())
		if len(again) != len(fields) || !bytes.Equal(rest, body) {
			t.Fatalf("%q gives %q and %q, then %q and %q", message, fields, body, again, rest)
		}
		if d := time.Since(began); d > 2*time.Second {
			t.Fatalf("%d bytes took %v", len(message), d)
		}
	})
}
