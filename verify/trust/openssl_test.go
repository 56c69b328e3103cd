package trust_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// disagreements says where openssl verify -purpose smimesign answers otherwise
// than Path, and why that is right. A row that is not needed fails the test.
func disagreements() map[string]string {
	const (
		sha1   = "OpenSSL has no quarrel with SHA-1 and MD5 here; below the anchor we have"
		weak   = "OpenSSL has no smallest key here; we have"
		empty  = "an empty constraint is every mailbox to us, as to crypto/x509; OpenSSL compares it as a host"
		usage  = "the leaf's extended key usage is a row of its own"
		policy = "OpenSSL asks for policies only if told to; crypto/x509 holds the CA to its own words"
	)
	return map[string]string{
		// stricter than OpenSSL
		"path/leaf signed with SHA-1":                  sha1,
		"path/leaf signed with MD5":                    sha1,
		"path/leaf signed with ECDSA and SHA-1":        sha1,
		"path/intermediate signed with SHA-1":          sha1,
		"path/intermediate of RSA 1024":                weak,
		"path/anchor of RSA 1024":                      weak,
		"path/intermediate of P-224":                   weak,
		"path/path of nine":                            "eight certificates are a bound of ours",
		"path/policies required and absent":            policy,
		"constraints/excluded everything":              empty,
		"constraints/excluded mailbox in another case": "an author may be matched in another case, so that an exclusion must be too",
		"constraints/constraint in UTF-8, outside":     "OpenSSL does not compare SmtpUTF8Mailbox as a constraint",

		// more lenient than OpenSSL
		"path/CA with any usage":                   "any extended key usage includes mail; OpenSSL wants it named",
		"path/leaf for TLS is left to usage":       usage,
		"path/critical qualified statements, leaf": "they speak of the worth of signatures, not of encrypting; OpenSSL does not know them",
		"constraints/everything":                   empty,
	}
}

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
	args := []string{"verify", "-purpose", "smimesign", "-partial_chain", "-no-CApath", "-no-CAstore",
		"-attime", strconv.FormatInt(testmail.Instant().Unix(), 10), "-CAfile", write("anchors.pem", anchors...)}
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
	differ := disagreements()
	for name, c := range chains {
		t.Run(name, func(t *testing.T) {
			_, r := trust.New(c.anchors...).Path(c.leaf.Cert, bagOf(c.bag...), options())
			theirs, words := opinion(t, c)
			why, listed := differ[name]
			switch ours := r == nil; {
			case ours != theirs && !listed:
				t.Errorf("we say %v, openssl %v: %s", r, theirs, words)
			case ours == theirs && listed:
				t.Errorf("openssl agrees, although: %s", why)
			}
		})
	}
	if len(chains) < 80 {
		t.Errorf("only %d chains", len(chains))
	}
}
