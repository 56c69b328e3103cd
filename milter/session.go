package milter

import (
	"runtime/debug"

	gomilter "github.com/d--j/go-milter"

	"github.com/certinbox/certinbox/verify"
)

// A session is one connection of an MTA. It serves many SMTP sessions and
// messages, one after the other; its methods are called by one goroutine. None
// returns an error: the MTA would then refuse the rest of the SMTP session.
type session struct {
	server *Server
	client string
	tls    verify.TLSInfo // of the last HELO: the library forgets these macros at ABORT
	mail   transaction
	line   []byte // scratch for one header field
}

// session is the library's maker of one connection's backend.
func (s *Server) session(uint32, gomilter.OptAction, gomilter.OptProtocol, gomilter.DataSize) gomilter.Milter {
	return &session{server: s}
}

// recovered ends every callback: our own panic becomes 451 4.3.0, for this
// command where it is answered, else at the next that is.
func (c *session) recovered(event string, resp **gomilter.Response) {
	v := recover()
	if v == nil {
		return
	}
	c.server.panicked(event, v)
	if event != "RCPT" { // there the answer takes the recipient away, and the rest is as it was
		c.mail.failed = true
	}
	if resp != nil {
		*resp = tempfail()
	}
}

func (s *Server) panicked(event string, v any) {
	s.panics.Add(1)
	s.log.Error("milter: panic", "event", event, "panic", v, "stack", string(debug.Stack()))
}

// tempfail is the answer to trouble of ours.
func tempfail() *gomilter.Response { return answer(verify.ReplyFor("internal", "", "", "")) }

// NewConnection begins a new SMTP session, on a new connection or on this one.
func (c *session) NewConnection(gomilter.Modifier) error {
	defer c.recovered("connection", nil)
	c.reset()
	c.client, c.tls = "", verify.TLSInfo{}
	return nil
}

// Connect notes the client's address. The argument is used, not the macro
// {client_addr}, which Postfix does not send by default.
func (c *session) Connect(_, family string, _ uint16, addr string, m gomilter.Modifier) (resp *gomilter.Response, err error) {
	defer c.recovered("CONNECT", &resp)
	c.client = ""
	if family == "tcp4" || family == "tcp6" {
		c.client = addr
	}
	return gomilter.RespContinue, nil
}

// Helo keeps what the MTA says about TLS for all messages of the session. After
// STARTTLS there is a second HELO.
func (c *session) Helo(_ string, m gomilter.Modifier) (resp *gomilter.Response, err error) {
	defer c.recovered("HELO", &resp)
	c.tls = verify.TLSInfo{Version: m.Get(gomilter.MacroTlsVersion), Cipher: m.Get(gomilter.MacroCipher)}
	return gomilter.RespContinue, nil
}

// MailFrom begins a message.
func (c *session) MailFrom(from, _ string, m gomilter.Modifier) (resp *gomilter.Response, err error) {
	defer c.recovered("MAIL", &resp)
	c.reset()
	c.mail.begun = true
	c.mail.sender = from
	c.mail.authenticated = m.Get(gomilter.MacroAuthAuthen) != ""
	return gomilter.RespContinue, nil
}

// RcptTo looks for a collection address. It never accepts or skips: either
// would hide later recipients.
func (c *session) RcptTo(rcpt, _ string, m gomilter.Modifier) (resp *gomilter.Response, err error) {
	defer c.recovered("RCPT", &resp)
	if c.mail.failed {
		return tempfail(), nil
	}
	if reply := c.recipient(rcpt, m); reply != nil {
		return answer(*reply), nil
	}
	return gomilter.RespContinue, nil
}

// Data lets other people's mail go, before a byte of it is sent.
func (c *session) Data(m gomilter.Modifier) (resp *gomilter.Response, err error) {
	defer c.recovered("DATA", &resp)
	return c.start(m), nil
}

