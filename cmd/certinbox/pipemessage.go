package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"strings"
	"time"
)

// readPiped reads a message of at most limit bytes, and one byte more of a
// bigger one, in the form in which it was on the wire. The rest is read and
// dropped: an MTA that cannot get rid of a message tries again. One that takes
// longer than pipedWithin is an error.
func readPiped(stdin io.Reader, limit int) ([]byte, error) {
	return readPipedWithin(pipedWithin, stdin, limit)
}

// pipedWithin is how long a message may take to come, as one that is posted:
// whoever never ends it must not hold a process for ever.
const pipedWithin = 10 * time.Minute

func readPipedWithin(within time.Duration, stdin io.Reader, limit int) ([]byte, error) {
	type read struct {
		b   []byte
		err error
	}
	done := make(chan read, 1)
	go func() { // no end of its own: standard input need not know deadlines
		b, err := readToEnd(stdin, limit)
		done <- read{b, err}
	}()
	select {
	case r := <-done:
		return r.b, r.err
	case <-time.After(within):
		return nil, fail(exitIO, fmt.Errorf("standard input: the message has not ended after %v", within))
	}
}

func readToEnd(stdin io.Reader, limit int) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(stdin, int64(limit)+1))
	if err == nil {
		_, err = io.Copy(io.Discard, stdin)
	}
	if err != nil {
		return nil, fail(exitIO, fmt.Errorf("standard input: %w", err))
	}
	if b = withoutFromLine(b); len(b) == 0 {
		return nil, fail(exitIO, errors.New("standard input: there is no message"))
	}
	return onTheWire(b), nil
}

// onTheWire makes line ends CRLF again where the whole header has bare LF: then
// the MTA has turned every CRLF into LF, and a CR that is left before one was
// there before. What comes with CRLF comes as it was.
func onTheWire(m []byte) []byte {
	header := m
	if end := bytes.Index(m, []byte("\n\n")); end >= 0 {
		header = m[:end+1]
	}
	if bytes.Contains(header, []byte("\r\n")) {
		return m
	}
	return bytes.ReplaceAll(m, []byte("\n"), []byte("\r\n"))
}

// withoutFromLine drops the first line of a mailbox file's message (RFC 4155),
// which MTAs put before a message for a program.
func withoutFromLine(m []byte) []byte {
	if !bytes.HasPrefix(m, []byte("From ")) {
		return m
	}
	_, rest, _ := bytes.Cut(m, []byte("\n"))
	return rest
}

// maxTrace bounds the topmost header field that is read for a time, in bytes.
const maxTrace = 4 << 10

// received is when the MTA in front of us took a message (RFC 5321 section 4.4):
// the date of the topmost Received field, the zero time when there is none.
// Above it stand only fields that MTAs add for a program. The sender has a say
// in it only where no MTA adds its own.
func received(m []byte) time.Time {
	head := string(m[:min(len(m), maxTrace)])
	for head != "" && !strings.HasPrefix(head, "\r\n") {
		field, rest := cutField(head)
		name, value, ok := strings.Cut(field, ":")
		if !ok {
			break
		}
		if strings.EqualFold(strings.TrimRight(name, " \t"), "Received") {
			at := value[strings.LastIndexByte(value, ';')+1:]
			t, _ := mail.ParseDate(strings.Join(strings.Fields(at), " "))
			return t
		}
		head = rest
	}
	return time.Time{}
}

// cutField cuts the first header field with its continuation lines off.
func cutField(head string) (field, rest string) {
	end := 0
	for {
		n := strings.Index(head[end:], "\r\n")
		if n < 0 {
			return head, ""
		}
		end += n + 2
		if end == len(head) || head[end] != ' ' && head[end] != '\t' {
			return head[:end], head[end:]
		}
	}
}
