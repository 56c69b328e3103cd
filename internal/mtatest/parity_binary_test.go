package mtatest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail/cases"
	"github.com/certinbox/certinbox/verify"
)

// unpiped lists the cases whose bytes certinbox pipe does not take as they are:
// MTAs change messages for programs, and it changes them back.
func unpiped() map[string]string {
	return map[string]string{}
}

// world is what stands for the clock, the DNS and the roots of a case on the
// command line, and the lines of its configuration.
func (p *parity) world(t *testing.T, dir string, c cases.Case, config []string) (flags []string, text string) {
	zone := filepath.Join(dir, "zone")
	must(t, os.WriteFile(zone, c.DNS, 0o644))
	flags = []string{"--at", c.At.Format(time.RFC3339), "--dns", zone}
	lines := config
	if config == nil {
		flags = append(flags, "--anchors", anchors(dir))
		lines = []string{"collect: secureme@example.com"}
	}
	text = strings.Join(lines, "\n") + "\nlog: {format: json}\n"
	if !strings.Contains(text, "store:") {
		text += "store: {path: STORE}\n"
	}
	return flags, strings.NewReplacer("ANCHORS", anchors(dir), "STORE", filepath.Join(dir, "store")).Replace(text)
}

// piped judges a case by the real command, which keeps what is good.
func (p *parity) piped(t *testing.T, dir string, c cases.Case, config []string, want judgement) {
	flags, text := p.world(t, dir, c, config)
	file := filepath.Join(dir, "pipe.yaml")
	must(t, os.WriteFile(file, []byte(text), 0o644))
	args := append([]string{"pipe", "--config", file, "--log", "stderr", "--id", parityID, "--rcpt", c.Envelope.Recipients[0]}, flags...)
	if c.Envelope.Sender != nil {
		args = append(args, "--sender", *c.Envelope.Sender)
	}
	cmd := exec.Command(p.bin, args...)
	var said, log bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(c.Message), &said, &log
	cmd.Run() // the exit status is the verdict
	code := cmd.ProcessState.ExitCode()
	if _, ok := unjudged()[c.Name]; ok {
		if code != 67 || strings.Contains(log.String(), `"report"`) {
			t.Errorf("pipe: exit status %d for mail for other people\n%s", code, log.String())
		}
		return
	}
	got := judgement{report: reported(t, log.Bytes())}
	got.verdict = map[int]verify.Verdict{0: verify.Accept, 77: verify.Reject, 75: verify.Defer}[code]
	got.reply = want.reply
	if reply := strings.ReplaceAll(said.String(), "; ref "+parityID+")", ")"); reply != unnumbered(want.reply) {
		got.reply = reply // to be shown
	}
	if files, err := filepath.Glob(filepath.Join(dir, "store", "certs", "*.crt")); err != nil || (len(files) == 1) != (got.verdict == verify.Accept) {
		t.Errorf("pipe: %s, and kept are %v, %v", got.verdict, files, err)
	}
	p.same(t, "pipe", unpiped(), c.Name, nil, got, want)
}

// reported finds the report in a log of JSON.
func reported(t *testing.T, log []byte) json.RawMessage {
	for line := range bytes.Lines(log) {
		var record struct{ Report json.RawMessage }
		if json.Unmarshal(line, &record) == nil && record.Report != nil {
			return record.Report
		}
	}
	t.Errorf("no report in the log:\n%s", log)
	return nil
}

// unnumbered is a reply as pipe says it: the enhanced status code once, first.
func unnumbered(reply string) string {
	var b strings.Builder
	for line := range strings.Lines(reply) {
		code, text, _ := strings.Cut(strings.TrimRight(line[min(len(line), len("550 ")):], "\n"), " ")
		if b.Len() == 0 {
			b.WriteString(code + " ")
		}
		b.WriteString(text + "\n")
	}
	return b.String()
}

// TestParityServed: what is true of the handlers is true of the running daemon. Every
// seventh case is posted to it in each dialect, and checked.
func TestParityServed(t *testing.T) {
	all, err := cases.All()
	must(t, err)
	p := &parity{bin: Build(t), count: map[string]int{}}
	n := 0
	for i, c := range all {
		how, config := told(c)
		if _, others := unjudged()[c.Name]; i%7 != 0 || how == inside || others {
			continue
		}
		n++
		t.Run(c.Name, func(t *testing.T) { p.throughDaemon(t, c, config) })
	}
	t.Logf("%d cases: %v", n, p.count)
	if n < 50 {
		t.Errorf("%d cases only", n)
	}
}

func (p *parity) throughDaemon(t *testing.T, c cases.Case, config []string) {
	v, err := c.Verifier()
	must(t, err)
	dir := tempDir(t, "parity")
	v.Anchors = load(t, dir, c)
	if name := policyOf(c, "blocked_ca"); name != "" {
		block(t, dir, c, v, name)
	}
	want := p.inspected(t, dir, c, config)
	flags, text := p.world(t, dir, c, config)
	socket := filepath.Join(dir, "http")
	file := filepath.Join(dir, "serve.yaml")
	must(t, os.WriteFile(file, []byte(text+"milter: []\nwebhook: {listen: {listen: \"unix:"+socket+"\"}}\n"), 0o644))
	StartDaemon(t, p.bin, socket, append([]string{"--config", file}, flags...)...)
	client := unixClient(socket)
	for _, d := range dialects() {
		body, ok := d.post(t, c)
		if !ok {
			continue
		}
		var said struct{ Events []httpAnswer }
		postJSON(t, client, "http://localhost/", "application/json", body, &said)
		if len(said.Events) != 1 {
			t.Fatalf("%s: %d answers", d.name, len(said.Events))
		}
		got := said.Events[0].judgement()
		if got.reply = want.reply; want.verdict == verify.Defer && got.verdict == verify.Reject {
			got.verdict = verify.Defer // the third time it is decided
		}
		p.same(t, d.name, unposted(), c.Name, nil, got, want)
	}
	var said httpAnswer
	postJSON(t, client, "http://localhost/v1/check?"+checkQuery(c).Encode(), "message/rfc822", c.Message, &said)
	p.same(t, "check", nil, c.Name, nil, said.judgement(), want)
}

// unixClient speaks HTTP over a unix socket.
func unixClient(socket string) *http.Client {
	return &http.Client{Timeout: hang, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		}}}
}

// postJSON posts and reads the JSON of the answer into to.
func postJSON(t *testing.T, client *http.Client, url, kind string, body []byte, to any) (status int) {
	t.Helper()
	res, err := client.Post(url, kind, bytes.NewReader(body))
	must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(t, err)
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatalf("answered %d %s", res.StatusCode, text)
	}
	return res.StatusCode
}
