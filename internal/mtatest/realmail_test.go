package mtatest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/verify"
)

// realMail is the folder of real messages that CERTINBOX_REALMAIL names:
// FILE.eml, dns.txt and anchor-comodo-rsa.pem. They are not ours to ship.
func realMail(t *testing.T) string {
	dir := os.Getenv("CERTINBOX_REALMAIL")
	if dir == "" {
		t.Skip("CERTINBOX_REALMAIL names no folder of real mail")
	}
	return dir
}

// When the real messages were sent, and to whom.
const (
	realAt = "2018-11-22T15:10:00Z"
	realTo = "steve.tuck@sparkpost.com"
)

// TestRealMailInspected gives real messages to inspect, under their root alone and
// under the public roots that come with the program.
func TestRealMailInspected(t *testing.T) {
	dir, bin := realMail(t), Build(t)
	public := WriteFile(t, "config.yaml", "collect: "+collectAddress+"\nstore: {path: "+tempDir(t, "store")+"}\n")
	for _, c := range []struct {
		file, at string // "": now
		code     int
		says     []string
	}{
		{"signed-from-bob", realAt, 0, []string{"accept: 250 2.0.0"}},
		{"signed-from-bob-bad-dkim", realAt, 1, []string{"(dkim-fail)"}},
		{"signed-from-bob-no-dkim", realAt, 1, []string{"(dkim-none)"}},
		{"from-bob-corrupt-signature", "2018-12-13T15:31:05Z", 1, []string{"reject: 550"}},
		{"from-bob-attachment-not-sig", "2018-12-13T14:16:26Z", 1, []string{"(smime-none)"}},
		{"signed-from-bob", "", 1, []string{"(cert-expired)", "stale"}},
	} {
		for _, roots := range [][]string{{"--anchors", filepath.Join(dir, "anchor-comodo-rsa.pem")}, {"--config", public}} {
			args := append([]string{"inspect", "--dns", filepath.Join(dir, "dns.txt"), "--rcpt", realTo}, roots...)
			if c.at != "" {
				args = append(args, "--at", c.at)
			}
			cmd := exec.Command(bin, append(args, filepath.Join(dir, c.file+".eml"))...)
			out, _ := cmd.CombinedOutput() // the exit status is the verdict
			if code := cmd.ProcessState.ExitCode(); code != c.code {
				t.Errorf("%s, %v: exit status %d, want %d", c.file, roots, code, c.code)
			}
			for _, text := range c.says {
				if !strings.Contains(string(out), text) {
					t.Errorf("%s at %q, %v, does not say %q:\n%s", c.file, c.at, roots, text, out)
				}
			}
		}
	}
}

// TestRealMail runs real messages through certinbox and a real Postfix.
func TestRealMail(t *testing.T) {
	dir := realMail(t)
	milter, state := FreeAddr(t), tempDir(t, "store")
	config := WriteFile(t, "config.yaml", "collect: "+realTo+"\nmilter: {listen: \"inet:"+milter+"\"}\nstore: {path: "+state+"/store}\n")
	StartDaemon(t, Build(t), milter, "--config", config, "--at", realAt, "--dns", filepath.Join(dir, "dns.txt"), "--anchors", filepath.Join(dir, "anchor-comodo-rsa.pem"))
	addr := FreeAddr(t)
	StartPostfix(t, map[string]string{"virtual_mailbox_domains": "sparkpost.com"}, Service{Addr: addr, Options: milterOption(milter)})
	s := DialSMTP(t, addr)
	send := func(name string) Answer {
		b, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		return s.Send("bob.lumreeker@gmail.com", b, realTo)
	}
	refused(t, send("signed-from-bob-bad-dkim.eml"), 550, "dkim-fail")
	refused(t, send("signed-from-bob-no-dkim.eml"), 550, "dkim-none")
	if a := send("signed-from-bob.eml"); a.Code != 250 {
		t.Fatal(a)
	}
	(&world{t: t}).kept(state+"/store", "bob.lumreeker@gmail.com")
	s.Quit()
}

// TestRealRelayPost posts what SparkPost posted of a real message, to a daemon on
// loopback with the secret in a file, and again: the same answer, and one entry.
func TestRealRelayPost(t *testing.T) {
	dir := realMail(t)
	post, err := os.ReadFile(filepath.Join(dir, "relay-post.json"))
	must(t, err)
	addr, state := FreeAddr(t), tempDir(t, "store")
	token := WriteFile(t, "token", "a token of some length\n")
	config := WriteFile(t, "config.yaml", "collect: secureme@inbound.thetucks.com\nmilter: []\nstore: {path: "+state+"/store}\n"+
		"webhook: {listen: {listen: \"inet:"+addr+"\"}, auth: {kind: header, secret: \"file:"+token+"\"}}\n")
	d := StartDaemon(t, Build(t), addr, "--config", config, "--at", "2018-11-30T18:58:00Z",
		"--dns", filepath.Join(dir, "dns.txt"), "--anchors", filepath.Join(dir, "anchor-comodo-rsa.pem"))
	client := &http.Client{Timeout: hang}
	send := func(token string) (int, []httpAnswer) {
		r, err := http.NewRequest(http.MethodPost, "http://"+addr+"/", bytes.NewReader(post))
		must(t, err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-MessageSystems-Webhook-Token", token)
		res, err := client.Do(r)
		must(t, err)
		defer res.Body.Close()
		var said struct{ Events []httpAnswer }
		must(t, json.NewDecoder(res.Body).Decode(&said))
		return res.StatusCode, said.Events
	}
	if status, said := send("another token"); status != http.StatusUnauthorized || said != nil {
		t.Errorf("with another token: %d %v", status, said)
	}
	for range 2 {
		if status, said := send("a token of some length"); status != http.StatusOK || len(said) != 1 || said[0].Verdict != verify.Accept {
			t.Errorf("answered %d %v", status, said)
		}
	}
	(&world{t: t}).kept(state+"/store", "bob.lumreeker@gmail.com")
	d.AwaitLog("written file " + state + "/store/certs/bob.lumreeker@gmail.com.crt")
	if strings.Contains(d.Log(), "token of some") || strings.Contains(d.Log(), "another token") {
		t.Error("a secret is in the log")
	}
}
