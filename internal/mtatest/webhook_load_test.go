package mtatest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/certinbox/certinbox/verify"
)

const loadToken = "a token of some length"

// relayJSON is a relay post of messages, one to the collection address each.
func relayJSON(t testing.TB, base64Too bool, sender string, messages ...[]byte) []byte {
	t.Helper()
	var list []any
	for _, m := range messages {
		text := string(m)
		if base64Too {
			text = base64.StdEncoding.EncodeToString(m)
		}
		list = append(list, map[string]any{"msys": map[string]any{"relay_message": map[string]any{
			"msg_from": sender, "rcpt_to": collectAddress, "customer_id": "1", "webhook_id": 4839201967643219,
			"content": map[string]any{"email_rfc822": text, "email_rfc822_is_base64": base64Too}}}})
	}
	b, err := json.Marshal(list)
	must(t, err)
	return b
}

// A flood is many clients that post at once.
type flood struct {
	t                *testing.T
	addr             string
	client           *http.Client
	good, busy, seen atomic.Int64
}

// post posts, comes again as a relay does while it is put off for lack of a place,
// and returns how it was answered in the end.
func (f *flood) post(body []byte, token string, header ...string) (status int, answer []byte) {
	for start := time.Now(); time.Since(start) < hang; time.Sleep(20 * time.Millisecond) {
		r, err := http.NewRequest(http.MethodPost, "http://"+f.addr+"/", bytes.NewReader(body))
		if err != nil {
			f.t.Error(err)
			return 0, nil
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-MessageSystems-Webhook-Token", token)
		if len(header) == 2 {
			r.Header.Set(header[0], header[1])
		}
		res, err := f.client.Do(r)
		if err != nil {
			f.t.Error(err)
			return 0, nil
		}
		answer, err = io.ReadAll(res.Body)
		if res.Body.Close(); err != nil {
			f.t.Error(err)
		}
		f.seen.Add(1)
		if res.StatusCode != http.StatusServiceUnavailable {
			return res.StatusCode, answer
		}
		if res.Header.Get("Retry-After") == "" || !bytes.Contains(answer, []byte("too many")) {
			f.t.Errorf("put off without need: %s", answer)
		}
		f.busy.Add(1)
	}
	f.t.Error("never let in")
	return 0, nil
}

// A brokenPost is a way in which a post can be wrong, and its documented answer.
type brokenPost struct {
	kind   string
	status int
	send   func(f *flood, good []byte) (status int, answer []byte)
}

// tooLong is more than webhook.body of the test.
const (
	loadBody = 1 << 20
	tooLong  = loadBody + 1
)

func brokenPosts() []brokenPost {
	wrong := func(change func(good []byte) []byte) func(f *flood, good []byte) (int, []byte) {
		return func(f *flood, good []byte) (int, []byte) { return f.post(change(good), loadToken) }
	}
	replace := func(old, new string) func([]byte) []byte {
		return func(good []byte) []byte { return bytes.Replace(good, []byte(old), []byte(new), 1) }
	}
	return []brokenPost{
		{"no JSON", http.StatusBadRequest, wrong(func(good []byte) []byte { return good[:len(good)-3] })},
		{"a lone surrogate", http.StatusBadRequest, wrong(replace("Please", `\ud800lease`))},
		{"no UTF-8", http.StatusBadRequest, wrong(replace("Please", "\xffease"))},
		{"damaged base64", http.StatusBadRequest, wrong(replace(`is_base64":false`, `is_base64":true`))},
		{"another token", http.StatusUnauthorized, func(f *flood, good []byte) (int, []byte) { return f.post(good, "another token") }},
		{"compressed", http.StatusUnsupportedMediaType, func(f *flood, good []byte) (int, []byte) {
			return f.post(good, loadToken, "Content-Encoding", "gzip")
		}},
		{"too long", http.StatusRequestEntityTooLarge, wrong(func(good []byte) []byte { return append(good, bytes.Repeat([]byte(" "), tooLong)...) })},
		{"cut off", 0, cutOff},
		{"too long, in chunks", http.StatusRequestEntityTooLarge, chunked},
	}
}

// cutOff hangs up in the middle of the body.
func cutOff(f *flood, good []byte) (int, []byte) {
	c, err := net.Dial("tcp", f.addr)
	if err != nil {
		f.t.Error(err)
		return -1, nil
	}
	fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-MessageSystems-Webhook-Token: %s\r\nContent-Length: %d\r\n\r\n", loadToken, len(good))
	c.Write(good[:len(good)/2])
	c.Close()
	return 0, nil
}

// chunked sends a long body whose length is not said, and reads the answer, which
// may come before its end.
func chunked(f *flood, good []byte) (int, []byte) {
	for start := time.Now(); time.Since(start) < hang; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", f.addr)
		if err != nil {
			f.t.Error(err)
			return -1, nil
		}
		c.SetDeadline(time.Now().Add(hang))
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-MessageSystems-Webhook-Token: %s\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n", loadToken, tooLong)
		go c.Write(bytes.Repeat([]byte(" "), tooLong)) // ends when c is closed
		b := make([]byte, 512)
		n, _ := c.Read(b)
		c.Close()
		if status, _ := strconv.Atoi(string(b[min(n, 9):min(n, 12)])); status != http.StatusServiceUnavailable {
			return status, b[:n]
		}
	}
	return -1, nil
}

