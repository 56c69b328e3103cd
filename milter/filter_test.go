package milter

import (
	"bytes"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/milter/miltertest"
	"github.com/certinbox/certinbox/verify"
)

func TestForeignMailNeverEntersTheProcess(t *testing.T) {
	r := start(t, Config{})
	m := r.dial(t, miltertest.Options{})
	for range 3 {
		res := send(t, m, mail("bob@example.net", "carol@example.net"))
		if !res.Accepted || res.Seen || string(res.Delivered) != hello {
			t.Fatalf("foreign mail: %+v", res)
		}
	}
	tr := r.Traffic()
	if tr.Mails != 3 || tr.Recipients != 6 {
		t.Errorf("traffic %+v, want 3 mails to 6 recipients", tr)
	}
	if tr.Headers != 0 || tr.Bodies != 0 || tr.Ends != 0 || tr.Foreign != 0 || r.Frames('N') != 0 {
		t.Errorf("content of foreign mail came in: %+v", tr)
	}
	if r.f.count() != 0 {
		t.Error("foreign mail reached the collector")
	}
}

func TestExactBytes(t *testing.T) {
	messages := map[string]string{
		"plain":              hello,
		"no space":           "Subject:no-space\r\nFrom:a@example.org\r\n\r\nx\r\n",
		"tab, double blank":  "Subject:\ttab\r\nX:  two\r\n\r\nx\r\n",
		"folded":             "To: a@example.org,\r\n\tb@example.org,\r\n  c@example.org\r\n\r\nx\r\n",
		"empty first line":   "Message-ID:\r\n <1@example.org>\r\n\r\nx\r\n",
		"trailing blanks":    "Subject: x \t \r\n\r\nx \r\n\r\n\r\n",
		"empty value":        "X:\r\nSubject: a\r\n\r\nx\r\n",
		"no body":            "Subject: a\r\n\r\n",
		"8 bit":              "Subject: \xc3\xa4\xff\r\n\r\n\x00\x01\xff\r\n",
		"no header":          " x: begins with a blank\r\n\r\nbody\r\n",
		"no final line end":  "Subject: a\r\n\r\nbody",
		"several chunks":     "Subject: a\r\n\r\n" + strings.Repeat("0123456789abcde\r\n", 10000),
		"one field of 60 KB": "X: " + strings.Repeat("y", 59000) + "\r\n\r\nx\r\n",
	}
	r := start(t, Config{})
	m := r.dial(t, miltertest.Options{})
	for name, data := range messages {
		msg := mail(ours)
		msg.Data = []byte(data)
		send(t, m, msg)
		want := data
		if name == "no header" {
			want = "\r\n" + data // the MTA shows it all as body
		}
		if got, _, _ := r.f.last().state(); got != want {
			t.Errorf("%s: got %.80q, want %.80q", name, got, want)
		}
	}
}

