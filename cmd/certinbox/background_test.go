package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/admin"
	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/internal/config"
)

// TestMetricsAreNoReasonToStayAway: a taken port is said, and a socket that a
// killed daemon left is taken over.
func TestMetricsAreNoReasonToStayAway(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	serve := func(listen string) (log string, stop func()) {
		var b bytes.Buffer
		d := &service{log: collect.NewLog(&b, "human", "info"), metrics: admin.New(), config: &config.Config{Admin: config.Admin{Listen: listen}}}
		stop = d.serveMetrics()
		return b.String(), stop
	}
	log, stop := serve("inet:" + taken.Addr().String())
	stop()
	if !strings.Contains(log, "error: metrics: ") || !strings.Contains(log, "address already in use") {
		t.Error(log)
	}

	path := filepath.Join(t.TempDir(), "admin.sock")
	left, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	left.Close()
	log, stop = serve("unix:" + path)
	defer stop()
	client := http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }}}
	r, err := client.Get("http://admin/metrics")
	if err != nil {
		t.Fatal(err, log)
	}
	defer r.Body.Close()
	if b, err := io.ReadAll(r.Body); err != nil || !strings.Contains(string(b), "certinbox_anchors") {
		t.Errorf("%s, %v", b, err)
	}
}
