package revoke

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify"
)

// An ocspServer is openssl ocsp as a responder behind a server on loopback: its
// own server would listen on every address.
type ocspServer struct {
	ca, signer *testmail.Identity
	index      []string    // lines of openssl ca, see indexLine
	args       []string    // of openssl ocsp, besides
	method     chan string // of the request
}

// indexLine is how openssl ca remembers a certificate. state is V, or R with
// the reason.
func indexLine(id *testmail.Identity, state, reason string) string {
	when := ""
	if state == "R" {
		when = "250101000000Z"
		if reason != "" {
			when += "," + reason
		}
	}
	return fmt.Sprintf("%s\t491231235959Z\t%s\t%X\tunknown\t/CN=x\n", state, when, id.Cert.SerialNumber.Bytes())
}

// start returns the URL of the responder.
func (s *ocspServer) start(t *testing.T) string {
	t.Helper()
	needOpenSSL(t)
	s.method = make(chan string, 1)
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		f := filepath.Join(dir, name)
		if err := os.WriteFile(f, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return f
	}
	key, err := x509.MarshalPKCS8PrivateKey(s.signer.Key)
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"ocsp", "-index", write("index", []byte(strings.Join(s.index, ""))), "-CA", write("ca.pem", s.ca.PEM()),
		"-rsigner", write("signer.pem", s.signer.PEM()),
		"-rkey", write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
		"-reqin", filepath.Join(dir, "request"), "-respout", filepath.Join(dir, "response")}, s.args...)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.method <- r.Method
		request, err := io.ReadAll(r.Body)
		if r.Method == http.MethodGet {
			request, err = base64.StdEncoding.DecodeString(strings.TrimPrefix(r.URL.Path, "/"))
		}
		if err != nil {
			t.Error(err)
		}
		write("request", request)
		if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
			t.Errorf("openssl ocsp: %v: %s", err, out)
		}
		response, err := os.ReadFile(filepath.Join(dir, "response"))
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(response)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// ask asks about a certificate, by GET where that is possible unless post.
func (s *ocspServer) ask(t *testing.T, cert, issuer *testmail.Identity, post bool) []byte {
	t.Helper()
	base := s.start(t)
	request, err := ocspRequest(cert.Cert, issuer.Cert)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: 30 * time.Second}
	var answer *http.Response
	if get, short := ocspGET(base, request); short && !post {
		answer, err = client.Get(get)
	} else {
		answer, err = client.Post(base, "application/ocsp-request", bytes.NewReader(request))
	}
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	der, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestOpenSSLResponder: what a real responder says. Its answers bear the time of
// the machine, so that they are judged at the time that they bear.
func TestOpenSSLResponder(t *testing.T) {
	k := testmail.NewKeys()
	always := func(p testmail.Profile) testmail.Profile {
		p.NotBefore, p.NotAfter = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC)
		return p
	}
	ca, stranger := k.Root(always(testmail.Profile{Name: "CA"})), k.Root(always(testmail.Profile{Name: "Stranger"}))
	leaf := ca.Issue(testmail.Profile{Name: "leaf", Kind: "p256"})
	profile := always(testmail.Profile{Name: "responder", EKU: []asn1.ObjectIdentifier{testmail.OCSPSigning()},
		Extra: []pkix.Extension{testmail.OCSPNoCheck()}})
	delegate, sibling := ca.Issue(profile), ca.Issue(always(testmail.Profile{Name: "sibling"}))
	old := profile
	old.NotAfter = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	expired := ca.Issue(old)
	valid := []string{indexLine(leaf, "V", "")}
	revoked := func(reason string) []string { return []string{indexLine(leaf, "R", reason)} }
	by := func(signer *testmail.Identity, index []string, args ...string) ocspServer {
		return ocspServer{ca: ca, signer: signer, index: index, args: append([]string{"-ndays", "1"}, args...)}
	}
	endless := ocspServer{ca: ca, signer: ca, index: valid}
	for name, c := range map[string]struct {
		ocspServer
		later time.Duration // after the answer
		post  bool
		want  string
	}{
		"good":               {by(ca, valid), 0, false, verify.Good},
		"good, by POST":      {by(ca, valid), 0, true, verify.Good},
		"good, by key":       {by(ca, valid, "-resp_key_id"), 0, false, verify.Good},
		"good, bare":         {by(ca, valid, "-resp_no_certs"), 0, false, verify.Good},
		"good, PSS":          {by(ca, valid, "-rsigopt", "rsa_padding_mode:pss", "-rsigopt", "rsa_pss_saltlen:digest"), 0, false, verify.Good},
		"good, SHA-1":        {by(ca, valid, "-rmd", "sha1"), 0, false, "SHA-1"},
		"revoked":            {by(ca, revoked("keyCompromise")), 0, false, verify.Revoked},
		"revoked, no word":   {by(ca, revoked("")), 0, false, verify.Revoked},
		"hold":               {by(ca, revoked("certificateHold")), 0, false, verify.Hold},
		"unknown":            {by(ca, []string{indexLine(sibling, "V", "")}), 0, false, verify.Unknown},
		"delegate":           {by(delegate, valid), 0, false, verify.Good},
		"delegate, revoked":  {by(delegate, revoked("superseded")), 0, false, verify.Revoked},
		"expired delegate":   {by(expired, valid), 0, false, "ended at"},
		"sibling":            {by(sibling, valid), 0, false, "not made for OCSP"},
		"of another CA":      {ocspServer{ca: stranger, signer: stranger, index: valid}, 0, false, "of another issuer"},
		"the next day":       {by(ca, valid), 24 * time.Hour, false, "stale"},
		"nearly a day":       {by(ca, valid), 24*time.Hour - time.Minute, false, verify.Good},
		"no end":             {endless, 23 * time.Hour, false, verify.Good},
		"no end, a day old":  {endless, 24 * time.Hour, false, "stale"},
		"eleven days old":    {by(ca, valid, "-ndays", "60"), 11 * 24 * time.Hour, false, "stale"},
		"clock an hour back": {by(ca, valid), -time.Hour, false, "in the future"},
	} {
		t.Run(name, func(t *testing.T) {
			der := c.ask(t, leaf, ca, c.post)
			b, err := readBasic(der)
			if err != nil {
				if !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %s", err, c.want)
				}
				return
			}
			got, err := readResponse(der, leaf.Cert, ca.Cert, b.produced.Add(c.later))
			x := ocspCase{want: c.want}
			if err == nil && got.status != c.want || err != nil && (x.isAnswer() || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%+v, %v, want %s", got, err, c.want)
			}
			if want := map[bool]string{true: http.MethodPost, false: http.MethodGet}[c.post]; <-c.method != want {
				t.Errorf("not asked by %s", want)
			}
		})
	}
}
