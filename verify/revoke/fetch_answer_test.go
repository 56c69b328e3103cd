package revoke

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// TestAnswers: what becomes of a response, byte by byte, with a limit of 10.
func TestAnswers(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	header := func(n int) string { return "X: " + strings.Repeat("x", n-5) + "\r\n" }
	interim := "HTTP/1.1 103 Early Hints\r\n\r\n"
	for name, c := range map[string]struct{ response, body, err string }{
		"with a length":               {ok + "Content-Length: 5\r\n\r\nhello", "hello", ""},
		"empty":                       {ok + "Content-Length: 0\r\n\r\n", "", ""},
		"chunked":                     {ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello", ""},
		"until the end":               {ok + "\r\nhello", "hello", ""},
		"HTTP/1.0":                    {"HTTP/1.0 200 OK\r\n\r\nhello", "hello", ""},
		"as long as may be":           {ok + "Content-Length: 10\r\n\r\n0123456789", "0123456789", ""},
		"as long as may be, chunked":  {ok + "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n", "0123456789", ""},
		"more than announced":         {ok + "Content-Length: 5\r\n\r\nhello world", "hello", ""},
		"identity":                    {ok + "Content-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello", "hello", ""},
		"after interim responses":     {strings.Repeat(interim, 4) + ok + "Content-Length: 5\r\n\r\nhello", "hello", ""},
		"announced too long":          {ok + "Content-Length: 11\r\n\r\n", "", "not the answer: more than 10 bytes"},
		"announced far too long":      {ok + "Content-Length: 9223372036854775807\r\n\r\n", "", "more than 10 bytes"},
		"announced impossibly long":   {ok + "Content-Length: 9223372036854775808\r\n\r\n", "", "not as the protocol wants it"},
		"too long, chunked":           {ok + "Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n", "0123456789", "broke off: more than 10 bytes"},
		"too long, until the end":     {ok + "\r\n01234567890", "0123456789", "more than 10 bytes"},
		"short":                       {ok + "Content-Length: 6\r\n\r\nhello", "hello", "ended too early"},
		"short, chunked":              {ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "hello", "ended too early"},
		"short chunk":                 {ok + "Transfer-Encoding: chunked\r\n\r\n6\r\nhello", "hello", "ended too early"},
		"no chunks":                   {ok + "Transfer-Encoding: chunked\r\n\r\n<html>EVIL\r\n", "", "not as the protocol wants it"},
		"gzip":                        {ok + "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", "", "compressed"},
		"gzip behind identity":        {ok + "Content-Encoding: identity\r\nContent-Encoding: gzip\r\n\r\nhello", "", "compressed"},
		"gzip on the way":             {ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "", "not as the protocol wants it"},
		"two lengths":                 {ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", "", "not as the protocol wants it"},
		"no content":                  {"HTTP/1.1 204 No Content\r\n\r\n", "", "status 204"},
		"partial":                     {"HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\n\r\nhello", "", "status 206"},
		"not modified":                {"HTTP/1.1 304 Not Modified\r\n\r\n", "", "status 304"},
		"300 with a location":         {"HTTP/1.1 300 EVIL\r\nLocation: /a\r\n\r\n", "", "status 300"},
		"305, use that proxy":         {"HTTP/1.1 305 EVIL\r\nLocation: http://127.0.0.1/\r\n\r\n", "", "status 305"},
		"not found":                   {"HTTP/1.1 404 EVIL\r\nContent-Length: 4\r\n\r\nEVIL", "", "not the answer: status 404"},
		"in trouble":                  {"HTTP/1.1 503 Unavailable\r\n\r\n", "", "status 503"},
		"another protocol":            {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello", "", "status 101"},
		"nothing":                     {"", "", "ended too early"},
		"half a head":                 {ok + "Content-Length: 5\r\n", "", "ended too early"},
		"garbage":                     {"EVIL\r\n\r\n", "", "not as the protocol wants it"},
		"a status that is none":       {"HTTP/1.1 EVIL OK\r\n\r\n", "", "not as the protocol wants it"},
		"a header that is none":       {ok + "EVIL\r\n\r\n", "", "not as the protocol wants it"},
		"a long head":                 {ok + header(16000) + "Content-Length: 5\r\n\r\nhello", "hello", ""},
		"a head that is too long":     {ok + header(17000) + "\r\n\r\nhello", "", "head of the response is too long"},
		"many headers":                {ok + strings.Repeat(header(100), 200) + "\r\n", "", "head of the response is too long"},
		"a status line without end":   {"HTTP/1.1 200 " + strings.Repeat("x", 17000), "", "head of the response is too long"},
		"too many interim responses":  {strings.Repeat(interim, 5) + ok + "\r\nhello", "", "too many interim responses"},
		"interim responses, long":     {strings.Repeat("HTTP/1.1 103 a\r\n"+header(6000)+"\r\n", 3) + ok + "\r\n", "", "head of the response is too long"},
		"redirect to nowhere":         {"HTTP/1.1 302 Found\r\n\r\n", "", "not followed"},
		"redirect to an empty place":  {"HTTP/1.1 302 Found\r\nLocation: \r\n\r\n", "", "not followed"},
		"redirect to two places":      {"HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\n\r\n", "", "not followed"},
		"redirect to no URL":          {"HTTP/1.1 302 Found\r\nLocation: http://[EVIL/\r\n\r\n", "", "not followed"},
		"redirect to a very far away": {"HTTP/1.1 302 Found\r\nLocation: /" + strings.Repeat("a", 2048) + "\r\n\r\n", "", "not followed"},
	} {
		t.Run(name, func(t *testing.T) {
			w := serveWire(t, "127.0.0.1", answering(c.response))
			body, err := fetched(t, loopbackFetcher(), w.url, 10)
			if body != c.body || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Fatalf("%q, %v; want %q, %q", body, err, c.body, c.err)
			}
			if err != nil && (refusal(err) || strings.Contains(err.Error(), "EVIL") || !strings.HasPrefix(err.Error(), "127.0.0.1: ")) {
				t.Fatalf("%T %v", err, err)
			}
			if w.accepted.Load() != 1 {
				t.Fatalf("%d connections", w.accepted.Load())
			}
			eventually(t, "the connection is closed", func() bool { return w.open.Load() == 0 })
		})
	}
}

// TestUnwantedAnswersAreHungUpOn: a server that keeps the connection open after
// an answer that is not wanted does not keep it with us.
func TestUnwantedAnswersAreHungUpOn(t *testing.T) {
	for _, response := range []string{
		"HTTP/1.1 404 Not Found\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: file:///a\r\n\r\n",
		"garbage\r\n",
	} {
		w := serveWire(t, "127.0.0.1", hanging(response))
		if _, err := fetched(t, loopbackFetcher(), w.url, 10); err == nil {
			t.Errorf("%q is taken", response)
		}
		eventually(t, "the connection is closed", func() bool { return w.open.Load() == 0 })
	}
}

// TestBodyErrorStays: who reads on after an error gets the error again.
func TestBodyErrorStays(t *testing.T) {
	w := serveWire(t, "127.0.0.1", answering("HTTP/1.1 200 OK\r\n\r\nhello"))
	f := loopbackFetcher()
	r, err := f.get(t.Context(), w.url, 3)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := r.Read(nil); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	b, err := io.ReadAll(r)
	if string(b) != "hel" || err == nil {
		t.Fatalf("%q %v", b, err)
	}
	for range 3 {
		if n, again := r.Read(make([]byte, 10)); n != 0 || again != err {
			t.Fatal(n, again)
		}
	}
	for range 2 {
		if err := r.Close(); err != nil {
			t.Error("closing is no error:", err)
		}
	}
	if r, err = f.get(t.Context(), w.url, 0); err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Fatal("read after Close:", n, err)
	}
}

// TestHugeBody: a body without end costs its limit, not more.
func TestHugeBody(t *testing.T) {
	var sent atomic.Int64
	w := serveWire(t, "127.0.0.1", func(c net.Conn) {
		block := bytes.Repeat([]byte{'x'}, 64<<10)
		_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		for err == nil {
			var n int
			n, err = c.Write(block)
			sent.Add(int64(n))
		}
	})
	const limit = 1 << 20
	body, err := fetched(t, loopbackFetcher(), w.url, limit)
	if len(body) != limit || err == nil || !strings.Contains(err.Error(), "more than 1048576 bytes") {
		t.Fatal(len(body), err)
	}
	eventually(t, "the server is let go", func() bool { return w.open.Load() == 0 })
	if n := sent.Load(); n > limit+32<<20 { // what the kernel holds
		t.Errorf("%d bytes were taken", n)
	}
}

// TestGzipBomb: nothing is unpacked, announced or not.
func TestGzipBomb(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 1<<20))
	_ = z.Close()
	length := "Content-Length: " + strconv.Itoa(bomb.Len()) + "\r\n\r\n"
	w := serveWire(t, "127.0.0.1", answering("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"+length+bomb.String()))
	if _, err := fetched(t, loopbackFetcher(), w.url, 1<<20); !errors.Is(err, errCoding) {
		t.Error(err)
	}
	w = serveWire(t, "127.0.0.1", answering("HTTP/1.1 200 OK\r\n"+length+bomb.String()))
	if body, err := fetched(t, loopbackFetcher(), w.url, 1<<20); err != nil || body != bomb.String() {
		t.Error(len(body), err)
	}
}

