package mtatest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/certinbox/certinbox/milter/miltertest"
)

// A round is cut into turns, the scenes one after the other in any order, so that what
// else the machine has to do falls on all of them.
const (
	turnsOfRound   = 12
	foreignOfTurn  = 120
	foreignEvery   = 1500 * time.Microsecond
	collectedTurn  = 3
	collectedEvery = 50 * time.Millisecond

	benchTimeout = "1s" // revocation.timeout: a mail waits for about as long as all other turns take
	benchHosts   = 8    // a host is asked 120 times a minute at most
)

// A scene is a daemon, and how its CAs behave while mail arrives.
type scene struct {
	name  string
	b     *testing.B
	w     *world
	addr  string
	hosts []*responder
	hang  bool
	each  bool // every mail names another list; else all of them one
	one   bool // all signed mail comes from one network, whose share of limits.judged is one place
	quiet bool // no mail for the collection address
	sent  int
}

func newScene(b *testing.B, bin string, w *world, name string, judged int, change func(*scene)) *scene {
	s := &scene{name: name, b: b, w: w.elsewhere(), addr: FreeAddr(b)}
	change(s)
	allow := "127.0.0.1:*"
	for i := range benchHosts {
		host := fmt.Sprintf("127.0.0.%d", i+1)
		s.hosts = append(s.hosts, newResponder(b, w, host))
		allow += ", " + host + ":*"
	}
	config, _ := s.w.config("inet:"+s.addr, fmt.Sprintf("limits: {judged: %d, new_per_domain: 100000}", judged),
		"revocation: {allow: ["+allow+"], timeout: "+benchTimeout+"}")
	StartDaemon(b, bin, s.addr, "--config", config, "--dns", WriteFile(b, "zone", w.zone.String()))
	return s
}

// url is the list that the next person's certificate names.
func (s *scene) url() string {
	if !s.each {
		return s.hosts[0].URL + "/ca"
	}
	return fmt.Sprintf("%s/ca%d", s.hosts[s.sent%len(s.hosts)].URL, s.sent)
}

// A round is how long mail took.
type round struct {
	foreign   []time.Duration
	mu        sync.Mutex
	collected []time.Duration
	wg        sync.WaitGroup
}

