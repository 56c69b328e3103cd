package main

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestParseExits(t *testing.T) {
	standard := exits{accept: 0, reject: 77, deferred: 75, nobody: 67}
	for list, want := range map[string]exits{
		"":                               standard,
		"accept=0":                       standard,
		"reject=100,defer=111":           {0, 100, 111, 100},
		"defer=111":                      {0, 77, 111, 67},
		"accept=255,reject=1,defer=0":    {255, 1, 0, 1},
		"defer=4,accept=3,reject=4":      {3, 4, 4, 4}, // one status for all that is not taken may be all an MTA knows
		"accept=99,reject=100,defer=111": {99, 100, 111, 100},
	} {
		if got, err := parseExits(list); err != nil || got != want {
			t.Errorf("%q: %+v %v, want %+v", list, got, err, want)
		}
	}
	for _, list := range []string{
		",", "reject", "reject=", "=1", "reject=256", "reject=-1", "reject=+1", "reject=01", "reject=1x", "reject= 1",
		"Reject=1", "reject=1,", "reject=1,reject=2", "accept=0,reject=1,defer=2,accept=0", "refuse=1", "reject=1;defer=2",
		"reject=0", "defer=0", "accept=77", "accept=75", "accept=67", "accept=64", "accept=2", "reject=99999999999999999999", "reject=1e1", "reject=0x1",
	} {
		if got, err := parseExits(list); err == nil {
			t.Errorf("%q: %+v, want an error", list, got)
		}
	}
}

// FuzzPipeExits: whatever --map says, what was not taken never looks like what
// was, and what is read again is the same.
func FuzzPipeExits(f *testing.F) {
	for _, s := range []string{"", "reject=100,defer=111", "accept=0", "accept=1,defer=2,reject=3", "reject=0", "accept=77", "accept=67", ",", "reject=1,reject=1", "defer=0256"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, list string) {
		e, err := parseExits(list)
		if err != nil {
			if len(err.Error()) > 1000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		for _, n := range []int{e.reject, e.deferred, e.nobody, exitUsage, exitCrash} {
			if n == e.accept || n < 0 || n > 255 {
				t.Errorf("%q: %+v", list, e)
			}
		}
		whole := "accept=" + strconv.Itoa(e.accept) + ",reject=" + strconv.Itoa(e.reject) + ",defer=" + strconv.Itoa(e.deferred)
		if again, err := parseExits(whole); err != nil || again.accept != e.accept || again.reject != e.reject || again.deferred != e.deferred {
			t.Errorf("%q: %+v, again %+v %v", list, e, again, err)
		}
	})
}

// FuzzPipeEnvelope: whatever stands in the environment and in the flags, the
// envelope is bounded and its recipients are those that are wanted.
func FuzzPipeEnvelope(f *testing.F) {
	f.Add("secureme@example.com", "alice@example.org", "192.0.2.1", "1wEnv-000001-AB", "secureme", "example.com", "")
	f.Add("<SecureMe@Example.Com>", "MAILER-DAEMON", "::ffff:192.0.2.1%eth0", "4b Pipe\n", "", "", "bob")
	f.Add("", "<>", "unknown", strings.Repeat("x", 200), "secureme", "example.com", "")
	f.Add("\"secureme\"@example.com", strings.Repeat("a", 2000), "fe80::1%eth0", "", "", "", "")
	f.Add("<@relay.example:secureme@example.com>", "a@b", "", "", "", "", "")
	f.Fuzz(func(t *testing.T, rcpt, sender, client, id, local, domain, user string) {
		for key, value := range map[string]string{"RECIPIENT": rcpt, "SENDER": sender, "CLIENT_ADDRESS": client, "MESSAGE_ID": id,
			"LOCAL_PART": local, "DOMAIN": domain, "SASL_USERNAME": user} {
			if strings.ContainsRune(value, 0) {
				return // no environment holds it
			}
			t.Setenv(key, value)
		}
		asked := 0
		wanted := func(r string) bool { asked++; return strings.HasPrefix(strings.Trim(r, "<\""), "secureme") }
		env, others, err := (&pipeEnvelope{}).envelope(wanted)
		if err != nil {
			return
		}
		if len(env.Recipients)+len(others) != 1 || asked > 1 {
			t.Errorf("recipients %q, others %q, asked %d times", env.Recipients, others, asked)
		}
		for _, r := range append(env.Recipients, others...) {
			if len(r) > maxPipePath {
				t.Errorf("a recipient of %d bytes", len(r))
			}
		}
		if env.Sender == nil || len(*env.Sender) > maxPipePath {
			t.Errorf("sender %v", env.Sender)
		}
		if len(env.ID) > maxPipeWord || strings.ContainsAny(env.ID, " \t\r\n") {
			t.Errorf("id %q", env.ID)
		}
		if _, err := netip.ParseAddr(env.Client); err != nil && env.Client != "" {
			t.Errorf("client %q", env.Client)
		}
	})
}

