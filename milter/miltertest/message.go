package miltertest

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

// A Message is one SMTP transaction. The zero value of what describes the
// session is a plain client at 192.0.2.1.
type Message struct {
	Client     string // "192.0.2.1:25", "[2001:db8::1]:25"; other text: a client the MTA cannot name
	Host, Helo string
	MTA        string // macro j, what the MTA calls itself; "": mx.example.net
	TLSVersion string // "" for a session without TLS
	Cipher     string
	Auth       string // login name of a submission client

	ID   string   // queue id; "": none is told
	From string   // reverse-path without brackets; "": the null sender
	To   []string // forward-paths without brackets
	Data []byte   // header and body as sent, any line ends
}

// A RcptResult is what the client heard for one recipient.
type RcptResult struct {
	Address string
	Code    int    // 250, or what the filter said
	Text    string // the whole reply
}

// A HeaderChange is one modification of the header.
type HeaderChange struct {
	Index int    // position for an added field, occurrence counted from 1 for a changed one
	Name  string // as the filter wrote it
	Value string // with LF folds and exactly as sent: its leading space is there or not; "" deletes
}

// A Result is what became of a message.
type Result struct {
	Code              int    // what the client heard last: at the end of the message, or for the last recipient when all were refused
	Text              string // the whole reply, lines joined by \n
	Accepted          bool   // the MTA took responsibility
	Discarded         bool   // ... and delivers nothing
	Seen              bool   // the filter was shown the end of the message
	Recipients        []RcptResult
	DeletedRecipients []string // without brackets
	AddedHeaders      []HeaderChange
	ChangedHeaders    []HeaderChange
	Delivered         []byte // the message as it would be delivered, after the changes; nil when nobody gets it
}

// Send plays one transaction as Postfix does: the session's events when it is a
// new one, the envelope with its macros, then the content unless the filter
// has decided before. An error means that the connection is of no more use;
// Postfix would then answer by milter_default_action.
func (m *MTA) Send(msg Message) (Result, error) {
	msg.defaults()
	t := &transaction{MTA: m, msg: msg}
	t.fields, t.body = Split(msg.Data)
	if err := m.greet(msg); err != nil {
		return t.res, err
	}
	done, err := t.envelope()
	if err == nil && !done {
		err = t.content()
	}
	if err != nil {
		return t.res, err
	}
	return t.res, m.Abort() // Postfix ends every message so
}

