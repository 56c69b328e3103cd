package collect

import (
	"bytes"
	"context"
	"net/netip"
	"testing"

	"github.com/certinbox/certinbox/verify"
)

func TestBytesInFlight(t *testing.T) {
	s := settings(&keeper{}, &bytes.Buffer{})
	s.InFlight = 8 << 20 // 1 MiB a client network
	c := New(s)
	from := func(client string) *Intake {
		i := c.Begin(verify.Envelope{Client: client, Recipients: []string{ours}})
		i.exam = &exam{report: verdict("dkim", verify.Fail, "dkim-fail")}
		return i
	}
	chunk := make([]byte, 1<<20)

	first := from("192.0.2.1")
	first.Write(chunk)
	neighbour := from("192.0.2.200")
	neighbour.Write(chunk)
	stranger := from("203.0.113.1")
	stranger.Write(chunk)
	if got := neighbour.End(t.Context()); got.Action != Defer || got.Reason != "busy" || got.Reply.Code != 451 || got.Reply.Enhanced != "4.3.2" {
		t.Errorf("a second MiB from one network: %s %s %s", got.Action, got.Reason, got.Reply)
	}
	if got := stranger.End(t.Context()); got.Reason != "dkim-fail" {
		t.Errorf("another network: %s", got.Reason)
	}
	if got := first.End(t.Context()); got.Reason != "dkim-fail" {
		t.Errorf("the first: %s", got.Reason)
	}
	again := from("192.0.2.200")
	again.Write(chunk)
	if got := again.End(t.Context()); got.Reason != "dkim-fail" {
		t.Errorf("after the first has gone: %s", got.Reason)
	}

	local := from("127.0.0.1") // speaks for many: no share, but the whole
	for range 7 {
		local.Write(chunk)
	}
	if local.overrun {
		t.Error("loopback has a share")
	}
	for range 2 {
		local.Write(chunk)
	}
	if got := local.End(t.Context()); got.Reason != "busy" {
		t.Errorf("more than there is: %s", got.Reason)
	}
	if c.budget.used != (usage{}) || len(c.budget.clients) != 0 {
		t.Errorf("in use at the end: %+v, %d networks", c.budget.used, len(c.budget.clients))
	}
}

func TestOversizeCostsNoRoom(t *testing.T) {
	s := settings(&keeper{}, &bytes.Buffer{})
	s.InFlight = 256 << 20
	s.Verifier.Policy.Limits.Message = 1 << 20
	c := New(s)
	i := c.Begin(verify.Envelope{Client: "192.0.2.1", Recipients: []string{ours}})
	for range 100 {
		i.Write(make([]byte, 1<<20))
	}
	if i.share.held > 2<<20 {
		t.Errorf("%d bytes are held for a message of at most 1 MiB", i.share.held)
	}
	i.Abort()
}

func TestJudgedAtOnce(t *testing.T) {
	b := newBudget()
	b.limit(16, 1<<20) // two a network
	client := netip.MustParsePrefix("192.0.2.0/24")
	one, two, three := b.share(client), b.share(client), b.share(client)
	if !one.judge(t.Context()) || !two.judge(t.Context()) {
		t.Fatal("there were places")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if three.judge(ended) {
		t.Error("a third of one network was judged")
	}
	if !b.share(netip.MustParsePrefix("2001:db8::/64")).judge(ended) {
		t.Error("another network waits for the first")
	}
	done := make(chan bool)
	go func() { done <- three.judge(t.Context()) }()
	one.release()
	if !<-done {
		t.Error("the third did not get the place of the first")
	}
	one.release() // again: nothing happens
	two.release()
	three.release()
	if b.used.judged != 1 {
		t.Errorf("%d under judgement, want the one of the other network", b.used.judged)
	}
}

func TestNetwork(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.77":         "192.0.2.0/24",
		"::ffff:192.0.2.77":  "192.0.2.0/24",
		"2001:db8:1:2:3::4":  "2001:db8:1:2::/64",
		"127.0.0.1":          "invalid Prefix",
		"::1":                "invalid Prefix",
		"":                   "invalid Prefix",
		"localhost":          "invalid Prefix",
		"2001:db8:1:2::%eth": "2001:db8:1:2::/64",
	} {
		s := &snapshot{}
		if got := s.client(verify.Envelope{Client: in}).String(); got != want {
			t.Errorf("network of %q: %s, want %s", in, got, want)
		}
	}
}

// TestBusyObserved: while everything passes, mail that there was no room to
// judge passes without what pretends to be our judgement.
func TestBusyObserved(t *testing.T) {
	s := settings(&keeper{}, &bytes.Buffer{})
	s.InFlight, s.Observe = 1<<10, true
	i := New(s).Begin(verify.Envelope{Client: "192.0.2.1", Recipients: []string{ours}})
	i.Write(make([]byte, 1<<12))
	if got := i.End(t.Context()); got.Action != Pass || !got.Deliver || !got.Mark || got.Reason != "busy" {
		t.Errorf("%+v", got)
	}
}

// TestAllOfTheRoom: a message that fits exactly is taken, in whatever lengths it comes.
func TestAllOfTheRoom(t *testing.T) {
	for _, length := range []int{1000, 65535, 999_999} {
		b := newBudget()
		b.limit(1, 8_000_000) // a million a client network, not a multiple of the step
		s := b.share(netip.MustParsePrefix("192.0.2.0/24"))
		for left := 1_000_000; left > 0; left -= length {
			if !s.grow(min(length, left)) {
				t.Fatalf("in lengths of %d: no room for the last %d bytes", length, left)
			}
		}
		if s.grow(1) {
			t.Errorf("in lengths of %d: room for a byte too much", length)
		}
		s.release()
		if b.used != (usage{}) || len(b.clients) != 0 {
			t.Errorf("in use at the end: %+v", b.used)
		}
	}
}

// TestPostsLeaveRoom: what is posted, of which nobody knows who sent it, takes half
// of the room; mail in a dialogue does not wait for the rest.
func TestPostsLeaveRoom(t *testing.T) {
	s := settings(&keeper{}, &bytes.Buffer{})
	s.InFlight, s.Judged = 8<<20, 8
	c := New(s)
	from := func(env verify.Envelope) *Intake {
		env.Recipients = []string{ours}
		i := c.Begin(env)
		i.exam = &exam{report: verdict("dkim", verify.Fail, "dkim-fail")}
		return i
	}
	chunk := make([]byte, 1<<20)
	var posts []*Intake
	for n := range 6 {
		i := from(verify.Envelope{Via: []string{"webhook", "check"}[n%2]})
		i.Write(chunk)
		posts = append(posts, i)
		if i.overrun != (n >= 4) {
			t.Errorf("post %d: %v", n, i.overrun)
		}
	}
	for n, client := range []string{"192.0.2.1", "", "127.0.0.1"} {
		i := from(verify.Envelope{Via: "milter", Client: client})
		i.Write(chunk)
		if i.overrun {
			t.Errorf("no room for mail %d in a dialogue", n)
		}
		i.Abort()
	}
	for _, i := range posts {
		i.Abort()
	}

	shares := make([]*share, 5)
	for n := range shares {
		shares[n] = from(verify.Envelope{Via: "webhook"}).share
		if ok, _ := shares[n].take(); ok != (n < 4) {
			t.Errorf("place %d for posts: %v", n, ok)
		}
	}
	if ok, _ := from(verify.Envelope{Via: "milter"}).share.take(); !ok {
		t.Error("no place for mail in a dialogue")
	}
}