// TestWebhookLoad: a thousand posts of fifty clients, one in twenty broken, while
// other clients hold connections and send nothing. Each is answered as documented,
// every accepted certificate is in the store, and the memory is bounded.
func TestWebhookLoad(t *testing.T) {
	const posts, clients = 1000, 50
	w := newWorld(t)
	addr := FreeAddr(t)
	token := WriteFile(t, "token", loadToken+"\n")
	config, store := w.config("unix:"+w.dir+"/milter.sock", "revocation: {mode: off}", "limits: {new_per_domain: 100000}",
		fmt.Sprintf("webhook: {body: %d, auth: {kind: header, secret: \"file:%s\"}, listen: {listen: \"inet:%s\"}}", loadBody, token, addr))
	zone := WriteFile(t, "zone", w.zone.String())
	d := StartDaemon(t, Build(t), addr, "--config", config, "--dns", zone)
	f := &flood{t: t, addr: addr, client: &http.Client{Timeout: hang, Transport: &http.Transport{MaxIdleConnsPerHost: clients}}}
	for range 20 {
		c, err := net.Dial("tcp", addr)
		must(t, err)
		defer c.Close()
		io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\n")
	}

	var mu sync.Mutex // of w
	var next atomic.Int64
	accepted := make([]bool, posts)
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < posts; i = int(next.Add(1)) - 1 {
				person := fmt.Sprintf("p%d", i)
				mu.Lock()
				m := w.honest(person)
				mu.Unlock()
				good := relayJSON(t, false, person+"@example.org", m)
				if i%20 == 7 {
					f.refused(i/20, good)
					continue
				}
				if i%3 == 0 {
					good = relayJSON(t, true, person+"@example.org", m)
				}
				accepted[i] = f.accepted(good)
			}
		})
	}
	wg.Wait()
	for i, is := range accepted {
		_, err := os.Stat(filepath.Join(store, "certs", fmt.Sprintf("p%d@example.org.crt", i)))
		if is != (err == nil) || is == (i%20 == 7) {
			t.Errorf("p%d: accepted %v, in the store: %v", i, is, err)
		}
	}
	w.kept(store, "p0@example.org")
	await(t, "a line for each post", func() bool {
		return int64(strings.Count(d.Log(), "webhook client=127.0.0.1 method=POST path=/ status=")) >= f.seen.Load()
	})
	if strings.Contains(d.Log(), "a fault in this program") || strings.Contains(d.Log(), loadToken) {
		t.Error("the log tells of a fault, or a secret")
	}
	peak := d.memory("VmHWM")
	t.Logf("%d accepted, %d put off for lack of a place meanwhile, at most %d MiB of memory", f.good.Load(), f.busy.Load(), peak>>20)
	if f.good.Load() != posts*19/20 || peak > 200<<20 {
		t.Error("some are lacking, or it is too much memory")
	}
}

// accepted posts a good message and says whether it was.
func (f *flood) accepted(body []byte) bool {
	status, answer := f.post(body, loadToken)
	var said struct{ Events []httpAnswer }
	if err := json.Unmarshal(answer, &said); err != nil || status != http.StatusOK || len(said.Events) != 1 || said.Events[0].Verdict != verify.Accept {
		f.t.Errorf("a good post is answered %d %s", status, answer)
		return false
	}
	f.good.Add(1)
	return true
}

// refused posts one of the broken ones, of which none is to be taken.
func (f *flood) refused(i int, good []byte) {
	kinds := brokenPosts()
	b := kinds[i%len(kinds)]
	status, answer := b.send(f, good)
	if status != b.status || status == http.StatusBadRequest && !bytes.Contains(answer, []byte(`"message":"`)) {
		f.t.Errorf("%s: answered %d %s", b.kind, status, answer)
	}
}

// memory is a figure of the process in /proc/PID/status, in bytes.
func (d *Daemon) memory(key string) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	must(d.t, err)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			must(d.t, err)
			return n << 10
		}
	}
	d.t.Fatalf("no %s of the process", key)
	return 0
}
