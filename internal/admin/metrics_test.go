package admin

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestMetrics(t *testing.T) {
	m := New()
	m.Message("keep", "")
	m.Message("reject", "smime-none")
	m.Message("reject", "smime-none")
	m.Answer("crl", "good")
	m.Rechecked(Revoked, 3)
	m.Trust(88, time.Unix(1_790_000_000, 0))
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Fatal(w.Code, w.Header())
	}
	for _, line := range []string{
		`certinbox_messages_total{action="keep",reason=""} 1`,
		`certinbox_messages_total{action="reject",reason="smime-none"} 2`,
		`certinbox_revocation_answers_total{method="crl",status="good"} 1`,
		`certinbox_rechecks_total{result="revoked"} 3`,
		`certinbox_rechecks_total{result="reinstated"} 0`,
		`certinbox_anchors 88`,
		`certinbox_roots_date_seconds 1.79e+09`,
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	m.Trust(1, time.Time{})
	w = httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if !strings.Contains(w.Body.String(), "certinbox_roots_date_seconds 0\n") {
		t.Error("an unknown date is not 0")
	}
}

func TestOnlyMetrics(t *testing.T) {
	h := New().Handler()
	for _, c := range []struct {
		method, path string
		code         int
	}{{"GET", "/", 404}, {"POST", "/metrics", 405}, {"GET", "/debug/pprof/", 404}, {"GET", "/metrics/x", 404}} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.code {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, w.Code, c.code)
		}
	}
}
