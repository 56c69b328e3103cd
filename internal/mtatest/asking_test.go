package mtatest

import (
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
)

// TestAskingFollowsTheConfiguration: each key of the section revocation does what
// is said of it, from the reload on that brings it.
func TestAskingFollowsTheConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newRegistry(w)
	for i := range int64(4000) { // longer than 64 KiB
		r.revoked = append(r.revoked, testmail.ListEntry{Serial: new(big.Int).Add(big.NewInt(1<<40), big.NewInt(i)), At: w.now.AddDate(0, 0, -1)})
	}
	const here = `allow: ["127.0.0.1:*"]`
	d, addr, store := w.serve("revocation: {mode: hard, " + here + "}")
	config := d.args[2]
	before, err := os.ReadFile(config)
	must(t, err)
	base, _, _ := strings.Cut(string(before), "revocation:")
	listen := FreeAddr(t)
	StartPostfix(t, nil, Service{Addr: listen, Options: milterOption(addr)})

	for i, c := range []struct {
		name, settings string
		silent         bool // the certificate names no list
		down           bool
		reply          string
		published      bool
	}{
		{"hard, answered", "mode: hard, " + here, false, false, "250", true},
		{"without the exception", "mode: hard", false, false, "(cert-revocation-unknown;", false},
		{"an exception for another port", `mode: hard, allow: ["127.0.0.1:1"]`, false, false, "(cert-revocation-unknown;", false},
		{"the list is longer", "mode: hard, crl_size: 64KiB, " + here, false, false, "(cert-revocation-unknown;", false},
		{"hard, nobody to ask", "mode: hard, " + here, true, false, "(cert-revocation-none;", false},
		{"off, nobody to ask", "mode: off", true, false, "250", true},
		{"off", "mode: off", false, true, "250", true},
		{"soft, nobody to ask", "mode: soft, " + here, true, false, "250", true},
		{"soft, no answer", "mode: soft, " + here, false, true, "250", false},
		{"soft, no answer, published all the same", "mode: soft, publish_unchecked_after: 0s, " + here, false, true, "250", true},
		{"hard, no answer", "mode: hard, " + here, false, true, "(cert-revocation-unknown;", false},
	} {
		must(t, os.WriteFile(config, []byte(base+"revocation: {"+c.settings+"}\n"), 0o600))
		d.Signal(syscall.SIGHUP)
		await(t, "the reload", func() bool { return strings.Count(d.Log(), "reloaded changed=") > i })
		r.set(func() { r.down = c.down })
		person, one := fmt.Sprintf("person%d", i), *w
		one.lists = []string{fmt.Sprintf("%s/ca.crl?%d", r.URL, i)} // nobody has asked for it yet
		if c.silent {
			one.lists = nil
		}
		s := DialSMTP(t, listen)
		a := s.Send(person+"@example.org", one.honest(person), collectAddress).String()
		s.Quit()
		_, err := os.Stat(filepath.Join(store, "certs", person+"@example.org.crt"))
		if !strings.Contains(a, c.reply) || (err == nil) != c.published {
			t.Errorf("%s: %s, published: %v", c.name, a, err == nil)
		}
	}
}
