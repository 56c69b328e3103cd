package webhook_test

import (
	"fmt"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/webhook"
)

func TestPathsAndMethods(t *testing.T) {
	r := start(t, nil)
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"POST", "/", 200}, {"POST", "/sparkpost", 200}, {"POST", "/sparkpost?x=1", 200}, {"POST", "/elsewhere", 404}, {"GET", "/elsewhere", 404},
		{"POST", "/sparkpost/", 404}, {"POST", "//", 404}, {"GET", "/", 405}, {"PUT", "/", 405}, {"OPTIONS", "/", 405}, {"DELETE", "/v1/check", 405},
		{"POST", "/v1/check/", 404}, {"POST", "/v1/check", 400}, {"POST", "/v1/", 404},
	} {
		q := r.request(c.path, strings.NewReader("[]"))
		q.Method = c.method
		if strings.HasPrefix(c.path, "/v1/check") {
			q.Header.Del("Content-Type")
		}
		got := r.do(q)
		if got.status != c.status || (got.header.Get("Allow") == "POST") != (c.status == 405) {
			t.Errorf("%s %s: %d %v %s", c.method, c.path, got.status, got.header, got.text)
		}
		if c.status != 200 && got.err == "" {
			t.Errorf("%s %s: no message: %s", c.method, c.path, got.text)
		}
	}
}

