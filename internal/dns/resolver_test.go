package dns

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func TestTXTClasses(t *testing.T) {
	s := serve(t)
	long := strings.Repeat("x", 250)
	chain := func(n int) []dns.RR {
		var rrs []dns.RR
		for i := range n {
			from, to := fmt.Sprintf("hop%d.test.", i), fmt.Sprintf("hop%d.test.", i+1)
			if i == 0 {
				from = "name.test."
			}
			rrs = append(rrs, rr(t, from+" 60 IN CNAME "+to))
		}
		return append(rrs, rr(t, fmt.Sprintf(`hop%d.test. 60 IN TXT "end"`, n)))
	}
	tests := []struct {
		name string
		do   script
		want []string
		temp string // "" for none, else part of the error
	}{
		{"one record", records(rr(t, `name.test. 60 IN TXT "v=DKIM1; p=AA"`)), []string{"v=DKIM1; p=AA"}, ""},
		{"strings joined, records apart", records(rr(t, `name.test. 60 IN TXT "a" "b"`), rr(t, `name.test. 60 IN TXT "c"`)), []string{"ab", "c"}, ""},
		{"quote, backslash and bytes as sent", records(rr(t, `name.test. 60 IN TXT "q\"b\\s\195\164\000"`)), []string{"q\"b\\s\xc3\xa4\x00"}, ""},
		{"empty record", records(rr(t, `name.test. 60 IN TXT ""`)), []string{""}, ""},
		{"name in another case", records(rr(t, `NAME.test. 60 IN TXT "a"`)), []string{"a"}, ""},
		{"other owners and types are no answer", records(rr(t, `other.test. 60 IN TXT "a"`), rr(t, `name.test. 60 IN A 192.0.2.1`), rr(t, `name.test. 60 CH TXT "chaos"`)), nil, ""},
		{"no such name", reply(func(a *dns.Msg) { a.Rcode = dns.RcodeNameError }), nil, ""},
		{"name without TXT, from a resolver", records(), nil, ""},
		{"name without TXT, from its own server", reply(func(a *dns.Msg) { a.RecursionAvailable, a.Authoritative = false, true }), nil, ""},
		{"lame: neither resolver nor responsible", reply(func(a *dns.Msg) { a.RecursionAvailable = false }), nil, "not responsible"},
		{"SERVFAIL", reply(func(a *dns.Msg) { a.Rcode = dns.RcodeServerFailure }), nil, "SERVFAIL"},
		{"REFUSED", reply(func(a *dns.Msg) { a.Rcode = dns.RcodeRefused }), nil, "REFUSED"},
		{"NOTIMP", reply(func(a *dns.Msg) { a.Rcode = dns.RcodeNotImplemented }), nil, "NOTIMP"},
		{"FORMERR", reply(func(a *dns.Msg) { a.Rcode = dns.RcodeFormatError }), nil, "FORMERR"},
		{"FORMERR without the question", reply(func(a *dns.Msg) { a.Rcode, a.Question = dns.RcodeFormatError, nil }), nil, "FORMERR"},
		{"unknown response code", reply(func(a *dns.Msg) { a.Rcode = 13 }), nil, "response code 13"},
		{"SERVFAIL with records", reply(func(a *dns.Msg) {
			a.Rcode = dns.RcodeServerFailure
			a.Answer = []dns.RR{rr(t, `name.test. 60 IN TXT "a"`)}
		}), nil, "SERVFAIL"},
		{"NXDOMAIN with records", reply(func(a *dns.Msg) {
			a.Rcode = dns.RcodeNameError
			a.Answer = []dns.RR{rr(t, `name.test. 60 IN TXT "a"`)}
		}), nil, "NXDOMAIN with records"},
		{"alias", records(chain(1)...), []string{"end"}, ""},
		{"as many aliases as we follow", records(chain(maxAliases)...), []string{"end"}, ""},
		{"one alias more", records(chain(maxAliases + 1)...), nil, "CNAMEs in a row"},
		{"alias to itself", records(rr(t, "name.test. 60 IN CNAME name.test.")), nil, "CNAMEs in a row"},
		{"two aliases", records(rr(t, "name.test. 60 IN CNAME a.test."), rr(t, "name.test. 60 IN CNAME b.test.")), nil, "two CNAMEs"},
		{"alias to a name that does not exist", reply(func(a *dns.Msg) {
			a.Rcode = dns.RcodeNameError
			a.Answer = []dns.RR{rr(t, "name.test. 60 IN CNAME a.test.")}
		}), nil, ""},
		{"alias to a name without TXT", records(rr(t, "name.test. 60 IN CNAME a.test.")), nil, ""},
		{"alias that leaves the server's zones", reply(func(a *dns.Msg) {
			a.RecursionAvailable, a.Authoritative = false, true
			a.Answer = []dns.RR{rr(t, "name.test. 60 IN CNAME elsewhere.test.")}
		}), nil, "not responsible"},
		{"record of the alias itself is not taken", records(rr(t, "name.test. 60 IN CNAME a.test."), rr(t, `name.test. 60 IN TXT "beside"`)), nil, ""},
		{"silence", func(dns.ResponseWriter, *dns.Msg) {}, nil, "timeout"},
		{"wrong id", reply(func(a *dns.Msg) { a.Id++; a.Answer = []dns.RR{rr(t, `name.test. 60 IN TXT "a"`)} }), nil, "timeout"},
		{"another name in the question", reply(func(a *dns.Msg) {
			a.Question[0].Name = "other.test."
			a.Answer = []dns.RR{rr(t, `name.test. 60 IN TXT "a"`)}
		}), nil, "another question"},
		{"another type in the question", reply(func(a *dns.Msg) { a.Question[0].Qtype = dns.TypeA }), nil, "another question"},
		{"no question, success", reply(func(a *dns.Msg) { a.Question = nil }), nil, "repeats 0 questions"},
		{"a question sent back", reply(func(a *dns.Msg) { a.Response = false }), nil, "no answer to our question"},
		{"garbage", func(w dns.ResponseWriter, q *dns.Msg) {
			if _, err := w.Write([]byte{byte(q.Id >> 8), byte(q.Id), 0x81, 0x80, 0, 9, 0, 9, 0, 9, 0, 9, 0xff}); err != nil {
				panic(err)
			}
		}, nil, "no answer over udp"},
		{"shorter than a header", func(w dns.ResponseWriter, q *dns.Msg) {
			if _, err := w.Write([]byte{byte(q.Id >> 8), byte(q.Id), 0x81}); err != nil {
				panic(err)
			}
		}, nil, "no answer over udp"},
		{"truncated over UDP, whole over TCP", func(w dns.ResponseWriter, q *dns.Msg) {
			reply(func(a *dns.Msg) {
				a.Truncated = w.LocalAddr().Network() == "udp"
				if !a.Truncated {
					for range 8 {
						a.Answer = append(a.Answer, rr(t, `name.test. 60 IN TXT "`+long+`"`))
					}
				}
			})(w, q)
		}, slices.Repeat([]string{long}, 8), ""},
		{"truncated over both", reply(func(a *dns.Msg) { a.Truncated = true }), nil, "truncated over TCP too"},
		{"truncated with records already in it", func(w dns.ResponseWriter, q *dns.Msg) {
			reply(func(a *dns.Msg) {
				a.Answer = []dns.RR{rr(t, `name.test. 60 IN TXT "a"`)}
				if a.Truncated = w.LocalAddr().Network() == "udp"; !a.Truncated {
					a.Answer = append(a.Answer, rr(t, `name.test. 60 IN TXT "b"`))
				}
			})(w, q)
		}, []string{"a", "b"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.on("name.test.", tt.do)
			got, err := resolver(t, time.Now, s).TXT(t.Context(), "name.test")
			if tt.temp == "" && err != nil || tt.temp != "" && (err == nil || !strings.Contains(err.Error(), tt.temp)) {
				t.Fatalf("error %v, want one with %q", err, tt.temp)
			}
			if !slices.Equal(got, tt.want) || (got == nil) != (tt.want == nil) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTXTNamesThatAreNotAsked(t *testing.T) {
	s := serve(t)
	r := resolver(t, time.Now, s)
	for _, name := range []string{"", ".", "a..b", ".a", "a b.test", "a\x00.test", "a\\.test", "ä.test", "a;.test",
		strings.Repeat("a", 64) + ".test", strings.Repeat("a.", 130) + "test"} {
		got, err := r.TXT(t.Context(), name)
		if got != nil || err != nil {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
	if len(s.asked) != 0 {
		t.Errorf("asked %v", s.asked)
	}
}

func TestTXTNextServer(t *testing.T) {
	bad, good := serve(t), serve(t)
	bad.on("name.test.", reply(func(a *dns.Msg) { a.Rcode = dns.RcodeServerFailure }))
	good.on("name.test.", records(rr(t, `name.test. 60 IN TXT "a"`)))
	got, err := resolver(t, time.Now, bad, good).TXT(t.Context(), "Name.TEST.")
	if err != nil || !slices.Equal(got, []string{"a"}) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestTXTSecondRoundWithoutEDNS(t *testing.T) {
	s := serve(t)
	s.on("name.test.", func(w dns.ResponseWriter, q *dns.Msg) {
		reply(func(a *dns.Msg) {
			if q.IsEdns0() != nil {
				a.Rcode = dns.RcodeFormatError
				return
			}
			a.Answer = []dns.RR{rr(t, `name.test. 60 IN TXT "a"`)}
		})(w, q)
	})
	got, err := resolver(t, time.Now, s).TXT(t.Context(), "name.test")
	if err != nil || !slices.Equal(got, []string{"a"}) {
		t.Errorf("%q, %v", got, err)
	}
	if q := s.questions("name.test."); !slices.Equal(q, []asked{{"udp", true}, {"udp", false}}) {
		t.Errorf("asked %v", q)
	}
}

// clock is a clock that only the test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func TestTXTKept(t *testing.T) {
	tests := []struct {
		name  string
		do    script
		later time.Duration
		asked int // questions for two lookups
	}{
		{"within the TTL", records(rr(t, `name.test. 60 IN TXT "a"`)), 59 * time.Second, 1},
		{"at the end of the TTL", records(rr(t, `name.test. 60 IN TXT "a"`)), 60 * time.Second, 2},
		{"shortest TTL of the records", records(rr(t, `name.test. 60 IN TXT "a"`), rr(t, `name.test. 10 IN TXT "b"`)), 10 * time.Second, 2},
		{"TTL of the alias counts", records(rr(t, `name.test. 5 IN CNAME a.test.`), rr(t, `a.test. 60 IN TXT "b"`)), 5 * time.Second, 2},
		{"never over an hour", records(rr(t, `name.test. 86400 IN TXT "a"`)), time.Hour, 2},
		{"up to an hour", records(rr(t, `name.test. 86400 IN TXT "a"`)), time.Hour - 1, 1},
		{"TTL 0", records(rr(t, `name.test. 0 IN TXT "a"`)), 0, 2},
		{"TTL with the highest bit", records(rr(t, `name.test. 4294967295 IN TXT "a"`)), 0, 2},
		{"no record", records(), 0, 2},
		{"no such name", reply(func(a *dns.Msg) { a.Rcode = dns.RcodeNameError }), 0, 2},
		{"trouble is asked again each time", reply(func(a *dns.Msg) { a.Rcode = dns.RcodeServerFailure }), 0, 2 * rounds},
		{"large answer", records(slices.Repeat([]dns.RR{rr(t, `name.test. 60 IN TXT "`+strings.Repeat("x", 250)+`"`)}, 20)...), 0, 4}, // twice by UDP and TCP
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t)
			s.on("name.test.", func(w dns.ResponseWriter, q *dns.Msg) {
				if tt.name == "large answer" && w.LocalAddr().Network() == "udp" {
					reply(func(a *dns.Msg) { a.Truncated = true })(w, q)
					return
				}
				tt.do(w, q)
			})
			c := &clock{at: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
			r := resolver(t, c.now, s)
			first, err1 := r.TXT(t.Context(), "name.test")
			slices.Reverse(first) // what a caller does to its answer is its own affair
			c.move(tt.later)
			second, err2 := r.TXT(t.Context(), "NAME.test")
			slices.Reverse(first)
			if !slices.Equal(first, second) || (err1 == nil) != (err2 == nil) {
				t.Errorf("%q, %v, then %q, %v", first, err1, second, err2)
			}
			if got := len(s.questions("name.test.")); got != tt.asked {
				t.Errorf("%d questions, want %d", got, tt.asked)
			}
		})
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache(time.Now)
	for i := range maxAnswers + 10 {
		c.put(fmt.Sprint(i), txt{[]string{"a"}, time.Minute}, time.Now())
		c.get("0")
	}
	if c.used.Len() != maxAnswers || len(c.byName) != maxAnswers {
		t.Errorf("%d and %d answers, want %d", c.used.Len(), len(c.byName), maxAnswers)
	}
	if _, ok := c.get("0"); !ok {
		t.Error("the answer in use has gone")
	}
	if _, ok := c.get("1"); ok {
		t.Error("the answer used longest ago is still there")
	}
}

func TestTXTSharedAndCancelled(t *testing.T) {
	s := serve(t)
	arrived, release := make(chan struct{}), make(chan struct{})
	s.on("name.test.", func(w dns.ResponseWriter, q *dns.Msg) {
		close(arrived)
		<-release
		records(rr(t, `name.test. 60 IN TXT "a"`))(w, q)
	})
	r := resolver(t, time.Now, s)
	r.udpWait = 5 * time.Second
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := r.TXT(ctx, "name.test")
		first <- err
	}()
	<-arrived
	second := make(chan []string, 1)
	go func() {
		got, err := r.TXT(t.Context(), "name.test")
		if err != nil {
			t.Error(err)
		}
		second <- got
	}()
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	close(release)
	if got := <-second; !slices.Equal(got, []string{"a"}) {
		t.Errorf("the other one got %q", got)
	}
	if n := len(s.questions("name.test.")); n != 1 {
		t.Errorf("%d questions", n)
	}
}

func TestNewServers(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1": "192.0.2.1:53", "192.0.2.1:5353": "192.0.2.1:5353",
		"2001:db8::1": "[2001:db8::1]:53", "[2001:db8::1]:5353": "[2001:db8::1]:5353",
	} {
		if r, err := New([]string{in}, time.Now); err != nil || r.servers[0] != want {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
	for _, in := range []string{"", "resolver.example", "192.0.2.1:", "192.0.2.1:70000", ":53", "192.0.2.1:dns"} {
		if _, err := New([]string{in}, time.Now); err == nil || !strings.Contains(err.Error(), in) {
			t.Errorf("%q: %v", in, err)
		}
	}
	if _, err := New(slices.Repeat([]string{"192.0.2.1"}, maxServers+1), time.Now); err == nil {
		t.Error("too many servers are taken")
	}
}

func TestSystemServers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	for content, want := range map[string][]string{
		"nameserver 192.0.2.1\nnameserver 2001:db8::1\nsearch example\n": {"192.0.2.1", "2001:db8::1"},
		"# nothing\n": {"127.0.0.1"},
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := systemServers(path); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v", content, got, err)
		}
	}
	if _, err := systemServers(path + ".absent"); err == nil || !strings.Contains(err.Error(), "configure dns servers") {
		t.Errorf("absent file: %v", err)
	}
}
