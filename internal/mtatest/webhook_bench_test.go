package mtatest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
)

// BenchmarkPost measures a relay post of one honest mail of 10 KB, all keys RSA 2048,
// with a running daemon: its CPU time for a post, against the bare cryptography of a
// first mail (two SHA-256 passes, four verifications). again: every mail has come
// before; first: each is the first of its sender and is kept, with all that is synced
// for it. The figure to read is x-floor, the median of ratios taken in turns.
func BenchmarkPost(b *testing.B) {
	const size = 10 << 10
	w := newWorld(b)
	w.root = w.keys.Root(testmail.Profile{Name: "Example Root"})
	w.ca = w.root.Intermediate(testmail.Profile{Name: "Example Mail CA"})
	w.key = w.keys.Key("rsa2048", "people")
	w.more = []string{strings.Repeat(strings.Repeat("letter ", 10)+"\r\n", size/72)}
	floor := w.keys.Floor(len(w.honest("nobody")))
	for _, dialect := range []string{"plain", "base64"} {
		p := newPoster(b, w, dialect)
		seen := p.posts()
		p.send(seen)
		b.Run(dialect+"/again", func(b *testing.B) {
			p.measure(b, floor, func() time.Duration { return p.cpu(25, seen) })
		})
		b.Run(dialect+"/first", func(b *testing.B) {
			p.measure(b, floor, func() time.Duration { return p.cpu(1, p.posts()) })
		})
		p.d.Stop()
	}
}

// A poster posts mail of people to a daemon of its own.
type poster struct {
	b      *testing.B
	w      *world
	base64 bool
	people int // so far
	url    string
	d      *Daemon
}

// atOnce is how many people's mail is measured together: what a daemon takes for them
// has to be many hundredths of a second.
const atOnce = 40

func newPoster(b *testing.B, w *world, dialect string) *poster {
	addr := FreeAddr(b)
	config, _ := w.elsewhere().config("unix:"+w.dir+"/"+dialect+".sock", "revocation: {mode: off}", "limits: {new_per_domain: 100000}",
		fmt.Sprintf("webhook: {listen: {listen: \"inet:%s\"}}", addr))
	return &poster{b: b, w: w, base64: dialect == "base64", url: "http://" + addr + "/",
		d: StartDaemon(b, Build(b), addr, "--config", config, "--dns", WriteFile(b, "zone", w.zone.String()))}
}

// posts are those of people who have not written before.
func (p *poster) posts() (all [][]byte) {
	for range atOnce {
		p.people++
		person := fmt.Sprint("p", p.people)
		all = append(all, relayJSON(p.b, p.base64, person+"@example.org", p.w.honest(person)))
	}
	return all
}

func (p *poster) send(posts [][]byte) {
	for _, body := range posts {
		res, err := http.Post(p.url, "application/json", bytes.NewReader(body))
		must(p.b, err)
		answer, err := io.ReadAll(res.Body)
		must(p.b, err)
		if res.Body.Close(); !bytes.Contains(answer, []byte(`"verdict":"accept"`)) {
			p.b.Fatalf("answered %d %s", res.StatusCode, answer)
		}
	}
}

// cpu is what the daemon takes for one of some posts that are sent so often.
func (p *poster) cpu(times int, posts [][]byte) time.Duration {
	before := p.d.cpu()
	for range times {
		p.send(posts)
	}
	return (p.d.cpu() - before) / time.Duration(times*len(posts))
}

func (p *poster) measure(b *testing.B, floor func(), post func() time.Duration) {
	var ratios []float64
	for b.Loop() {
		ratios = append(ratios, float64(post())/(float64(testmail.CPU(200, floor))/200))
	}
	b.ReportMetric(testmail.Median(ratios), "x-floor")
	b.ReportMetric(0, "ns/op")
}

// cpu is the processor time that the daemon has taken, to a hundredth of a second.
func (d *Daemon) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.cmd.Process.Pid))
	must(d.t, err)
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	var ticks int64
	for _, f := range fields[11:13] { // utime and stime, proc(5)
		n, err := strconv.ParseInt(f, 10, 64)
		must(d.t, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
