package milter

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	gomilter "github.com/d--j/go-milter"

	"github.com/certinbox/certinbox/milter/miltertest"
	"github.com/certinbox/certinbox/verify"
)

// filterVariable makes this test binary a filter of the kind it names, in a
// process of its own whose CPU time can be told from that of the load.
const filterVariable = "CERTINBOX_BENCH_FILTER"

func TestMain(m *testing.M) {
	if kind := os.Getenv(filterVariable); kind != "" {
		if err := runFilter(kind); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// runFilter prints its address and then, for each line it reads, the CPU time
// it has used in microseconds.
func runFilter(kind string) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	failed := make(chan error, 1)
	go func() { failed <- serveFilter(kind, ln) }()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			return err
		}
		fmt.Println((u.Utime.Nano() + u.Stime.Nano()) / 1000)
	}
	select {
	case err := <-failed:
		return fmt.Errorf("filter %s ended: %w", kind, err)
	default:
		return nil
	}
}

func serveFilter(kind string, ln net.Listener) error {
	switch kind {
	case "certinbox":
		return newServer(Config{}, nobody{}).Serve(ln)
	case "null":
		return gomilter.NewServer(append(macroRequests(),
			gomilter.WithMilter(func() gomilter.Milter { return null{} }),
			gomilter.WithActions(wantedActions),
			gomilter.WithProtocols(wantedSteps),
			gomilter.WithNegotiationCallback(func(v, _ uint32, a, _ gomilter.OptAction, p, _ gomilter.OptProtocol, _ gomilter.DataSize) (uint32, gomilter.OptAction, gomilter.OptProtocol, gomilter.DataSize, error) {
				v, a, p = intersection(v, a, p)
				return v, a, p, gomilter.DataSize64K, nil
			}),
		)...).Serve(ln)
	case "raw":
		for {
			conn, err := ln.Accept()
			if err != nil {
				return err
			}
			go rawFilter(conn)
		}
	}
	return fmt.Errorf("no filter %q", kind)
}

// nobody is a collector for which no mail is.
type nobody struct{}

func (nobody) Wants(rcpt string) bool              { return strings.EqualFold(rcpt, ours) }
func (nobody) Mentions(string) bool                { return false }
func (nobody) Misspelt() *verify.Reply             { return nil }
func (nobody) Split(verify.Envelope) *verify.Reply { return nil }
func (nobody) Begin(verify.Envelope) intake        { panic("no mail is for us here") }

// null does nothing on the same library with the same events: what any filter
// costs.
type null struct{ gomilter.NoOpMilter }

func (null) RcptTo(string, string, gomilter.Modifier) (*gomilter.Response, error) {
	return gomilter.RespContinue, nil
}
func (null) Data(gomilter.Modifier) (*gomilter.Response, error) { return gomilter.RespAccept, nil }

// rawFilter does nothing without a library: what the protocol costs.
func rawFilter(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	var head [5]byte
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return
		}
		n := int(binary.BigEndian.Uint32(head[:]))
		if _, err := in.Discard(n - 1); err != nil {
			return
		}
		var answer []byte
		switch head[4] {
		case 'O':
			b := binary.BigEndian.AppendUint32(nil, 6)
			b = binary.BigEndian.AppendUint32(b, uint32(wantedActions))
			answer = frame('O', string(binary.BigEndian.AppendUint32(b, uint32(wantedSteps))))
		case 'R':
			answer = frame('c', "")
		case 'T':
			answer = frame('a', "")
		case 'Q':
			return
		default:
			continue
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

// child is a filter in a process of its own.
type child struct {
	addr string
	in   io.WriteCloser
	out  *bufio.Reader
}

func newChild(b *testing.B, kind string) *child {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), filterVariable+"="+kind)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			b.Errorf("filter %s: %v", kind, err)
		}
	})
	c := &child{in: in, out: bufio.NewReader(out)}
	c.addr = c.line(b)
	return c
}

func (c *child) line(b *testing.B) string {
	b.Helper()
	s, err := c.out.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(s)
}

// cpu is the time the filter has used, in microseconds.
func (c *child) cpu(b *testing.B) float64 {
	b.Helper()
	if _, err := io.WriteString(c.in, "\n"); err != nil {
		b.Fatal(err)
	}
	n, err := strconv.ParseFloat(c.line(b), 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// round sends mails and returns the CPU time of the filter for one of them.
func (c *child) round(b *testing.B, mails int, reuse bool) float64 {
	b.Helper()
	before := c.cpu(b)
	var m *miltertest.MTA
	for range mails {
		if m == nil {
			var err error
			if m, err = miltertest.Dial("tcp", c.addr, miltertest.Options{}); err != nil {
				b.Fatal(err)
			}
		}
		res, err := m.Send(mail("bob@example.net"))
		if err != nil || !res.Accepted || res.Seen {
			b.Fatalf("foreign mail: %+v, %v", res, err)
		}
		if !reuse {
			if err := m.Quit(); err != nil {
				b.Fatal(err)
			}
			m = nil
		}
	}
	if m != nil {
		if err := m.Quit(); err != nil {
			b.Fatal(err)
		}
	}
	return (c.cpu(b) - before) / float64(mails)
}

// BenchmarkForeign measures what other people's mail costs: CPU time of the
// filter's process for a message, beside a filter that does nothing on the same
// library and one that does nothing in bare wire code. Each iteration is one round
// of all three; the ratios are medians of the rounds' own.
func BenchmarkForeign(b *testing.B) {
	for _, tt := range []struct {
		name  string
		mails int
		reuse bool
	}{{"new-connection", 300, false}, {"reused-connection", 1500, true}} {
		b.Run(tt.name, func(b *testing.B) {
			kinds := []string{"certinbox", "null", "raw"}
			children := map[string]*child{}
			for _, kind := range kinds {
				children[kind] = newChild(b, kind)
				children[kind].round(b, tt.mails, tt.reuse) // warm
			}
			cost := map[string][]float64{}
			var toNull, toRaw []float64
			for b.Loop() {
				for _, kind := range kinds {
					cost[kind] = append(cost[kind], children[kind].round(b, tt.mails, tt.reuse))
				}
				last := len(cost["raw"]) - 1
				toNull = append(toNull, cost["certinbox"][last]/cost["null"][last])
				toRaw = append(toRaw, cost["certinbox"][last]/cost["raw"][last])
				kinds = append(kinds[1:], kinds[0])
			}
			b.ReportMetric(median(toNull), "x-null")
			b.ReportMetric(median(toRaw), "x-raw")
			for kind, c := range cost {
				b.ReportMetric(median(c), kind+"-µs/mail")
			}
		})
	}
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
