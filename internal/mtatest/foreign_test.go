package mtatest

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/milter"
	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/trust"
)

// TestForeignMailIsNeverSeen: of mail for other people not one header field
// and not one byte of a body reaches the process. The guard's own counters say
// so, since they count what arrives before anybody looks at it.
func TestForeignMailIsNeverSeen(t *testing.T) {
	w := newWorld(t)
	policy := verify.DefaultPolicy()
	policy.Collect = []string{collectAddress}
	dir, err := store.Open(filepath.Join(w.dir, "store"), store.Options{})
	must(t, err)
	c := collect.New(collect.Settings{
		Verifier: &verify.Verifier{Policy: policy, Anchors: trust.New(&trust.Anchor{Certificate: w.root.Cert}), TXT: w.zone.TXT, Now: time.Now},
		Keeper:   dir, Log: collect.NewLog(io.Discard, "human", "info"), Refuse: collect.RefuseAll, Judged: 64, InFlight: 256 << 20,
	})
	srv := milter.New(milter.Config{Collector: c})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go srv.Serve(ln)
	t.Cleanup(func() { srv.Close() })

	addr := FreeAddr(t)
	StartPostfix(t, nil, Service{Addr: addr, Options: milterOption(ln.Addr().String())})
	s := DialSMTP(t, addr)
	for i := range 10 {
		to := []string{"a@example.com", fmt.Sprintf("b%d@example.com", i)}
		if a := s.Send("x@example.net", []byte("Subject: private\r\nX-Secret: 1\r\n\r\nnobody's business\r\n"), to...); a.Code != 250 {
			t.Fatal(a)
		}
	}
	if seen := srv.Traffic(); seen.Headers+seen.Bodies+seen.Ends != 0 || seen.Mails != 10 || seen.Recipients != 20 {
		t.Errorf("after ten foreign mails the guard has seen %+v", seen)
	}

	// One for us in the same session, then another foreign one.
	if a := s.Send("alice@example.org", w.honest("alice"), collectAddress); a.Code != 250 {
		t.Fatal(a)
	}
	ours := srv.Traffic()
	if ours.Headers == 0 || ours.Bodies == 0 || ours.Ends != 1 {
		t.Errorf("after our own mail the guard has seen %+v", ours)
	}
	if a := s.Send("x@example.net", []byte("Subject: private\r\n\r\nagain\r\n"), "a@example.com"); a.Code != 250 {
		t.Fatal(a)
	}
	if seen := srv.Traffic(); seen.Headers != ours.Headers || seen.Bodies != ours.Bodies || seen.Foreign != 0 || seen.Refused != 0 {
		t.Errorf("foreign mail after ours was seen: %+v", seen)
	}
	s.Quit()
}
