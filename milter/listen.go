package milter

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// maxSocketPath is what fits into a socket address on Linux, with its NUL.
const maxSocketPath = 107

// Listen opens a listener for an address as in the configuration:
// "inet:127.0.0.1:8894", "inet6:[::1]:8894" or "unix:/path". group (a name or a
// number, "": unchanged) and mode (0: unchanged) are for unix sockets; they
// are set explicitly, whatever the umask. A socket that nobody answers is
// replaced; one that a process answers, and a file that is no socket, are errors.
func Listen(address, group string, mode fs.FileMode) (net.Listener, error) {
	network, where, ok := strings.Cut(address, ":")
	if !ok {
		return nil, fmt.Errorf("milter: listen %q: want inet:HOST:PORT, inet6:[HOST]:PORT or unix:/PATH", address)
	}
	switch network {
	case "inet":
		return listenTCP("tcp4", where, group, mode)
	case "inet6":
		return listenTCP("tcp6", where, group, mode)
	case "unix", "local":
		return listenUnix(where, group, mode)
	}
	return nil, fmt.Errorf("milter: listen %q: unknown kind %q, want inet, inet6 or unix", address, network)
}

func listenTCP(network, where, group string, mode fs.FileMode) (net.Listener, error) {
	if group != "" || mode != 0 {
		return nil, fmt.Errorf("milter: listen %s: group and mode are for unix sockets; remove them", where)
	}
	ln, err := net.Listen(network, where)
	if err != nil {
		return nil, fmt.Errorf("milter: %w", err)
	}
	return ln, nil
}

func listenUnix(path, group string, mode fs.FileMode) (net.Listener, error) {
	if !strings.HasPrefix(path, "/") || len(path) > maxSocketPath {
		return nil, fmt.Errorf("milter: listen unix:%s: want an absolute path of at most %d bytes", path, maxSocketPath)
	}
	gid, err := groupID(group)
	if err != nil {
		return nil, fmt.Errorf("milter: listen unix:%s: %w", path, err)
	}
	if err := removeStale(path); err != nil {
		return nil, fmt.Errorf("milter: listen unix:%s: %w", path, err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("milter: %w", err)
	}
	// Between the two a client meets the umask's mode, which is never wider
	// in writing than a usual umask lets it be.
	if gid >= 0 {
		err = os.Chown(path, -1, gid)
	}
	if err == nil && mode != 0 {
		err = os.Chmod(path, mode.Perm())
	}
	if err != nil {
		ln.Close()
		return nil, fmt.Errorf("milter: listen unix:%s: %w", path, err)
	}
	return ln, nil
}

// groupID is the number of a group, -1 for none.
func groupID(group string) (int, error) {
	if group == "" {
		return -1, nil
	}
	if n, err := strconv.ParseUint(group, 10, 31); err == nil {
		return int(n), nil
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return 0, fmt.Errorf("group %q: %w", group, err)
	}
	n, err := strconv.Atoi(g.Gid)
	if err != nil {
		return 0, fmt.Errorf("group %q has the id %q", group, g.Gid)
	}
	return n, nil
}

// removeStale unlinks a socket that a dead process has left. Only a refused
// connection proves that nobody listens.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("exists and is no socket; remove it or choose another path")
	}
	conn, err := net.DialTimeout("unix", path, 2*time.Second)
	if err == nil {
		conn.Close()
		return errors.New("another process answers there; stop it or choose another path")
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("cannot tell whether a process answers there: %w", err)
	}
	return os.Remove(path)
}