// TestAlive: a blank POST is answered before anybody asks for the token, with the
// words and the lines that monitoring looks for.
func TestAlive(t *testing.T) {
	r := start(t, func(c *webhook.Config, _ *collect.Settings) {
		c.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	got := r.post("", "Content-Type: ", "X-MessageSystems-Webhook-Token: ", "X-Forwarded-For: 192.0.2.9", "X-Forwarded-Proto: https")
	if got.status != 400 || got.text != `{"message":"Unknown Content-Type in request headers"}`+"\n" {
		t.Errorf("%d %s", got.status, got.text)
	}
	log := strings.Split(r.log.String(), "\n")
	// Host, User-Agent, Content-Length, Accept-Encoding and the two that were sent.
	want := []string{"Request from 192.0.2.9,scheme=https,path=/", "| len(headers)=6,len(body)=0", "| Unknown Content-Type: None"}
	if len(log) < 4 || log[0] != want[0] || log[1] != want[1] || log[2] != want[2] || !strings.HasPrefix(log[3], "webhook client=192.0.2.9 method=POST path=/ status=400 ") {
		t.Errorf("%q", log)
	}
}

func TestCredentials(t *testing.T) {
	list := []webhook.Credential{
		{Kind: webhook.KindHeader, Header: "X-MessageSystems-Webhook-Token", Secret: []byte("old")},
		{Kind: webhook.KindHeader, Header: "x-messagesystems-webhook-token", Secret: []byte("new")},
		{Kind: webhook.KindHeader, Header: "Authorization", Secret: []byte("bare")},
		{Kind: webhook.KindBearer, Secret: []byte("bearer-secret")},
		{Kind: webhook.KindBasic, User: "alice", Secret: []byte("pass:word")},
		{Kind: webhook.KindHeader, Header: "X-Empty"},
		{Kind: "other", Secret: []byte("other")},
	}
	for i := range list {
		list[i].Relay = true
	}
	r := start(t, func(c *webhook.Config, _ *collect.Settings) { c.Auth = list })
	for fields, ok := range map[string]bool{
		"X-MessageSystems-Webhook-Token: old":          true,
		"X-Messagesystems-Webhook-Token: new":          true,
		"X-MessageSystems-Webhook-Token: olds":         false,
		"X-MessageSystems-Webhook-Token: OLD":          false,
		"Authorization: bare":                          true,
		"Authorization: Bearer bearer-secret":          true,
		"Authorization: bearer bearer-secret":          true,
		"Authorization: Bearer pass:word":              false,
		"Authorization: Bearer":                        false,
		"Authorization: Basic YWxpY2U6cGFzczp3b3Jk":    true,  // alice:pass:word
		"Authorization: Basic Ym9iOnBhc3M6d29yZA==":    false, // bob:pass:word
		"Authorization: Basic YWxpY2U6YmVhcmVyLXNlYw=": false,
		"X-Empty: ": false,
		"X-Other: other\x00X-Messagesystems-Webhook-Token": false,
		"": false,
	} {
		q := r.request("/", strings.NewReader("[]"), "X-MessageSystems-Webhook-Token: ")
		if name, value, found := strings.Cut(fields, ": "); found && !strings.Contains(value, "\x00") {
			q.Header.Set(name, value)
		}
		got := r.do(q)
		if want := map[bool]int{true: 200, false: 401}[ok]; got.status != want {
			t.Errorf("%q: %d %s", fields, got.status, got.text)
		}
		if challenge := got.header.Values("WWW-Authenticate"); !ok && fmt.Sprint(challenge) != `[Bearer realm="certinbox" Basic realm="certinbox", charset="UTF-8"]` {
			t.Errorf("%q: challenge %q", fields, challenge)
		}
	}
	q := r.request("/", strings.NewReader("[]"))
	q.Header["X-Messagesystems-Webhook-Token"] = []string{"old", "wrong"}
	if got := r.do(q); got.status != 401 {
		t.Errorf("a token beside another one: %d", got.status)
	}
	for _, c := range list {
		if len(c.Secret) > 0 && c.Kind != "other" && strings.Contains(r.log.String(), string(c.Secret)) {
			t.Errorf("%q is in the log", c.Secret)
		}
	}
}

// TestWhatACredentialOpens: what a relay presents does not let anybody say that a
// sender logged in, and the other way round.
func TestWhatACredentialOpens(t *testing.T) {
	r := start(t, func(c *webhook.Config, _ *collect.Settings) {
		c.Auth = []webhook.Credential{
			{Kind: webhook.KindHeader, Header: "X-Relay", Secret: []byte("relay"), Relay: true},
			{Kind: webhook.KindBearer, Secret: []byte("mta"), Check: true},
			{Kind: webhook.KindHeader, Header: "X-Both", Secret: []byte("both"), Relay: true, Check: true},
			{Kind: webhook.KindHeader, Header: "X-None", Secret: []byte("none")},
		}
	})
	for _, c := range []struct {
		field        string
		relay, check int
		says         string
	}{
		{"X-Relay: relay", 200, 401, "this credential does not open /v1/check"},
		{"Authorization: Bearer mta", 401, 200, "this credential does not open relay posts"},
		{"X-Both: both", 200, 200, ""},
		{"X-None: none", 401, 401, "this credential"},
		{"X-Relay: wrong", 401, 401, "no configured credential was presented"},
	} {
		posted := r.post("[]", "X-MessageSystems-Webhook-Token: ", c.field)
		checked := r.check("?keep=0&rcpt="+ours, r.honest.Message, "X-MessageSystems-Webhook-Token: ", c.field)
		if posted.status != c.relay || checked.status != c.check {
			t.Errorf("%s: a post %d, a check %d", c.field, posted.status, checked.status)
		}
		for _, got := range []result{posted, checked} {
			if got.status == 401 && !strings.Contains(got.text, c.says) {
				t.Errorf("%s: %s", c.field, got.text)
			}
		}
		if challenge := fmt.Sprint(checked.header.Values("WWW-Authenticate")); checked.status == 401 && challenge != `[Bearer realm="certinbox"]` {
			t.Errorf("%s: challenge %s", c.field, challenge)
		}
		if challenge := posted.header.Values("WWW-Authenticate"); posted.status == 401 && len(challenge) > 0 {
			t.Errorf("%s: challenge %s", c.field, challenge)
		}
	}
}

// TestBrowsers: what a page of somebody makes a browser send is not taken, least of
// all where no secret is asked for.
func TestBrowsers(t *testing.T) {
	r := start(t, func(c *webhook.Config, _ *collect.Settings) { c.Auth = nil })
	for _, field := range []string{"Origin: https://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site",
		"Sec-Fetch-Site: same-origin", "Origin: " + r.http.URL} { // of a name that somebody points here
		if got := r.check("?authenticated=1&rcpt="+ours, r.honest.Message, "Content-Type: ", field); got.status != 403 {
			t.Errorf("%s: %d %s", field, got.status, got.text)
		}
	}
	if r.entries() != 0 {
		t.Error("it was kept")
	}
}

// TestSecretsAreNotLogged: nor is what somebody has tried.
func TestSecretsAreNotLogged(t *testing.T) {
	r := start(t, nil)
	r.post("[]")
	r.post("[]", "X-MessageSystems-Webhook-Token: guessed-wrong", "Authorization: Basic Z3Vlc3NlZC13cm9uZw==")
	r.do(r.request("/?token=guessed-wrong", strings.NewReader("[]")))
	r.post("{")
	if log := r.log.String(); strings.Contains(log, secret) || strings.Contains(log, "guessed-wrong") || strings.Contains(log, "Z3Vl") {
		t.Error(log)
	}
}

func TestLogIsOneLine(t *testing.T) {
	r := start(t, nil)
	w := httptest.NewRecorder()
	q := httptest.NewRequest("POST", "/", nil)
	q.URL.Path = "/x\nforged: kept \x1b[31m" + strings.Repeat("a", 5000)
	r.server.ServeHTTP(w, q)
	if log := r.log.String(); strings.Count(log, "\n") != 1 || len(log) > 1000 || strings.Contains(log, "\x1b") || w.Code != 404 {
		t.Errorf("%d %q", w.Code, log)
	}
}

func TestSetIsForLater(t *testing.T) {
	r := start(t, nil)
	next := r.config
	next.Auth = []webhook.Credential{{Kind: webhook.KindBearer, Secret: []byte("rotated"), Relay: true}}
	r.server.Set(next)
	if got := r.post("[]"); got.status != 401 {
		t.Errorf("the former token: %d", got.status)
	}
	if got := r.post("[]", "Authorization: Bearer rotated"); got.status != 200 {
		t.Errorf("the new token: %d", got.status)
	}
	next.Auth = nil
	r.server.Set(next)
	if got := r.post("[]", "X-MessageSystems-Webhook-Token: "); got.status != 200 {
		t.Errorf("none needed: %d", got.status)
	}
}
