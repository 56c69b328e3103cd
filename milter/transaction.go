package milter

import (
	"strings"

	gomilter "github.com/d--j/go-milter"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/verify"
)

// maxRecipients bounds what is remembered of a transaction's recipients, each of
// at most maxPath bytes. The collection addresses have the same bound of their own.
const (
	maxRecipients = 100
	maxPath       = 1024 // RFC 5321 section 4.5.3.1.3 knows 256
)

// A transaction is what is known of the message under way.
type transaction struct {
	begun         bool // MAIL was seen
	sender        string
	authenticated bool
	id            string
	rcpts         []string // the first maxRecipients, without route and quotes
	ours          []string // collection addresses as the MTA may spell them, without route: those it can delete
	others        int
	intake        intake // nil until DATA and for other people's mail
	authserv      string // how we call ourselves in Authentication-Results
	separated     bool   // the empty line behind the header is written
	results       int    // Authentication-Results fields seen
	forged        []int  // which of them, counted from 1, claim to be ours
	failed        bool   // our own trouble: nothing is believed any more
}

// reset forgets the message. A message under way is given up.
func (c *session) reset() {
	in := c.mail.intake
	c.mail = transaction{}
	if in != nil {
		in.Abort()
	}
}

// envelope is what the MTA has told so far.
func (c *session) envelope() verify.Envelope {
	sender := collect.WithoutRoute(c.mail.sender)
	return verify.Envelope{
		Via:           "milter",
		Client:        c.client,
		Sender:        &sender,
		Recipients:    append([]string(nil), c.mail.rcpts...),
		Mixed:         c.mail.others > 0,
		TLS:           c.tls,
		Authenticated: c.mail.authenticated,
	}
}

// recipient takes a recipient, or returns the reply that refuses it. One that
// was refused is no recipient of this message.
func (c *session) recipient(arg string, m gomilter.Modifier) *verify.Reply {
	t := &c.mail
	name, address := collect.WithoutRoute(arg), collect.ForwardPath(arg)
	ours := c.server.collector.Wants(address)
	if !collect.Plain(name) && (ours || c.server.collector.Mentions(name) || c.server.collector.Mentions(address)) {
		// It might be delivered to us, or under a name by which it could not be taken
		// out of a mixed message. No sending server writes a recipient like that.
		if r := c.server.collector.Misspelt(); r != nil {
			return r
		}
		ours = true
	}
	if !ours {
		if len(t.ours) > 0 && m.Actions()&gomilter.OptRemoveRcpt == 0 && c.server.collector.Split(c.envelope()) != nil {
			// Our recipient could not be taken out later. Refusing all of them
			// then would cost others their mail; this only delays it.
			r := verify.ReplyFor("recipients-split", "A recipient before this one takes mail in a transaction of its own", "", "")
			return &r
		}
		t.others++
		if len(t.rcpts) < maxRecipients && len(address) <= maxPath {
			t.rcpts = append(t.rcpts, address)
		}
		return nil
	}
	if len(t.ours) >= maxRecipients || len(arg) > maxPath {
		r := verify.ReplyFor("recipients-split", "", "", "")
		return &r
	}
	if t.others > 0 && len(t.ours) == 0 {
		if r := c.server.collector.Split(c.envelope()); r != nil {
			return r
		}
	}
	t.ours = append(t.ours, name)
	if len(t.rcpts) < 2*maxRecipients {
		t.rcpts = append(t.rcpts, address)
	}
	return nil
}

// name gives the message its queue id when it came later than DATA.
func (c *session) name(m gomilter.Modifier) {
	if c.mail.id != "" || c.mail.intake == nil {
		return
	}
	if c.mail.id = m.Get(gomilter.MacroQueueId); c.mail.id != "" {
		c.mail.intake.SetID(c.mail.id)
	}
}

// separate writes the empty line between header and body, once.
func (c *session) separate() {
	if !c.mail.separated {
		c.mail.separated = true
		c.write([]byte("\r\n"))
	}
}

// write hands bytes to the intake. Its error needs no answer here: what the
// intake could not take, it remembers until its End, which never fails open.
func (c *session) write(p []byte) { _, _ = c.mail.intake.Write(p) }

// appendField appends a header field as it was received. The MTA sends LF
// between the lines of a folded value, and all that follows the colon if exact
// values were negotiated; else it has swallowed one blank.
func appendField(dst []byte, name, value string, exact bool) []byte {
	dst = append(append(dst, name...), ':')
	if !exact {
		dst = append(dst, ' ')
	}
	for {
		line, rest, folded := strings.Cut(value, "\n")
		dst = append(dst, line...)
		if !folded {
			return append(dst, '\r', '\n')
		}
		if !strings.HasSuffix(line, "\r") {
			dst = append(dst, '\r')
		}
		dst = append(dst, '\n')
		value = rest
	}
}
