// Package admin is what the operator's machines ask the daemon over HTTP: today
// its metrics, in the text format of Prometheus.
//
// It answers whoever reaches its socket, so that stands on loopback or in a
// network of the operator's own. Nothing in its answers is about one person: no
// address, no certificate. It changes nothing.
package admin

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics counts what the daemon does. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	messages *prometheus.CounterVec
	answers  *prometheus.CounterVec
	rechecks *prometheus.CounterVec
	roots    prometheus.Gauge
	anchors  prometheus.Gauge
}

// New returns Metrics that are all zero.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "certinbox_messages_total",
			Help: "Messages to a collection address, by what became of them and the reason code."}, []string{"action", "reason"}),
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "certinbox_revocation_answers_total",
			Help: "Answers about certificates of messages, by how the CA was asked and what it said."}, []string{"method", "status"}),
		rechecks: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "certinbox_rechecks_total",
			Help: "Certificates that are kept and were asked about again, by result: good, revoked, held, reinstated, blocked, untrusted, unanswered."}, []string{"result"}),
		roots: prometheus.NewGauge(prometheus.GaugeOpts{Name: "certinbox_roots_date_seconds",
			Help: "Date of the bundle of e-mail roots in force, in seconds since 1970; 0 where there is none or its date is not known."}),
		anchors: prometheus.NewGauge(prometheus.GaugeOpts{Name: "certinbox_anchors", Help: "CA certificates from which paths may start."}),
	}
	m.registry.MustRegister(m.messages, m.answers, m.rechecks, m.roots, m.anchors)
	for _, result := range results() { // there from the start, so that the first one is seen as a rise
		m.rechecks.WithLabelValues(result)
	}
	return m
}

// The results of asking again.
const (
	Good       = "good"
	Revoked    = "revoked"
	Held       = "held"
	Reinstated = "reinstated"
	Blocked    = "blocked"   // a CA of the path is on the block list
	Untrusted  = "untrusted" // the path leads to no anchor any more
	Unanswered = "unanswered"
)

func results() []string {
	return []string{Good, Revoked, Held, Reinstated, Blocked, Untrusted, Unanswered}
}

// Message counts a message. Both words come from fixed lists of ours.
func (m *Metrics) Message(action, reason string) { m.messages.WithLabelValues(action, reason).Inc() }

// Answer counts what a CA said. method is "" where nobody could be asked.
func (m *Metrics) Answer(method, status string) { m.answers.WithLabelValues(method, status).Inc() }

// Rechecked counts n certificates that were asked about again, with one of the results.
func (m *Metrics) Rechecked(result string, n int) { m.rechecks.WithLabelValues(result).Add(float64(n)) }

// Trust says how many anchors there are and of when the bundle of roots is; a
// zero time means that there is none, or that its date is not known.
func (m *Metrics) Trust(anchors int, roots time.Time) {
	m.anchors.Set(float64(anchors))
	m.roots.Set(0)
	if !roots.IsZero() {
		m.roots.Set(float64(roots.Unix()))
	}
}

// Handler answers GET /metrics, and nothing else.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second}))
	return mux
}

// NewServer returns a server for the handler that gives nobody much time.
func (m *Metrics) NewServer() *http.Server {
	return &http.Server{Handler: m.Handler(), ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
}
