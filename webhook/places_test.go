package webhook_test

import (
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/webhook"
)

func TestRate(t *testing.T) {
	r := start(t, func(c *webhook.Config, _ *collect.Settings) {
		c.Rate, c.Proxies = 3, []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	})
	from := func(client string) result { return r.post("[]", "X-Forwarded-For: "+client) }
	for i := range 5 {
		got := from("192.0.2." + strconv.Itoa(i))
		if want := map[bool]int{true: 200, false: 429}[i < 3]; got.status != want {
			t.Errorf("%d: %d", i, got.status)
		}
	}
	r.clock.Add(20)
	if got := from("192.0.2.1"); got.status != 429 || got.header.Get("Retry-After") != "41" || got.err == "" {
		t.Errorf("%d %v", got.status, got.header)
	}
	if got := from("198.51.100.1"); got.status != 200 {
		t.Errorf("another network: %d", got.status)
	}
	for range 10 {
		if got := r.post("[]"); got.status != 200 {
			t.Errorf("this host: %d", got.status)
		}
	}
	if got := r.post("", "X-Forwarded-For: 192.0.2.1", "Content-Type: "); got.status != 400 {
		t.Errorf("a sign of life: %d", got.status)
	}
	r.clock.Add(40)
	if got := from("192.0.2.1"); got.status != 200 {
		t.Errorf("a minute later: %d", got.status)
	}
}

// TestPlaces: no more at once than there are places, and they are given back.
func TestPlaces(t *testing.T) {
	r := start(t, func(c *webhook.Config, _ *collect.Settings) {
		c.Posts, c.PerClient, c.Proxies = 3, 2, []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	})
	hold := make(chan struct{})
	r.held.Store(&hold)
	done := make(chan result, 3)
	begin := func(client string) {
		t.Helper()
		go func() { done <- r.post(array(event(ours, r.honest.Message)), "X-Forwarded-For: "+client) }()
		select {
		case <-r.asked:
		case <-time.After(hangGuard):
			t.Fatal("the message is not judged")
		}
	}
	begin("192.0.2.1")
	begin("192.0.2.2")
	if got := r.post("[]", "X-Forwarded-For: 192.0.2.3"); got.status != 503 || got.header.Get("Retry-After") != "10" {
		t.Errorf("a third of one network: %d", got.status)
	}
	begin("198.51.100.1")
	if got := r.post("[]", "X-Forwarded-For: 203.0.113.1"); got.status != 503 {
		t.Errorf("a fourth: %d", got.status)
	}
	if got := r.post("[]", "X-MessageSystems-Webhook-Token: "); got.status != 503 {
		t.Errorf("a fourth without token: %d", got.status)
	}
	close(hold)
	for range 3 {
		if got := <-done; got.status != 200 {
			t.Errorf("%d %s", got.status, got.text)
		}
	}
	if got := r.post("[]", "X-Forwarded-For: 203.0.113.1"); got.status != 200 {
		t.Errorf("afterwards: %d", got.status)
	}
	eventually(t, "the places are given back", func() bool { return r.server.Places() == 0 })
}

func TestTooLarge(t *testing.T) {
	r := start(t, func(c *webhook.Config, _ *collect.Settings) { c.Body = 64 << 10 })
	big := array(event(ours, make([]byte, 64<<10)))
	if got := r.post(big); got.status != 413 || !strings.Contains(got.err, "65536") {
		t.Errorf("announced: %d %s", got.status, got.text)
	}
	q := r.request("/", io.MultiReader(strings.NewReader(big))) // of unknown length: chunked
	if got := r.do(q); got.status != 413 {
		t.Errorf("chunked: %d %s", got.status, got.text)
	}
	if got := r.check("?rcpt="+ours, make([]byte, 64<<10+1)); got.status != 413 {
		t.Errorf("check: %d %s", got.status, got.text)
	}
	if got := r.do(r.request("/", io.MultiReader(strings.NewReader(array(event(ours, r.honest.Message)))))); got.status != 200 || r.entries() != 1 {
		t.Errorf("chunked: %d %s", got.status, got.text)
	}
}

// TestMemory: what is held is bounded, over all requests.
func TestMemory(t *testing.T) {
	r := start(t, func(c *webhook.Config, _ *collect.Settings) { c.InFlight = 100 << 10 })
	if got := r.post(array(event(ours, make([]byte, 100<<10)))); got.status != 413 {
		t.Errorf("more than there is ever room for: %d %s", got.status, got.text)
	}
	slow, body := io.Pipe()
	done := make(chan result)
	go func() { done <- r.do(r.request("/", slow)) }()
	half := array(event(ours, make([]byte, 45<<10)))
	fmt.Fprint(body, half[:len(half)-10])
	eventually(t, "half a message is held", func() bool { return r.server.Held() > 50<<10 })
	if got := r.post(half); got.status != 503 || got.header.Get("Retry-After") == "" {
		t.Errorf("no room at the moment: %d %s", got.status, got.text)
	}
	if got := r.check("?rcpt="+ours, make([]byte, 90<<10)); got.status != 503 || got.header.Get("Retry-After") == "" {
		t.Errorf("no room for a check: %d %s", got.status, got.text)
	}
	fmt.Fprint(body, half[len(half)-10:])
	body.Close()
	if got := <-done; got.status != 200 || got.events[0].Action != "swallow" {
		t.Errorf("%d %s", got.status, got.text)
	}
	if r.server.Held() != 0 {
		t.Errorf("%d bytes are still held", r.server.Held())
	}
}
