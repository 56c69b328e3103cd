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
	const people, size = 16, 10 << 10
	w := newWorld(b)
	w.kind = ""
	w.root = w.keys.Root(testmail.Profile{Name: "Example Root"})
	w.ca = w.root.Intermediate(testmail.Profile{Name: "Example Mail CA"})
	w.more = []string{strings.Repeat(strings.Repeat("letter ", 10)+"\r\n", size/72)}
	mails := make([][]byte, people)
	for i := range mails {
		mails[i] = w.honest(fmt.Sprint("p", i))
	}
	floor := w.keys.Floor(len(mails[0]))
	for _, base64Too := range []bool{false, true} {
		dialect := map[bool]string{false: "plain", true: "base64"}[base64Too]
		addr := FreeAddr(b)
		config, store := w.config("unix:"+w.dir+"/"+dialect+".sock", "revocation: {mode: off}", fmt.Sprintf("webhook: {listen: {listen: \"inet:%s\"}}", addr))
		d := StartDaemon(b, Build(b), addr, "--config", config, "--dns", WriteFile(b, "zone", w.zone.String()))
		posts := make([][]byte, people)
		for i, m := range mails {
			posts[i] = relayJSON(b, base64Too, fmt.Sprintf("p%d@example.org", i), m)
		}
		all := func() {
			for _, body := range posts {
				res, err := http.Post("http://"+addr+"/", "application/json", bytes.NewReader(body))
				must(b, err)
				answer, err := io.ReadAll(res.Body)
				must(b, err)
				if res.Body.Close(); !bytes.Contains(answer, []byte(`"verdict":"accept"`)) {
					b.Fatalf("answered %d %s", res.StatusCode, answer)
				}
			}
		}
		measure := func(b *testing.B, rounds int, before func()) {
			var ratios []float64
			for b.Loop() {
				before()
				start := d.cpu()
				for range rounds {
					all()
				}
				post := float64(d.cpu()-start) / float64(rounds*people)
				ratios = append(ratios, post/(float64(testmail.CPU(200, floor))/200))
			}
			b.ReportMetric(testmail.Median(ratios), "x-floor")
			b.ReportMetric(0, "ns/op")
		}
		b.Run(dialect+"/first", func(b *testing.B) {
			measure(b, 1, func() { forget(b, store) })
		})
		b.Run(dialect+"/again", func(b *testing.B) { measure(b, 25, func() {}) })
		d.Stop()
		must(b, os.RemoveAll(store))
	}
}

// forget deletes what is kept, and what is remembered of deletions and of this day.
func forget(t testing.TB, store string) {
	for _, part := range []string{"entries", "certs", "deleted", "quota"} {
		entries, err := os.ReadDir(store + "/" + part)
		must(t, err)
		for _, e := range entries {
			must(t, os.RemoveAll(store+"/"+part+"/"+e.Name()))
		}
	}
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