// TestRequests: what a server gets to see, of both kinds of request, on a
// connection of their own each, past any proxy.
func TestRequests(t *testing.T) {
	proxy := serveWire(t, "127.0.0.1", answering("HTTP/1.1 200 OK\r\n\r\nEVIL"))
	for _, name := range []string{"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"} {
		t.Setenv(name, "http://"+proxy.addr)
	}
	var heads []string
	var bodies []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		_, _ = b.WriteString(r.Method + " " + r.RequestURI + " " + r.Host + " ")
		_ = r.Header.Write(&b)
		heads = append(heads, strings.ReplaceAll(strings.TrimSpace(b.String()), "\r\n", "; "))
		w.Header().Set("Set-Cookie", "a=b; Path=/")
		if r.URL.Path == "/from" {
			http.Redirect(w, r, "/to?x=%2F", http.StatusFound)
		}
		_, _ = io.WriteString(w, "hello")
	}))
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	f := loopbackFetcher()
	if b, err := fetched(t, f, s.URL+"/from#EVIL", 10); err != nil || b != "hello" {
		t.Fatal(b, err)
	}
	r, err := f.post(t.Context(), s.URL+"/ask", "application/ocsp-request", []byte("question"), 10)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	want := []string{
		"GET /from " + host + " Accept-Encoding: identity; Connection: close; User-Agent: certinbox",
		"GET /to?x=%2F " + host + " Accept-Encoding: identity; Connection: close; User-Agent: certinbox",
		"POST /ask " + host + " Accept-Encoding: identity; Connection: close; Content-Length: 8; Content-Type: application/ocsp-request; User-Agent: certinbox",
	}
	if strings.Join(heads, "\n") != strings.Join(want, "\n") || strings.Join(bodies, ",") != ",,question" {
		t.Errorf("asked\n%s\nwith %q", strings.Join(heads, "\n"), bodies)
	}
	if proxy.accepted.Load() != 0 {
		t.Error("the proxy of the environment was used")
	}
}

