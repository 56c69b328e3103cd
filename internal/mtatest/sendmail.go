package mtatest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A Sendmail is a running private instance, unpacked by contrib/prerequisites.
type Sendmail struct {
	Addr string
	dir  string
}

// StartSendmail starts an instance whose only filter is the milter at the
// given address ("inet:port@host" or "local:/path", as in sendmail.mc).
func StartSendmail(t testing.TB, root, milter string) *Sendmail {
	t.Helper()
	s := &Sendmail{Addr: FreeAddr(t), dir: tempDirIn(t, "/run", "sendmail")} // sendmail refuses world-writable parents such as /tmp
	binary := filepath.Join(root, "usr/libexec/sendmail/sendmail")
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("sendmail is not unpacked (contrib/prerequisites does it): %v", err)
	}
	must(t, os.Mkdir(filepath.Join(s.dir, "queue"), 0o700))
	must(t, os.WriteFile(filepath.Join(s.dir, "aliases"), nil, 0o644))
	must(t, os.WriteFile(filepath.Join(s.dir, "service.switch"), []byte("hosts files\naliases files\npasswd files\n"), 0o644))
	mc := filepath.Join(s.dir, "sendmail.mc")
	must(t, os.WriteFile(mc, []byte(s.mc(root, milter)), 0o644))
	cf, err := exec.Command("m4", mc).Output()
	must(t, err)
	must(t, os.WriteFile(filepath.Join(s.dir, "sendmail.cf"), cf, 0o644))
	log, err := os.Create(filepath.Join(s.dir, "log"))
	must(t, err)
	// A host name without a domain costs sendmail a minute at start; a UTS
	// namespace of its own gives it one.
	cmd := exec.Command("unshare", "--uts", "sh", "-c", `hostname mx.example.com; exec "$0" "$@"`,
		binary, "-C", filepath.Join(s.dir, "sendmail.cf"), "-bD", "-X", filepath.Join(s.dir, "traffic"))
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	must(t, cmd.Start())
	t.Cleanup(func() {
		if t.Failed() {
			b, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			x, _ := os.ReadFile(filepath.Join(s.dir, "traffic"))
			t.Logf("sendmail said:\n%s\n%s", b, x)
		}
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		done := make(chan struct{})
		go func() { cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-done
		}
		log.Close()
	})
	awaitListening(t, s.Addr)
	return s
}

func (s *Sendmail) mc(root, milter string) string {
	_, port, _ := strings.Cut(s.Addr, ":")
	cf := filepath.Join(root, "usr/share/sendmail/cf") + "/"
	return fmt.Sprintf("divert(-1)\ndefine(`_CF_DIR_', `%[1]s')\ninclude(`%[1]sm4/cf.m4')\ndivert(0)\n"+
		"OSTYPE(`linux')\ndefine(`confDOMAIN_NAME', `mx.example.com')\n"+
		"define(`QUEUE_DIR', `%[2]s/queue')\ndefine(`ALIAS_FILE', `%[2]s/aliases')\n"+
		"define(`confPID_FILE', `%[2]s/pid')\ndefine(`STATUS_FILE', `%[2]s/status')\ndefine(`HELP_FILE', `%[2]s/help')\n"+
		"RELAY_DOMAIN(`example.com')\nFEATURE(`nocanonify')\n"+
		"define(`confTO_IDENT', `0')\ndefine(`confSERVICE_SWITCH_FILE', `%[2]s/service.switch')\n"+
		"define(`confMAX_DAEMON_CHILDREN', `0')\ndefine(`confQUEUE_LA', `1000')\ndefine(`confREFUSE_LA', `2000')\n"+
		"define(`confDELIVERY_MODE', `q')\ndefine(`confDONT_BLAME_SENDMAIL', `GroupWritableDirPathSafe')\n"+
		"define(`confMILTER_MACROS_CONNECT', confMILTER_MACROS_CONNECT``, {client_addr}'')\n"+
		"FEATURE(`no_default_msa')\nFEATURE(`accept_unqualified_senders')\nFEATURE(`accept_unresolvable_domains')\n"+
		"DAEMON_OPTIONS(`Port=%[3]s, Addr=127.0.0.1, Name=MTA')\n"+
		"INPUT_MAIL_FILTER(`certinbox', `S=%[4]s, F=T, T=C:10s;S:10s;R:60s;E:5m')\n"+
		"MAILER(`local')\nMAILER(`smtp')\n",
		cf, s.dir, port, milter)
}

// Queued returns the control files (qf) of all queued messages: their R lines
// are the recipients, their H lines the header.
func (s *Sendmail) Queued(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(s.dir, "queue/qf*"))
	must(t, err)
	var out []string
	for _, n := range names {
		b, err := os.ReadFile(n)
		must(t, err)
		out = append(out, string(b))
	}
	return out
}
