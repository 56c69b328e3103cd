package webhook

import (
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/certinbox/certinbox/internal/collect"
)

// A tally is what became of the messages of one request.
type tally struct {
	events, kept, passed, refused, deferred, ignored, broken, pings int
}

// count adds an outcome.
func (t *tally) count(a collect.Action) {
	switch a {
	case collect.Keep:
		t.kept++
	case collect.Pass:
		t.passed++
	case collect.Defer:
		t.deferred++
	default:
		t.refused++
	}
}

// finish ends an exchange, however it went: a fault of ours is 503 for the client
// and a stack in the log. Then comes the line of the access log.
func (x *exchange) finish() {
	if p := recover(); p != nil {
		x.settings.Log.Error("webhook: a fault in this program; the client is asked to come again",
			"client", x.clientText(), "path", clip(x.r.URL.Path), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		if x.status == 0 {
			x.retry(deferRetry)
			x.fail(http.StatusServiceUnavailable, "something is wrong here, not with this request; it is worth to try again")
		}
	}
	x.access()
}

// access writes one line about the request, without anything that could be a secret:
// neither its query nor its header.
func (x *exchange) access() {
	t := &x.tally
	list := []any{"client", x.clientText(), "method", clip(x.r.Method), "path", clip(x.r.URL.Path), "status", x.status}
	if x.body != nil {
		list = append(list, "events", t.events)
		for _, c := range []struct {
			name string
			n    int
		}{{"kept", t.kept}, {"passed", t.passed}, {"refused", t.refused}, {"deferred", t.deferred}, {"ignored", t.ignored}, {"broken", t.broken}, {"pings", t.pings}} {
			if c.n > 0 {
				list = append(list, c.name, c.n)
			}
		}
		list = append(list, "bytes", x.body.n)
	}
	list = append(list, "took", time.Since(x.began).Round(100*time.Microsecond).String())
	if x.trouble != "" {
		list = append(list, "trouble", x.trouble)
	}
	x.settings.Log.Info("webhook", list...)
}

// clientText is the client as it stands in the log.
func (x *exchange) clientText() string {
	if !x.client.IsValid() {
		return "unix"
	}
	return x.client.String()
}

// maxLogged bounds one piece of foreign text in the log. Escaping is the log's.
const maxLogged = 256

func clip(s string) string {
	if len(s) > maxLogged {
		return strings.ToValidUTF8(s[:maxLogged], "?") + "..."
	}
	return s
}

// A countingReader counts what was read of a body.
type countingReader struct {
	from io.Reader
	n    int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	return n, err
}
