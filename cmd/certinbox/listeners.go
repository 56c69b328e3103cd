package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/coreos/go-systemd/v22/activation"

	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/milter"
)

// Sockets are where the daemon listens.
type sockets struct {
	milter  []net.Listener
	webhook []net.Listener // one for each entry of webhook.listen
}

func (s *sockets) all() []net.Listener { return slices.Concat(s.milter, s.webhook) }

func (s *sockets) close() {
	for _, ln := range s.all() {
		if ln != nil {
			ln.Close()
		}
	}
}

// openSockets returns what systemd hands over: where the address of a socket is
// that of an entry of webhook.listen, it is that entry's, and all others are the
// milter's. What is not handed over is opened; that is nothing of the milter's as
// soon as one of them was.
func openSockets(c *config.Config) (*sockets, error) {
	s := &sockets{webhook: make([]net.Listener, len(c.Webhook.Listen))}
	if err := s.hand(c); err != nil {
		s.close()
		return nil, err
	}
	if len(s.milter) == 0 {
		for _, l := range c.Milter {
			ln, err := openListener("milter.listen", l.Listen, l.Group, l.Mode)
			if err != nil {
				s.close()
				return nil, err
			}
			s.milter = append(s.milter, ln)
		}
	}
	for i, l := range c.Webhook.Listen {
		if s.webhook[i] != nil {
			continue
		}
		ln, err := openListener("webhook.listen", l.Listen, l.Group, l.Mode)
		if err != nil {
			s.close()
			return nil, err
		}
		s.webhook[i] = ln
	}
	return s, nil
}

// hand takes the sockets of systemd.
func (s *sockets) hand(c *config.Config) error {
	names := strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	handed, err := activation.Listeners()
	if err != nil {
		return fail(exitIO, fmt.Errorf("sockets of systemd: %w", err))
	}
	for i, ln := range handed {
		if ln == nil {
			err = fail(exitConfig, errors.New("systemd hands over a socket that is no stream: see certinbox.socket"))
			continue
		}
		entry := slices.IndexFunc(c.Webhook.Listen, func(l config.HTTPListener) bool { return sameAddress(ln.Addr(), l.Listen) })
		switch {
		case entry >= 0 && s.webhook[entry] == nil:
			s.webhook[entry] = ln
		case i < len(names) && names[i] == "webhook":
			ln.Close()
			err = &failure{exitConfig, fmt.Errorf("systemd hands over %s for the webhook, and no entry of webhook.listen has that address", ln.Addr()),
				"ListenStream=443 is inet6:[::]:443 there, ListenStream=0.0.0.0:443 is inet:0.0.0.0:443"}
		default:
			s.milter = append(s.milter, ln)
		}
	}
	return err
}

// sameAddress says whether a socket is bound to an address as the configuration
// writes it. Names of hosts are not looked up.
func sameAddress(bound net.Addr, listen string) bool {
	network, address, err := config.Socket(listen)
	if err != nil {
		return false
	}
	if network == "unix" {
		return bound.Network() == "unix" && bound.String() == address
	}
	want, err := netip.ParseAddrPort(address)
	got, gotErr := netip.ParseAddrPort(bound.String())
	return err == nil && gotErr == nil && bound.Network() == "tcp" &&
		got.Port() == want.Port() && got.Addr().Unmap() == want.Addr().Unmap()
}

// openListener opens one of the addresses that key names.
func openListener(key, listen, group string, mode config.FileMode) (net.Listener, error) {
	if !strings.HasPrefix(listen, "unix:") {
		mode = 0
	}
	ln, err := milter.Listen(listen, group, fs.FileMode(mode))
	if err == nil {
		return ln, nil
	}
	f := &failure{exitIO, err, key + " in the configuration names this address"}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		f.hint += "; another process, perhaps another certinbox or systemd for certinbox.socket, has it: see ss -lntp"
	case errors.Is(err, syscall.EACCES):
		f.hint += "; ports below 1024 are for a socket of systemd, or for a web server in front"
	}
	return nil, f
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

// allLocal says whether only this machine can reach the listeners.
func allLocal(listeners []net.Listener) bool {
	for _, ln := range listeners {
		switch a := ln.Addr().(type) {
		case *net.UnixAddr:
		case *net.TCPAddr:
			if !a.IP.IsLoopback() {
				return false
			}
		default:
			return false
		}
	}
	return true
}
