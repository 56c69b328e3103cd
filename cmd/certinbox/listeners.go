package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/coreos/go-systemd/v22/activation"

	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/milter"
)

// openListeners returns the sockets that systemd hands over, or else the
// configured ones.
func openListeners(c *config.Config) ([]net.Listener, error) {
	handed, err := activation.Listeners()
	if err != nil {
		return nil, fail(exitIO, fmt.Errorf("sockets of systemd: %w", err))
	}
	var out []net.Listener
	for _, ln := range handed {
		if ln == nil {
			closeAll(out)
			return nil, fail(exitConfig, errors.New("systemd hands over a socket that is no stream: see certinbox.socket"))
		}
		out = append(out, ln)
	}
	if len(out) > 0 {
		return out, nil
	}
	for _, l := range c.Milter {
		mode := fs.FileMode(l.Mode)
		if !strings.HasPrefix(l.Listen, "unix:") {
			mode = 0
		}
		ln, err := milter.Listen(l.Listen, l.Group, mode)
		if err != nil {
			closeAll(out)
			f := &failure{exitIO, err, "milter.listen in the configuration names this address"}
			if errors.Is(err, syscall.EADDRINUSE) {
				f.hint += "; another process, perhaps another certinbox or systemd for certinbox.socket, has it: see ss -lntp"
			}
			return nil, f
		}
		out = append(out, ln)
	}
	return out, nil
}

func closeAll(listeners []net.Listener) {
	for _, ln := range listeners {
		ln.Close()
	}
}