func TestLeadingSpaceIsAddedWhenTheMTASwallowsIt(t *testing.T) {
	r := start(t, Config{})
	m := r.dial(t, miltertest.Options{Without: miltertest.StepLeadingSpace})
	msg := mail(ours)
	msg.Data = []byte("From: a@example.org\r\nX:  two\r\nSubject:none\r\n\r\nx\r\n")
	res := send(t, m, msg)
	want := "From: a@example.org\r\nX:  two\r\nSubject: none\r\n\r\nx\r\n"
	if got, _, _ := r.f.last().state(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(res.AddedHeaders) != 1 || strings.HasPrefix(res.AddedHeaders[0].Value, " ") {
		t.Errorf("added %+v, want one field without leading space: the MTA adds it", res.AddedHeaders)
	}
	if !bytes.HasPrefix(res.Delivered, []byte("Authentication-Results: mx.example.net;")) {
		t.Errorf("delivered %.60q", res.Delivered)
	}
}

func TestEnvelope(t *testing.T) {
	r := start(t, Config{})
	m := r.dial(t, miltertest.Options{})
	msg := mail(ours)
	msg.Client, msg.TLSVersion, msg.Cipher, msg.Auth = "[2001:db8::7]:4711", "TLSv1.3", "TLS_AES_128_GCM_SHA256", "alice"
	send(t, m, msg)
	first := r.f.last().env
	if first.Client != "2001:db8::7" || first.Via != "milter" || first.ID != "4Q1" || !first.Authenticated ||
		first.Sender == nil || *first.Sender != "alice@example.org" || len(first.Recipients) != 1 || first.Recipients[0] != ours {
		t.Errorf("envelope %+v", first)
	}
	// The second message of the session: TLS is still known, the login is not assumed.
	msg.Auth, msg.From, msg.ID = "", "", "4Q2"
	send(t, m, msg)
	second := r.f.last().env
	if want := (verify.TLSInfo{Version: "TLSv1.3", Cipher: "TLS_AES_128_GCM_SHA256"}); first.TLS != want || second.TLS != want {
		t.Errorf("TLS %+v, then %+v, want %+v both times", first.TLS, second.TLS, want)
	}
	if second.Authenticated || second.Sender == nil || *second.Sender != "" || second.ID != "4Q2" {
		t.Errorf("second envelope %+v, want the null sender, no login, its own id", second)
	}
	// The next SMTP session on the same connection has no TLS and no nameable client.
	msg = mail(ours)
	msg.Client = "unknown"
	send(t, m, msg)
	if third := r.f.last().env; third.TLS != (verify.TLSInfo{}) || third.Client != "" {
		t.Errorf("third envelope %+v keeps the former session's TLS or client", third)
	}
}

func TestOutcomes(t *testing.T) {
	lines := collect.Outcome{Action: collect.Reject, Reason: "x", Reply: verify.Reply{Code: 550, Enhanced: "5.7.22", Lines: []string{"100% wrong", "do this", "(x; ref R)"}}}
	for _, tt := range []struct {
		name      string
		outcome   collect.Outcome
		code      int
		text      string
		discarded bool
		added     int
	}{
		{"keep, deliver", keep(), 250, "", false, 1},
		{"keep, discard", collect.Outcome{Action: collect.Keep, Report: &verify.Report{}}, 250, "", true, 0},
		{"keep without report", collect.Outcome{Action: collect.Keep, Deliver: true, Mark: true}, 250, "", false, 0},
		{"keep, unmarked", collect.Outcome{Action: collect.Keep, Deliver: true, Report: &verify.Report{}}, 250, "", false, 0},
		{"pass without report", collect.Outcome{Action: collect.Pass, Deliver: true, Mark: true}, 250, "", false, 0},
		{"pass, marked", collect.Outcome{Action: collect.Pass, Deliver: true, Mark: true, Report: &verify.Report{}}, 250, "", false, 1},
		{"pass", collect.Outcome{Action: collect.Pass, Deliver: true, Report: &verify.Report{}}, 250, "", false, 0},
		{"pass, not delivered", collect.Outcome{Action: collect.Pass}, 250, "", true, 0},
		{"swallow", collect.Outcome{Action: collect.Swallow}, 250, "", true, 0},
		{"reject, three lines", lines, 550, "550-5.7.22 100% wrong\n550-5.7.22 do this\n550 5.7.22 (x; ref R)", false, 0},
		{"defer", collect.Outcome{Action: collect.Defer, Reply: verify.ReplyFor("busy", "", "", "")}, 451, "451-4.3.2 ", false, 0},
		{"too big", reject("too-big"), 552, "552-5.3.4 ", false, 0},
		{"unknown action", collect.Outcome{}, 451, "451-4.3.0 ", false, 0},
		{"reject with an accepting reply", collect.Outcome{Action: collect.Reject, Reply: verify.ReplyFor("", "", "", "")}, 451, "451 4.7.1 ", false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, Config{})
			r.f.set(func(f *fake) { f.outcome = tt.outcome })
			m := r.dial(t, miltertest.Options{})
			for range 2 { // every answer leaves the connection usable
				res := send(t, m, mail(ours))
				if res.Code != tt.code || !strings.HasPrefix(res.Text, tt.text) || res.Discarded != tt.discarded || len(res.AddedHeaders) != tt.added {
					t.Fatalf("got %+v", res)
				}
				if len(res.DeletedRecipients) != 0 || len(res.ChangedHeaders) != 0 {
					t.Errorf("changed without need: %+v", res)
				}
			}
			in := r.f.last()
			if _, ended, aborted := in.state(); ended != 1 || aborted != 0 {
				t.Errorf("ended %d times, aborted %d times, want 1 and 0", ended, aborted)
			}
		})
	}
}

func TestResultsFieldReplacesForgedOnes(t *testing.T) {
	r := start(t, Config{})
	m := r.dial(t, miltertest.Options{})
	msg := mail(ours)
	msg.Data = []byte("Authentication-Results: mx.example.net; dkim=pass\r\n" +
		"authentication-results: other.example.com; dkim=pass\r\n" +
		"AUTHENTICATION-RESULTS: (c) MX.example.NET 1; smime=pass\r\n" + hello)
	res := send(t, m, msg)
	if len(res.ChangedHeaders) != 2 || res.ChangedHeaders[0].Index != 3 || res.ChangedHeaders[1].Index != 1 || res.ChangedHeaders[0].Value != "" {
		t.Errorf("changes %+v, want the third, then the first deleted", res.ChangedHeaders)
	}
	if len(res.AddedHeaders) != 1 || res.AddedHeaders[0].Index != 0 || !strings.HasPrefix(res.AddedHeaders[0].Value, " mx.example.net;") {
		t.Fatalf("added %+v, want one at the top, with its leading space", res.AddedHeaders)
	}
	rest, ok := bytes.CutPrefix(res.Delivered, []byte("Authentication-Results:"+strings.ReplaceAll(res.AddedHeaders[0].Value, "\n", "\r\n")+"\r\n"))
	if !ok || string(rest) != "authentication-results: other.example.com; dkim=pass\r\n"+hello {
		t.Errorf("delivered %q", res.Delivered)
	}
	// The next message starts counting anew.
	if res := send(t, m, mail(ours)); len(res.ChangedHeaders) != 0 {
		t.Errorf("second message: changes %+v", res.ChangedHeaders)
	}
}

