package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/internal/dns"
	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/internal/testmail/cases"
	"github.com/certinbox/certinbox/milter"
	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/trust"
)

// A stage is everything that the demonstration plays on.
type stage struct {
	dir       string
	zone      atomic.Pointer[dns.Zone] // what the DNS server says
	dnsAddr   string
	dnsStop   func()
	kept      *store.Directory
	keeper    *watched
	anchors   *trust.Anchors
	log       *os.File
	collector *collect.Collector
	server    *milter.Server
	listener  net.Listener
}

// watched is a Keeper that remembers what the last Put came to. Messages are
// handed over one after the other.
type watched struct {
	collect.Keeper
	last atomic.Pointer[store.Change]
}

// Put implements collect.Keeper.
func (w *watched) Put(ctx context.Context, e store.Entry) (store.Change, error) {
	c, err := w.Keeper.Put(ctx, e)
	w.last.Store(&c)
	return c, err
}

// newStage sets everything up in dir. What fails in the middle leaves nothing running.
func newStage(dir string, list []cases.Case) (s *stage, err error) {
	s = &stage{dir: dir}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if err := s.writeProps(list); err != nil {
		return s, err
	}
	if s.log, err = os.Create(filepath.Join(dir, "log")); err != nil {
		return s, err
	}
	s.zone.Store(&dns.Zone{})
	s.dnsAddr, s.dnsStop, err = testmail.ServeDNS(func(ctx context.Context, name string) ([]string, error) {
		return s.zone.Load().TXT(ctx, name)
	})
	if err != nil {
		return s, err
	}
	s.anchors, _, err = trust.Load([]trust.Source{{File: filepath.Join(dir, "ca.pem")}}, list[0].At)
	if err != nil {
		return s, err
	}
	at := list[0].At
	s.kept, err = store.Open(filepath.Join(dir, "store"), store.Options{Rules: store.DefaultRules(), Group: -1, Now: func() time.Time { return at }})
	if err != nil {
		return s, err
	}
	s.keeper = &watched{Keeper: s.kept}
	settings, err := s.settings(list[0])
	if err != nil {
		return s, err
	}
	s.collector = collect.New(settings)
	s.server = milter.New(milter.Config{Collector: s.collector, Log: settings.Log.Logger(), Name: "demo.example.com"})
	if s.listener, err = milter.Listen("inet:127.0.0.1:0", "", 0); err != nil {
		return s, err
	}
	go s.server.Serve(s.listener) // ends with close
	return s, nil
}

// writeProps writes what the messages come with: the CA certificates and the
// messages themselves.
func (s *stage) writeProps(list []cases.Case) error {
	var anchors []byte
	folder := filepath.Join(s.dir, "messages")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	for _, c := range list {
		if !bytes.Contains(anchors, c.Anchors) {
			anchors = append(anchors, c.Anchors...)
		}
		if err := os.WriteFile(filepath.Join(folder, c.Name+".eml"), c.Message, 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(s.dir, "ca.pem"), anchors, 0o600)
}

// settings are the defaults of the daemon with the clock of a case. A new
// resolver each time, so that no answer is remembered from another case.
func (s *stage) settings(c cases.Case) (collect.Settings, error) {
	d := config.Defaults()
	d.Collect = []string{"secureme@example.com"}
	r, err := dns.New([]string{s.dnsAddr}, time.Now)
	if err != nil {
		return collect.Settings{}, err
	}
	at := c.At
	ring, err := s.kept.Reports()
	if err != nil {
		return collect.Settings{}, err
	}
	return collect.Settings{
		Verifier: &verify.Verifier{Policy: d.Policy(), Anchors: s.anchors, TXT: r.TXT, Now: func() time.Time { return at }},
		Keeper:   s.keeper, Reports: ring, Log: collect.NewLog(s.log, d.Log.Format, d.Log.Level),
		Refuse: d.Refuse, Judged: d.Limits.Judged, InFlight: int64(d.Limits.InFlight),
	}, nil
}

// scene sets DNS and clock as the case wants them.
func (s *stage) scene(c cases.Case, zoneText []byte) error {
	zone, err := dns.ReadZone(bytes.NewReader(zoneText), c.Name)
	if err != nil {
		return err
	}
	settings, err := s.settings(c)
	if err != nil {
		return err
	}
	s.zone.Store(zone)
	s.collector.Set(settings)
	return nil
}

// everybody is a zone with the records of all cases, for --keep: each line
// once, without the trouble.
func everybody(list []cases.Case) []byte {
	var out bytes.Buffer
	seen := map[string]bool{}
	for _, c := range list {
		for line := range strings.Lines(string(c.DNS)) {
			line = strings.TrimSpace(line)
			if !seen[line] && !strings.Contains(line, testmail.TempError) {
				seen[line] = true
				out.WriteString(line + "\n")
			}
		}
	}
	return out.Bytes()
}

// stay serves until it is interrupted.
func (s *stage) stay(ctx context.Context, out interface{ Write([]byte) (int, error) }, list []cases.Case) error {
	if err := s.scene(list[0], everybody(list)); err != nil {
		return fail(exitInternal, err)
	}
	_, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil {
		return fail(exitInternal, err)
	}
	fmt.Fprintf(out, `
Staying up; interrupt to end. To point a Postfix at it, in main.cf:

    smtpd_milters = { inet:127.0.0.1:%s, default_action=tempfail }

and let secureme@example.com exist there (virtual_alias_maps or a local
domain). The messages are in %s; to send one:

    swaks --server 127.0.0.1 --from alice@example.org --to secureme@example.com --data @%s

The log is %s.
`, port, filepath.Join(s.dir, "messages"), filepath.Join(s.dir, "messages", list[0].Name+".eml"), filepath.Join(s.dir, "log"))
	<-ctx.Done()
	fmt.Fprintln(out, "\nEnded.")
	return nil
}

// close ends what runs.
func (s *stage) close() error {
	var errs []error
	if s.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		errs = append(errs, s.server.Shutdown(ctx))
	}
	if s.dnsStop != nil {
		s.dnsStop()
	}
	if s.log != nil {
		errs = append(errs, s.log.Close())
	}
	return errors.Join(errs...)
}
