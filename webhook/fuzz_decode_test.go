package webhook

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// FuzzDecode holds decode against encoding/json: what ours takes is JSON and
// says the same there, and what is a well-formed post of the usual shape ours
// takes. How the body is cut into reads changes nothing.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		msgOK, `[]`, `[{"msys":{}}]`, `[` + msgOK + `,{"msys":{"relay_message":` + msgOK + `}}]`,
		`{"rcpt_to":"c","msg_from":"<>","webhook_id":1.5e-3,"customer_id":"x","content":{"email_rfc822":"bQ0K","email_rfc822_is_base64":true,"x":[null,true,false,-0]}}`,
		`{"rcpt_to":"\u00e4\ud83d\ude00ä😀","email_rfc822":"\"\\\/\b\f\n\r\t\u0000"}`,
		`{"rcpt_to":"c","email_rfc822":"\n\ud800"}`, `[` + msgOK + `,{"x\udc00\ud800\u0041":"\ud800\n"},` + msgOK + `,{"x":"\ud800"}]`, "{\"rcpt_to\":\"\xff\"}", `{"rcpt_to":"c","rcpt_to":"c"}`, `[{"msys":{"message_event":{}}}]`,
		`{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		ours, damage, err := readAll(t, bytes.NewReader(body))
		slowly, slowDamage, slowErr := readAll(t, iotest.OneByteReader(bytes.NewReader(body)))
		if fmt.Sprint(ours, damage, err) != fmt.Sprint(slowly, slowDamage, slowErr) {
			t.Fatalf("whole: %+v, %v, %v; bytewise: %+v, %v, %v", ours, damage, err, slowly, slowDamage, slowErr)
		}
		var form *formError
		var big *tooBigError
		if err != nil && !errors.As(err, &form) && !errors.As(err, &big) {
			t.Fatalf("an error of no kind: %v", err)
		}
		theirs, ok := referencePost(body)
		switch {
		case err == nil && !ok:
			t.Fatalf("taken, but encoding/json sees no post in it")
		case err == nil && len(ours) != len(theirs):
			t.Fatalf("%d events, encoding/json sees %d", len(ours), len(theirs))
		case errors.As(err, &form) && ok && !ambiguous(body) && !hasDamage(theirs):
			t.Fatalf("refused: %v", err)
		}
		for i := range ours {
			if err == nil && ours[i] != theirs[i] && !(ours[i].damaged && ambiguous(body)) {
				t.Fatalf("event %d: %+v, encoding/json says %+v", i, ours[i], theirs[i])
			}
		}
	})
}

func hasDamage(all []readEvent) bool {
	return slices.ContainsFunc(all, func(g readEvent) bool { return g.damaged })
}

// referencePost reads a post with encoding/json, written as simply as can be. An
// event of which it can make nothing is a damaged one.
func referencePost(body []byte) ([]readEvent, bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber() // 1e999 is a number
	var v any
	if d.Decode(&v) != nil {
		return nil, false
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, false
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var all []readEvent
	for _, v := range list {
		g, ok := referenceEvent(v)
		if !ok {
			g = readEvent{damaged: true}
		}
		all = append(all, g)
	}
	return all, true
}

func referenceEvent(v any) (readEvent, bool) {
	o, ok := v.(map[string]any)
	if !ok {
		return readEvent{}, false
	}
	if wrapper, there := o["msys"]; there {
		for _, key := range strings.Fields("msg_from rcpt_to content email_rfc822 email_rfc822_is_base64") {
			if _, there := o[key]; there {
				return readEvent{}, false
			}
		}
		w, ok := wrapper.(map[string]any)
		if !ok {
			return readEvent{}, false
		}
		inner, there := w["relay_message"]
		if !there {
			return readEvent{from: "unsaid", ping: true}, true
		}
		if o, ok = inner.(map[string]any); !ok {
			return readEvent{}, false
		}
	}
	content := map[string]any{}
	if c := o["content"]; c != nil {
		if content, ok = c.(map[string]any); !ok {
			return readEvent{}, false
		}
	}
	g := readEvent{from: "unsaid"}
	good := refText(o["msg_from"], &g.from) && refText(o["rcpt_to"], &g.to)
	if g.from == "<>" {
		g.from = ""
	}
	outer, inner := o["email_rfc822"], content["email_rfc822"]
	flag := content["email_rfc822_is_base64"]
	if beside := o["email_rfc822_is_base64"]; flag == nil {
		flag = beside
	} else if beside != nil && beside != flag {
		return readEvent{}, false
	}
	_, isBool := flag.(bool)
	if outer != nil && inner != nil || outer == nil && inner == nil || flag != nil && !isBool || g.to == "" {
		return readEvent{}, false
	}
	good = good && len(g.from) <= maxAddress && len(g.to) <= maxAddress && refText(outer, &g.message) && refText(inner, &g.message)
	if flag == true {
		m, err := base64.StdEncoding.Strict().DecodeString(g.message)
		if err != nil {
			return readEvent{}, false
		}
		g.message = string(m)
	}
	if !strings.Contains(g.message, "\r\n") {
		g.message = strings.ReplaceAll(g.message, "\n", "\r\n")
	}
	return g, good
}

func refText(v any, to *string) bool {
	s, ok := v.(string)
	if ok {
		*to = s
	}
	return ok || v == nil
}

// ambiguous says whether encoding/json would quietly make something of a body:
// replace what is no character, or take the last of two.
func ambiguous(body []byte) bool {
	if !utf8.Valid(body) {
		return true
	}
	if lower := bytes.ToLower(body); bytes.Contains(lower, []byte(`\ud`)) {
		return true // perhaps a lone surrogate; pairs are in the table of tests
	}
	d := json.NewDecoder(bytes.NewReader(body))
	return keyTwice(d)
}

// keyTwice says whether any object of the value has a key two times.
func keyTwice(d *json.Decoder) bool {
	t, _ := d.Token()
	found := false
	switch t {
	case json.Delim('['):
		for d.More() {
			found = keyTwice(d) || found
		}
	case json.Delim('{'):
		keys := map[any]bool{}
		for d.More() {
			key, _ := d.Token()
			found = found || keys[key]
			keys[key] = true
			found = keyTwice(d) || found
		}
	default:
		return false
	}
	_, _ = d.Token()
	return found
}

// FuzzBase64 holds the streaming decoder against encoding/base64, however the
// text is cut.
func FuzzBase64(f *testing.F) {
	for _, seed := range []string{"", "QQ==", "Q\r\nQ=\n=", "QUJD\nQUJD", "QR==", "QQ==QQ=="} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, in string, cut int) {
		want, wantErr := base64.StdEncoding.Strict().DecodeString(in)
		got, err := decodeAll(in, max(1, min(cut, 1<<20)))
		if (err == nil) != (wantErr == nil) || err == nil && got != string(want) {
			t.Fatalf("%q: %q, %v; encoding/base64 says %q, %v", in, got, err, want, wantErr)
		}
	})
}