func TestNameOfTheHost(t *testing.T) {
	r := start(t, Config{Name: "fallback.example.net"})
	m := r.dial(t, miltertest.Options{})
	if err := m.Macros(miltertest.CmdConnect); err != nil { // an MTA that does not say j
		t.Fatal(err)
	}
	raw(t, m, ours)
	if _, err := m.Header("Subject", " x"); err != nil {
		t.Fatal(err)
	}
	_, mods, err := m.EOM()
	if err != nil || len(mods) != 1 || !bytes.Contains(mods[0].Data, []byte("\x00 fallback.example.net;")) {
		t.Errorf("modifications %q, %v; want the configured name", mods, err)
	}
}

func TestLateQueueID(t *testing.T) {
	r := start(t, Config{})
	m := r.dial(t, miltertest.Options{})
	raw(t, m, ours)
	if err := m.Macros(miltertest.CmdEOM, "i", "LATE"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.EOM(); err != nil {
		t.Fatal(err)
	}
	if in := r.f.last(); in.env.ID != "" || in.id != "LATE" {
		t.Errorf("id %q at the start, %q at the end", in.env.ID, in.id)
	}
}

// raw plays the envelope up to and with DATA by single commands, without macros.
func raw(t *testing.T, m *miltertest.MTA, to ...string) {
	t.Helper()
	if _, err := m.Connect("h", "192.0.2.1:25"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Mail("<alice@example.org>"); err != nil {
		t.Fatal(err)
	}
	for _, rcpt := range to {
		if _, err := m.Rcpt("<" + rcpt + ">"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.Data(); err != nil {
		t.Fatal(err)
	}
}

func TestAbortInTheMiddle(t *testing.T) {
	r := start(t, Config{})
	m := r.dial(t, miltertest.Options{})
	raw(t, m, ours)
	if _, err := m.Header("Subject", " cut"); err != nil {
		t.Fatal(err)
	}
	if err := m.Abort(); err != nil {
		t.Fatal(err)
	}
	if res := send(t, m, mail(ours)); !res.Accepted {
		t.Fatalf("after the abort: %+v", res)
	}
	if n := r.f.count(); n != 2 {
		t.Fatalf("%d intakes, want 2", n)
	}
	if _, ended, aborted := r.f.intakes[0].state(); ended != 0 || aborted != 1 {
		t.Errorf("first: ended %d, aborted %d, want 0 and 1", ended, aborted)
	}
	if got, _, _ := r.f.last().state(); got != hello {
		t.Errorf("second message is %q: something of the first stuck to it", got)
	}
	// A connection that is lost in the middle is an abort too.
	raw(t, m, ours)
	m.Close()
	in := r.f.last()
	eventually(t, "the third intake is aborted", func() bool { _, ended, aborted := in.state(); return ended == 0 && aborted == 1 })
}

func TestOversizeIsReadToItsEnd(t *testing.T) {
	r := start(t, Config{})
	r.f.set(func(f *fake) { f.outcome = reject("too-big") })
	m := r.dial(t, miltertest.Options{})
	msg := mail(ours)
	msg.Data = append([]byte("Subject: big\r\n\r\n"), bytes.Repeat([]byte("0123456789\r\n"), 1<<20)...)
	if res := send(t, m, msg); res.Code != 552 || !res.Seen {
		t.Errorf("got %+v, want 552 at the end of the message", res)
	}
	if got, _, _ := r.f.last().state(); len(got) != len(msg.Data) {
		t.Errorf("intake was shown %d bytes of %d", len(got), len(msg.Data))
	}
}

func TestReloadInMidMessage(t *testing.T) {
	r := start(t, Config{})
	m := r.dial(t, miltertest.Options{})
	raw(t, m, ours)
	r.f.set(func(f *fake) { f.outcome = reject("smime-none") }) // the reload
	if _, err := m.Header("Subject", " x"); err != nil {
		t.Fatal(err)
	}
	if reply, _, err := m.EOM(); err != nil || reply.Action != miltertest.ActAccept {
		t.Errorf("got %+v, %v; a message under way keeps its settings", reply, err)
	}
	if res := send(t, m, mail(ours)); res.Code != 550 {
		t.Errorf("next message: %+v, want the new settings", res)
	}
}
