package webhook_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/webhook"
)

// BenchmarkRelay is a post of 10 KB that is refused for its missing signature: what
// comes before the judgement costs most of it. Judgement alone is beside it.
func BenchmarkRelay(b *testing.B) {
	v, err := message(b, "demo-09-unsigned").Verifier()
	if err != nil {
		b.Fatal(err)
	}
	log := collect.NewLog(new(bytes.Buffer), "human", "error")
	c := collect.New(collect.Settings{Verifier: v, Log: log, Refuse: collect.RefuseAll, Judged: 16, InFlight: 256 << 20})
	s := webhook.New(webhook.Config{Collector: c, Log: log.Logger(), Paths: []string{"/"}, Body: 64 << 20, InFlight: 256 << 20, Posts: 32, PerClient: 8, Now: time.Now})
	m := append(message(b, "demo-09-unsigned").Message, []byte(strings.Repeat("A line of text for the length of it.\r\n", 250))...)
	for name, body := range map[string]string{
		"plain":             array(plainEvent("alice@example.org", "s", "To", quote(string(m)))),
		"base64":            array(event(ours, m)),
		"not judged, plain": array(strings.Replace(plainEvent("alice@example.org", "s", "To", quote(string(m))), ours, "bob@example.com", 1)),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(m)))
			b.ReportAllocs()
			for b.Loop() {
				q := httptest.NewRequest("POST", "/", strings.NewReader(body))
				q.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				if s.ServeHTTP(w, q); w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
			}
		})
	}
	b.Run("judgement", func(b *testing.B) {
		b.SetBytes(int64(len(m)))
		b.ReportAllocs()
		for b.Loop() {
			x := v.Begin(verify.Envelope{Recipients: []string{ours}})
			x.Write(m)
			if x.Report(b.Context()).Verdict() != verify.Reject {
				b.Fatal("not refused")
			}
		}
	})
}
