package webhook_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/verify"
)

// plainEvent is a message that is posted as it is, with whatever a test makes of the
// other strings, each written as JSON has it.
func plainEvent(from, subject, key, message string) string {
	return `{"msys":{"relay_message":{"rcpt_to":"` + ours + `","msg_from":"` + from + `","content":{"subject":"` + subject + `","headers":[{"` + key + `":"x"}],"email_rfc822":` + message + `}}}}`
}

// TestBrokenStrings: an event with a string that has no one meaning is judged by
// nobody, and holds up no other.
func TestBrokenStrings(t *testing.T) {
	r := start(t, nil)
	sender, honest := "alice@example.org", quote(string(r.honest.Message))
	want := reportOf(t, r, r.honest.Message, verify.Envelope{Sender: &sender, Recipients: []string{ours}})
	sound := plainEvent(sender, "s", "To", honest)
	for name, bad := range map[string]string{
		"a byte":               "caf\xe9",
		"a byte at the end":    "\xe2\x82",
		"a surrogate":          `\ud83d`,
		"a surrogate before":   `\ud83d\n`,
		"surrogates reversed":  `\ude00\ud83d`,
		"the first half twice": `\ud83d\ud83d\ude00`,
	} {
		says := "a lone surrogate"
		if strings.HasPrefix(name, "a byte") {
			says = "not valid UTF-8"
		}
		for place, broken := range map[string]string{
			"message":   plainEvent(sender, "s", "To", strings.Replace(honest, `\r\n`, bad+`\r\n`, 1)),
			"msg_from":  plainEvent(bad, "s", "To", honest),
			"subject":   plainEvent(sender, bad, "To", honest),
			"key":       plainEvent(sender, "s", bad, honest),
			"own key":   strings.Replace(sound, "rcpt_to", "rcpt_to"+bad, 1),
			"recipient": strings.Replace(sound, ours, "bob"+bad+"@example.com", 1),
			"ping":      `{"msys":{"x":"` + bad + `"}}`,
			"of others": strings.Replace(plainEvent(sender, bad, "To", honest), ours, "bob@example.com", 1),
		} {
			got := r.post(array(sound, broken, sound))
			var verdicts []string
			for _, a := range got.events {
				verdicts = append(verdicts, fmt.Sprint(a.Index)+" "+a.Action)
				if string(a.Report) != want {
					t.Errorf("%s in %s: the report differs: %s", name, place, a.Report)
				}
			}
			if got.status != 400 || !strings.Contains(got.err, "event 1 has ") || !strings.Contains(got.err, says) || got.nIgn != 0 || !slices.Equal(verdicts, []string{"0 keep", "2 keep"}) {
				t.Errorf("%s in %s: %d %q %q, %d ignored", name, place, got.status, got.err, verdicts, got.nIgn)
			}
		}
	}
	if broken := r.counted.of("broken "); broken != 48 { // six breaks in eight places
		t.Errorf("%d counted as broken", broken)
	}
	if r.entries() != 1 || r.server.Held() != 0 {
		t.Errorf("%d entries, %d bytes held", r.entries(), r.server.Held())
	}
	if log := r.log.String(); !strings.Contains(log, "status=400 events=3 kept=2 broken=1 ") {
		t.Error(log)
	}
}

// TestBrokenShapes: an event that lacks something, or says it twice, holds up no other.
func TestBrokenShapes(t *testing.T) {
	r := start(t, nil)
	honest := quote(string(r.honest.Message))
	sound := plainEvent("alice@example.org", "s", "To", honest)
	for broken, says := range map[string]string{
		`17`:   "is not an object",
		`null`: "is not an object",
		`{}`:   "has neither msys nor a message",
		`{"msys":{"relay_message":{"content":{"email_rfc822":` + honest + `}}}}`:                                              "has no rcpt_to",
		`{"msys":{"relay_message":{"rcpt_to":"` + ours + `"}}}`:                                                               "has no content.email_rfc822",
		`{"rcpt_to":"` + ours + `","rcpt_to":"` + ours + `","content":{"email_rfc822":` + honest + `}}`:                       "has rcpt_to twice",
		`{"msg_from":"` + strings.Repeat("a", 5000) + `","rcpt_to":"` + ours + `","content":{"email_rfc822":` + honest + `}}`: "msg_from is longer than 4096 bytes",
		`{"rcpt_to":["` + ours + `"],"content":{"email_rfc822":` + honest + `}}`:                                              "rcpt_to is not a string",
		`{"rcpt_to":"` + ours + `","content":{"email_rfc822":` + honest + `,"email_rfc822_is_base64":"no"}}`:                  "neither true nor false",
	} {
		got := r.post(array(sound, broken, sound))
		if got.status != 400 || !strings.Contains(got.err, "event 1 ") || !strings.Contains(got.err, says) || len(got.events) != 2 ||
			got.events[0].Action != "keep" || got.events[1].Action != "keep" || got.events[1].Index != 2 {
			t.Errorf("%.60s: %d %s", broken, got.status, got.text)
		}
	}
}

// TestBrokenAlone: also the last or only event is named, at the very end of the body.
func TestBrokenAlone(t *testing.T) {
	r := start(t, nil)
	for body, says := range map[string]string{
		`{"rcpt_to":"\ud800"}`:                  "byte 12: event 0 has a lone surrogate",
		`{"\ud800":1}`:                          "byte 2: event 0 has a lone surrogate",
		"[{\"msys\":{}},{\"x\":\"\xff\"}]":      "byte 19: event 1 has a string that is not valid UTF-8",
		`[{"x":"\ud800"},{"x":"\udc00"}]`:       "byte 7: event 0 has ",
		`[17,{"x":"\ud800"},{"x":"\udc00"}]`:    "byte 1: event 0 is not an object",
		`[{"x":"\ud800"} {"msys":{}}]`:          "neither a comma",
		`[{"x":"\ud800\q"},{"msys":{}}]`:        "an escape that JSON does not have",
		`[{"x":"\ud800","y":[1,]},{"msys":{}}]`: "not a JSON value",
	} {
		if got := r.post(body); got.status != 400 || !strings.Contains(got.err, says) || len(got.events) != 0 {
			t.Errorf("%s: %d %s", body, got.status, got.text)
		}
	}
}

// TestBrokenAndPutOff: who comes again because of one is not told to stop because of
// another.
func TestBrokenAndPutOff(t *testing.T) {
	r := start(t, nil)
	r.dnsFails.Store(true)
	honest := quote(string(r.honest.Message))
	sound := plainEvent("a@example.org", "s", "To", honest)
	got := r.post(array(plainEvent("a@example.org", "\xff", "To", honest), sound))
	if got.status != 503 || got.header.Get("Retry-After") != "300" || len(got.events) != 1 || got.events[0].Index != 1 || !strings.Contains(got.err, "event 0 has ") {
		t.Errorf("%d %s", got.status, got.text)
	}
	for _, c := range []struct {
		behind, says string
		last         int // status at the third try, which decides
	}{
		{`,{"msys"`, "ends too early", 400},
		{`,{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}]`, "nested deeper", 413},
	} {
		r.dnsFails.Store(false)
		r.post(array(sound)) // kept, so that the tries begin anew
		r.dnsFails.Store(true)
		for _, status := range []int{503, 503, c.last} {
			got := r.post("[" + sound + c.behind)
			if got.status != status || (got.header.Get("Retry-After") == "300") != (status == 503) || len(got.events) != 1 || !strings.Contains(got.err, c.says) {
				t.Errorf("%d, want %d: %s", got.status, status, got.text)
			}
		}
	}
}
