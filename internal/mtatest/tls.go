package mtatest

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// selfSigned makes a TLS key and certificate for the MTA and returns their paths.
func selfSigned(t testing.TB) (key, cert string) {
	t.Helper()
	dir := tempDir(t, "tls")
	key, cert = filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")
	out, err := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
		"-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=mx.example.com").CombinedOutput()
	if err != nil {
		t.Fatalf("openssl req: %v\n%s", err, out)
	}
	return key, cert
}
