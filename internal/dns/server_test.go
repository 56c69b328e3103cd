package dns

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A script is what the server of a test does with a question.
type script func(w dns.ResponseWriter, q *dns.Msg)

// A scripted DNS server on loopback, UDP and TCP.
type scripted struct {
	addr string

	mu    sync.Mutex
	by    map[string]script
	asked map[string][]asked
}

type asked struct {
	network string
	edns    bool
}

// onePort listens on a port that is free for UDP and TCP alike: one that is free
// for the one may be somebody's for the other.
func onePort(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 50 {
		streams, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		packets, err := net.ListenPacket("udp", streams.Addr().String())
		if err == nil {
			return packets, streams
		}
		streams.Close()
	}
	t.Fatal("no port is free for both UDP and TCP")
	return nil, nil
}

// serve starts a server; it ends with the test.
func serve(t *testing.T) *scripted {
	t.Helper()
	s := &scripted{by: make(map[string]script), asked: make(map[string][]asked)}
	packets, streams := onePort(t)
	s.addr = packets.LocalAddr().String()
	for _, srv := range []*dns.Server{
		{PacketConn: packets, Handler: s},
		{Listener: streams, Handler: s},
	} {
		started := make(chan struct{})
		srv.NotifyStartedFunc = func() { close(started) }
		ended := make(chan error, 1)
		go func() { ended <- srv.ActivateAndServe() }()
		<-started
		t.Cleanup(func() {
			if err := srv.Shutdown(); err != nil {
				t.Error(err)
			}
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
	return s
}

func (s *scripted) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	name := q.Question[0].Name
	s.mu.Lock()
	s.asked[name] = append(s.asked[name], asked{w.LocalAddr().Network(), q.IsEdns0() != nil})
	do := s.by[name]
	s.mu.Unlock()
	if do != nil {
		do(w, q)
	}
}

func (s *scripted) on(name string, do script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.by[name] = do
}

func (s *scripted) questions(name string) []asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[name]
}

// reply answers with what edit makes of an ordinary answer of a resolver.
func reply(edit func(a *dns.Msg)) script {
	return func(w dns.ResponseWriter, q *dns.Msg) {
		a := new(dns.Msg).SetReply(q)
		a.RecursionAvailable = true
		edit(a)
		if err := w.WriteMsg(a); err != nil {
			panic(err)
		}
	}
}

func records(rrs ...dns.RR) script {
	return reply(func(a *dns.Msg) { a.Answer = rrs })
}

func rr(t *testing.T, s string) dns.RR {
	t.Helper()
	r, err := dns.NewRR(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// resolver asks s, with little patience, by the clock now.
func resolver(t *testing.T, now func() time.Time, s ...*scripted) *Resolver {
	t.Helper()
	var addrs []string
	for _, one := range s {
		addrs = append(addrs, one.addr)
	}
	r, err := New(addrs, now)
	if err != nil {
		t.Fatal(err)
	}
	r.udpWait = 300 * time.Millisecond
	return r
}
