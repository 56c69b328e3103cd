package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/certinbox/certinbox/internal/config"
)

// reload reads the configuration again and puts it in force as one step.
// Whatever is wrong with it, the old settings stay, and the log says so.
func (d *service) reload() {
	log := d.log.Logger()
	defer func() {
		if p := recover(); p != nil {
			log.Error("reload: a fault of ours; the old settings stay", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	d.webhook.readCertificates(log) // a new one waits for nobody's mistake
	next, err := config.Load(d.file)
	if err != nil {
		d.refuse(err)
		return
	}
	var live, restart []string
	for _, path := range config.Diff(d.config, next) {
		if config.NeedsRestart(path) {
			restart = append(restart, path)
		} else {
			live = append(live, path)
		}
	}
	// What needs a restart stays as it is until then, so that the settings in
	// force are those of one file or the other for each key.
	next.Milter, next.Store, next.Reports, next.Admin = d.config.Milter, d.config.Store, d.config.Reports, d.config.Admin
	next.Webhook.Listen = d.config.Webhook.Listen
	posts, err := d.webhookSettings(next)
	if err = errors.Join(err, d.webhook.allows(next)); err != nil {
		d.refuse(err)
		return
	}
	a, err := d.assemble(next, d.inForce.Load())
	if err != nil {
		d.refuse(err)
		return
	}
	d.bounded = boundMemory(next, d.bounded)
	d.collector.Set(a.settings)
	d.webhook.set(posts)
	d.install(a)
	d.log.Configure(next.Log.Format, next.Log.Level)
	d.config = next
	log.Info("reloaded", "changed", list(live), "anchors", "read again")
	if len(restart) > 0 {
		log.Warn("some changes need a restart", "keys", list(restart))
	}
}

// refuse says each mistake on a line of its own.
func (d *service) refuse(err error) {
	for line := range strings.Lines(err.Error()) {
		d.log.Logger().Error("reload: " + strings.TrimRight(line, "\n"))
	}
	d.log.Logger().Error("reload: the old settings stay")
}

func list(keys []string) string {
	if len(keys) == 0 {
		return "nothing"
	}
	return strings.Join(keys, " ")
}