func (msg *Message) defaults() {
	for _, d := range []struct {
		field *string
		value string
	}{{&msg.Client, "192.0.2.1:25"}, {&msg.Host, "client.example.net"}, {&msg.Helo, "client.example.net"}, {&msg.MTA, "mx.example.net"}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
}

// greet tells of the SMTP session once: with STARTTLS there is a second HELO
// behind an ABORT, and only that one carries the TLS macros.
func (m *MTA) greet(msg Message) error {
	session := strings.Join([]string{msg.Client, msg.Host, msg.Helo, msg.MTA, msg.TLSVersion, msg.Cipher}, "\x00")
	if m.greeted == session {
		return nil
	}
	if m.greeted != "" {
		if err := m.QuitNC(); err != nil {
			return err
		}
	}
	m.greeted = session
	client := msg.Client
	if ap, err := netip.ParseAddrPort(client); err == nil {
		client = ap.Addr().String()
	}
	if err := m.Macros(CmdConnect, "j", msg.MTA, "{client_addr}", client); err != nil {
		return err
	}
	if _, err := m.Connect(msg.Host, msg.Client); err != nil {
		return err
	}
	if _, err := m.Helo(msg.Helo); err != nil || msg.TLSVersion == "" {
		return err
	}
	if err := m.Abort(); err != nil {
		return err
	}
	if err := m.Macros(CmdHelo, "{tls_version}", msg.TLSVersion, "{cipher}", msg.Cipher); err != nil {
		return err
	}
	_, err := m.Helo(msg.Helo)
	return err
}

// transaction is one message under way.
type transaction struct {
	*MTA
	msg    Message
	fields []Field
	body   []byte
	res    Result
}

// id is the macro that names the message, nothing without a queue id.
func (t *transaction) id(command byte, more ...string) error {
	if t.msg.ID != "" {
		more = append([]string{"i", t.msg.ID}, more...)
	}
	return t.Macros(command, more...)
}

// envelope plays MAIL, RCPT and DATA. It is done when no content follows.
func (t *transaction) envelope() (done bool, err error) {
	var auth []string
	if t.msg.Auth != "" {
		auth = []string{"{auth_authen}", t.msg.Auth}
	}
	if err := t.Macros(CmdMail, auth...); err != nil { // Postfix has no queue id yet
		return true, err
	}
	r, err := t.Mail("<" + t.msg.From + ">")
	if err != nil || t.decided(r) {
		return true, err
	}
	taken := 0
	for _, to := range t.msg.To {
		var macros []string
		if taken > 0 && t.msg.ID != "" { // and one from the second recipient on
			macros = []string{"i", t.msg.ID}
		}
		if err := t.Macros(CmdRcpt, macros...); err != nil {
			return true, err
		}
		r, err := t.Rcpt("<" + to + ">")
		if err != nil {
			return true, err
		}
		if r.Action == ActAccept || r.Action == ActDiscard {
			return true, fmt.Errorf("miltertest: RCPT answered with %q, which decides for the whole message and hides later recipients", r.Action)
		}
		rr := RcptResult{to, r.Code, r.Text}
		if r.Code == 0 {
			rr.Code, rr.Text = 250, "250 2.1.5 Ok"
			taken++
		}
		t.res.Recipients = append(t.res.Recipients, rr)
		t.res.Code, t.res.Text = rr.Code, rr.Text
	}
	if taken == 0 {
		return true, nil
	}
	if err := t.id(CmdData); err != nil {
		return true, err
	}
	r, err = t.Data()
	return err != nil || t.decided(r), err
}

// content plays the header, the body and the end of the message.
func (t *transaction) content() error {
	for _, f := range t.fields {
		if r, err := t.Header(f.Name, f.Value); err != nil || t.decided(r) {
			return err
		}
	}
	if err := t.id(CmdEOH); err != nil {
		return err
	}
	if r, err := t.EOH(); err != nil || t.decided(r) {
		return err
	}
	for b := t.body; len(b) > 0; {
		n := min(len(b), bodyChunk)
		r, err := t.Body(b[:n])
		if err != nil || t.decided(r) {
			return err
		}
		if b = b[n:]; r.Action == ActSkip {
			break
		}
	}
	if err := t.id(CmdEOM); err != nil {
		return err
	}
	r, mods, err := t.EOM()
	if err != nil {
		return err
	}
	t.res.Seen = true
	if r.Action == ActContinue {
		r = Reply{ActAccept, 250, "250 2.0.0 Ok"}
	}
	if err := t.modify(mods); err != nil {
		return err
	}
	t.decided(r)
	return nil
}

// decided notes an answer that ends the transaction.
func (t *transaction) decided(r Reply) bool {
	if r.Code == 0 {
		return false
	}
	t.res.Code, t.res.Text = r.Code, r.Text
	t.res.Accepted = r.Code < 300
	t.res.Discarded = r.Action == ActDiscard
	if t.res.Accepted && !t.res.Discarded {
		t.res.Delivered = t.join()
	}
	return true
}

// join writes the message as it stands.
func (t *transaction) join() []byte {
	var b strings.Builder
	for _, f := range t.fields {
		b.WriteString(f.Name + ":" + strings.ReplaceAll(f.Value, "\n", "\r\n") + "\r\n")
	}
	b.WriteString("\r\n")
	b.Write(t.body)
	return []byte(b.String())
}

// modify applies what the filter asked for, in order.
func (t *transaction) modify(mods []Frame) error {
	for _, f := range mods {
		switch f.Code {
		case ModDeleteRcpt:
			addr, ok := strings.CutSuffix(string(f.Data), "\x00")
			if !ok || t.Actions&OfferDeleteRcpt == 0 {
				return fmt.Errorf("miltertest: deletion of recipient %q without NUL or without permission", f.Data)
			}
			t.res.DeletedRecipients = append(t.res.DeletedRecipients, strings.Trim(addr, "<>"))
		case ModInsertHeader, ModChangeHeader:
			if err := t.header(f); err != nil {
				return err
			}
		default:
			return fmt.Errorf("miltertest: modification %q is not known here", f.Code)
		}
	}
	return nil
}

// header inserts, replaces or deletes one field.
func (t *transaction) header(f Frame) error {
	need := OfferChangeHeaders
	if f.Code == ModInsertHeader {
		need |= OfferAddHeaders
	}
	if len(f.Data) < 4 || t.Actions&need == 0 {
		return fmt.Errorf("miltertest: header modification %q cut or without permission", f.Data)
	}
	s := strings.Split(string(f.Data[4:]), "\x00")
	if len(s) != 3 || s[0] == "" || s[2] != "" {
		return fmt.Errorf("miltertest: header modification %q: want name NUL value NUL", f.Data)
	}
	c := HeaderChange{int(binary.BigEndian.Uint32(f.Data)), s[0], s[1]}
	value := c.Value
	if t.Steps&StepLeadingSpace == 0 && value != "" {
		value = " " + value // the MTA inserts it
	}
	if f.Code == ModInsertHeader {
		t.res.AddedHeaders = append(t.res.AddedHeaders, c)
		at := min(c.Index, len(t.fields))
		t.fields = append(t.fields[:at:at], append([]Field{{c.Name, value}}, t.fields[at:]...)...)
		return nil
	}
	t.res.ChangedHeaders = append(t.res.ChangedHeaders, c)
	for i, seen := 0, 0; i < len(t.fields); i++ {
		if !strings.EqualFold(t.fields[i].Name, c.Name) {
			continue
		}
		if seen++; seen != max(c.Index, 1) {
			continue
		}
		if value == "" {
			t.fields = append(t.fields[:i:i], t.fields[i+1:]...)
		} else {
			t.fields[i].Value = value
		}
		return nil
	}
	return nil
}
