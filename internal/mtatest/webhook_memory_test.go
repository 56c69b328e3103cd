package mtatest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/verify"
)

// TestWebhookMemory: a post of 10 MB, in which is a message that is accepted, takes at
// most three times its size of memory, however it is written. The daemon is a fresh one
// each time: one that has seen long posts takes less anew.
func TestWebhookMemory(t *testing.T) {
	const line, size = "a line of a long letter of seventy-eight characters, with its end of line ok\r\n", 10_000_000
	w := newWorld(t)
	bin := Build(t)
	small := relayJSON(t, false, "small@example.org", w.honest("small"))
	w.more = []string{strings.Repeat(line, size/(len(line)+2))} // a line end takes two bytes more in JSON
	plain := relayJSON(t, false, "plain@example.org", w.honest("plain"))
	w.more = []string{strings.Repeat(line, size*3/4/len(line))}
	coded := relayJSON(t, true, "coded@example.org", w.honest("coded"))
	zone := WriteFile(t, "zone", w.zone.String())
	for name, body := range map[string][]byte{"plain": plain, "base64": coded} {
		addr := FreeAddr(t)
		config, _ := w.config("unix:"+w.dir+"/"+name+".sock", "revocation: {mode: off}", "limits: {message: 20MiB}",
			fmt.Sprintf("webhook: {listen: {listen: \"inet:%s\"}}", addr))
		d := StartDaemon(t, bin, addr, "--config", config, "--dns", zone)
		post := func(body []byte) {
			t.Helper()
			var said struct{ Events []httpAnswer }
			status := postJSON(t, &http.Client{Timeout: hang}, "http://"+addr+"/", "application/json", body, &said)
			if status != http.StatusOK || len(said.Events) != 1 || said.Events[0].Verdict != verify.Accept {
				t.Fatalf("answered %d %+v", status, said)
			}
		}
		post(small)
		must(t, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", d.cmd.Process.Pid), []byte("5"), 0)) // the peak begins anew
		before := d.memory("VmRSS")
		post(body)
		took := float64(d.memory("VmHWM")-before) / float64(len(body))
		t.Logf("%s: %d bytes take %.2f times their size, beside %d MiB", name, len(body), took, before>>20)
		if took > 3 {
			t.Errorf("%s: %.2f times its size", name, took)
		}
		d.Stop()
	}
}

// TestWebhookPostUnderWay: SIGTERM waits for the answer of who has begun to post.
func TestWebhookPostUnderWay(t *testing.T) {
	w := newWorld(t)
	addr := FreeAddr(t)
	config, store := w.config("unix:"+w.dir+"/milter.sock", "revocation: {mode: off}", fmt.Sprintf("webhook: {listen: {listen: \"inet:%s\"}}", addr))
	zone := WriteFile(t, "zone", w.zone.String())
	d := StartDaemon(t, Build(t), addr, "--config", config, "--dns", zone)
	body := relayJSON(t, false, "alice@example.org", w.honest("alice"))
	begun := make(chan struct{})
	r, err := http.NewRequest(http.MethodPost, "http://"+addr+"/", &heldBody{first: body[:100], rest: body[100:], begun: begun, more: func() {
		d.AwaitLog("stopping: ")
	}})
	must(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = int64(len(body))
	r.Header.Set("Expect", "100-continue") // so that it is under way when the body is asked for
	go func() {
		<-begun
		d.cmd.Process.Signal(os.Interrupt)
	}()
	client := &http.Client{Timeout: hang, Transport: &http.Transport{ExpectContinueTimeout: hang}}
	res, err := client.Do(r)
	must(t, err)
	defer res.Body.Close()
	var said struct{ Events []httpAnswer }
	must(t, json.NewDecoder(res.Body).Decode(&said))
	if res.StatusCode != http.StatusOK || len(said.Events) != 1 || said.Events[0].Verdict != verify.Accept {
		t.Errorf("answered %d %+v", res.StatusCode, said)
	}
	w.kept(store, "alice@example.org")
	d.Ends()
}

// A heldBody is a body of which the rest comes after more.
type heldBody struct {
	first, rest []byte
	begun       chan struct{}
	more        func()
	reader      *bytes.Reader
}

func (h *heldBody) Read(p []byte) (int, error) {
	if len(h.first) > 0 {
		n := copy(p, h.first)
		h.first = h.first[n:]
		return n, nil
	}
	if h.reader == nil {
		close(h.begun)
		h.more()
		h.reader = bytes.NewReader(h.rest)
	}
	return h.reader.Read(p)
}
