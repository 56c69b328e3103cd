package revoke

import (
	"bytes"

	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify"
)

// ocspDisagreements says where openssl ocsp answers otherwise than readResponse,
// and why that is right. A row that is not needed fails the test. OpenSSL
// compares thisUpdate and nextUpdate with the machine's clock and only warns;
// cases that are about nothing else are not asked.
func ocspDisagreements() map[string]string {
	const (
		weak     = "OpenSSL has no quarrel with SHA-1, MD5, RSA 1024 and P-224 here; we have"
		hash     = "OpenSSL computes any hash that it is told to; we take SHA-1 and SHA-256 (RFC 5019 and common practice)"
		first    = "OpenSSL takes the first answer about the certificate; to us the worst of those that are current"
		critical = "OpenSSL ignores extensions of responses; what is critical may change the meaning (RFC 6960 section 4.4)"
		trailing = "OpenSSL reads one element and leaves the rest alone"
		der      = "OpenSSL reads BER; RFC 6960 section 4.2.1 has DER"
		clock    = "RFC 6960 refers to RFC 5280 section 4.1.2.5.2 for times: UTC, no fractions; OpenSSL does not look at producedAt"
		bound    = "a bound of ours"
	)
	return map[string]string{
		// stricter than OpenSSL
		"answer/CertID SHA-384":               hash,
		"answer/CertID MD5":                   hash,
		"answer/good and unknown":             first,
		"answer/good and revoked":             first,
		"answer/hold and unknown":             first,
		"responder/CA with OCSP":              "OpenSSL lets a CA below speak for the CA above; intermediates carry OCSPSigning for other reasons",
		"responder/usage without signing":     "OpenSSL does not look at the key usage; a response is a signature (RFC 5280 section 4.2.1.3)",
		"responder/without nocheck":           "OpenSSL does not ask about the responder's certificate; nor do we, so that \"good\" is no answer",
		"responder/delegate signed by SHA-1":  weak,
		"responder/delegate of RSA 1024":      weak,
		"responder/delegate of P-224":         weak,
		"shape/RSA, SHA-1":                    weak,
		"shape/RSA, MD5":                      weak,
		"shape/P-256, SHA-1":                  weak,
		"shape/RSA 1024":                      weak,
		"shape/P-224":                         weak,
		"shape/critical extension":            critical,
		"shape/critical extension of one":     critical,
		"shape/critical extension of another": critical,
		"shape/one byte more":                 trailing,
		"shape/a line end more":               trailing,
		"shape/a length of BER":               der,
		"shape/time with an offset":           clock,
		"shape/time with fractions":           clock,
		"shape/time of no calendar":           clock,
		"shape/version 2":                     "OpenSSL does not look at the version",
		"shape/extensions too long":           bound,
		"shape/17 answers":                    bound,
		"shape/9 certificates":                bound,

		// more lenient than OpenSSL
		"responder/delegate after others":          "one of the certificates is damaged; it is not needed",
		"responder/delegate after one of its name": "OpenSSL tries the first certificate of the responder's name; after a change of its key there are two",
		"responder/delegate of the CA's name":      "OpenSSL takes it for self-signed; the CA's key has signed it, and says what for",
		"answer/stale and good":                    "OpenSSL takes the first answer; the first is no longer one",
	}
}

// opensslSays returns the status that openssl ocsp reads out of a response, ""
// for none, and its words.
func opensslSays(t *testing.T, c ocspCase) (string, string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		f := filepath.Join(dir, name)
		if err := os.WriteFile(f, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return f
	}
	anchor := write("anchor.pem", c.cert.Issuer.PEM())
	args := []string{"ocsp", "-respin", write("response", c.der), "-CAfile", anchor, "-no-CApath", "-no-CAstore", "-issuer", anchor,
		"-no_nonce", "-attime", strconv.FormatInt(testmail.Instant().Unix(), 10)}
	if c.hash != "" {
		args = append(args, "-"+c.hash)
	}
	out, err := exec.Command("openssl", append(args, "-cert", write("leaf.pem", c.cert.PEM()))...).CombinedOutput()
	found := regexp.MustCompile(`(?m)^(?:.*leaf\.pem: )?(good|revoked|unknown)$`).FindSubmatch(out)
	if err != nil || found == nil || !bytes.Contains(out, []byte("Response verify OK")) {
		return "", string(out)
	}
	return string(found[1]), string(out)
}

func TestResponsesAgainstOpenSSL(t *testing.T) {
	needOpenSSL(t)
	differ, asked := ocspDisagreements(), 0
	for name, c := range newOCSPWorld().cases() {
		if c.untimely {
			continue
		}
		asked++
		t.Run(name, func(t *testing.T) {
			ours := ""
			if r, err := readResponse(c.der, c.cert.Cert, c.cert.Issuer.Cert, testmail.Instant()); err == nil {
				ours = r.status
			}
			if ours == verify.Hold { // for OpenSSL a reason among others
				ours = verify.Revoked
			}
			theirs, words := opensslSays(t, c)
			why, listed := differ[name]
			switch {
			case ours != theirs && !listed:
				t.Errorf("we say %q, openssl %q: %s", ours, theirs, words)
			case ours == theirs && listed:
				t.Errorf("openssl agrees, although: %s", why)
			}
		})
	}
	if asked < 100 {
		t.Errorf("only %d responses", asked)
	}
}

// TestRequestIsOpenSSLs: the same bytes for the same question.
func TestRequestIsOpenSSLs(t *testing.T) {
	needOpenSSL(t)
	w, dir := newOCSPWorld(), t.TempDir()
	leaf, anchor, request := filepath.Join(dir, "leaf.pem"), filepath.Join(dir, "anchor.pem"), filepath.Join(dir, "request")
	if os.WriteFile(leaf, w.leaf.PEM(), 0o600) != nil || os.WriteFile(anchor, w.ca.PEM(), 0o600) != nil {
		t.Fatal("cannot write")
	}
	out, err := exec.Command("openssl", "ocsp", "-no_nonce", "-issuer", anchor, "-cert", leaf, "-reqout", request).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want, err := os.ReadFile(request)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ocspRequest(w.leaf.Cert, w.ca.Cert)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v\n%x\n%x", err, got, want)
	}
}

func needOpenSSL(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("openssl is needed: apt-get install openssl")
	}
}
