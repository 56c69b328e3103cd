package miltertest

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"
)

// Commands that an MTA sends.
const (
	CmdNegotiate byte = 'O'
	CmdMacro     byte = 'D'
	CmdConnect   byte = 'C'
	CmdHelo      byte = 'H'
	CmdMail      byte = 'M'
	CmdRcpt      byte = 'R'
	CmdData      byte = 'T'
	CmdHeader    byte = 'L'
	CmdEOH       byte = 'N'
	CmdBody      byte = 'B'
	CmdEOM       byte = 'E'
	CmdAbort     byte = 'A'
	CmdQuit      byte = 'Q'
	CmdQuitNC    byte = 'K'
	CmdUnknown   byte = 'U'
)

// Answers and modifications that a filter sends.
const (
	ActContinue     byte = 'c'
	ActAccept       byte = 'a'
	ActReject       byte = 'r'
	ActTempfail     byte = 't'
	ActDiscard      byte = 'd'
	ActReply        byte = 'y'
	ActSkip         byte = 's'
	ActProgress     byte = 'p'
	ModAddHeader    byte = 'h'
	ModChangeHeader byte = 'm'
	ModInsertHeader byte = 'i'
	ModDeleteRcpt   byte = '-'
	ModAddRcpt      byte = '+'
	ModBody         byte = 'b'
	ModQuarantine   byte = 'q'
	ModFrom         byte = 'e'
)

// Actions that an MTA may offer (SMFIF).
const (
	OfferAddHeaders    uint32 = 1 << 0
	OfferChangeBody    uint32 = 1 << 1
	OfferAddRcpt       uint32 = 1 << 2
	OfferDeleteRcpt    uint32 = 1 << 3
	OfferChangeHeaders uint32 = 1 << 4
	OfferQuarantine    uint32 = 1 << 5
	OfferChangeFrom    uint32 = 1 << 6
	OfferAddRcptArgs   uint32 = 1 << 7
	OfferMacroList     uint32 = 1 << 8
	OfferAllActions    uint32 = 1<<9 - 1
)

// Protocol steps that an MTA may offer (SMFIP): events it can leave out,
// answers it can do without, and how it writes header values.
const (
	StepNoUnknown     uint32 = 1 << 8
	StepNoData        uint32 = 1 << 9
	StepSkip          uint32 = 1 << 10
	StepRefusedRcpt   uint32 = 1 << 11
	StepQuietConnect  uint32 = 1 << 12
	StepQuietHelo     uint32 = 1 << 13
	StepQuietMail     uint32 = 1 << 14
	StepQuietRcpt     uint32 = 1 << 15
	StepQuietData     uint32 = 1 << 16
	StepQuietUnknown  uint32 = 1 << 17
	StepQuietEOH      uint32 = 1 << 18
	StepQuietBody     uint32 = 1 << 19
	StepLeadingSpace  uint32 = 1 << 20
	StepQuietHeader   uint32 = 1 << 7
	StepAll           uint32 = 1<<21 - 1
	stepNoConnect     uint32 = 1 << 0
	stepNoHelo        uint32 = 1 << 1
	stepNoMail        uint32 = 1 << 2
	stepNoRcpt        uint32 = 1 << 3
	stepNoBody        uint32 = 1 << 4
	stepNoHeaders     uint32 = 1 << 5
	stepNoEOH         uint32 = 1 << 6
	maxAnswer                = 1 << 20 // bytes of the longest frame we read
	defaultTimeout           = 30 * time.Second
	bodyChunk                = 65535
	negotiationLength        = 12
)

// A Frame is one packet of the protocol, in either direction.
type Frame struct {
	Code byte
	Data []byte
}

// appendFrame appends the frame as it stands on the wire.
func appendFrame(dst []byte, code byte, data ...[]byte) []byte {
	n := 1
	for _, d := range data {
		n += len(d)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(n))
	dst = append(dst, code)
	for _, d := range data {
		dst = append(dst, d...)
	}
	return dst
}

// zstrings joins strings, each with its NUL.
func zstrings(s ...string) []byte {
	var b []byte
	for _, x := range s {
		b = append(append(b, x...), 0)
	}
	return b
}

// wire is a connection with whole frames on it.
type wire struct {
	conn    net.Conn
	in      *bufio.Reader
	out     []byte // frames written but not sent: they go out before the next read
	timeout time.Duration
}

func (w *wire) put(code byte, data ...[]byte) error {
	w.out = appendFrame(w.out, code, data...)
	if len(w.out) > 1<<16 {
		return w.flush()
	}
	return nil
}

func (w *wire) flush() error {
	if len(w.out) == 0 {
		return nil
	}
	if err := w.conn.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return fmt.Errorf("miltertest: write deadline: %w", err)
	}
	_, err := w.conn.Write(w.out)
	w.out = w.out[:0]
	if err != nil {
		return fmt.Errorf("miltertest: write: %w", err)
	}
	return nil
}

// read sends what waits and reads one frame.
func (w *wire) read() (Frame, error) {
	if err := w.flush(); err != nil {
		return Frame{}, err
	}
	if err := w.conn.SetReadDeadline(time.Now().Add(w.timeout)); err != nil {
		return Frame{}, fmt.Errorf("miltertest: read deadline: %w", err)
	}
	var head [4]byte
	if _, err := io.ReadFull(w.in, head[:]); err != nil {
		return Frame{}, fmt.Errorf("miltertest: read: %w", err)
	}
	n := binary.BigEndian.Uint32(head[:])
	if n == 0 || n > maxAnswer {
		return Frame{}, fmt.Errorf("miltertest: read: frame of %d bytes, want 1 to %d", n, maxAnswer)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(w.in, b); err != nil {
		return Frame{}, fmt.Errorf("miltertest: read: %w", err)
	}
	return Frame{b[0], b[1:]}, nil
}
