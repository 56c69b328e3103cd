package miltertest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Options say what the MTA offers. The zero value is a current Postfix.
type Options struct {
	Version uint32        // protocol version; 0: 6
	Actions uint32        // offered modifications; 0: all
	Steps   uint32        // offered protocol steps; 0: all
	Without uint32        // steps taken away from Steps
	Lacking uint32        // actions taken away from Actions
	Timeout time.Duration // for each read and write; 0: 30 s
}

// An MTA is one milter connection, seen from the MTA.
type MTA struct {
	Version uint32 // as negotiated
	Actions uint32
	Steps   uint32
	Asked   map[int]string // the macros the filter asked for, by stage

	wire
	greeted string // the session last told by CONNECT and HELO, see Send
}

// A Reply is the filter's answer to one command, as the MTA understands it.
type Reply struct {
	Action byte   // one of the Act constants; ActContinue also where no answer was awaited
	Code   int    // SMTP code that follows, 0 for continue
	Text   string // text of the SMTP reply, its lines joined by \n, each with its codes
}

// Dial connects to a filter ("tcp" or "unix") and negotiates.
func Dial(network, address string, o Options) (*MTA, error) {
	conn, err := net.DialTimeout(network, address, 10*time.Second)
	if err != nil {
		return nil, fmt.Errorf("miltertest: dial: %w", err)
	}
	return New(conn, o)
}

// New negotiates over conn. It closes conn if that fails.
func New(conn net.Conn, o Options) (*MTA, error) {
	m := NewRaw(conn, o)
	if err := m.negotiate(o); err != nil {
		conn.Close()
		return nil, err
	}
	return m, nil
}

// NewRaw only wraps conn, for tests that write frames by hand.
func NewRaw(conn net.Conn, o Options) *MTA {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	return &MTA{wire: wire{conn: conn, in: bufio.NewReader(conn), timeout: o.Timeout}}
}

// Offer is the negotiation frame's content for these options.
func (o Options) Offer() []byte {
	if o.Version == 0 {
		o.Version = 6
	}
	if o.Actions == 0 {
		o.Actions = OfferAllActions
	}
	if o.Steps == 0 {
		o.Steps = StepAll
	}
	var b []byte
	b = binary.BigEndian.AppendUint32(b, o.Version)
	b = binary.BigEndian.AppendUint32(b, o.Actions&^o.Lacking)
	return binary.BigEndian.AppendUint32(b, o.Steps&^o.Without)
}

func (m *MTA) negotiate(o Options) error {
	offer := o.Offer()
	if err := m.put(CmdNegotiate, offer); err != nil {
		return err
	}
	f, err := m.read()
	if err != nil {
		return fmt.Errorf("miltertest: negotiation: %w", err)
	}
	if f.Code != CmdNegotiate || len(f.Data) < negotiationLength {
		return fmt.Errorf("miltertest: negotiation: answer %q of %d bytes", f.Code, len(f.Data))
	}
	m.Version = binary.BigEndian.Uint32(f.Data)
	m.Actions = binary.BigEndian.Uint32(f.Data[4:])
	m.Steps = binary.BigEndian.Uint32(f.Data[8:])
	if m.Version > binary.BigEndian.Uint32(offer) {
		return fmt.Errorf("miltertest: negotiation: filter wants version %d, offered %d", m.Version, binary.BigEndian.Uint32(offer))
	}
	if more := m.Actions &^ binary.BigEndian.Uint32(offer[4:]); more != 0 {
		return fmt.Errorf("miltertest: negotiation: filter wants actions %#x that were not offered", more)
	}
	if more := m.Steps &^ binary.BigEndian.Uint32(offer[8:]); more != 0 {
		return fmt.Errorf("miltertest: negotiation: filter wants protocol steps %#x that were not offered", more)
	}
	return m.macroLists(f.Data[negotiationLength:])
}

