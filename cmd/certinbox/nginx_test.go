package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
)

// startNginx runs contrib/nginx/certinbox.conf as it stands, but for ports and
// certificate, as an ordinary process. It returns a client that reaches it from
// 127.0.0.2, under the name in the certificate.
func startNginx(t *testing.T, webhook string) (*http.Client, string) {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		path = "/usr/sbin/nginx" // of Debian, not in everybody's PATH
	}
	dir, front := t.TempDir(), freePort(t)
	write := func(name string, text []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	long := testmail.Profile{Name: "front", Kind: "p256", NotBefore: time.Unix(0, 0), NotAfter: time.Now().AddDate(50, 0, 0)}
	ca := testmail.NewKeys().Root(long)
	long.Name, long.DNSNames, long.EKU = "host", []string{"hooks.example.com"}, []asn1.ObjectIdentifier{testmail.ServerAuth()}
	host := ca.Issue(long)
	conf, err := os.ReadFile("../../contrib/nginx/certinbox.conf")
	if err != nil {
		t.Fatal(err)
	}
	text := string(conf)
	for _, r := range [][2]string{
		{"127.0.0.1:8855", webhook},
		{"listen 443 ssl", "listen " + front + " ssl http2"},
		{"/etc/ssl/certs/hooks.example.com.pem", write("host.pem", host.PEM())},
		{"/etc/ssl/private/hooks.example.com.key", write("host.key", host.KeyPEM())},
	} {
		if !strings.Contains(text, r[0]) {
			t.Fatalf("certinbox.conf has no %q", r[0])
		}
		text = strings.ReplaceAll(text, r[0], r[1])
	}
	write("certinbox.conf", []byte(text))
	user := ""
	if os.Getuid() == 0 {
		user = "user root;\n" // who else may enter the folder?
	}
	write("nginx.conf", fmt.Appendf(nil, `%sdaemon off;
pid %[2]s/pid;
error_log %[2]s/error.log;
events {}
http {
	access_log off;
	client_body_temp_path %[2]s/body; proxy_temp_path %[2]s/proxy; fastcgi_temp_path %[2]s/f; uwsgi_temp_path %[2]s/u; scgi_temp_path %[2]s/s;
	include %[2]s/certinbox.conf;
}
`, user, dir))
	nginx := exec.Command(path, "-p", dir, "-e", filepath.Join(dir, "error.log"), "-c", filepath.Join(dir, "nginx.conf"))
	var said bytes.Buffer
	nginx.Stdout, nginx.Stderr = &said, &said
	if err := nginx.Start(); err != nil {
		t.Fatalf("%v; contrib/prerequisites installs it", err)
	}
	t.Cleanup(func() {
		_ = nginx.Process.Signal(os.Interrupt) // it may have ended
		_ = nginx.Wait()
	})
	if !listens(front) {
		t.Fatalf("nginx does not listen: %s", said.String())
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.Cert)
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	client := noRedirects(time.Minute)
	tr := client.Transport.(*http.Transport)
	tr.TLSClientConfig.RootCAs = pool
	tr.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return from.DialContext(ctx, network, front)
	}
	return client, "https://hooks.example.com"
}

func TestNginxFront(t *testing.T) {
	c := newTrial(t, "  proxies: [127.0.0.1/32]\n")
	client, base := startNginx(t, c.address)
	token, err := os.ReadFile(filepath.Join(c.dir, "token"))
	if err != nil {
		t.Fatal(err)
	}
	post, err := os.ReadFile(filepath.Join(c.dir, "sample.json"))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, kind string, body io.Reader, withToken bool) (int, string, int) {
		t.Helper()
		r, err := http.NewRequest(method, base+path, body)
		if err != nil {
			t.Fatal(err)
		}
		if kind != "" {
			r.Header.Set("Content-Type", kind)
		}
		if withToken {
			r.Header.Set(tokenHeader, strings.TrimSpace(string(token)))
		}
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		res, err := client.Do(r)
		if err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(text), res.ProtoMajor
	}
	status, text, protocol := ask("POST", "/", "application/json", bytes.NewReader(post), true)
	if status != 200 || !strings.Contains(text, `"verdict":"accept"`) {
		t.Errorf("the sample: %d %s", status, text)
	}
	if protocol != 2 {
		t.Errorf("HTTP/%d was spoken", protocol)
	}
	// What sparkpost setup tries is answered as it wants.
	var told []string
	target := &relayTarget{url: base + "/", token: strings.TrimSpace(string(token)), client: client}
	if works, err := target.try(t.Context(), io.Discard, func(s string) { told = append(told, s) }, "inbound.example.com"); !works || err != nil || told != nil {
		t.Errorf("sparkpost setup says %v, %v, %q", works, err, told)
	}
	// 20 MB of JSON in unknown fields: streamed through, nothing to judge.
	long := `[{"msys":{},"x":"` + strings.Repeat("x", 20<<20) + `"}]`
	if status, text, _ := ask("POST", "/", "application/json", strings.NewReader(long), true); status != 200 {
		t.Errorf("a long body: %d %s", status, text)
	}
	for _, want := range []struct {
		method, path, kind string
		body               io.Reader
		token              bool
		status             int
		says               string
	}{
		{"POST", "/", "application/json", bytes.NewReader(post), false, 401, ""},
		{"POST", "/", "", nil, false, 400, "Unknown Content-Type in request headers"},
		{"GET", "/", "", nil, true, 405, ""},
		{"POST", "/v1/check", "message/rfc822", strings.NewReader("x"), true, 404, "nginx"},
		{"POST", "/other", "application/json", strings.NewReader("[]"), true, 404, "nginx"},
		{"POST", "/", "application/json", bytes.NewReader(make([]byte, 65<<20)), true, 413, "nginx"},
	} {
		if status, text, _ := ask(want.method, want.path, want.kind, want.body, want.token); status != want.status || !strings.Contains(text, want.says) {
			t.Errorf("%s %s: %d %s, want %d %s", want.method, want.path, status, text, want.status, want.says)
		}
	}
	c.stop()
	log := c.log()
	contains(t, log, "127.0.0.2", "written file")
	if strings.Contains(log, "203.0.113.9") {
		t.Errorf("the log believes the client's own X-Forwarded-For:\n%s", log)
	}
	if status, _, _ := ask("POST", "/", "application/json", strings.NewReader("[]"), true); status != 502 {
		t.Errorf("without certinbox: %d, want 502", status)
	}
	c.start()
	if status, text, _ := ask("POST", "/", "application/json", bytes.NewReader(post), true); status != 200 || !strings.Contains(text, `"verdict":"accept"`) {
		t.Errorf("the sample once more: %d %s", status, text)
	}
}
