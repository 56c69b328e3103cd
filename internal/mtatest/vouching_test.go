package mtatest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// under is the same world under another root and CA. Its people's certificates
// name nobody to ask.
func (w *world) under(name string) *world {
	other := *w
	other.root = w.keys.Root(testmail.Profile{Name: name + " Root", Organisation: name, Kind: "p256"})
	other.ca = other.root.Intermediate(testmail.Profile{Name: name + " CA", Organisation: name, Kind: "p256"})
	other.lists = nil
	return &other
}

// distrusted is a list of e-mail roots, of which the world's lost trust for what
// was issued in the last two months.
func (w *world) distrusted() string {
	var b bytes.Buffer
	must(w.t, trust.WriteBundle(&b, trust.Bundle{Version: "test", Date: w.now.UTC(), Roots: []trust.Root{
		{Certificate: w.root.Cert, Label: w.root.Cert.Subject.CommonName, DistrustAfter: w.now.AddDate(0, -2, 0).UTC()}}}))
	return WriteFile(w.t, "roots.pem", b.String())
}

// TestWhoMayVouchThroughPostfix: each reason for which a CA may not vouch reaches
// the sender's server and the log. A CA that is blocked takes with it what was
// kept under it, and lifting the block brings it back.
func TestWhoMayVouchThroughPostfix(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	newRegistry(w)
	late, partner, unknown, silent := w.under("Late"), w.under("Partner"), w.under("Unknown"), *w
	silent.lists = nil
	addr, listen, store := FreeAddr(t), FreeAddr(t), filepath.Join(w.dir, "store")
	config := WriteFile(t, "config.yaml", fmt.Sprintf(`collect: %s
milter: {listen: "inet:%s"}
store: {path: %s}
trust:
  roots: %s
  anchors:
    - {file: %s, domains: any}
    - {file: %s, domains: [partner.example, .example.org]}
`, collectAddress, addr, store, late.distrusted(), WriteFile(t, "root.pem", string(w.root.PEM())), WriteFile(t, "partner.pem", string(partner.root.PEM())))+
		fmt.Sprintf(asking, "hard")+"\n")
	d := StartDaemon(t, Build(t), addr, "--config", config, "--dns", WriteFile(t, "zone", w.zone.String()))
	StartPostfix(t, nil, Service{Addr: listen, Options: milterOption(addr)})
	send := func(w *world, person string) string {
		s := DialSMTP(t, listen)
		defer s.Quit()
		return s.Send(person+"@example.org", w.honest(person), collectAddress).String()
	}
	refused := func(w *world, person, code, says, reason string) {
		t.Helper()
		if a := send(w, person); !strings.HasPrefix(a, code) || !strings.Contains(a, says) || !strings.Contains(a, "("+reason+"; ref ") {
			t.Errorf("want %s, %q and %s, got\n%s", code, says, reason, a)
		}
		d.AwaitLog("(" + reason + ")")
	}
	certinbox := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(d.bin, append(args, "--config", config)...).CombinedOutput()
		if err != nil {
			t.Fatalf("certinbox %v: %v\n%s", args, err, out)
		}
		return string(out)
	}

	if a := send(w, "alice"); !strings.HasPrefix(a, "250") {
		t.Fatal(a)
	}
	w.kept(store, "alice@example.org")
	refused(late, "bob", "550 5.7.5", "The CA is not trusted for certificates issued after", "cert-distrusted")
	refused(partner, "carol", "550 5.7.5", "for certain domains only", "cert-constraint")
	refused(unknown, "dave", "550 5.7.5", "not trusted here", "cert-untrusted")
	refused(&silent, "erin", "550 5.7.5", "names no way to ask", "cert-revocation-none")

	ca := WriteFile(t, "ca.pem", string(w.ca.PEM()))
	published := filepath.Join(store, "certs", "alice@example.org.crt")
	certinbox("trust", "block", ca)
	d.Signal(syscall.SIGHUP)
	await(t, "what was kept under the CA to leave certs/", func() bool { _, err := os.Stat(published); return os.IsNotExist(err) })
	refused(w, "frank", "550 5.7.1", "A CA of the path is on the block list", "cert-blocked")
	d.AwaitLog("event=blocked")

	certinbox("trust", "block", ca, "--lift")
	d.Signal(syscall.SIGHUP)
	await(t, "it to come back", func() bool { _, err := os.Stat(published); return err == nil })

	// One that is only trusted no longer leaves what it vouched for before.
	text, err := os.ReadFile(config)
	must(t, err)
	must(t, os.WriteFile(config, bytes.Replace(text, []byte("domains: any"), []byte("domains: other.example"), 1), 0o600))
	d.Signal(syscall.SIGHUP)
	d.AwaitLog("event=untrusted")
	w.kept(store, "alice@example.org")

	d.Stop()
	out := certinbox("trust", "unknown")
	for _, reason := range []string{"cert-distrusted", "cert-untrusted"} {
		if !strings.Contains(out, reason) {
			t.Errorf("trust unknown does not say %s:\n%s", reason, out)
		}
	}
}
