package webhook_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

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
	next.Auth = []webhook.Credential{{Kind: webhook.KindBearer, Secret: []byte("rotated")}}
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

func TestRate(t *testing.T) {
	r := start(t, func(c *webhook.Config, _ *collect.Settings) {
		c.Rate, c.Proxies = 3, []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	})
	from := func(client string) result { return r.post("[]", "X-Forwarded-For: "+client) }
	for i := range 5 {
		got := from("192.0.2." + strconv.Itoa(i))
		if want := map[bool]int{true: 200, false: 429}[i < 3]; got.status != want {
			t.Errorf("%d: %d", i, got.status)
		}
	}
	r.clock.Add(20)
	if got := from("192.0.2.1"); got.status != 429 || got.header.Get("Retry-After") != "41" || got.err == "" {
		t.Errorf("%d %v", got.status, got.header)
	}
	if got := from("198.51.100.1"); got.status != 200 {
		t.Errorf("another network: %d", got.status)
	}
	for range 10 {
		if got := r.post("[]"); got.status != 200 {
			t.Errorf("this host: %d", got.status)
		}
	}
	if got := r.post("", "X-Forwarded-For: 192.0.2.1", "Content-Type: "); got.status != 400 {
		t.Errorf("a sign of life: %d", got.status)
	}
	r.clock.Add(40)
	if got := from("192.0.2.1"); got.status != 200 {
		t.Errorf("a minute later: %d", got.status)
	}
}

// TestPlaces: no more at once than there are places, and they are given back.
func TestPlaces(t *testing.T) {
	r := start(t, func(c *webhook.Config, _ *collect.Settings) {
		c.Posts, c.PerClient, c.Proxies = 3, 2, []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	})
	hold := make(chan struct{})
	r.held.Store(&hold)
	done := make(chan result, 3)
	begin := func(client string) {
		t.Helper()
		go func() { done <- r.post(array(event(ours, r.honest.Message)), "X-Forwarded-For: "+client) }()
		select {
		case <-r.asked:
		case <-time.After(hangGuard):
			t.Fatal("the message is not judged")
		}
	}
	begin("192.0.2.1")
	begin("192.0.2.2")
	if got := r.post("[]", "X-Forwarded-For: 192.0.2.3"); got.status != 503 || got.header.Get("Retry-After") != "10" {
		t.Errorf("a third of one network: %d", got.status)
	}
	begin("198.51.100.1")
	if got := r.post("[]", "X-Forwarded-For: 203.0.113.1"); got.status != 503 {
		t.Errorf("a fourth: %d", got.status)
	}
	if got := r.post("[]", "X-MessageSystems-Webhook-Token: "); got.status != 503 {
		t.Errorf("a fourth without token: %d", got.status)
	}
	close(hold)
	for range 3 {
		if got := <-done; got.status != 200 {
			t.Errorf("%d %s", got.status, got.text)
		}
	}
	if got := r.post("[]", "X-Forwarded-For: 203.0.113.1"); got.status != 200 {
		t.Errorf("afterwards: %d", got.status)
	}
	eventually(t, "the places are given back", func() bool { return r.server.Places() == 0 })
}

func TestTooLarge(t *testing.T) {
	r := start(t, func(c *webhook.Config, _ *collect.Settings) { c.Body = 64 << 10 })
	big := array(event(ours, make([]byte, 64<<10)))
	if got := r.post(big); got.status != 413 || !strings.Contains(got.err, "65536") {
		t.Errorf("announced: %d %s", got.status, got.text)
	}
	q := r.request("/", io.MultiReader(strings.NewReader(big))) // of unknown length: chunked
	if got := r.do(q); got.status != 413 {
		t.Errorf("chunked: %d %s", got.status, got.text)
	}
	if got := r.check("?rcpt="+ours, make([]byte, 64<<10+1)); got.status != 413 {
		t.Errorf("check: %d %s", got.status, got.text)
	}
	if got := r.do(r.request("/", io.MultiReader(strings.NewReader(array(event(ours, r.honest.Message)))))); got.status != 200 || r.entries() != 1 {
		t.Errorf("chunked: %d %s", got.status, got.text)
	}
}

// TestMemory: what is held is bounded, over all requests.
func TestMemory(t *testing.T) {
	r := start(t, func(c *webhook.Config, _ *collect.Settings) { c.InFlight = 100 << 10 })
	if got := r.post(array(event(ours, make([]byte, 100<<10)))); got.status != 413 {
		t.Errorf("more than there is ever room for: %d %s", got.status, got.text)
	}
	slow, body := io.Pipe()
	done := make(chan result)
	go func() { done <- r.do(r.request("/", slow)) }()
	half := array(event(ours, make([]byte, 45<<10)))
	fmt.Fprint(body, half[:len(half)-10])
	eventually(t, "half a message is held", func() bool { return r.server.Held() > 50<<10 })
	if got := r.post(half); got.status != 503 || got.header.Get("Retry-After") == "" {
		t.Errorf("no room at the moment: %d %s", got.status, got.text)
	}
	fmt.Fprint(body, half[len(half)-10:])
	body.Close()
	if got := <-done; got.status != 200 || got.events[0].Action != "swallow" {
		t.Errorf("%d %s", got.status, got.text)
	}
	if r.server.Held() != 0 {
		t.Errorf("%d bytes are still held", r.server.Held())
	}
}

