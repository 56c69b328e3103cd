package webhook_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/webhook"
)

// TestUnixSocket: who can open it is of this host, and may speak for others.
func TestUnixSocket(t *testing.T) {
	r := start(t, func(c *webhook.Config, _ *collect.Settings) { c.Rate = 1 })
	socket := filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: ln, Config: &http.Server{Handler: r.server}}
	s.Start()
	defer s.Close()
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	defer tr.CloseIdleConnections()
	for i, c := range []struct {
		forwarded string
		status    int
	}{{"", 200}, {"", 200}, {"192.0.2.1", 200}, {"192.0.2.2", 429}} {
		q := r.request("/", strings.NewReader("[]"), "X-Forwarded-For: "+c.forwarded)
		res, err := tr.RoundTrip(q)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != c.status {
			t.Errorf("%d: %d", i, res.StatusCode)
		}
	}
	if log := r.log.String(); strings.Count(log, "client=unix ") != 2 || strings.Count(log, "client=192.0.2.1 ") != 1 {
		t.Error(log)
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
