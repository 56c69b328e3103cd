package mtatest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/internal/testmail/cases"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/webhook"
)

// unposted lists the cases of which no relay post can say all that matters. A
// check says everything.
func unposted() map[string]string {
	return map[string]string{
		"alignment-own-user": "a relay post does not say that the client has logged in",
	}
}

// A dialect is a way to write a relay post.
type dialect struct {
	name   string
	base64 bool
	write  func(post map[string]any, content map[string]any) any
}

// dialects are those of SparkPost, which Bird Reach has too, and of PowerMTA, which
// writes the flag beside the envelope or in content.
func dialects() []dialect {
	sparkPost := func(post, content map[string]any) any {
		post["content"], post["webhook_id"], post["customer_id"], post["protocol"] = content, "85006171274531012", 1026, "smtp"
		return []any{map[string]any{"msys": map[string]any{"relay_message": post}}}
	}
	powerMTA := func(post, content map[string]any) any {
		post["email_rfc822_is_base64"] = content["email_rfc822_is_base64"]
		delete(content, "email_rfc822_is_base64")
		post["content"] = content
		return post
	}
	return []dialect{
		{"SparkPost", false, sparkPost}, {"SparkPost, base64", true, sparkPost},
		{"PowerMTA", false, powerMTA}, {"PowerMTA, base64", true, powerMTA},
	}
}

// post returns the JSON of a case. ok is false where the message cannot stand in
// a JSON string because it is not UTF-8; the JSON then has its bytes all the same,
// which nobody may take.
func (d dialect) post(t *testing.T, c cases.Case) (body []byte, ok bool) {
	const mark = "MESSAGE"
	ok = d.base64 || utf8.Valid(c.Message)
	text := string(c.Message)
	switch {
	case d.base64:
		text = base64.StdEncoding.EncodeToString(c.Message)
	case !ok:
		text = mark
	}
	post := map[string]any{"rcpt_to": c.Envelope.Recipients[0]}
	if c.Envelope.Sender != nil {
		post["msg_from"] = *c.Envelope.Sender
	}
	body, err := json.Marshal(d.write(post, map[string]any{"email_rfc822": text, "email_rfc822_is_base64": d.base64}))
	must(t, err)
	if !ok {
		raw := strings.NewReplacer("\\", `\\`, "\"", `\"`, "\r", `\r`, "\n", `\n`, "\t", `\t`).Replace(string(c.Message))
		body = bytes.Replace(body, []byte(mark), []byte(raw), 1)
	}
	return body, ok
}

// checkQuery is all that a check can be told of the envelope.
func checkQuery(c cases.Case) url.Values {
	q := url.Values{"rcpt": c.Envelope.Recipients, "id": {parityID}}
	if c.Envelope.Sender != nil {
		q.Set("sender", *c.Envelope.Sender)
	}
	if c.Envelope.Client != "" {
		q.Set("client", c.Envelope.Client)
	}
	if c.Envelope.Authenticated {
		q.Set("authenticated", "1")
	}
	return q
}

// A httpAnswer is what is said of one message.
type httpAnswer struct {
	Verdict verify.Verdict
	Action  collect.Action
	verify.Reply
	Text   []string
	Report json.RawMessage
}

// judgement is the answer in the words of the other ways. After the queue there
// is no reply.
func (a httpAnswer) judgement() judgement {
	j := judgement{report: a.Report, verdict: a.Verdict}
	if a.Verdict != verify.Accept {
		a.Lines = a.Text
		j.reply = strings.Replace(a.String(), "; ref "+parityID+")", ")", 1)
	}
	return j
}

