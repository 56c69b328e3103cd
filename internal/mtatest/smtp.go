package mtatest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// A Session is an SMTP client that shows every reply. It neither pipelines nor
// interprets: tests say each command.
type Session struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
}

// An Answer is one SMTP reply, its lines joined by newlines without codes.
type Answer struct {
	Code int
	Text string
}

func (a Answer) String() string { return fmt.Sprintf("%d %s", a.Code, a.Text) }

// DialSMTP connects, reads the greeting and says EHLO.
func DialSMTP(t testing.TB, addr string) *Session {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, hang)
	must(t, err)
	s := &Session{t: t, conn: conn, r: bufio.NewReader(conn)}
	t.Cleanup(func() { conn.Close() })
	if a := s.answer(); a.Code != 220 {
		t.Fatalf("greeting: %s", a)
	}
	s.Command("EHLO client.example.net")
	return s
}

// Command sends a line and returns the answer.
func (s *Session) Command(format string, args ...any) Answer {
	s.t.Helper()
	s.write([]byte(fmt.Sprintf(format, args...) + "\r\n"))
	return s.answer()
}

// StartTLS switches to TLS, whatever the certificate, and says EHLO again.
func (s *Session) StartTLS() {
	s.t.Helper()
	if a := s.Command("STARTTLS"); a.Code != 220 {
		s.t.Fatalf("STARTTLS: %s", a)
	}
	c := tls.Client(s.conn, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
	must(s.t, c.Handshake())
	s.conn, s.r = c, bufio.NewReader(c)
	s.Command("EHLO client.example.net")
}

// Envelope sends MAIL and RCPT commands and returns the answers to RCPT.
func (s *Session) Envelope(from string, to ...string) []Answer {
	s.t.Helper()
	if a := s.Command("MAIL FROM:<%s>", from); a.Code != 250 {
		s.t.Fatalf("MAIL: %s", a)
	}
	var out []Answer
	for _, rcpt := range to {
		out = append(out, s.Command("RCPT TO:<%s>", rcpt))
	}
	return out
}

// Data sends message, CRLF bytes without the final dot, and returns the answer
// to it.
func (s *Session) Data(message []byte) Answer {
	s.t.Helper()
	if a := s.Command("DATA"); a.Code != 354 {
		return a
	}
	stuffed := bytes.ReplaceAll(message, []byte("\r\n."), []byte("\r\n.."))
	if bytes.HasPrefix(stuffed, []byte(".")) {
		stuffed = append([]byte("."), stuffed...)
	}
	if !bytes.HasSuffix(stuffed, []byte("\r\n")) {
		stuffed = append(stuffed, "\r\n"...)
	}
	s.write(append(stuffed, ".\r\n"...))
	return s.answer()
}

// Send does a whole transaction in which every recipient must be taken.
func (s *Session) Send(from string, message []byte, to ...string) Answer {
	s.t.Helper()
	for i, a := range s.Envelope(from, to...) {
		if a.Code != 250 {
			s.t.Fatalf("RCPT %s: %s", to[i], a)
		}
	}
	return s.Data(message)
}

// Hangup closes the connection without QUIT.
func (s *Session) Hangup() { s.conn.Close() }

// Quit ends the session.
func (s *Session) Quit() {
	s.Command("QUIT")
	s.conn.Close()
}

func (s *Session) write(b []byte) {
	s.t.Helper()
	s.conn.SetDeadline(time.Now().Add(hang))
	_, err := s.conn.Write(b)
	must(s.t, err)
}

func (s *Session) answer() Answer {
	s.t.Helper()
	s.conn.SetDeadline(time.Now().Add(hang))
	var a Answer
	var lines []string
	for {
		line, err := s.r.ReadString('\n')
		must(s.t, err)
		line = strings.TrimRight(line, "\r\n")
		if len(line) < 4 {
			s.t.Fatalf("short reply line %q", line)
		}
		fmt.Sscanf(line[:3], "%d", &a.Code)
		lines = append(lines, line[4:])
		if line[3] != '-' {
			break
		}
	}
	a.Text = strings.Join(lines, "\n")
	return a
}