func TestRedirects(t *testing.T) {
	elsewhere := serveWire(t, "127.0.0.2", answering("HTTP/1.1 200 OK\r\n\r\nEVIL"))
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		code, _ := strconv.Atoi(r.URL.Query().Get("code"))
		if code == 0 {
			code = http.StatusFound
		}
		if to := r.URL.Query().Get("to"); to != "" {
			w.Header()["Location"] = []string{to}
			w.WriteHeader(code)
			return
		}
		_, _ = io.WriteString(w, "hello")
	}))
	defer s.Close()
	get := func(query string) (string, error) {
		asked.Store(0)
		return fetched(t, loopbackFetcher(), s.URL+"/?"+query, 10)
	}
	for _, code := range []string{"301", "302", "303", "307", "308"} {
		if b, err := get("code=" + code + "&to=/end"); b != "hello" || err != nil || asked.Load() != 2 {
			t.Errorf("%s: %q %v, %d requests", code, b, err, asked.Load())
		}
	}
	if b, err := get("to=%3Fto=/end"); b != "hello" || err != nil || asked.Load() != 3 {
		t.Errorf("two redirects: %q %v, %d requests", b, err, asked.Load())
	}
	if _, err := get("to=%3Fto=%253Fto=/end"); !errors.Is(err, errRedirects) || asked.Load() != 3 {
		t.Errorf("three redirects: %v, %d requests", err, asked.Load())
	}
	for to, want := range map[string]string{
		"http://" + elsewhere.addr + "/": "an address instead of a name",
		"//" + elsewhere.addr + "/":      "an address instead of a name",
		"http://10.0.0.1/":               "an address instead of a name",
		"http://[fd00::1]/":              "an address instead of a name",
		"http://a.example:8080/":         "", // port 8080 is for 127.0.0.1: refused once it is resolved
		"file:///etc/passwd":             "neither http nor https",
		"ftp://a.example/":               "neither http nor https",
		"javascript:alert(1)":            "neither http nor https",
		"http://a@127.0.0.1/":            "names a user",
		"http://localhost/":              "one label",
		"http://0177.0.0.1/":             "ends in a number",
		"http://m\u00fcller.example/":    "",
	} {
		f := loopbackFetcher()
		f.resolver = resolving(t, func(string) []string { return []string{"127.0.0.2"} })
		asked.Store(0)
		_, err := fetched(t, f, s.URL+"/?to="+url.QueryEscape(to), 10)
		if !refusal(err) || !strings.Contains(err.Error(), want) || asked.Load() != 1 {
			t.Errorf("to %s: %v, %d requests", to, err, asked.Load())
		}
		if err != nil {
			tellable(t, to, err)
		}
	}
	if elsewhere.accepted.Load() != 0 {
		t.Error("a redirect led to an address that is not allowed")
	}
	asked.Store(0)
	for _, code := range []string{"301", "302", "303", "307", "308"} {
		_, err := loopbackFetcher().post(context.Background(), s.URL+"/?code="+code+"&to=/end", "a/b", []byte("question"), 10)
		if !errors.Is(err, errRedirect) {
			t.Errorf("POST, %s: %v", code, err)
		}
	}
	if asked.Load() != 5 {
		t.Errorf("%d requests for 5 questions", asked.Load())
	}
}

// TestEndlessRedirects: a server that always redirects is asked three times.
func TestEndlessRedirects(t *testing.T) {
	w := serveWire(t, "127.0.0.1", answering("HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n"))
	if _, err := fetched(t, loopbackFetcher(), w.url, 10); !errors.Is(err, errRedirects) || w.accepted.Load() != 1+maxRedirects {
		t.Errorf("%v after %d requests", err, w.accepted.Load())
	}
}
