package webhook

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// A readEvent is what a test sees of an event.
type readEvent struct {
	from, to      string
	ping, damaged bool
	message       string
}

// decode reads with a scratch in which there is something of another body already.
func decode(r io.Reader, limits decodeLimits, each func(*event) error) error {
	s := new(scratch)
	for _, b := range [][]byte{s.body[:], s.first[:], s.base64.text[:], s.base64.out[:]} {
		copy(b, bytes.Repeat([]byte("used\r\n\"\\\xff"), len(b)/9))
	}
	s.base64.begin(nil)
	s.base64.n, s.base64.done, s.base64.ended = 5, 9, true
	return s.decode(r, limits, each)
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

// readPost decodes a body and writes every message. The error is the one that ended
// the reading, or else the first damage. Nothing may be held at the end.
func readPost(t testing.TB, body io.Reader) ([]readEvent, error) {
	t.Helper()
	all, damage, err := readAll(t, body)
	return all, cmp.Or(err, damage)
}

// readAll is readPost with both errors; a damaged event has nothing but damaged set.
func readAll(t testing.TB, body io.Reader) (all []readEvent, damage, end error) {
	t.Helper()
	var l heldLedger
	end = decode(body, l.limits(1<<20), func(e *event) error {
		g := readEvent{from: "unsaid", to: e.Recipient, ping: e.Ping}
		if e.Sender != nil {
			g.from = *e.Sender
		}
		var b bytes.Buffer
		n, err := e.WriteTo(&b)
		if n != int64(b.Len()) {
			t.Errorf("WriteTo says %d bytes, wrote %d", n, b.Len())
		}
		if _, ok := errors.AsType[*formError](err); ok {
			damage = cmp.Or(damage, err)
			all = append(all, readEvent{damaged: true})
			return nil
		}
		g.message = b.String()
		all = append(all, g)
		return err
	})
	if l.held != 0 {
		t.Errorf("%d bytes are still held", l.held)
	}
	return all, damage, end
}

func TestDialects(t *testing.T) {
	whole := readEvent{from: "a@x.example", to: "c@y.example", message: "A: b\r\n\r\nc\r\n"}
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
		{"ids as anything", `{"rcpt_to":"c","webhook_id":-0.5e+10 ,"customer_id":0,"webhook_id":[` + strings.Repeat("7", 65) + `],"protocol":25,"email_rfc822":"m\r\n"}`, []readEvent{short}},
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

// TestBufferEnds: what stands across the end of what is read at once means the same.
func TestBufferEnds(t *testing.T) {
	const body = `{"rcpt\u005fto":"c\ud83d\ude00","x":[true,-1.5e+3,null],"email_rfc822":"a\r\n` + "ж€\U0001f600" + `\ud83d\ude00\u20ac\\"}`
	want := []readEvent{{from: "unsaid", to: "c\U0001f600", message: "a\r\nж€\U0001f600\U0001f600€\\"}}
	for n := range len(body) + 1 {
		all, err := readPost(t, strings.NewReader(strings.Repeat(" ", readAtOnce-n)+body))
		if err != nil || fmt.Sprint(all) != fmt.Sprint(want) {
			t.Errorf("with %d bytes in one read: %+v, %v", n, all, err)
		}
	}
	for _, damaged := range []string{`\ud83d\u0041`, `\ud83d`, "\xe2\x82", "\xff"} {
		in := `{"rcpt_to":"c","x":"` + damaged + `","email_rfc822":"m"}`
		for n := range len(in) + 1 {
			all, damage, err := readAll(t, strings.NewReader(strings.Repeat(" ", readAtOnce-n)+in))
			if err != nil || damage == nil || len(all) != 1 || !strings.Contains(damage.Error(), fmt.Sprintf("byte %d:", readAtOnce-n+20)) {
				t.Errorf("%q with %d bytes in one read: %+v, %v, %v", damaged, n, all, damage, err)
			}
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