func TestEnvelopeOfPipe(t *testing.T) {
	for _, key := range []string{"RECIPIENT", "LOCAL_PART", "DOMAIN", "MESSAGE_ID", "CLIENT_ADDRESS", "SASL_USERNAME"} {
		t.Setenv(key, "")
	}
	wanted := func(r string) bool { return strings.Contains(r, "secureme") }
	many := make([]string, maxPipeRecipients+1)
	for i := range many {
		many[i] = "secureme@example.com"
	}
	for name, g := range map[string]*pipeEnvelope{
		"nobody":        {},
		"too many":      {rcpt: many},
		"ours and more": {rcpt: []string{"secureme@example.com", "bob@example.com"}},
	} {
		if env, others, err := g.envelope(wanted); err == nil {
			t.Errorf("%s: %+v %q, want an error", name, env, others)
		}
	}
	t.Setenv("RECIPIENT", "bob@example.com")
	t.Setenv("SENDER", "carol@example.com")
	env, others, err := (&pipeEnvelope{rcpt: []string{"<secureme@example.com>"}, senderGiven: true, client: "2001:db8::1", cipher: "a b"}).envelope(wanted)
	if err != nil || len(env.Recipients) != 1 || env.Recipients[0] != "secureme@example.com" || others != nil ||
		env.Sender == nil || *env.Sender != "" || env.Client != "2001:db8::1" || env.TLS.Cipher != "" {
		t.Errorf("%+v %q %v", env, others, err)
	}
	long := "secureme+" + strings.Repeat("x", maxPipePath) + "@example.com"
	if env, others, err := (&pipeEnvelope{rcpt: []string{long}}).envelope(wanted); err != nil || len(env.Recipients) != 0 || len(others) != 1 {
		t.Errorf("%+v %q %v: an address that no server would take was taken", env, others, err)
	}
}

func TestReadPiped(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"CRLF as it was":          {"A: b\r\n\r\nx\ny\r\n", "A: b\r\n\r\nx\ny\r\n"},
		"LF":                      {"A: b\n\nx\n", "A: b\r\n\r\nx\r\n"},
		"LF, and a CR before one": {"A: b\n\nx\r\ny\n", "A: b\r\n\r\nx\r\r\ny\r\n"},
		"a mixed header stays":    {"A: b\nC: d\r\n\nx\n", "A: b\nC: d\r\n\nx\n"},
		"LF, header alone":        {"A: b\n", "A: b\r\n"},
		"a mailbox file's line":   {"From a@b Mon Mar 2\nA: b\n\nx\n", "A: b\r\n\r\nx\r\n"},
		"a From field":            {"From: a@b\r\n\r\n", "From: a@b\r\n\r\n"},
		"cut at the limit":        {strings.Repeat("x", 200), strings.Repeat("x", 101)},
	} {
		in := strings.NewReader(c.in)
		if got, err := readPiped(in, 100); err != nil || string(got) != c.want || in.Len() != 0 {
			t.Errorf("%s: %q %v, %d bytes not read", name, got, err, in.Len())
		}
	}
	for _, in := range []string{"", "From a@b Mon Mar 2\n", "From "} {
		if got, err := readPiped(strings.NewReader(in), 100); err == nil {
			t.Errorf("%q is %q, want an error", in, got)
		}
	}
}

func TestReceived(t *testing.T) {
	at := time.Date(2026, 3, 2, 10, 59, 0, 0, time.UTC)
	trace := "Received: from a (b; c)\r\n\tby d; Mon, 2 Mar 2026\r\n 10:59:00 +0000 (UTC)\r\n"
	for head, want := range map[string]time.Time{
		"":                           {},
		"Subject: x\r\n\r\n" + trace: {},
		"Return-Path: <a@b>\r\n" + trace + "Received: from e; Tue, 3 Mar 2026 00:00:00 +0000\r\n": at,
		strings.ToUpper(trace[:8]) + " \t" + trace[8:]:                                            at,
		"Received: from a by b\r\n" + trace:                                                       {},
		"Received: from a; soon\r\n" + trace:                                                      {},
		"no field\r\n" + trace:                                                                    {},
		"X: " + strings.Repeat("x", maxTrace) + "\r\n" + trace:                                    {},
	} {
		if got := received([]byte(head)); !got.Equal(want) {
			t.Errorf("%.60q: %v, want %v", head, got, want)
		}
	}
}

// FuzzPipeMessage: reading undoes what an MTA does to a message, within bounds.
func FuzzPipeMessage(f *testing.F) {
	for _, s := range []string{"A: b\r\n\r\nx\r\n", "A: b\n\nx\n", "From a@b Mon\nA: b\n\nx\r\n", "Received: x;\r\n Mon, 2 Mar 2026 10:59:00 +0000\r\n\r\n", "\n", "\r\n\r\n", "From "} {
		f.Add([]byte(s))
	}
	const limit = 1 << 12
	f.Fuzz(func(t *testing.T, in []byte) {
		received(in)
		got, err := readPiped(bytes.NewReader(in), limit)
		if err != nil {
			return
		}
		if len(got) > 2*(limit+1) {
			t.Errorf("%d bytes", len(got))
		}
		received(got)
		// A message that has come as servers exchange them, through an MTA that knows
		// LF only, is the same again.
		if bytes.Equal(got, in) && !bytes.Contains(bytes.ReplaceAll(in, []byte("\r\n"), nil), []byte("\n")) && len(in) <= limit {
			back, err := readPiped(bytes.NewReader(bytes.ReplaceAll(in, []byte("\r\n"), []byte("\n"))), limit)
			header, _, _ := bytes.Cut(in, []byte("\r\n\r\n"))
			if cr := bytes.HasSuffix(header, []byte("\r")) || bytes.Contains(header, []byte("\r\r\n")); err == nil && !cr && !bytes.Equal(back, in) {
				t.Errorf("%q came back as %q", in, back)
			}
		}
	})
}
