package milter

import (
	"fmt"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/milter/miltertest"
	"github.com/certinbox/certinbox/verify"
)

func codes(res miltertest.Result) string {
	var s []string
	for _, r := range res.Recipients {
		s = append(s, fmt.Sprint(r.Code))
	}
	return strings.Join(s, " ")
}

func TestCollectionAddressAfterOthersIsSplitOff(t *testing.T) {
	r := start(t, Config{})
	m := r.dial(t, miltertest.Options{})
	res := send(t, m, mail("bob@example.net", ours, "carol@example.net"))
	if codes(res) != "250 452 250" || !strings.HasPrefix(res.Recipients[1].Text, "452-4.5.3 ") {
		t.Fatalf("recipients %+v", res.Recipients)
	}
	// The one that was refused is not ours any more: this is foreign mail.
	if !res.Accepted || res.Seen || r.f.count() != 0 || r.Traffic().Headers != 0 {
		t.Errorf("the others' mail was looked at: %+v, %+v", res, r.Traffic())
	}
	// The server repeats it in a transaction of its own.
	if res := send(t, m, mail(ours)); codes(res) != "250" || !res.Seen || r.f.count() != 1 {
		t.Errorf("repeated: %+v", res)
	}
}

func TestMixed(t *testing.T) {
	others := make([]string, 30)
	for i := range others {
		others[i] = fmt.Sprintf("u%d@example.net", i)
	}
	for _, tt := range []struct {
		name    string
		outcome collect.Outcome
		panicAt string
		deleted bool
		dropped bool // a refusal that becomes a deletion
		added   int
	}{
		{"kept", keep(), "", false, false, 1},
		{"kept, not delivered", collect.Outcome{Action: collect.Keep, Report: &verify.Report{}}, "", true, false, 0},
		{"passed", collect.Outcome{Action: collect.Pass, Deliver: true}, "", false, false, 0},
		{"refused", reject("dkim-none"), "", true, true, 0},
		{"deferred", reject("dkim-temperror"), "", true, true, 0},
		{"swallowed", collect.Outcome{Action: collect.Swallow}, "", true, false, 0},
		{"no outcome", collect.Outcome{}, "", true, true, 0},
		{"panic at the start", keep(), "begin", true, true, 0},
		{"panic in the header", keep(), "eoh", true, true, 0},
		{"panic in the body", keep(), "body", true, true, 0},
		{"panic in the judgement", keep(), "end", true, true, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, Config{})
			r.f.set(func(f *fake) { f.outcome, f.panicAt = tt.outcome, tt.panicAt })
			m := r.dial(t, miltertest.Options{})
			res := send(t, m, mail(append([]string{"Collect@EXAMPLE.net"}, others...)...))
			if strings.Contains(codes(res), "4") || !res.Accepted || res.Discarded {
				t.Fatalf("others were refused: %+v", res)
			}
			want := ""
			if tt.deleted {
				want = "Collect@EXAMPLE.net" // as the MTA knows it
			}
			if got := strings.Join(res.DeletedRecipients, " "); got != want {
				t.Errorf("deleted %q, want %q", got, want)
			}
			if len(res.AddedHeaders) != tt.added || !strings.HasSuffix(string(res.Delivered), hello) ||
				tt.added == 0 && string(res.Delivered) != hello {
				t.Errorf("the others' mail was altered: %+v", res)
			}
			if got := strings.Contains(r.log.String(), "mixed-dropped"); got != tt.dropped {
				t.Errorf("logged as mixed-dropped: %v, want %v", got, tt.dropped)
			}
		})
	}
}

func TestSeveralCollectionAddresses(t *testing.T) {
	r := start(t, Config{})
	r.f.set(func(f *fake) { f.outcome = reject("smime-none") })
	m := r.dial(t, miltertest.Options{})
	// Two collection addresses are not mixed: the refusal is heard.
	if res := send(t, m, mail(ours, "second@example.net")); res.Code != 550 || len(res.DeletedRecipients) != 0 {
		t.Errorf("alone: %+v", res)
	}
	// A collection address again, after others, in a transaction that is mixed anyhow.
	res := send(t, m, mail(ours, "bob@example.net", "second@example.net", ours))
	if codes(res) != "250 250 250 250" || strings.Join(res.DeletedRecipients, " ") != ours+" second@example.net" {
		t.Errorf("mixed: %+v", res)
	}
}

func TestClientsThatAreNotSplit(t *testing.T) {
	r := start(t, Config{})
	r.f.set(func(f *fake) { f.split, f.outcome = nil, reject("smime-none") })
	m := r.dial(t, miltertest.Options{})
	res := send(t, m, mail("bob@example.net", ours))
	if codes(res) != "250 250" || !res.Accepted || strings.Join(res.DeletedRecipients, " ") != ours {
		t.Errorf("got %+v", res)
	}
}

func TestWithoutDeletionOfRecipients(t *testing.T) {
	for _, tt := range []struct {
		name    string
		split   *verify.Reply
		outcome collect.Outcome
		to      []string
		codes   string
		code    int
	}{
		{"others come again", splitReply(), reject("smime-none"), []string{ours, "bob@example.net"}, "250 452", 550},
		{"kept, others come again", splitReply(), keep(), []string{ours, "bob@example.net"}, "250 452", 250},
		{"not split, refused", nil, reject("smime-none"), []string{ours, "bob@example.net"}, "250 250", 550},
		{"not split, kept", nil, keep(), []string{"bob@example.net", ours}, "250 250", 250},
		{"not split, not to be delivered", nil, collect.Outcome{Action: collect.Swallow}, []string{ours, "bob@example.net"}, "250 250", 451},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, Config{})
			r.f.set(func(f *fake) { f.split, f.outcome = tt.split, tt.outcome })
			m := r.dial(t, miltertest.Options{Lacking: miltertest.OfferDeleteRcpt})
			res := send(t, m, mail(tt.to...))
			if codes(res) != tt.codes || res.Code != tt.code || len(res.DeletedRecipients) != 0 {
				t.Errorf("got %+v", res)
			}
		})
	}
}

