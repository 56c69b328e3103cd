package webhook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// A readEvent is what a test sees of an event.
type readEvent struct {
	from, to, webhook, customer, protocol string
	ping                                  bool
	message                               string
}

// heldLedger counts what is held, as a server would.
type heldLedger struct{ held, most int }

func (l *heldLedger) limits(message int64) decodeLimits {
	return decodeLimits{
		message: message,
		hold: func(n int) error {
			l.held += n
			l.most = max(l.most, l.held)
			return nil
		},
		release: func(n int) { l.held -= n },
	}
}

// readPost decodes a body and writes every message. Nothing may be held at the end.
func readPost(t testing.TB, body io.Reader) ([]readEvent, error) {
	t.Helper()
	var all []readEvent
	var l heldLedger
	err := decode(body, l.limits(1<<20), func(e *event) error {
		g := readEvent{from: "unsaid", to: e.Recipient, webhook: e.WebhookID, customer: e.CustomerID, protocol: e.Protocol, ping: e.Ping}
		if e.Sender != nil {
			g.from = *e.Sender
		}
		var b bytes.Buffer
		n, err := e.WriteTo(&b)
		if n != int64(b.Len()) {
			t.Errorf("WriteTo says %d bytes, wrote %d", n, b.Len())
		}
		g.message = b.String()
		all = append(all, g)
		return err
	})
	if l.held != 0 {
		t.Errorf("%d bytes are still held", l.held)
	}
	return all, err
}

