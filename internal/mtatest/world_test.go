package mtatest

import (
	"crypto"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
	"github.com/certinbox/certinbox/internal/testmail"
)

const (
	collectAddress = "secureme@example.com"
	sendmailRoot   = "../../.cache/sendmail"
)

// A world is a CA, a sending domain and its DNS, as certinbox will see them.
type world struct {
	t    testing.TB
	keys *testmail.Keys
	root *testmail.Identity
	ca   *testmail.Identity
	dkim testmail.DKIM
	zone testmail.Zone
	now  time.Time
	dir  string

	lists []string      // where the people's certificates send those who ask about them
	alone bool          // signers send their certificate without that of the CA
	more  []string      // lines that stand in each letter, beside the usual ones
	key   crypto.Signer // of all people; nil: each has one of his own
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, keys: testmail.NewKeys(), now: time.Now(), dir: tempDir(t, "world")}
	w.root = w.keys.Root(testmail.Profile{Name: "Example Root", Organisation: "Example Trust", Kind: "p256"})
	w.ca = w.root.Intermediate(testmail.Profile{Name: "Example Mail CA", Organisation: "Example Trust", Kind: "p256"})
	w.dkim = testmail.DKIM{Domain: "example.org", Selector: "s1", Key: w.keys.Key("rsa2048", "dkim")}
	w.zone = testmail.Zone{}.Add(w.dkim.Name(), w.dkim.Record())
	return w
}

// signed is an S/MIME signed message of a person at example.org, not yet
// signed by the domain. Its From is another's when from is given.
func (w *world) signed(person, from string) testmail.Message {
	address := person + "@example.org"
	if from == "" {
		from = address
	}
	who := w.certificate(person)
	above := [][]byte{w.ca.DER}
	if w.alone {
		above = nil
	}
	content := testmail.Text(append([]string{"Please keep my certificate.", "", ". a line that begins with a dot", person}, w.more...)...).Bytes()
	blob, err := cmstest.Blob{Content: content, Extra: above,
		Signers: []cmstest.Signer{{Key: who.Key, Certificate: who.Cert, Time: w.now}}}.Build()
	must(w.t, err)
	entity := testmail.MultipartSigned(content, blob)
	return testmail.Message{Fields: append([]string{
		"From: " + from,
		"To: " + collectAddress,
		"Subject: My certificate",
		"Date: " + w.now.Format(time.RFC1123Z),
		fmt.Sprintf("Message-ID: <%d.%s@example.org>", w.now.UnixNano(), person),
		"MIME-Version: 1.0",
	}, entity.Fields...), Body: entity.Body}
}

// certificate is the one that the CA has issued to a person.
func (w *world) certificate(person string) *testmail.Identity {
	return w.ca.Issue(testmail.Profile{Name: person, Kind: "p256", Key: w.key, Mailboxes: []string{person + "@example.org"}, CRL: w.lists,
		NotBefore: w.now.AddDate(0, -1, 0), NotAfter: w.now.AddDate(1, 0, 0)})
}

// honest is signed by person and domain.
func (w *world) honest(person string) []byte { return w.dkim.Sign(w.signed(person, "")).Bytes() }

// config writes a configuration for a milter listening at listen.
func (w *world) config(listen string, more ...string) (path, store string) {
	store = filepath.Join(w.dir, "store")
	anchors := WriteFile(w.t, "root.pem", string(w.root.PEM()))
	lines := append([]string{
		"collect: " + collectAddress,
		"milter: {listen: \"" + listen + "\"}",
		"store: {path: " + store + "}",
		"trust: {anchors: [{file: " + anchors + ", domains: any}]}",
	}, more...)
	return WriteFile(w.t, "config.yaml", strings.Join(lines, "\n")+"\n"), store
}

// serve starts certinbox on a TCP address of its own.
func (w *world) serve(more ...string) (d *Daemon, addr, store string) {
	addr = FreeAddr(w.t)
	config, store := w.config("inet:"+addr, more...)
	zone := WriteFile(w.t, "zone", w.zone.String())
	return StartDaemon(w.t, Build(w.t), addr, "--config", config, "--dns", zone), addr, store
}

// kept fails the test unless openssl reads the certificate kept for address.
func (w *world) kept(store, address string) string {
	w.t.Helper()
	out, err := exec.Command("openssl", "x509", "-in", filepath.Join(store, "certs", address+".crt"), "-noout", "-subject", "-ext", "subjectAltName").CombinedOutput()
	if err != nil {
		w.t.Fatalf("openssl x509: %v\n%s", err, out)
	}
	if !strings.Contains(string(out), "email:"+address) {
		w.t.Fatalf("the kept certificate says\n%s", out)
	}
	return string(out)
}

func milterOption(addr string) map[string]string {
	return map[string]string{"smtpd_milters": "inet:" + addr}
}
