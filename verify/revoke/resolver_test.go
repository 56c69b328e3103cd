package revoke

import (
	"context"
	"net"
	"testing"

	"github.com/miekg/dns"
)

// TestResolverAsksTheConfigured: dns.servers are asked about the hosts of CAs, too.
func TestResolverAsksTheConfigured(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan string, 16)
	server := &dns.Server{PacketConn: pc, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		asked <- q.Question[0].Name
		if q.Question[0].Qtype == dns.TypeA {
			rr, _ := dns.NewRR(q.Question[0].Name + " 60 IN A 192.0.2.7")
			m.Answer = append(m.Answer, rr)
		}
		_ = w.WriteMsg(m)
	})}
	go func() { _ = server.ActivateAndServe() }()
	t.Cleanup(func() { _ = server.Shutdown() })
	ips, err := newResolver([]string{pc.LocalAddr().String()}).LookupIP(context.Background(), "ip4", "crl.example.")
	if err != nil || len(ips) != 1 || ips[0].String() != "192.0.2.7" || <-asked != "crl.example." {
		t.Errorf("%v %v", ips, err)
	}
	if newResolver(nil).Dial != nil {
		t.Error("without servers the system is not asked")
	}
}
