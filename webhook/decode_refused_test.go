package webhook

import (
	"errors"
	"strings"
	"testing"
)

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
		{`[{"msys":{}},]`, "byte 13: not a JSON value"},
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
		{`{"content":"x"}`, "content is not an object"},
		{`{"email_rfc822":{}}`, "email_rfc822 is not a string"},
		{`{"msg_from":"` + strings.Repeat("a", 4097) + `",` + msgOK[1:], "byte 4111: event 0 is wrong: msg_from is longer than 4096 bytes"},
		{`{"rcpt_to":"` + strings.Repeat("ä", 4000) + `","email_rfc822":"x"}`, "rcpt_to is longer than 4096 bytes"},
		{`{"rcpt_to":"x","rcpt_to":"x"}`, "has rcpt_to twice"},
		{`{"rcpt_to":null,"rcpt_to":"x"}`, "has rcpt_to twice"},
		{`{"msg_from":"x","msg_from":"x"}`, "has msg_from twice"},
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
		{`{"x":"\ud800"}`, "byte 6: event 0 has a lone surrogate"},
		{`{"x":"\udc00"}`, "a lone surrogate"},
		{`{"x":"\ud800\u0041"}`, "a lone surrogate"},
		{`{"x":"\ud800\ud800"}`, "a lone surrogate"},
		{`{"x":"\ud800\n"}`, "a lone surrogate"},
		{"{\"x\":\"\xff\"}", "byte 6: event 0 has a string that is not valid UTF-8"},
		{"{\"x\":\"\xc0\xaf\"}", "not valid UTF-8"},         // overlong
		{"{\"x\":\"\xed\xa0\xbd\"}", "not valid UTF-8"},     // a surrogate
		{"{\"x\":\"\xf4\x90\x80\x80\"}", "not valid UTF-8"}, // over U+10FFFF
		{"{\"x\":\"\xe2\x82\"}", "not valid UTF-8"},         // cut short
		{"{\"\xff\":1}", "not valid UTF-8"},
		{`{"\ud800":1}`, "a lone surrogate"},
		{"{\"rcpt_to\":\"c\",\"email_rfc822\":\"caf\xe9\"}", "byte 34: event 0 has a string that is not valid UTF-8"},
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
