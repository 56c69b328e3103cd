package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"github.com/certinbox/certinbox/internal/admin"
	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/milter"
)

// drain is how long conversations under way may take to end after SIGTERM. It
// is shorter than the TimeoutStopSec of the systemd unit.
const drain = 45 * time.Second

func serveCommand() *cobra.Command {
	var w world
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "judge the mail that an MTA hands over, and keep what is good",
		Long: `Listen for an MTA that speaks the milter protocol, or posts over HTTP where
webhook.listen is set, judge the mail that goes to a collection address, and keep the
certificates of what is good. Mail for other people is let go before its header.

Sockets that systemd hands over replace the configured milter listeners, but for those
at an address of webhook.listen, which are the webhook's. SIGHUP reads the configuration,
the CA certificates, and the certificates and secrets of the webhook again; if there is a
mistake, the old settings stay. SIGTERM and SIGINT end the daemon after the messages
under way. The log goes to standard error.

--at, --dns and --anchors are for trials: they are taken only when every listener
is a unix socket or on loopback.

Exit status: 0 ended by a signal; 64 wrong usage; 66 no such file; 74 a socket or the store
fails; 77 not permitted, also for root when the store belongs to another user;
78 configuration.`,
		Example: `  certinbox serve
  certinbox serve --config ./trial.yaml --at 2026-03-02T12:00:00Z --dns ./dns.txt --anchors ./ca.pem`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			file, _ := cmd.Flags().GetString("config")
			d := &service{world: w, file: file, config: c, log: collect.NewLog(cmd.ErrOrStderr(), c.Log.Format, c.Log.Level)}
			return d.run(cmd.Context())
		},
	}
	w.flags(cmd)
	return cmd
}

// A service is the running daemon.
type service struct {
	world
	file      string
	config    *config.Config // as read last
	log       *collect.Log
	collector *collect.Collector
	inForce   atomic.Pointer[assembly]
	witness   *witness
	metrics   *admin.Metrics

	trustChanged chan struct{} // a reload changed who may vouch
	server       *milter.Server
	webhook      *webhookDoor // nil: no mail comes over HTTP
	bounded      bool         // the bound of memory is ours, not GOMEMLIMIT's
}

func (d *service) run(ctx context.Context) error {
	if ctx == nil {
		ctx = context.Background()
	}
	if err := refuseRoot(d.config); err != nil {
		return err
	}
	opened, err := d.prepare()
	if err != nil {
		return err
	}
	d.bounded = boundMemory(d.config, false)
	defer lazyCollector()()
	defer d.serveMetrics()()
	host, _ := os.Hostname() // "" lets the server say localhost
	d.server = milter.New(milter.Config{Collector: d.collector, Log: d.log.Logger(), Name: host})

	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)

	ended := make(chan error, len(opened.all()))
	for _, ln := range opened.milter {
		d.log.Logger().Info("listening", "on", ln.Addr().Network()+":"+ln.Addr().String())
		go func() { ended <- d.server.Serve(ln) }()
	}
	d.webhook.serve(d.log.Logger(), ended)
	for _, address := range unheard(d.config, opened.milter) {
		d.log.Logger().Warn("milter.listen " + address + " is not listened on: systemd hands over its own sockets; change certinbox.socket instead")
	}
	defer d.background(ctx)()
	d.tell(daemon.SdNotifyReady)
	d.log.Logger().Info("ready", "version", programVersion(), "collect", fmt.Sprint(d.config.Collect), "mode", d.config.Mode, "refuse", d.config.Refuse)
	for {
		select {
		case <-hup:
			d.reload()
		case err := <-ended:
			d.server.Close()
			d.webhook.close()
			if err == nil {
				err = errors.New("a listener ended by itself")
			}
			return fail(exitIO, fmt.Errorf("serve: %w", err))
		case <-ctx.Done():
			stop() // a second signal kills
			return d.end()
		}
	}
}

// prepare puts together what the configuration says, and opens the listeners.
func (d *service) prepare() (*sockets, error) {
	clock, err := d.clock()
	if err != nil {
		return nil, err
	}
	d.trustChanged = make(chan struct{}, 1)
	d.witness, d.metrics = newWitness(d.log.Logger(), clock), admin.New()
	a, err := d.assemble(d.config, nil)
	if err != nil {
		if f, ok := errors.AsType[*failure](err); ok && f.status == exitDenied {
			f.hint = "the store has to belong to the user of the daemon: chown -R USER " + d.config.Store.Path
		}
		return nil, err
	}
	if err := a.kept.Usable(); err != nil {
		// No reason to stay away: other people's mail would wait for us too.
		d.log.Logger().Error(err.Error() + "; until then mail for the collection address is put off")
	}
	d.install(a)
	d.witness.resume(a.trusted)
	d.collector = collect.New(a.settings)
	opened, err := openSockets(d.config)
	if err != nil {
		return nil, err
	}
	if err := d.openWebhook(opened); err != nil {
		opened.close()
		return nil, err
	}
	return opened, nil
}

// openWebhook makes what stands behind the sockets of the webhook, and refuses
// sockets that others can reach where only this machine should.
func (d *service) openWebhook(opened *sockets) error {
	if flag := d.given(); flag != "" && !allLocal(opened.all()) {
		return &failure{exitUsage, fmt.Errorf("%s is for trials, and a listener can be reached from other machines", flag), "listen on 127.0.0.1, ::1 or a unix socket"}
	}
	set, err := d.webhookSettings(d.config)
	if err != nil {
		return err
	}
	if d.webhook, err = newWebhook(d.config, set, opened.webhook); err != nil {
		return err
	}
	if err := d.webhook.allows(d.config); err != nil {
		return &failure{exitConfig, err, "set webhook.auth, or listen on 127.0.0.1, [::1] or a unix socket"}
	}
	return nil
}

// end lets the messages under way finish.
func (d *service) end() error {
	d.tell(daemon.SdNotifyStopping)
	d.log.Logger().Info("stopping: messages under way are finished")
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	posts := make(chan error, 1)
	go func() { posts <- d.webhook.shutdown(ctx) }()
	if err := errors.Join(d.server.Shutdown(ctx), <-posts); err != nil {
		d.log.Logger().Warn("not everything was finished; those senders try again", "err", err.Error())
	}
	d.log.Logger().Info("stopped")
	return nil
}

// tell talks to systemd, if it listens.
func (d *service) tell(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		d.log.Logger().Warn("cannot tell systemd", "state", state, "err", err.Error())
	}
}
