package miltertest

import (
	"encoding/binary"
	"net"
	"strings"
	"testing"
	"time"
)

// script is a filter that answers each command it gets by the next of its
// frames, and negotiates first. It returns the commands it has seen.
func script(t *testing.T, steps uint32, answers map[byte][][]byte) (*MTA, func() string) {
	t.Helper()
	here, there := net.Pipe()
	done := make(chan string, 1)
	go func() {
		defer there.Close()
		filter := NewRaw(there, Options{Timeout: 10 * time.Second})
		seen := ""
		for {
			f, err := filter.ReadFrame()
			if err != nil {
				done <- seen
				return
			}
			if seen += string(f.Code); f.Code == CmdNegotiate {
				b := binary.BigEndian.AppendUint32(nil, 6)
				b = binary.BigEndian.AppendUint32(b, OfferAllActions)
				b = append(binary.BigEndian.AppendUint32(b, steps), "\x00\x00\x00\x00j {client_addr}\x00"...)
				_ = filter.Frame(CmdNegotiate, b)
			}
			for _, raw := range answers[f.Code] {
				_ = filter.Raw(raw)
			}
		}
	}()
	m, err := New(here, Options{Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return m, func() string { m.Close(); return <-done }
}

func one(code byte, data string) []byte { return appendFrame(nil, code, []byte(data)) }

const quiet = StepQuietConnect | StepQuietHelo | StepQuietMail | StepQuietHeader | StepQuietEOH | StepQuietBody

func TestSend(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers map[byte][][]byte
		want    Result
		seen    string
		fails   string
	}{
		{"accept at DATA", map[byte][][]byte{'R': {one('c', "")}, 'T': {one('a', "")}},
			Result{Code: 250, Accepted: true}, "ODCHDMDRDTA", ""},
		{"refused at RCPT", map[byte][][]byte{'R': {one('y', "550 5.7.1 no\x00")}},
			Result{Code: 550}, "ODCHDMDRA", ""},
		{"refused at the end", map[byte][][]byte{'R': {one('c', "")}, 'T': {one('c', "")}, 'E': {one('p', ""), one('y', "550-5.7.1 100%% no\r\n550 5.7.1 end\x00")}},
			Result{Code: 550, Seen: true, Text: "550-5.7.1 100% no\n550 5.7.1 end"}, "ODCHDMDRDTLLDNBDEA", ""},
		{"discarded", map[byte][][]byte{'R': {one('c', "")}, 'T': {one('c', "")}, 'E': {one('d', "")}},
			Result{Code: 250, Seen: true, Accepted: true, Discarded: true}, "ODCHDMDRDTLLDNBDEA", ""},
		{"accept at RCPT hides the rest", map[byte][][]byte{'R': {one('a', "")}}, Result{}, "", "hides later recipients"},
		{"single %", map[byte][][]byte{'R': {one('y', "550 100% no\x00")}}, Result{}, "", "single %"},
		{"reply without NUL", map[byte][][]byte{'R': {one('y', "550 no")}}, Result{}, "", "NUL"},
		{"reply with code 250", map[byte][][]byte{'R': {one('y', "250 yes\x00")}}, Result{}, "", "400 to 599"},
		{"reply of mixed codes", map[byte][][]byte{'R': {one('y', "550-a\r\n551 b\x00")}}, Result{}, "", "malformed"},
		{"no answer but a modification", map[byte][][]byte{'R': {one('h', "a\x00b\x00")}}, Result{}, "", "is none"},
		{"endless frame", map[byte][][]byte{'R': {{0xff, 0xff, 0xff, 0xff}}}, Result{}, "", "frame of"},
		{"unknown modification", map[byte][][]byte{'R': {one('c', "")}, 'T': {one('c', "")}, 'E': {one('b', "x"), one('a', "")}}, Result{}, "", "not known"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, seen := script(t, quiet, tt.answers)
			res, err := m.Send(Message{ID: "1", From: "a@example.org", To: []string{"b@example.net"}, Data: []byte("A: 1\r\nB: 2\r\n\r\nx\r\n")})
			events := seen()
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Fatalf("error %v, want one about %q", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if events != tt.seen {
				t.Errorf("filter saw %s, want %s", events, tt.seen)
			}
			if res.Code != tt.want.Code || res.Accepted != tt.want.Accepted || res.Discarded != tt.want.Discarded || res.Seen != tt.want.Seen ||
				tt.want.Text != "" && res.Text != tt.want.Text {
				t.Errorf("got %+v", res)
			}
		})
	}
}

func TestModifications(t *testing.T) {
	at := func(i uint32, s string) string { return string(binary.BigEndian.AppendUint32(nil, i)) + s }
	m, seen := script(t, quiet|StepLeadingSpace, map[byte][][]byte{'R': {one('c', "")}, 'T': {one('c', "")}, 'E': {
		one('m', at(2, "x\x00\x00")), one('m', at(1, "X\x00 new\x00")), one('i', at(0, "Top\x00 t\n\tu\x00")), one('-', "<b@example.net>\x00"), one('a', "")}})
	res, err := m.Send(Message{To: []string{"b@example.net", "c@example.net"}, Data: []byte("X: 1\r\nY: 2\r\nX: 3\r\n\r\nx\r\n")})
	if err != nil {
		t.Fatal(err)
	}
	seen()
	if want := "Top: t\r\n\tu\r\nX: new\r\nY: 2\r\n\r\nx\r\n"; string(res.Delivered) != want {
		t.Errorf("delivered %q, want %q", res.Delivered, want)
	}
	if len(res.DeletedRecipients) != 1 || res.DeletedRecipients[0] != "b@example.net" || len(res.ChangedHeaders) != 2 || len(res.AddedHeaders) != 1 {
		t.Errorf("got %+v", res)
	}
	if m.Asked[0] != "j {client_addr}" {
		t.Errorf("macro requests %v", m.Asked)
	}
}

func TestUnofferedStepsAreRefused(t *testing.T) {
	here, there := net.Pipe()
	go func() {
		defer there.Close()
		f := NewRaw(there, Options{Timeout: 10 * time.Second})
		if _, err := f.ReadFrame(); err == nil {
			_ = f.Frame(CmdNegotiate, Options{}.Offer())
		}
	}()
	if _, err := New(here, Options{Without: StepLeadingSpace}); err == nil || !strings.Contains(err.Error(), "not offered") {
		t.Errorf("got %v", err)
	}
}