// turn sends other people's mail at a steady rate, one connection each, and
// signed mail beside, each from another network, whose answers nobody waits for.
// How long a mail took counts from its sending, so that one stall of a machine
// that has other things to do counts as one mail.
func (s *scene) turn(r *round, mails []miltertest.Message) {
	for _, h := range s.hosts {
		if s.each {
			h.breakOff() // what waited has waited long enough
		}
		if s.hang {
			h.hang()
		}
	}
	begin := time.Now()
	for i, m := range mails {
		r.wg.Go(func() {
			time.Sleep(time.Until(begin.Add(time.Duration(i) * collectedEvery)))
			t := time.Now()
			if code, err := deliver(s.addr, m); code != 250 && code != 451 || err != nil {
				s.b.Errorf("%s: %d, %v", s.name, code, err)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.collected = append(r.collected, time.Since(t))
		})
	}
	for i := range foreignOfTurn {
		time.Sleep(time.Until(begin.Add(time.Duration(i) * foreignEvery)))
		sent := time.Now()
		if code, err := deliver(s.addr, foreignMail()); code != 250 || err != nil {
			s.b.Fatalf("%s: other people's mail: %d, %v", s.name, code, err)
		}
		r.foreign = append(r.foreign, time.Since(sent))
	}
}

// prepare signs the mails of a round.
func (s *scene) prepare() (mails []miltertest.Message) {
	for ; !s.quiet && len(mails) < turnsOfRound*collectedTurn; s.sent++ {
		m := s.w.collected(fmt.Sprintf("%s-%d", s.name, s.sent), s.url())
		if m.Client = "10.0.0.1:25"; !s.one {
			m.Client = fmt.Sprintf("10.%d.%d.1:25", s.sent>>8&255, s.sent&255)
		}
		mails = append(mails, m)
	}
	return mails
}

// play is one round of all scenes.
func play(scenes []*scene) map[string]*round {
	rounds, mails := map[string]*round{}, map[string][]miltertest.Message{}
	for _, s := range scenes {
		rounds[s.name], mails[s.name] = &round{}, s.prepare()
	}
	for range turnsOfRound {
		// each follows each: what one leaves running falls on the next
		rand.Shuffle(len(scenes), func(i, j int) { scenes[i], scenes[j] = scenes[j], scenes[i] })
		for _, s := range scenes {
			n := min(collectedTurn, len(mails[s.name]))
			s.turn(rounds[s.name], mails[s.name][:n])
			mails[s.name] = mails[s.name][n:]
		}
	}
	for _, s := range scenes {
		r := rounds[s.name]
		for _, h := range s.hosts {
			if s.each {
				h.breakOff()
			}
		}
		r.wg.Wait()
		slices.Sort(r.foreign)
		slices.Sort(r.collected)
	}
	return rounds
}

// quantile returns the one of sorted durations, in microseconds, 0 of none.
func quantile(d []time.Duration, q float64) float64 {
	if len(d) == 0 {
		return 0
	}
	return float64(d[min(int(q*float64(len(d))), len(d)-1)].Nanoseconds()) / 1000
}

// BenchmarkForeignBeside measures how long other people's mail takes beside signed
// mail whose CAs answer, refuse connections, hang, hang at another URL for each
// mail, and do so while the sender's share of limits.judged is full. Each
// iteration is one round of all; the ratios are medians of the rounds' own,
// against the scene in which the CAs answer (x-up), or against no signed mail at
// all (x-alone). The scene again is up once more: how far its ratio is from 1 is
// what the ratios are worth on this machine.
func BenchmarkForeignBeside(b *testing.B) {
	w := newWorld(b)
	bin := Build(b)
	scenes := []*scene{
		newScene(b, bin, w, "alone", 64, func(s *scene) { s.quiet = true }),
		newScene(b, bin, w, "up", 64, func(*scene) {}),
		newScene(b, bin, w, "again", 64, func(*scene) {}),
		newScene(b, bin, w, "refuse", 64, func(*scene) {}),
		newScene(b, bin, w, "hang", 64, func(s *scene) { s.hang = true }),
		newScene(b, bin, w, "many", 64, func(s *scene) { s.hang, s.each = true, true }),
		newScene(b, bin, w, "full", 8, func(s *scene) { s.hang, s.each, s.one = true, true, true }),
	}
	for _, h := range scenes[3].hosts {
		h.Close()
	}
	play(scenes) // warm
	var rounds []map[string]*round
	for b.Loop() {
		rounds = append(rounds, play(scenes))
	}
	report := func(name, unit string, value func(map[string]*round) float64) {
		var all []float64
		for _, r := range rounds {
			all = append(all, value(r))
		}
		slices.Sort(all)
		b.ReportMetric(all[len(all)/2], name+"-"+unit)
	}
	for _, s := range scenes {
		of := func(q float64) func(map[string]*round) float64 {
			return func(r map[string]*round) float64 { return quantile(r[s.name].foreign, q) }
		}
		against := func(base string) func(map[string]*round) float64 {
			return func(r map[string]*round) float64 { return of(0.99)(r) / quantile(r[base].foreign, 0.99) }
		}
		report(s.name, "p50-µs", of(0.5))
		report(s.name, "p99-µs", of(0.99))
		switch s.name {
		case "alone":
		case "up":
			report(s.name, "p99-x-alone", against("alone"))
		default:
			report(s.name, "p99-x-up", against("up"))
		}
		if !s.quiet {
			report(s.name, "collected-p50-µs", func(r map[string]*round) float64 { return quantile(r[s.name].collected, 0.5) })
		}
	}
	b.ReportMetric(0, "ns/op")
}
