package mtatest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// hang is how long anything may take before a test is declared hanging.
const hang = 90 * time.Second

// A Postfix is a running private instance.
type Postfix struct {
	dir string
	t   testing.TB
}

// A Service is one smtpd of the instance, or a service that delivers.
type Service struct {
	Addr    string            // host:port on loopback
	Options map[string]string // of this smtpd alone, as with -o

	Entry string // of master.cf, in the place of an smtpd
}

// StartPostfix starts an instance with the given smtpd services and settings
// of main.cf on top of those every test needs. It is stopped when t ends.
func StartPostfix(t testing.TB, settings map[string]string, services ...Service) *Postfix {
	t.Helper()
	p := &Postfix{dir: tempDir(t, "postfix"), t: t}
	box, err := user.Lookup("postfix")
	if err != nil {
		t.Fatalf("postfix is not installed (contrib/prerequisites installs it): %v", err)
	}
	uid, _ := strconv.Atoi(box.Uid)
	gid, _ := strconv.Atoi(box.Gid)
	for _, d := range []string{"conf", "spool", "data", "mail"} {
		must(t, os.Mkdir(filepath.Join(p.dir, d), 0o755))
	}
	must(t, os.Chown(filepath.Join(p.dir, "data"), uid, gid))
	must(t, os.Chown(filepath.Join(p.dir, "mail"), uid, gid))
	must(t, os.WriteFile(filepath.Join(p.dir, "conf/main.cf"), []byte(p.mainCF(box, settings)), 0o644))
	must(t, os.WriteFile(filepath.Join(p.dir, "conf/master.cf"), []byte(masterCF(services)), 0o644))
	p.run("check")
	p.run("start")
	t.Cleanup(p.stop)
	for _, s := range services {
		if s.Entry == "" {
			awaitListening(t, s.Addr)
		}
	}
	return p
}

func (p *Postfix) mainCF(box *user.User, settings map[string]string) string {
	d := p.dir
	all := map[string]string{
		"compatibility_level": "3.6", "config_directory": d + "/conf", "queue_directory": d + "/spool",
		"data_directory": d + "/data", "maillog_file": d + "/maillog", "maillog_file_prefixes": d,
		"myhostname": "mx.example.com", "mydomain": "example.com", "mydestination": "",
		"inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4", "smtp_address_preference": "ipv4",
		"mynetworks": "192.0.2.0/24", "local_header_rewrite_clients": "", "in_flow_delay": "0",
		"smtpd_relay_restrictions": "reject_unauth_destination", "smtpd_peername_lookup": "no",
		"virtual_mailbox_domains": "example.com", "virtual_mailbox_base": d + "/mail",
		"virtual_mailbox_maps": "static:box/", "virtual_uid_maps": "static:" + box.Uid,
		"virtual_gid_maps": "static:" + box.Gid, "virtual_minimum_uid": "1", "alias_maps": "", "alias_database": "",
		"default_transport": "discard", "relay_transport": "discard", "smtpd_client_connection_rate_limit": "0",
		"smtpd_client_connection_count_limit": "0", "milter_connect_timeout": "10s",
		"milter_default_action": "tempfail", "smtpd_recipient_limit": "1000",
	}
	for k, v := range settings {
		all[k] = v
	}
	var b strings.Builder
	for k, v := range all {
		fmt.Fprintf(&b, "%s = %s\n", k, v)
	}
	return b.String()
}

// masterCF is a master.cf without pickup, local delivery or chroot.
func masterCF(services []Service) string {
	var b strings.Builder
	for _, s := range services {
		if s.Entry != "" {
			b.WriteString(s.Entry + "\n")
			continue
		}
		fmt.Fprintf(&b, "%s inet n - n - 50 smtpd\n", s.Addr)
		for k, v := range s.Options {
			fmt.Fprintf(&b, "  -o { %s = %s }\n", k, v)
		}
	}
	b.WriteString(`cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`)
	return b.String()
}

func (p *Postfix) run(verb string) {
	p.t.Helper()
	cmd := exec.Command("timeout", "60", "postfix", "-c", filepath.Join(p.dir, "conf"), verb)
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin", "MAIL_CONFIG="+filepath.Join(p.dir, "conf"))
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("postfix %s: %v\n%s\n%s", verb, err, out, p.Log())
	}
}

func (p *Postfix) stop() {
	if p.t.Failed() {
		p.t.Logf("postfix log:\n%s", p.Log())
	}
	p.run("stop")
}

// Log returns the instance's log.
func (p *Postfix) Log() string {
	b, _ := os.ReadFile(filepath.Join(p.dir, "maillog"))
	return string(b)
}

// Delivered returns the messages in the mailbox, waiting until there are n.
func (p *Postfix) Delivered(n int) []string {
	p.t.Helper()
	var mails []string
	await(p.t, fmt.Sprintf("%d delivered messages", n), func() bool {
		names, _ := filepath.Glob(filepath.Join(p.dir, "mail/box/new/*"))
		if len(names) < n {
			return false
		}
		mails = mails[:0]
		for _, name := range names {
			b, err := os.ReadFile(name)
			must(p.t, err)
			mails = append(mails, string(b))
		}
		return true
	})
	return mails
}

// FreeAddr returns an address on loopback where nothing listens. Its port is
// below those that the kernel gives to outgoing connections, so that none of
// these takes it before the server is up.
func FreeAddr(t testing.TB) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 12000+rand.IntN(18000))
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		l.Close()
		return addr
	}
	t.Fatal("no port is free on loopback")
	return ""
}

// tempDir is a world-searchable temporary directory, as daemons that drop
// their rights need; t.TempDir is not.
func tempDir(t testing.TB, name string) string {
	t.Helper()
	return tempDirIn(t, "", name)
}

func tempDirIn(t testing.TB, parent, name string) string {
	t.Helper()
	dir, err := os.MkdirTemp(parent, "certinbox-"+name+"-")
	must(t, err)
	must(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func awaitListening(t testing.TB, addr string) {
	t.Helper()
	network := "tcp"
	if strings.HasPrefix(addr, "/") {
		network = "unix"
	}
	await(t, addr+" to listen", func() bool {
		c, err := net.DialTimeout(network, addr, time.Second)
		if err != nil {
			return false
		}
		c.Close()
		return true
	})
}

// await polls until done, or fails the test when it hangs.
func await(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(hang); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatalf("waited %s for %s", hang, what)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