// start decides whether this message is ours to see. It is called at DATA, or by
// the first event behind it from an MTA that does not tell of DATA.
func (c *session) start(m gomilter.Modifier) *gomilter.Response {
	switch {
	case !c.mail.begun: // content without an envelope: nobody can say whose it is
		return tempfail()
	case len(c.mail.ours) == 0 && !c.mail.failed:
		return gomilter.RespAccept
	case c.mail.intake == nil && !c.mail.failed:
		c.begin(m)
	}
	if c.mail.failed && !c.mayLeave(m) {
		return tempfail()
	}
	return gomilter.RespContinue
}

// begin opens the intake. It is given up with the message, whatever happens.
func (c *session) begin(m gomilter.Modifier) {
	defer c.recovered("begin", nil)
	env := c.envelope()
	env.ID = m.Get(gomilter.MacroQueueId)
	c.mail.id = env.ID
	c.mail.intake = c.server.collector.Begin(env)
	c.mail.authserv = c.authservID(m)
}

// content is called by each event behind DATA. It returns nil when the message is
// ours to read. A message that has failed is read to its end and thrown away.
func (c *session) content(m gomilter.Modifier) *gomilter.Response {
	switch {
	case c.mail.intake != nil && !c.mail.failed:
		return nil
	case len(c.mail.ours) == 0 || !c.mail.begun:
		c.server.foreign.Add(1)
		return c.start(m)
	case c.mail.failed:
		return gomilter.RespContinue
	}
	if resp := c.start(m); c.mail.failed {
		return resp
	}
	return nil
}

// Header takes one field and notes those that claim to be our judgement.
func (c *session) Header(name, value string, m gomilter.Modifier) (resp *gomilter.Response, err error) {
	defer c.recovered("HEADER", &resp)
	if resp := c.content(m); resp != nil {
		return resp, nil
	}
	c.noteResults(name, value)
	if cap(c.line) > 8*bufferSize {
		c.line = nil // one long field is no reason to keep its length for the connection's life
	}
	c.line = appendField(c.line[:0], name, value, m.Protocol()&gomilter.OptHeaderLeadingSpace != 0)
	c.write(c.line)
	return gomilter.RespContinue, nil
}

// Headers takes the end of the header.
func (c *session) Headers(m gomilter.Modifier) (resp *gomilter.Response, err error) {
	defer c.recovered("EOH", &resp)
	if resp := c.content(m); resp != nil {
		return resp, nil
	}
	c.separate()
	c.name(m)
	return gomilter.RespContinue, nil
}

// BodyChunk takes a piece of the body. It is never skipped, also not when the
// message is known to be too large: with answers silenced nobody would hear it.
func (c *session) BodyChunk(chunk []byte, m gomilter.Modifier) (resp *gomilter.Response, err error) {
	defer c.recovered("BODY", &resp)
	if resp := c.content(m); resp != nil {
		return resp, nil
	}
	c.separate()
	c.write(chunk)
	return gomilter.RespContinue, nil
}

// EndOfMessage answers for the whole message.
func (c *session) EndOfMessage(m gomilter.Modifier) (resp *gomilter.Response, err error) {
	defer c.recovered("EOM", &resp)
	defer c.reset()
	if len(c.mail.ours) == 0 || !c.mail.begun {
		return c.content(m), nil
	}
	if !c.mail.failed && c.mail.intake == nil {
		c.start(m)
	}
	c.name(m)
	return c.finish(m), nil
}

// Abort forgets the message.
func (c *session) Abort(gomilter.Modifier) error {
	defer c.recovered("ABORT", nil)
	c.reset()
	return nil
}

// Unknown is asked for by nobody.
func (c *session) Unknown(string, gomilter.Modifier) (*gomilter.Response, error) {
	return gomilter.RespContinue, nil
}

// Cleanup is called when the connection ends, whatever the reason.
func (c *session) Cleanup(gomilter.Modifier) {
	defer c.recovered("cleanup", nil)
	c.reset()
}