// macroLists reads the requests for macros behind the three numbers.
func (m *MTA) macroLists(b []byte) error {
	m.Asked = map[int]string{}
	for len(b) > 0 {
		if len(b) < 5 {
			return errors.New("miltertest: negotiation: cut macro request")
		}
		stage := int(binary.BigEndian.Uint32(b))
		list, rest, ok := bytes.Cut(b[4:], []byte{0})
		if !ok {
			return errors.New("miltertest: negotiation: macro request without NUL")
		}
		m.Asked[stage] = string(list)
		b = rest
	}
	return nil
}

// Frame sends one frame as it is. It waits for no answer.
func (m *MTA) Frame(code byte, data []byte) error {
	if err := m.put(code, data); err != nil {
		return err
	}
	return m.flush()
}

// Raw sends bytes as they are, frames or not.
func (m *MTA) Raw(b []byte) error {
	m.out = append(m.out, b...)
	return m.flush()
}

// ReadFrame reads one frame.
func (m *MTA) ReadFrame() (Frame, error) { return m.read() }

// Close closes the connection without a farewell, as a crashed MTA does.
func (m *MTA) Close() error { return m.conn.Close() }

// Quit says farewell and closes.
func (m *MTA) Quit() error {
	err := m.Frame(CmdQuit, nil)
	return errors.Join(err, m.conn.Close())
}

// QuitNC ends the SMTP session and keeps the connection for the next one.
func (m *MTA) QuitNC() error {
	m.greeted = ""
	return m.Frame(CmdQuitNC, nil)
}

// Macros sends macros for the command that follows: names and values by turns.
func (m *MTA) Macros(command byte, nameValue ...string) error {
	return m.put(CmdMacro, []byte{command}, zstrings(nameValue...))
}

// Connect tells of an SMTP client. addr is "192.0.2.1:25", "[2001:db8::1]:25", or
// anything else for a client that the MTA cannot name.
func (m *MTA) Connect(host, addr string) (Reply, error) {
	b := zstrings(host)
	ap, err := netip.ParseAddrPort(addr)
	switch {
	case err != nil:
		b = append(b, 'U')
	case ap.Addr().Is4():
		b = binary.BigEndian.AppendUint16(append(b, '4'), ap.Port())
		b = append(b, zstrings(ap.Addr().String())...)
	default:
		b = binary.BigEndian.AppendUint16(append(b, '6'), ap.Port())
		b = append(b, zstrings("IPv6:"+ap.Addr().String())...)
	}
	return m.command(CmdConnect, b, stepNoConnect, StepQuietConnect)
}

// Helo sends the client's name.
func (m *MTA) Helo(name string) (Reply, error) {
	return m.command(CmdHelo, zstrings(name), stepNoHelo, StepQuietHelo)
}

// Mail sends the reverse-path as given, with its brackets, and ESMTP arguments.
func (m *MTA) Mail(path string, args ...string) (Reply, error) {
	return m.command(CmdMail, zstrings(append([]string{path}, args...)...), stepNoMail, StepQuietMail)
}

// Rcpt sends a forward-path as given, with its brackets.
func (m *MTA) Rcpt(path string, args ...string) (Reply, error) {
	return m.command(CmdRcpt, zstrings(append([]string{path}, args...)...), stepNoRcpt, StepQuietRcpt)
}

// Data announces the content, if the protocol version knows that event.
func (m *MTA) Data() (Reply, error) {
	if m.Version < 4 {
		return Reply{Action: ActContinue}, nil
	}
	return m.command(CmdData, nil, StepNoData, StepQuietData)
}

// Header sends one header field. value is all that follows the colon, with LF
// folds; without the leading-space step one space is swallowed, as MTAs do.
func (m *MTA) Header(name, value string) (Reply, error) {
	if m.Steps&StepLeadingSpace == 0 {
		value = strings.TrimPrefix(value, " ")
	}
	return m.command(CmdHeader, zstrings(name, value), stepNoHeaders, StepQuietHeader)
}

