package main

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/webhook"
)

// TestSecrets: where they come from, and what is none.
func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return "file:" + path
	}
	const good = "0123456789abcdef"
	t.Setenv("CERTINBOX_TEST_SECRET", good)
	t.Setenv("CERTINBOX_TEST_EMPTY", "")
	for _, c := range []struct {
		name, source, want, err, told string
	}{
		{"a file", file("a", good+"\n", 0o600), good, "", ""},
		{"with the line end of another system", file("b", good+"\r\n", 0o600), good, "", ""},
		{"without a line end", file("c", good, 0o640), good, "", ""},
		{"the longest", file("d", strings.Repeat("x", maxSecret)+"\r\n", 0o600), strings.Repeat("x", maxSecret), "", ""},
		{"too long", file("e", strings.Repeat("x", maxSecret+1), 0o600), "", "needs 1 to 4096", ""},
		{"far too long", file("f", strings.Repeat("x", 1<<20), 0o600), "", "needs 1 to 4096", ""},
		{"empty", file("g", "\n", 0o600), "", "has 0 bytes", ""},
		{"two lines", file("h", good+"\n"+good+"\n", 0o600), "", "at its byte 17", ""},
		{"beyond ASCII", file("i", "0123456789abcdeé", 0o600), "", "at its byte 16", ""},
		{"blanks inside", file("j", "correct horse battery\n", 0o600), "correct horse battery", "", ""},
		{"everybody reads it", file("k", good, 0o604), good, "", "everybody can read " + dir + "/k"},
		{"short", file("l", "hunter2\n", 0o600), "hunter2", "", "has 7 characters only"},
		{"a folder", "file:" + dir, "", "no regular file", ""},
		{"no file", "file:/nonexistent/token", "", "no such file", ""},
		{"the environment", "env:CERTINBOX_TEST_SECRET", good, "", ""},
		{"empty there", "env:CERTINBOX_TEST_EMPTY", "", "has 0 bytes", ""},
		{"not there", "env:CERTINBOX_TEST_NONE", "", "webhook.auth[0].secret: CERTINBOX_TEST_NONE is not set", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var told []string
			got, err := readCredentials([]config.Credential{{Kind: "basic", User: "u", Header: "H", Secret: c.source}}, func(s string) { told = append(told, s) })
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || !strings.HasPrefix(err.Error(), "webhook.auth[0].secret: ") {
					t.Fatalf("error %v, want %s", err, c.err)
				}
			} else if err != nil || len(got) != 1 || string(got[0].Secret) != c.want || got[0].Kind != "basic" || got[0].User != "u" || got[0].Header != "H" {
				t.Fatalf("%v, %v", got, err)
			}
			if all := strings.Join(told, "\n"); (all == "") != (c.told == "") || !strings.Contains(all, c.told) || strings.Contains(all, "hunter2") {
				t.Errorf("told %q, want %q", all, c.told)
			}
		})
	}
}

// TestCredentialOpens: what an entry opens, by default relay posts alone.
func TestCredentialOpens(t *testing.T) {
	t.Setenv("CERTINBOX_TEST_SECRET", "0123456789abcdef")
	for opens, want := range map[string]string{"": "true false", ", opens: check": "false true", ", opens: [relay, check]": "true true"} {
		c, err := config.Parse([]byte("collect: c@example.com\nwebhook: {auth: {kind: bearer, secret: env:CERTINBOX_TEST_SECRET"+opens+"}}\n"), "f")
		if err != nil {
			t.Fatal(err)
		}
		got, err := readCredentials(c.Webhook.Auth, func(string) {})
		if err != nil || len(got) != 1 || fmt.Sprint(got[0].Relay, got[0].Check) != want {
			t.Errorf("%q: %v, %v; want %s", opens, got, err, want)
		}
	}
}

// A boundAt is a listener that is bound to an address, as far as is asked.
type boundAt struct {
	net.Listener
	addr net.Addr
}

func (b boundAt) Addr() net.Addr { return b.addr }

func tcp(ip string, port int) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: port} }

// TestSameAddress: which entry of webhook.listen a socket of systemd belongs to.
func TestSameAddress(t *testing.T) {
	for _, c := range []struct {
		bound  net.Addr
		listen string
		same   bool
	}{
		{tcp("0.0.0.0", 443), "inet:0.0.0.0:443", true},
		{tcp("::", 443), "inet6:[::]:443", true},
		{tcp("::", 443), "inet:0.0.0.0:443", false},
		{tcp("127.0.0.1", 8855), "inet:127.0.0.1:8855", true},
		{tcp("127.0.0.1", 8856), "inet:127.0.0.1:8855", false},
		{tcp("127.0.0.2", 8855), "inet:127.0.0.1:8855", false},
		{tcp("127.0.0.1", 8855), "inet:localhost:8855", false},
		{&net.UnixAddr{Name: "/run/a", Net: "unix"}, "unix:/run/a", true},
		{&net.UnixAddr{Name: "/run/a", Net: "unix"}, "unix:/run/b", false},
		{&net.UnixAddr{Name: "/run/a", Net: "unix"}, "inet:127.0.0.1:1", false},
		{tcp("127.0.0.1", 8855), "nonsense", false},
	} {
		if sameAddress(c.bound, c.listen) != c.same {
			t.Errorf("%s and %s: %v", c.bound, c.listen, !c.same)
		}
	}
}

// TestOpenDoorIsLocal: without a secret nobody but this machine is let in, whatever
// the configuration says of sockets that are open already.
func TestOpenDoorIsLocal(t *testing.T) {
	open, shut := &config.Config{}, &config.Config{}
	shut.Webhook.Auth = []config.Credential{{}}
	for _, c := range []struct {
		addr  net.Addr
		local bool
	}{{tcp("127.0.0.1", 1), true}, {tcp("::1", 1), true}, {&net.UnixAddr{Name: "/a", Net: "unix"}, true},
		{tcp("0.0.0.0", 1), false}, {tcp("::", 1), false}, {tcp("192.0.2.1", 1), false}} {
		c1 := &config.Config{Webhook: config.Webhook{Listen: []config.HTTPListener{{}}}}
		d, err := newWebhook(c1, webhook.Config{Log: slog.New(slog.DiscardHandler)}, []net.Listener{boundAt{addr: c.addr}})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.allows(open); (err == nil) != c.local {
			t.Errorf("%s without auth: %v", c.addr, err)
		}
		if err := d.allows(shut); err != nil {
			t.Errorf("%s with auth: %v", c.addr, err)
		}
	}
}

// TestHeldByPosts: the longest body is never too long to be held.
func TestHeldByPosts(t *testing.T) {
	c := config.Defaults()
	if got := webhook.Longest(heldByPosts(&c)); got < int64(c.Webhook.Body)+2*64<<10 {
		t.Errorf("%d bytes for bodies of %d", got, c.Webhook.Body)
	}
	if c.Limits.InFlight = 4 << 30; heldByPosts(&c) != 1<<30 {
		t.Errorf("%d bytes", heldByPosts(&c))
	}
}
