package trust_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// opinion asks openssl whether it takes the chain.
func opinion(t *testing.T, c chain) (bool, string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, ids ...[]byte) string {
		f := filepath.Join(dir, name)
		if err := os.WriteFile(f, bytes.Join(ids, nil), 0o600); err != nil {
			t.Fatal(err)
		}
		return f
	}
	var anchors, bag [][]byte
	for _, a := range c.anchors {
		anchors = append(anchors, []byte(block("CERTIFICATE", a.Certificate.Raw)))
	}
	for _, id := range c.bag {
		bag = append(bag, id.PEM())
	}
	args := []string{"verify", "-purpose", "smimesign", "-no-CApath", "-no-CAstore",
		"-attime", strconv.FormatInt(testmail.Instant().Unix(), 10), "-CAfile", write("anchors.pem", anchors...)}
	for _, a := range c.anchors {
		if !bytes.Equal(a.Certificate.RawSubject, a.Certificate.RawIssuer) {
			args = append(args, "-partial_chain") // an anchor need not be a root
			break
		}
	}
	if len(bag) > 0 {
		args = append(args, "-untrusted", write("bag.pem", bag...))
	}
	out, err := exec.Command("openssl", append(args, write("leaf.pem", c.leaf.PEM()))...).CombinedOutput()
	return err == nil, string(out)
}

func TestAgainstOpenSSL(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("openssl is needed: apt-get install openssl")
	}
	w := newWorld()
	chains := map[string]chain{}
	for name, c := range pathCases() {
		if len(c.anchors) > 0 {
			chains["path/"+name] = c.chain
		}
	}
	for name, c := range constraintCases(t) {
		chains["constraints/"+name] = constrainedChain(t, w, c, false)
	}
	for name, c := range oracleChains(t) {
		chains[name] = c
	}
	version, err := exec.Command("openssl", "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	tabled := strings.HasPrefix(string(version), "OpenSSL 3.0.")
	stricter, lenient := stricterThanOpenSSL(), moreLenientThanOpenSSL()
	for name, c := range chains {
		t.Run(name, func(t *testing.T) {
			r := unread()
			if c.leaf.Cert != nil {
				_, r = trust.New(c.anchors...).Path(c.leaf.Cert, bagOf(c.bag...), options())
			}
			theirs, words := opinion(t, c)
			ours, listed := r == nil, stricter[name]+lenient[name]
			switch {
			case !ours && theirs && stricter[name] == "", ours && !theirs && lenient[name] == "":
				t.Errorf("we say %v, openssl %v: %s", r, theirs, words)
			case ours == theirs && listed != "" && tabled:
				t.Errorf("openssl agrees, although: %s", listed)
			case ours == theirs && listed != "":
				t.Logf("this openssl agrees: %s", version)
			}
			delete(stricter, name)
			delete(lenient, name)
		})
	}
	if len(stricter)+len(lenient) > 0 {
		t.Errorf("disagreements about chains that are not there: %v, %v", stricter, lenient)
	}
	if len(chains) < 300 {
		t.Errorf("only %d chains", len(chains))
	}
}

// unread is what becomes of a certificate that crypto/x509 cannot read: the
// signer has none, long before a path is searched.
func unread() *trust.Refusal { return &trust.Refusal{Reason: "cert-key", Detail: "unreadable"} }

// TestChainsAreDocumented holds the document to the tables.
func TestChainsAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../doc/chains.md")
	if err != nil {
		t.Fatal(err)
	}
	for heading, table := range map[string]map[string]string{
		"certinbox refuses, OpenSSL accepts": stricterThanOpenSSL(),
		"certinbox accepts, OpenSSL refuses": moreLenientThanOpenSSL(),
	} {
		_, section, found := strings.Cut(string(doc), "## "+heading+"\n")
		if section, _, _ = strings.Cut(section, "\n## "); !found {
			t.Errorf("chains.md has no section %q", heading)
		}
		for name, why := range table {
			if row := "| " + name + " | " + why + " |\n"; !strings.Contains(section, row) {
				t.Errorf("%s: no row\n%s", heading, row)
			}
		}
		if rows := strings.Count(section, "\n| ") - 1; rows != len(table) {
			t.Errorf("%s: %d rows, want %d", heading, rows, len(table))
		}
	}
}