func TestDialects(t *testing.T) {
	whole := readEvent{from: "a@x.example", to: "c@y.example", webhook: "85006171274531012", customer: "1026", protocol: "smtp", message: "A: b\r\n\r\nc\r\n"}
	ping := readEvent{from: "unsaid", ping: true}
	short := readEvent{from: "unsaid", to: "c", message: "m\r\n"}
	null := readEvent{to: "c", message: "m\r\n"}
	for _, c := range []struct {
		name, body string
		want       []readEvent
	}{
		{"SparkPost", `[{"msys":{"relay_message":{"rcpt_to":"c@y.example","friendly_from":"z","customer_id":"1026","content":{"subject":"s","headers":[{"A":"b"},{}],
			"email_rfc822":"A: b\r\n\r\nc\r\n","email_rfc822_is_base64":false,"to":["x"]},"msg_from":"a@x.example","webhook_id":"85006171274531012","protocol":"smtp"}}}]`, []readEvent{whole}},
		{"ids as numbers", `[{"msys":{"relay_message":{"rcpt_to":"c@y.example","customer_id":1026,"content":{"email_rfc822":"A: b\r\n\r\nc\r\n"},
			"msg_from":"a@x.example","webhook_id":85006171274531012,"protocol":"smtp"}}}]`, []readEvent{whole}},
		{"ids as odd numbers", `{"rcpt_to":"c","webhook_id":-0.5e+10 ,"customer_id":0,"email_rfc822":"m\r\n"}`, []readEvent{{from: "unsaid", to: "c", webhook: "-0.5e+10", customer: "0", message: "m\r\n"}}},
		{"alone", `{"msys":{"relay_message":{"rcpt_to":"c","content":{"email_rfc822":"m\r\n"}}}}`, []readEvent{short}},
		{"PowerMTA", `{"rcpt_to":"c","content":{"email_rfc822":"m\r\n","headers":[]}}`, []readEvent{short}},
		{"PowerMTA, flat", `{"email_rfc822":"m\r\n","rcpt_to":"c"}`, []readEvent{short}},
		{"base64 in content, before", `{"rcpt_to":"c","content":{"email_rfc822_is_base64":true,"email_rfc822":"bQ0K"}}`, []readEvent{short}},
		{"base64 in content, after", `{"rcpt_to":"c","content":{"email_rfc822":"bQ0K","email_rfc822_is_base64":true}}`, []readEvent{short}},
		{"base64 beside, before", `{"email_rfc822_is_base64":true,"rcpt_to":"c","content":{"email_rfc822":"bQ0K"}}`, []readEvent{short}},
		{"base64 beside, after", `{"rcpt_to":"c","content":{"email_rfc822":"bQ0K"},"email_rfc822_is_base64":true}`, []readEvent{short}},
		{"base64 said in both places", `{"rcpt_to":"c","content":{"email_rfc822":"bQ0K","email_rfc822_is_base64":true},"email_rfc822_is_base64":true}`, []readEvent{short}},
		{"null sender", `{"rcpt_to":"c","msg_from":"","email_rfc822":"m\r\n"}`, []readEvent{null}},
		{"null sender in brackets", `{"rcpt_to":"c","msg_from":"<>","email_rfc822":"m\r\n"}`, []readEvent{null}},
		{"nulls are not there", `{"rcpt_to":"c","msg_from":null,"webhook_id":null,"protocol":null,"content":null,"email_rfc822_is_base64":null,"email_rfc822":"m\r\n"}`, []readEvent{short}},
		{"empty message", `{"rcpt_to":"c","email_rfc822":""}`, []readEvent{{from: "unsaid", to: "c"}}},
		{"ping", `[{"msys":{}}]`, []readEvent{ping}},
		{"ping alone, with blanks", " \r\n\t{ \"msys\" : { } } \n", []readEvent{ping}},
		{"another kind of event", `[{"msys":{"message_event":{"rcpt_to":"x","type":"delivery"}}}]`, []readEvent{ping}},
		{"another kind beside", `[{"msys":{"x":1,"relay_message":{"rcpt_to":"c","email_rfc822":"m\r\n"},"y":[]},"z":{}}]`, []readEvent{short}},
		{"nothing", `[]`, nil},
		{"several", `[{"msys":{}},{"msys":{"relay_message":{"rcpt_to":"c","email_rfc822":"m\r\n"}}},{"rcpt_to":"c","email_rfc822":"m\r\n"}]`, []readEvent{ping, short, short}},
		{"escaped keys", `{"rcpt\u005fto":"c","email_rfc822":"m\r\n"}`, []readEvent{short}},
		{"keys in capitals are others", `{"RCPT_TO":1,"rcpt_to":"c","email_rfc822":"m\r\n"}`, []readEvent{short}},
		{"a key that is too long to be ours", `{"` + strings.Repeat("k", 5000) + `":1,"rcpt_to":"c","email_rfc822":"m\r\n"}`, []readEvent{short}},
	} {
		for name, r := range bodyReaders(c.body) {
			all, err := readPost(t, r)
			if err != nil || fmt.Sprintf("%+v", all) != fmt.Sprintf("%+v", c.want) {
				t.Errorf("%s, %s: %+v, %v; want %+v", c.name, name, all, err, c.want)
			}
		}
	}
}

func TestEscapes(t *testing.T) {
	const in = `\"\\\/\b\f\n\r\t\u0000\u0041\u00e4\u00E4\u20ac\uFFFD\ud83d\ude00\uD800\uDC00\udbff\udfff\\u0041` + "\x7f\u00e4\u20ac\ufffd\U0001f600"
	const want = "\"\\/\b\f\r\n\r\t\x00A\u00e4\u00e4\u20ac\ufffd\U0001f600\U00010000\U0010ffff\\u0041\x7f\u00e4\u20ac\ufffd\U0001f600"
	for name, r := range bodyReaders(`{"rcpt_to":"c","email_rfc822":"` + in + `"}`) {
		if all, err := readPost(t, r); err != nil || all[0].message != want {
			t.Errorf("%s: %+v, %v", name, all, err)
		}
	}
}

// bodyReaders gives a body whole and in the smallest steps.
func bodyReaders(body string) map[string]io.Reader {
	return map[string]io.Reader{
		"whole":    strings.NewReader(body),
		"bytewise": iotest.OneByteReader(strings.NewReader(body)),
		"data+EOF": iotest.DataErrReader(strings.NewReader(body)),
	}
}

