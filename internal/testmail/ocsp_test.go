package testmail

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOCSPResponseHoldsForOpenSSL: what the makers make is what they say.
func TestOCSPResponseHoldsForOpenSSL(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("openssl is needed: apt-get install openssl")
	}
	keys := NewKeys()
	for _, c := range []struct {
		kind      string
		algorithm x509.SignatureAlgorithm
		hash      string
	}{
		{"rsa2048", 0, ""}, {"rsa2048", x509.SHA256WithRSAPSS, "sha256"}, {"rsa2048", x509.SHA1WithRSA, "sha384"},
		{"p256", 0, "sha512"}, {"p384", x509.ECDSAWithSHA384, ""}, {"ed25519", 0, ""},
	} {
		ca := keys.Root(Profile{Name: "CA " + c.kind, Kind: c.kind})
		leaf := ca.Issue(Profile{Name: "leaf", Kind: "p256"})
		responder := ca.Issue(Profile{Name: "responder", Kind: c.kind,
			EKU:   []asn1.ObjectIdentifier{OCSPSigning()},
			Extra: []pkix.Extension{OCSPNoCheck(), OCSPURLs("http://a.example/")}})
		der := OCSPResponse{Responder: responder, Embedded: [][]byte{responder.DER}, Algorithm: c.algorithm,
			Answers: []OCSPAnswer{{Cert: leaf, Hash: c.hash, Status: "revoked", Reason: 1}}}.DER()
		dir := t.TempDir()
		file, anchor := filepath.Join(dir, "response"), filepath.Join(dir, "ca.pem")
		if os.WriteFile(file, der, 0o600) != nil || os.WriteFile(anchor, ca.PEM(), 0o600) != nil {
			t.Fatal("cannot write")
		}
		out, err := exec.Command("openssl", "ocsp", "-respin", file, "-CAfile", anchor, "-no-CApath", "-no-CAstore", "-resp_text",
			"-attime", "1772452800").CombinedOutput()
		text := string(out)
		if err != nil || !strings.Contains(text, "Response verify OK") || !strings.Contains(text, "keyCompromise") {
			t.Errorf("%+v: %v: %s", c, err, text)
		}
	}
}
