package milter

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestListen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "milter")
	gid := fmt.Sprint(os.Getgid())
	ln, err := Listen("unix:"+path, gid, 0o660)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v; want 0660 whatever the umask", info.Mode(), err)
	}
	if _, err := Listen("unix:"+path, "", 0); err == nil || !strings.Contains(err.Error(), "another process answers") {
		t.Errorf("a socket in use: %v", err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false) // as after kill -9
	ln.Close()
	again, err := Listen("unix:"+path, "", 0o600)
	if err != nil {
		t.Fatalf("a stale socket: %v", err)
	}
	again.Close()

	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ address, group, want string }{
		{"unix:" + file, "", "no socket"},
		{"unix:relative", "", "absolute path"},
		{"unix:/" + strings.Repeat("x", 108), "", "at most 107"},
		{"unix:" + path, "no-such-group-here", "no-such-group-here"},
		{"inet:127.0.0.1:0", "mail", "for unix sockets"},
		{"inet:127.0.0.1:99999", "", "invalid port"},
		{"tcp:127.0.0.1:1", "", "unknown kind"},
		{"8894", "", "want inet:"},
	} {
		ln, err := Listen(tt.address, tt.group, 0)
		if err == nil {
			ln.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "milter: ") {
			t.Errorf("Listen(%q, %q): %v, want something about %q", tt.address, tt.group, err, tt.want)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "precious" {
		t.Error("a file in the way was touched")
	}
}
