package mtatest

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// StartOpenDKIM runs OpenDKIM as the signing milter of a domain and returns
// its address.
func StartOpenDKIM(t testing.TB, domain, selector string, key *rsa.PrivateKey) string {
	t.Helper()
	dir, addr := tempDir(t, "opendkim"), FreeAddr(t)
	keyFile := filepath.Join(dir, "key.pem")
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	must(t, os.WriteFile(keyFile, pem.EncodeToMemory(block), 0o600))
	host, port, _ := strings.Cut(addr, ":")
	conf := WriteFile(t, "opendkim.conf", fmt.Sprintf("Mode s\nDomain %s\nSelector %s\nKeyFile %s\nSocket inet:%s@%s\n"+
		"Canonicalization relaxed/relaxed\nBackground no\nSyslog no\nRequireSafeKeys no\nPidFile %s/pid\n", domain, selector, keyFile, port, host, dir))
	cmd := exec.Command("opendkim", "-f", "-x", conf)
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin")
	if cmd.Err != nil {
		cmd = exec.Command("/usr/sbin/opendkim", "-f", "-x", conf)
	}
	var log safeBuffer
	cmd.Stdout, cmd.Stderr = &log, &log
	must(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		done := make(chan struct{})
		go func() { cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			cmd.Process.Kill()
			<-done
		}
		if t.Failed() {
			t.Logf("opendkim said:\n%s", log.String())
		}
	})
	awaitListening(t, addr)
	return addr
}