const msgOK = `{"rcpt_to":"c","email_rfc822":"m\r\n"}`

func TestWrongBodies(t *testing.T) {
	for _, c := range []struct{ body, says string }{
		{"", "byte 0: the body is empty"},
		{" \n", "byte 2: the body is empty"},
		{"\xef\xbb\xbf[]", "byte 0: a byte order mark"},
		{`"x"`, "byte 0: no relay post"},
		{`null`, "byte 0: no relay post"},
		{`17`, "no relay post"},
		{`[`, "byte 1: ends too early"},
		{`[{"msys":{}}`, "ends too early"},
		{`[{"msys":{}},]`, "event 1 is not an object"},
		{`[1]`, "event 0 is not an object"},
		{`[[]]`, "event 0 is not an object"},
		{`[{"msys":{}} {"msys":{}}]`, `neither a comma nor "]"`},
		{`[{"msys":{}}] x`, "byte 14: something after the end"},
		{`[{"msys":{}}][]`, "something after the end"},
		{`{}`, "event 0 has neither msys nor a message"},
		{`[{"msys":{}},{"x":1}]`, "event 1 has neither msys nor a message"},
		{`{"msys":null}`, "msys is not an object"},
		{`{"msys":[]}`, "msys is not an object"},
		{`{"msys":{"relay_message":null}}`, "relay_message is not an object"},
		{`{"msys":{},"msys":{}}`, "has msys twice"},
		{`{"msys":{"relay_message":` + msgOK + `,"relay_message":` + msgOK + `}}`, "has relay_message twice"},
		{`{"msys":{},"rcpt_to":"x"}`, "both msys and fields"},
		{`{"rcpt_to":"x","msys":{}}`, "both msys and fields"},
		{`{"msys":{"relay_message":` + msgOK + `},"msg_from":"x"}`, "both msys and fields"},
		{`[{"msys":{"relay_message":{"email_rfc822":"x"}}}]`, "event 0 has no rcpt_to"},
		{`{"rcpt_to":null,"email_rfc822":"x"}`, "has no rcpt_to"},
		{`{"rcpt_to":"","email_rfc822":"x"}`, "has no rcpt_to"},
		{`{"rcpt_to":"x"}`, "has no content.email_rfc822"},
		{`{"rcpt_to":"x","content":{"email_rfc822":null}}`, "has no content.email_rfc822"},
		{`{"rcpt_to":["x"]}`, "rcpt_to is not a string"},
		{`{"msg_from":5}`, "msg_from is not a string"},
		{`{"webhook_id":true}`, "webhook_id is not a string"},
		{`{"content":"x"}`, "content is not an object"},
		{`{"email_rfc822":{}}`, "email_rfc822 is not a string"},
		{`{"rcpt_to":"x","rcpt_to":"x"}`, "has rcpt_to twice"},
		{`{"rcpt_to":null,"rcpt_to":"x"}`, "has rcpt_to twice"},
		{`{"msg_from":"x","msg_from":"x"}`, "has msg_from twice"},
		{`{"webhook_id":1,"webhook_id":1}`, "has webhook_id twice"},
		{`{"content":{},"content":{}}`, "has content twice"},
		{`{"email_rfc822":"x","content":{"email_rfc822":"x"}}`, "has email_rfc822 twice"},
		{`{"content":{"email_rfc822":null,"email_rfc822":"x"}}`, "has email_rfc822 twice"},
		{`{"email_rfc822_is_base64":null,"email_rfc822_is_base64":true}`, "has email_rfc822_is_base64 twice"},
		{`{"email_rfc822_is_base64":true,"content":{"email_rfc822_is_base64":false}}`, "twice, and they differ"},
		{`{"email_rfc822_is_base64":"true"}`, "neither true nor false"},
		{`{"email_rfc822_is_base64":1}`, "neither true nor false"},
		{`{"email_rfc822_is_base64":tru}`, "not a JSON value"},
		{`{"rcpt_to":"x","email_rfc822":"bQ0K!A==","email_rfc822_is_base64":true}`, "byte 30: event 0: email_rfc822 is damaged base64 at its character 4"},
		{`{"x":1,}`, "no key where one must be"},
		{`{x:1}`, "no key where one must be"},
		{`{"x" 1}`, "no colon"},
		{`{"x":}`, "not a JSON value"},
		{`{"x":[1,]}`, "not a JSON value"},
		{`{"x":/**/1}`, "not a JSON value"},
		{`{"x":NaN}`, "not a JSON value"},
		{`{"x":01}`, `neither a comma nor "}"`},
		{`{"x":+1}`, "not a JSON value"},
		{`{"x":1.}`, "not a JSON value"},
		{`{"x":.5}`, "not a JSON value"},
		{`{"x":1e}`, "not a JSON value"},
		{`{"x":-}`, "not a JSON value"},
		{`{"x":-`, "byte 6: ends too early"},
		{`{"x":"a`, "ends too early"},
		{`{"x":"\`, "ends too early"},
		{`{"x":"\u12`, "ends too early"},
		{`{"x":"\ud83d`, "ends too early"},
		{`{"x":tr`, "ends too early"},
		{"{\"x\":\"\xe2\x82", "ends too early"},
		{`{"x":'a'}`, "not a JSON value"},
		{"{\"x\":\"a\nb\"}", "byte 7: a control character"},
		{"{\"x\":\"\x00\"}", "a control character"},
		{`{"x":"\(555\)"}`, "byte 6: an escape that JSON does not have"},
		{`{"x":"\+1"}`, "an escape that JSON does not have"},
		{`{"x":"\'"}`, "an escape that JSON does not have"},
		{`{"x":"\U00e9"}`, "an escape that JSON does not have"},
		{`{"x":"\u00g0"}`, "four hexadecimal digits"},
		{`{"x":"\ud800"}     `, "byte 6: a lone surrogate"},
		{`{"x":"\udc00"}`, "a lone surrogate"},
		{`{"x":"\ud800\u0041"}`, "a lone surrogate"},
		{`{"x":"\ud800\ud800"}`, "a lone surrogate"},
		{`{"x":"\ud800\n      "}`, "a lone surrogate"},
		{"{\"x\":\"\xff\"}", "byte 6: a string is not valid UTF-8"},
		{"{\"x\":\"\xc0\xaf\"}", "not valid UTF-8"},         // overlong
		{"{\"x\":\"\xed\xa0\xbd\"}", "not valid UTF-8"},     // a surrogate
		{"{\"x\":\"\xf4\x90\x80\x80\"}", "not valid UTF-8"}, // over U+10FFFF
		{"{\"x\":\"\xe2\x82\"}", "not valid UTF-8"},         // cut short
		{"{\"\xff\":1}", "not valid UTF-8"},
		{`{"\ud800":1}      `, "a lone surrogate"},
		{"{\"rcpt_to\":\"c\",\"email_rfc822\":\"caf\xe9\"}", "byte 34: a string is not valid UTF-8"},
		{"\xff", "no relay post"},
		{"[]\xff", "something after the end"},
	} {
		for name, r := range bodyReaders(c.body) {
			_, err := readPost(t, r)
			var form *formError
			if !errors.As(err, &form) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s, %s: %v; want a formError with %q", c.body, name, err, c.says)
			}
		}
	}
}

func TestTooBig(t *testing.T) {
	nested := func(n int) string { return `{"x":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `,` + msgOK[1:] }
	for _, c := range []struct{ body, says string }{
		{nested(31), ""},
		{nested(32), "nested deeper than 32"},
		{`[` + strings.Repeat(`{"msys":{}},`, 9999) + `{"msys":{}}]`, ""},
		{`[` + strings.Repeat(`{"msys":{}},`, 10000) + `{"msys":{}}]`, "more than 10000 events"},
		{`{"msg_from":"` + strings.Repeat("a", 4096) + `",` + msgOK[1:], ""},
		{`{"msg_from":"` + strings.Repeat("a", 4097) + `",` + msgOK[1:], "msg_from is longer than 4096 bytes"},
		{`{"rcpt_to":"` + strings.Repeat("a", 5000), "rcpt_to is longer"},
		{`{"webhook_id":"` + strings.Repeat("7", 65), "webhook_id is longer than 64 bytes"},
		{`{"customer_id":` + strings.Repeat("7", 65), "customer_id is longer than 64 bytes"},
		{`{"customer_id":` + strings.Repeat("7", 64) + `,` + msgOK[1:], ""},
		{`{"rcpt_to":"c","email_rfc822":"` + strings.Repeat("a", 1<<20) + `"}`, ""},
		{`{"rcpt_to":"c","email_rfc822":"` + strings.Repeat("a", 1<<20+1), "a message is larger than allowed"},
	} {
		_, err := readPost(t, strings.NewReader(c.body))
		var big *tooBigError
		if c.says == "" && err != nil || c.says != "" && (!errors.As(err, &big) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%.80s…: %v; want %q", c.body, err, c.says)
		}
	}
}

// What the source, the limits and the caller say comes back as they said it.
func TestErrorsOfOthers(t *testing.T) {
	gone := errors.New("client gone")
	for n := range len(msgOK) {
		_, err := readPost(t, io.MultiReader(strings.NewReader(msgOK[:n]), iotest.ErrReader(gone)))
		if !errors.Is(err, gone) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
	if _, err := readPost(t, io.MultiReader(strings.NewReader(`{"x":-`), iotest.ErrReader(gone))); !errors.Is(err, gone) {
		t.Errorf("in a number: %v", err)
	}
	if _, err := readPost(t, idleReader{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("idle reader: %v", err)
	}

	full := errors.New("memory full")
	var l heldLedger
	limits := l.limits(1 << 20)
	count := limits.hold
	limits.hold = func(n int) error {
		if l.held+n > 100<<10 {
			return full
		}
		return count(n)
	}
	body := `{"rcpt_to":"c","email_rfc822":"` + strings.Repeat("a", 200<<10) + `"}`
	if err := decode(strings.NewReader(body), limits, nil); !errors.Is(err, full) || l.held != 0 {
		t.Errorf("full: %v, %d bytes held", err, l.held)
	}

	enough := errors.New("enough")
	calls := 0
	err := decode(strings.NewReader(`[`+msgOK+`,`+msgOK+`]`), l.limits(100), func(*event) error { calls++; return enough })
	if !errors.Is(err, enough) || calls != 1 || l.held != 0 {
		t.Errorf("each: %v, %d calls, %d bytes held", err, calls, l.held)
	}
}

type idleReader struct{}

func (idleReader) Read([]byte) (int, error) { return 0, nil }

// An event is handed over before the rest of the body is there.
func TestAsSoonAsComplete(t *testing.T) {
	r, w := io.Pipe()
	seen := make(chan string)
	done := make(chan error)
	var l heldLedger
	go func() {
		done <- decode(r, l.limits(100), func(e *event) error { seen <- e.Recipient; return nil })
	}()
	for _, part := range []string{`[{"rcpt_to":"1","email_rfc822":"x"}`, `,{"rcpt_to":"2","email_rfc822":"x"}`} {
		if _, err := io.WriteString(w, part); err != nil {
			t.Fatal(err)
		}
		if got := <-seen; !strings.Contains(part, got) {
			t.Errorf("%s after %s", got, part)
		}
	}
	io.WriteString(w, "]")
	w.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