func TestRefusedRecipientThenCollection(t *testing.T) {
	r := start(t, Config{})
	m := r.dial(t, miltertest.Options{})
	// The session survives the refusal of a recipient, and so does the envelope.
	res := send(t, m, mail("panic@example.net", ours))
	if codes(res) != "451 250" || !res.Seen || !res.Accepted {
		t.Fatalf("got %+v", res)
	}
	if env := r.f.last().env; *env.Sender != "alice@example.org" || strings.Join(env.Recipients, " ") != ours || env.Client != "192.0.2.1" {
		t.Errorf("envelope %+v", env)
	}
	if res := send(t, m, mail("bob@example.net", "panic@example.net")); codes(res) != "250 451" || !res.Accepted || res.Seen {
		t.Errorf("foreign mail after it: %+v", res)
	}
}

func TestManyRecipientsAreBounded(t *testing.T) {
	r := start(t, Config{})
	r.f.set(func(f *fake) { f.split = nil })
	m := r.dial(t, miltertest.Options{})
	var to []string
	for range 3 * maxRecipients {
		to = append(to, "bob@example.net")
	}
	for range 2 * maxRecipients {
		to = append(to, ours)
	}
	res := send(t, m, mail(to...))
	if n := strings.Count(codes(res), "452"); n != maxRecipients {
		t.Errorf("%d recipients refused, want those beyond %d", n, maxRecipients)
	}
	env := r.f.last().env
	if len(env.Recipients) != 2*maxRecipients || env.Recipients[len(env.Recipients)-1] != ours {
		t.Errorf("%d recipients remembered, want %d with the collection address", len(env.Recipients), 2*maxRecipients)
	}
}

func TestForwardPath(t *testing.T) {
	for in, want := range map[string]string{
		"collect@example.net":                    "collect@example.net",
		"<collect@example.net>":                  "collect@example.net",
		" <Collect@Example.Net> ":                "Collect@Example.Net",
		"@a.example,@b.example:collect@c.net":    "collect@c.net",
		"<@[IPv6:2001:db8::1]:collect@c.net>":    "collect@c.net",
		"\"collect\"@example.net":                "collect@example.net",
		"\"col\\lect\"@example.net":              "collect@example.net",
		"col\\lect@example.net":                  "collect@example.net",
		"col\"lect\"@example.net":                "collect@example.net",
		"collect(comment (nested))@example.net":  "collect@example.net",
		"collect @ example.net":                  "collect@example.net",
		"collect@example.net.":                   "collect@example.net",
		"\"a b\"@example.net":                    "a b@example.net",
		"\"a(b\"@example.net":                    "a(b@example.net",
		"postmaster":                             "postmaster",
		"":                                       "",
		"@":                                      "@",
		"\"unclosed@example.net":                 "unclosed@example.net",
		"back\\":                                 "back\\",
		"collect(\\)@other)@example.net":         "collect@example.net",
		"\"collect@example.net\"@other.example.": "collect@example.net@other.example",
	} {
		if got := collect.ForwardPath(in); got != want {
			t.Errorf("ForwardPath(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSourceRouteAndQuotesAreOurs(t *testing.T) {
	r := start(t, Config{})
	r.f.set(func(f *fake) { f.outcome = reject("smime-none") })
	m := r.dial(t, miltertest.Options{})
	for _, path := range []string{"@relay.example:collect@example.net", "\"collect\"@example.net", "COLLECT@example.net."} {
		if res := send(t, m, mail(path)); res.Code != 550 {
			t.Errorf("%s: %+v, want the refusal", path, res)
		}
	}
	res := send(t, m, mail("@relay.example:collect@example.net", "bob@example.net"))
	if strings.Join(res.DeletedRecipients, " ") != "collect@example.net" {
		t.Errorf("deleted %q, want the address without its route", res.DeletedRecipients)
	}
}

// TestUnclearSpellingsAreRefused: where nobody can foretell what the MTA makes of
// a path that mentions us, it is refused at once; the recipients around it are not.
func TestUnclearSpellingsAreRefused(t *testing.T) {
	r := start(t, Config{})
	m := r.dial(t, miltertest.Options{})
	for _, path := range []string{";collect@example.net", "collect@example.net(x", ">collect@example.net", "collect,", "collect@mx\\", "\"x\" <collect@example.net>"} {
		for _, to := range [][]string{{path, "bob@example.net"}, {"bob@example.net", path}} {
			res := send(t, m, mail(to...))
			if want := map[bool]string{true: "550 250", false: "250 550"}[to[0] == path]; codes(res) != want || !res.Accepted || res.Seen {
				t.Errorf("%q: %+v", to, res)
			}
		}
	}
	r.f.set(func(f *fake) { f.observe = true })
	if res := send(t, m, mail(";collect@example.net")); codes(res) != "250" || !res.Seen {
		t.Errorf("where nothing is refused it is to be judged: %+v", res)
	}
	if res := send(t, m, mail("bob(x)@example.org", "<bob@example.org>>")); codes(res) != "250 250" {
		t.Errorf("others: %+v", res)
	}
}
