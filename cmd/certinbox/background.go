package main

import (
	"context"
	"net/http"
	"sync"

	"github.com/certinbox/certinbox/milter"
)

// background starts what goes on beside messages. The returned function ends it
// and waits until what was begun is on disk.
func (d *service) background(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	walked := make(chan struct{})
	wg.Go(func() { d.daily(ctx, walked) })
	wg.Go(func() { d.recheck(ctx, sync.OnceFunc(func() { close(walked) })) })
	wg.Go(func() { d.recheckWithdrawn(ctx) })
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

// serveMetrics answers on admin.listen, if it is set, until the returned function
// is called. Where it cannot, the log says so: that is no reason to let mail wait.
func (d *service) serveMetrics() (stop func()) {
	if d.config.Admin.Listen == "" {
		return func() {}
	}
	ln, err := milter.Listen(d.config.Admin.Listen, "", 0)
	if err != nil {
		d.log.Logger().Error("metrics: admin.listen: " + err.Error() + ": there are none until a restart after that is mended")
		return func() {}
	}
	server := d.metrics.NewServer()
	go func() {
		if err := server.Serve(ln); err != nil && err != http.ErrServerClosed {
			d.log.Logger().Error("metrics: " + err.Error())
		}
	}()
	d.log.Logger().Info("metrics", "on", ln.Addr().Network()+":"+ln.Addr().String())
	return func() { server.Close() }
}
