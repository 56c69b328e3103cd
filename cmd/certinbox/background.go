package main

import (
	"context"
	"net"
	"net/http"
	"sync"

	"github.com/certinbox/certinbox/internal/config"
)

// background starts what goes on beside messages. The returned function ends it
// and waits until what was begun is on disk.
func (d *service) background(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { d.daily(ctx) })
	wg.Go(func() { d.recheck(ctx) })
	wg.Go(func() { d.witness.run(ctx, func() trusted { return d.inForce.Load().trusted }) })
	return func() {
		cancel()
		wg.Wait()
		if c := d.inForce.Load().checker; c != nil {
			if err := c.Close(); err != nil {
				d.log.Logger().Error("revocation: " + err.Error())
			}
		}
	}
}

// serveMetrics answers on admin.listen, if it is set, until the returned function is called.
func (d *service) serveMetrics() (stop func(), err error) {
	if d.config.Admin.Listen == "" {
		return func() {}, nil
	}
	network, address, err := config.Socket(d.config.Admin.Listen)
	if err != nil {
		return nil, fail(exitConfig, err) // the configuration was checked before
	}
	ln, err := net.Listen(network, address)
	if err != nil {
		return nil, fail(exitIO, err)
	}
	server := d.metrics.NewServer()
	go func() {
		if err := server.Serve(ln); err != nil && err != http.ErrServerClosed {
			d.log.Logger().Error("metrics: " + err.Error())
		}
	}()
	d.log.Logger().Info("metrics", "on", ln.Addr().Network()+":"+ln.Addr().String())
	return func() { server.Close() }, nil
}
