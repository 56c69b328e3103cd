package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
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

// unheard returns the configured addresses on which no listener is: with
// sockets of systemd the configuration has no say, and whoever changes it there
// should hear so.
func unheard(c *config.Config, listeners []net.Listener) []string {
	var missing []string
	for _, l := range c.Milter {
		_, want, _ := strings.Cut(l.Listen, ":")
		if !slices.ContainsFunc(listeners, func(ln net.Listener) bool {
			got := ln.Addr().String()
			_, gotPort, _ := net.SplitHostPort(got)
			_, wantPort, _ := net.SplitHostPort(want) // hosts may be names
			return got == want || gotPort != "" && (gotPort == wantPort || wantPort == "0")
		}) {
			missing = append(missing, l.Listen)
		}
	}
	return missing
}

func closeAll(listeners []net.Listener) {
	for _, ln := range listeners {
		ln.Close()
	}
}