// overHTTP compares what every dialect of a relay post and a check lead to with
// what inspect says.
func (p *parity) overHTTP(t *testing.T, c cases.Case, v *verify.Verifier, want judgement) {
	_, others := unjudged()[c.Name]
	for _, d := range dialects() {
		body, ok := d.post(t, c)
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		status, answer, n := posted(t, v, r)
		if !ok {
			p.count["not UTF-8, refused plain"]++
			if status != http.StatusBadRequest || n.record != nil {
				t.Errorf("%s: not UTF-8, and answered %d %s", d.name, status, answer)
			}
			continue
		}
		var said struct{ Events []httpAnswer }
		must(t, json.Unmarshal(answer, &said))
		if len(said.Events) != 1 {
			t.Fatalf("%s: answered %d %s", d.name, status, answer)
		}
		got := said.Events[0]
		if others {
			if got.Action != "ignored" || status != http.StatusOK || n.record != nil {
				t.Errorf("%s: mail for other people is answered %d %s", d.name, status, answer)
			}
			continue
		}
		wantStatus := http.StatusOK
		if want.verdict == verify.Defer {
			wantStatus = http.StatusServiceUnavailable
		}
		if status != wantStatus {
			t.Errorf("%s: answered %d, want %d", d.name, status, wantStatus)
		}
		j := got.judgement()
		j.reply = want.reply // nobody is there to read one
		p.same(t, d.name, unposted(), c.Name, n, j, want)
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/check?"+checkQuery(c).Encode(), bytes.NewReader(c.Message))
	r.Header.Set("Content-Type", "message/rfc822")
	status, answer, n := posted(t, v, r)
	var got httpAnswer
	must(t, json.Unmarshal(answer, &got))
	if status != http.StatusOK {
		t.Errorf("check: answered %d %s", status, answer)
	}
	if others {
		if got.Verdict != "ignored" || got.Action != collect.Pass || n.record != nil {
			t.Errorf("check: mail for other people is answered %s", answer)
		}
		return
	}
	p.same(t, "check", nil, c.Name, n, got.judgement(), want)
}

// same compares two judgements of a case, unless a list says why they differ:
// then they have to.
func (p *parity) same(t *testing.T, way string, list map[string]string, name string, n *notebook, got, want judgement) {
	t.Helper()
	same := bytes.Equal(got.report, want.report) && got.reply == want.reply && got.verdict == want.verdict
	why, listed := list[name]
	switch {
	case same && listed:
		t.Errorf("%s: nothing differs, although: %s", way, why)
	case same:
		p.count["same by "+way]++
	case listed:
		p.count["otherwise by "+way]++
	default:
		t.Errorf("%s %s\n%s\ninspect %s\n%s", way, got.report, got.reply, want.report, want.reply)
	}
	if n == nil {
		return
	}
	var record struct{ Report json.RawMessage }
	must(t, json.Unmarshal(n.record, &record))
	if !bytes.Equal(record.Report, got.report) || (n.kept == 1) != (got.verdict == verify.Accept) {
		t.Errorf("%s: answered %s, remembered %s, %d kept", way, got.report, record.Report, n.kept)
	}
}

// posted hands a request to a handler of its own.
func posted(t *testing.T, v *verify.Verifier, r *http.Request) (status int, answer []byte, n *notebook) {
	n = &notebook{}
	log := collect.NewLog(&bytes.Buffer{}, "human", "info")
	h := webhook.New(webhook.Config{
		Collector: collect.New(collect.Settings{Verifier: v, Keeper: n, Reports: pages{n}, Log: log, Refuse: collect.RefuseAll, Judged: 16, InFlight: 1 << 30}),
		Log:       slog.New(slog.DiscardHandler), Paths: []string{"/"}, Body: 256 << 20, InFlight: 512 << 20, Posts: 1, PerClient: 1, Now: time.Now,
	})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, bytes.TrimSpace(w.Body.Bytes()), n
}

// TestOtherBytesNeedBase64: a message that is no UTF-8 is the same in base64, and
// refused where it pretends to be text.
func TestOtherBytesNeedBase64(t *testing.T) {
	all, err := cases.Demo()
	must(t, err)
	c := all[0]
	c.Message = append([]byte("X-Note: caf\xe9\r\n"), c.Message...)
	v, err := c.Verifier()
	must(t, err)
	want := judgedInside(t, c, v)
	if want.verdict != verify.Accept {
		t.Fatalf("the case is no good: %s", want.report)
	}
	p := &parity{count: map[string]int{}}
	p.overHTTP(t, c, v, want)
	if p.count["not UTF-8, refused plain"] != 2 || p.count["same by SparkPost, base64"] != 1 {
		t.Error(p.count)
	}
}
