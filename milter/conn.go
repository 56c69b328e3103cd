package milter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// bufferSize holds the whole envelope of an ordinary transaction, so that it
// costs few reads. A longer frame gets a longer buffer while it lasts.
const bufferSize = 4096

// A conn hands the library whole frames that have been vetted, and the MTA
// whole answers in one write. Read and Write are called by the one goroutine
// of the session; only Close and the drain come from elsewhere.
type conn struct {
	net.Conn
	guard *guard

	buf    []byte // what was read from the socket: buf[r:w]
	r, w   int
	vetted int       // bytes of the present frame that the library has yet to read
	until  time.Time // when a body chunk that is not in the buffer has to be complete

	negotiated bool
	last       byte // last command, macros aside
	open       bool // a message is under way: the drain waits for its end
	out        []byte
	closed     error // why reading has ended
}

// The library sets deadlines that are too short (1 s for the first frame) or
// none. The guard has its own.

func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// Close closes the socket.
func (c *conn) Close() error {
	c.guard.forget(c)
	return c.Conn.Close()
}

// Read returns bytes of a vetted frame, of one frame at a time. All trouble
// is io.EOF for the library, which then closes without a word; the guard has
// logged it.
func (c *conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if c.closed != nil {
		return 0, c.closed
	}
	if c.vetted == 0 {
		if err := c.next(); err != nil {
			c.closed = c.explain(err)
			return 0, c.closed
		}
	}
	p = p[:min(len(p), c.vetted)]
	if c.r < c.w {
		n := copy(p, c.buf[c.r:c.w])
		c.r += n
		c.vetted -= n
		return n, nil
	}
	n, err := c.fill(p, c.until, false) // the rest of a body chunk
	c.vetted -= n
	if err != nil {
		c.closed = c.explain(err)
		return n, c.closed
	}
	return n, nil
}

// refusal is a malformed frame.
type refusal struct {
	command byte
	err     error
}

func (r *refusal) Error() string { return fmt.Sprintf("frame %q: %v", r.command, r.err) }

// explain logs why reading ends and returns what the library is told.
func (c *conn) explain(err error) error {
	var bad *refusal
	switch {
	case errors.As(err, &bad):
		c.guard.refused.Add(1)
		c.guard.log.Warn("milter: malformed frame, connection closed", "peer", c.peer(), "err", err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.guard.log.Info("milter: connection closed, nothing came in time", "peer", c.peer())
	case !errors.Is(err, io.EOF):
		c.guard.log.Debug("milter: connection lost", "peer", c.peer(), "err", err)
	}
	return io.EOF
}

func (c *conn) peer() string {
	if a := c.RemoteAddr(); a != nil && a.String() != "" {
		return a.String()
	}
	return "local"
}

// next waits for a frame and vets it. All of it is in the buffer then, but
// for a body chunk, of which there is nothing to vet but its length.
func (c *conn) next() error {
	if c.r == c.w {
		c.r, c.w = 0, 0
		if len(c.buf) > bufferSize {
			c.buf = make([]byte, bufferSize)
		}
		if err := c.more(time.Now().Add(c.guard.idle), true); err != nil {
			return err
		}
	}
	var until time.Time // a frame that is in the buffer needs no clock
	if err := c.need(headLength, &until); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(c.buf[c.r:])
	if n < 1 || n > maxFrame {
		return &refusal{0, fmt.Errorf("length %d, want 1 to %d", n, maxFrame)}
	}
	if err := c.need(headLength+1, &until); err != nil {
		return err
	}
	command := c.buf[c.r+headLength]
	if tooLong(command, n) {
		return &refusal{command, fmt.Errorf("length %d is more than this command can need", n)}
	}
	if (command == cmdNegotiate) == c.negotiated {
		return &refusal{command, errors.New("negotiation must be the first frame and only that")}
	}
	whole := headLength + int(n)
	if command != cmdBody {
		if err := c.need(whole, &until); err != nil {
			return err
		}
		if err := vet(command, c.buf[c.r+headLength+1:c.r+whole]); err != nil {
			return &refusal{command, err}
		}
	}
	if command == cmdBody {
		c.until = time.Now().Add(c.guard.frame)
	}
	c.vetted = whole
	c.noteCommand(command)
	return nil
}

// need reads until n bytes of the frame are in the buffer. The buffer
// grows with what has arrived, not with what was announced.
func (c *conn) need(n int, until *time.Time) error {
	for c.w-c.r < n {
		if until.IsZero() {
			*until = time.Now().Add(c.guard.frame)
		}
		if c.r > 0 {
			c.w = copy(c.buf, c.buf[c.r:c.w])
			c.r = 0
		}
		if c.w == len(c.buf) {
			grown := make([]byte, min(2*len(c.buf), headLength+maxFrame))
			copy(grown, c.buf)
			c.buf = grown
		}
		if err := c.more(*until, false); err != nil {
			return err
		}
	}
	return nil
}

// more reads once into the free end of the buffer.
func (c *conn) more(until time.Time, pause bool) error {
	n, err := c.fill(c.buf[c.w:], until, pause)
	c.w += n
	return err
}

// fill reads from the socket at least one byte. In a pause between frames it
// ends when the server drains and no message is under way.
func (c *conn) fill(p []byte, until time.Time, pause bool) (int, error) {
	for {
		if err := c.Conn.SetReadDeadline(until); err != nil {
			return 0, err
		}
		// Looked at after the deadline is set: the drain sets its flag before
		// its own deadline, so one of the two is always noticed.
		if pause && !c.open && c.guard.draining.Load() {
			return 0, io.EOF
		}
		n, err := c.Conn.Read(p)
		if n > 0 {
			return n, nil
		}
		if err == nil {
			err = io.ErrNoProgress
		}
		if errors.Is(err, os.ErrDeadlineExceeded) && time.Now().Before(until) {
			continue // woken by the drain
		}
		return 0, err
	}
}

// noteCommand counts a frame and follows the conversation.
func (c *conn) noteCommand(command byte) {
	c.guard.frames[command].Add(1)
	if command == cmdMacro {
		return
	}
	c.last = command
	switch command {
	case cmdNegotiate:
		c.negotiated = true
	case cmdMail:
		c.open = true
	case cmdAbort, cmdQuit, cmdQuitNC:
		c.open = false
	}
}

// Write collects an answer until it is whole and sends it at once: the library
// writes length and data apart.
func (c *conn) Write(p []byte) (int, error) {
	c.out = append(c.out, p...)
	if len(c.out) <= headLength || len(c.out) < headLength+int(binary.BigEndian.Uint32(c.out)) {
		return len(p), nil
	}
	defer func() { c.out = c.out[:0] }()
	if err := c.Conn.SetWriteDeadline(time.Now().Add(c.guard.write)); err != nil {
		return 0, fmt.Errorf("milter: write: %w: %v", net.ErrClosed, err)
	}
	if _, err := c.Conn.Write(c.out); err != nil {
		c.guard.log.Debug("milter: answer not sent", "peer", c.peer(), "err", err)
		return 0, fmt.Errorf("milter: write: %w: %v", net.ErrClosed, err)
	}
	c.noteAnswer(c.out[headLength])
	return len(p), nil
}

// noteAnswer closes the message at an answer that decides over all of it. A
// refusal at RCPT decides over one recipient.
func (c *conn) noteAnswer(action byte) {
	switch action {
	case 'a', 'd':
		c.open = false
	case 'r', 't', 'y':
		if c.last != cmdRcpt {
			c.open = false
		}
	case 'c':
		if c.last == cmdEOM {
			c.open = false
		}
	}
}
