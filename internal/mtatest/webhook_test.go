package mtatest

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// ping is what SparkPost posts to see whether a webhook is there.
const ping = `[{"msys":{}}]`

// copyFile replaces the content of a file, as who renews a certificate does.
func copyFile(t *testing.T, from, to string) {
	b, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, b, 0o600))
}

// posting posts a ping over TLS and returns the status and the session.
func posting(t *testing.T, addr, secret string, c *tls.Config) (status int, session *tls.ConnectionState, err error) {
	client := &http.Client{Timeout: hang, Transport: &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true, DisableKeepAlives: true}}
	r, err := http.NewRequest(http.MethodPost, "https://"+addr+"/", strings.NewReader(ping))
	must(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+secret)
	res, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	return res.StatusCode, res.TLS, nil
}

// TestWebhookTLS: certificates and secrets are read again on SIGHUP; what is broken
// then changes nothing, and at the start it is named.
func TestWebhookTLS(t *testing.T) {
	w := newWorld(t)
	key, cert := selfSigned(t)
	nextKey, nextCert := selfSigned(t)
	served := tempDir(t, "served")
	copyFile(t, cert, served+"/cert.pem")
	copyFile(t, key, served+"/key.pem")
	must(t, os.WriteFile(served+"/secret", []byte("the first secret\n"), 0o600))
	addr := FreeAddr(t)
	config, _ := w.config("unix:"+served+"/milter.sock", "revocation: {mode: off}",
		"webhook: {auth: {kind: bearer, secret: \"file:"+served+"/secret\"}, listen: {listen: \"inet:"+addr+"\", certificate: "+served+"/cert.pem, key: "+served+"/key.pem}}")
	bin := Build(t)
	d := StartDaemon(t, bin, addr, "--config", config)

	trusting := func(file string) *tls.Config {
		pem, err := os.ReadFile(file)
		must(t, err)
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		return &tls.Config{RootCAs: pool, ServerName: "mx.example.com", InsecureSkipVerify: true,
			VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error { // it has a common name only
				leaf, err := x509.ParseCertificate(raw[0])
				if err == nil {
					_, err = leaf.Verify(x509.VerifyOptions{Roots: pool})
				}
				return err
			}}
	}
	works := func(secret, cert string, status int) {
		t.Helper()
		got, session, err := posting(t, addr, secret, trusting(cert))
		if err != nil || got != status || session.NegotiatedProtocol != "h2" || session.Version != tls.VersionTLS13 {
			t.Errorf("%d, %+v, %v", got, session, err)
		}
	}
	works("the first secret", cert, http.StatusOK)
	works("the second secret", cert, http.StatusUnauthorized)
	old := trusting(cert)
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if _, _, err := posting(t, addr, "the first secret", old); err == nil {
		t.Error("TLS 1.1 is spoken")
	}

	copyFile(t, nextCert, served+"/cert.pem") // the key of the other is there still
	must(t, os.WriteFile(served+"/secret", []byte("\n"), 0o600))
	d.Signal(syscall.SIGHUP)
	d.AwaitLog("reload: the old settings stay")
	d.AwaitLog("error: reload: webhook.listen[0]: certificate " + served + "/cert.pem and key " + served + "/key.pem: ")
	d.AwaitLog("error: reload: webhook.auth[0].secret: file:" + served + "/secret has 0 bytes")
	works("the first secret", cert, http.StatusOK)

	out, err := exec.Command(bin, "check-config", "--config", config).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "webhook.listen[0]: certificate "+served) || !strings.Contains(string(out), "webhook.auth[0].secret: ") {
		t.Errorf("check-config: %v\n%s", err, out)
	}
	other, _ := w.config("unix:"+served+"/other.sock", "revocation: {mode: off}", "webhook: {listen: {listen: \"inet:"+FreeAddr(t)+"\", certificate: "+served+"/cert.pem, key: "+served+"/none.pem}}")
	cmd := exec.Command(bin, "serve", "--config", other)
	out, _ = cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 78 || !strings.Contains(string(out), "webhook.listen[0].key: ") {
		t.Errorf("exit status %d\n%s", cmd.ProcessState.ExitCode(), out)
	}

	copyFile(t, nextKey, served+"/key.pem")
	must(t, os.WriteFile(served+"/secret", []byte("the second secret\n"), 0o600))
	d.Signal(syscall.SIGHUP)
	d.AwaitLog("reloaded ")
	works("the second secret", nextCert, http.StatusOK)
	works("the first secret", nextCert, http.StatusUnauthorized)
	if strings.Contains(d.Log(), "first secret") || strings.Contains(d.Log(), "second secret") {
		t.Error("a secret is in the log")
	}
}