// raw speaks HTTP by hand and returns the first line of the answer.
func raw(t *testing.T, r *rig, text string, half bool) (net.Conn, string) {
	t.Helper()
	c, err := net.Dial("tcp", r.http.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(hangGuard)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(c, text)
	if half {
		return c, ""
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(res.Body)
	return c, res.Proto + " " + res.Status + " " + string(b)
}

func TestHTTP10(t *testing.T) {
	r := start(t, nil)
	body := `{"msg_from":"alice@example.org","rcpt_to":"` + ours + `","content":{"email_rfc822":` + quote(string(r.honest.Message)) + `}}`
	_, got := raw(t, r, "POST / HTTP/1.0\r\nContent-Type: application/json\r\nX-MessageSystems-Webhook-Token: "+secret+
		"\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+body, false)
	if !strings.Contains(got, " 200 OK") || !strings.Contains(got, `"action":"keep"`) || r.entries() != 1 {
		t.Error(got)
	}
}

// TestClientHangsUp: in the middle of a body nothing is left behind; while a message
// is judged, it is kept all the same.
func TestClientHangsUp(t *testing.T) {
	r := start(t, nil)
	body := array(event(ours, r.honest.Message))
	head := "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-MessageSystems-Webhook-Token: " + secret +
		"\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n"
	c, _ := raw(t, r, head+body[:len(body)-20], true)
	eventually(t, "the message is held", func() bool { return r.server.Held() > 0 })
	c.Close()
	eventually(t, "nothing is left", func() bool { return r.server.Held() == 0 && r.server.Places() == 0 })
	eventually(t, "the log says so", func() bool { return strings.Contains(r.log.String(), `trouble="the body did not come to its end"`) })
	if r.entries() != 0 {
		t.Error("half a message was kept")
	}

	hold := make(chan struct{})
	r.held.Store(&hold)
	c, _ = raw(t, r, head+body, true)
	select {
	case <-r.asked:
	case <-time.After(hangGuard):
		t.Fatal("the message is not judged")
	}
	c.Close()
	time.Sleep(20 * time.Millisecond) // perhaps long enough for the server to notice
	close(hold)
	eventually(t, "it is kept", func() bool { return strings.Contains(r.log.String(), "written file") })
	eventually(t, "nothing is left", func() bool { return r.server.Held() == 0 && r.server.Places() == 0 })
	if r.entries() != 1 {
		t.Errorf("%d entries", r.entries())
	}
}

// TestSlowBody: a deadline of the server's ends the wait for a body.
func TestSlowBody(t *testing.T) {
	r := start(t, nil)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Error(err)
		}
		r.server.ServeHTTP(w, q)
	}))
	defer s.Close()
	slow, body := io.Pipe()
	defer body.Close()
	q := r.request("/", slow)
	q.URL.Host = s.Listener.Addr().String()
	go fmt.Fprint(body, `[{"msys":`)
	res, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 408 {
		t.Errorf("%d", res.StatusCode)
	}
	eventually(t, "nothing is left", func() bool { return r.server.Held() == 0 && r.server.Places() == 0 })
}

// TestFault: a fault of ours is neither an answer nor the end of the program.
func TestFault(t *testing.T) {
	r := start(t, nil)
	broken := r.config
	broken.Now = func() time.Time { panic("made by the test") }
	r.server.Set(broken)
	if got := r.post(array(event(ours, r.honest.Message))); got.status != 503 || got.err == "" || got.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", got.status, got.text)
	}
	if log := r.log.String(); !strings.Contains(log, "made by the test") || !strings.Contains(log, "webhook.(*Server).ServeHTTP") && !strings.Contains(log, "webhook/server.go") {
		t.Error(log)
	}
	// In the middle of a message, too.
	calls := 0
	broken.Now = func() time.Time {
		if calls++; calls > 1 {
			panic("made by the test")
		}
		return time.Unix(1, 0)
	}
	r.server.Set(broken)
	if got := r.post(array(event(ours, r.honest.Message))); got.status != 503 {
		t.Errorf("%d %s", got.status, got.text)
	}
	r.server.Set(r.config)
	if got := r.post(array(event(ours, r.honest.Message))); got.status != 200 || r.server.Held() != 0 || r.entries() != 1 {
		t.Errorf("afterwards: %d %s", got.status, got.text)
	}
}