// EOH ends the header.
func (m *MTA) EOH() (Reply, error) { return m.command(CmdEOH, nil, stepNoEOH, StepQuietEOH) }

// Body sends one chunk, at most 65535 bytes.
func (m *MTA) Body(chunk []byte) (Reply, error) {
	return m.command(CmdBody, chunk, stepNoBody, StepQuietBody)
}

// EOM ends the message. It returns the final answer and the modifications before it.
func (m *MTA) EOM() (Reply, []Frame, error) {
	if err := m.put(CmdEOM); err != nil {
		return Reply{}, nil, err
	}
	var mods []Frame
	for {
		f, err := m.read()
		if err != nil {
			return Reply{}, mods, err
		}
		switch f.Code {
		case ModAddHeader, ModChangeHeader, ModInsertHeader, ModDeleteRcpt, ModAddRcpt, ModBody, ModQuarantine, ModFrom:
			mods = append(mods, f)
		case ActProgress:
		default:
			r, err := reply(f)
			return r, mods, err
		}
	}
}

// Abort gives the message up.
func (m *MTA) Abort() error { return m.Frame(CmdAbort, nil) }

// command sends a command unless the filter asked not to see it, and reads the
// answer unless it said that it gives none.
func (m *MTA) command(code byte, data []byte, unwanted, quiet uint32) (Reply, error) {
	if m.Steps&unwanted != 0 {
		return Reply{Action: ActContinue}, nil
	}
	if err := m.put(code, data); err != nil {
		return Reply{}, err
	}
	if m.Steps&quiet != 0 {
		return Reply{Action: ActContinue}, nil
	}
	f, err := m.read()
	if err != nil {
		return Reply{}, err
	}
	return reply(f)
}

// reply reads an answer the way an MTA does.
func reply(f Frame) (Reply, error) {
	r := Reply{Action: f.Code}
	switch f.Code {
	case ActContinue, ActSkip:
	case ActAccept, ActDiscard:
		r.Code, r.Text = 250, "250 2.0.0 Ok"
	case ActReject:
		r.Code, r.Text = 550, "550 5.7.1 Command rejected"
	case ActTempfail:
		r.Code, r.Text = 451, "451 4.7.1 Service unavailable - try again later"
	case ActReply:
		return replyText(f.Data)
	default:
		return r, fmt.Errorf("miltertest: answer %q is none", f.Code)
	}
	return r, nil
}

// replyText reads an SMTP reply with its codes. A doubled % stands for one; a
// single one would be read as a macro by Sendmail and is an error here.
func replyText(data []byte) (Reply, error) {
	text, ok := strings.CutSuffix(string(data), "\x00")
	if !ok || strings.IndexByte(text, 0) >= 0 {
		return Reply{}, fmt.Errorf("miltertest: reply %q: want one NUL, at the end", data)
	}
	if strings.Contains(strings.ReplaceAll(text, "%%", ""), "%") {
		return Reply{}, fmt.Errorf("miltertest: reply %q: single %%", text)
	}
	lines := strings.Split(strings.ReplaceAll(text, "%%", "%"), "\r\n")
	r := Reply{Action: ActReply, Text: strings.Join(lines, "\n")}
	for i, l := range lines {
		want := byte('-')
		if i == len(lines)-1 {
			want = ' '
		}
		if len(l) < 4 || l[3] != want || l[:3] != lines[0][:3] || strings.ContainsAny(l, "\r\n") {
			return r, fmt.Errorf("miltertest: reply line %q malformed", l)
		}
	}
	code, err := strconv.Atoi(lines[0][:3])
	if err != nil || code < 400 || code > 599 {
		return r, fmt.Errorf("miltertest: reply code %q, want 400 to 599", lines[0][:3])
	}
	r.Code = code
	return r, nil
}
