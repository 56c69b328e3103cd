package verify

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/certinbox/certinbox/internal/smime"
)

// checkMessage asks whether the message is within limits, has a header that
// can be read one way only, comes from exactly one address and was written by
// a person. It writes the facts header, body and author; none of them is set
// when the bytes themselves are refused.
func checkMessage(ctx context.Context, f *facts) Result {
	if f.tooBig {
		limit := strconv.Itoa(f.v.Policy.Limits.Message)
		return said(refuse(PolicyNo, "too-big", "the message is larger than "+limit+" bytes"))
	}
	h, body, err := smime.ScanHeader(f.raw, f.v.Policy.Limits.Header)
	if err != nil {
		return damaged(err)
	}
	if detail := damagedBody(body); detail != "" {
		return said(refuse(PermError, "message-malformed", detail))
	}
	f.header, f.body = h, body
	if id, ok := h.First("Message-ID"); ok {
		f.report.MessageID = messageID(id.Value())
	}
	from, err := author(h)
	if err != nil {
		return badAuthor(err)
	}
	f.author = &from
	f.report.Author, f.report.Spelling = from.Key(), from.String()
	if name := repeated(h); name != "" {
		return said(refuse(PermError, "header-duplicate", "the header field "+name+" is there twice"))
	}
	if detail := automatic(h, f.env.Sender); detail != "" {
		return said(refuse(PolicyNo, "auto-submitted", detail))
	}
	return pass("one author, " + Quote(from.Key()))
}

// said marks a detail as our own words: a reply may say it to anybody.
func said(r Result) Result {
	r.Plain = r.Detail
	return r
}

func damaged(err error) Result {
	detail := "the header is damaged"
	var he *smime.HeaderError
	if errors.As(err, &he) {
		detail = he.Detail
	}
	r := said(refuse(PermError, "message-malformed", detail))
	r.Err = err
	return r
}

// badAuthor says what is wrong with the From field. The words of author's
// errors are ours, so that anybody may read them.
func badAuthor(err error) Result {
	cause := err.Error()
	cause = cause[strings.LastIndex(cause, ": ")+2:]
	r := said(refuse(PermError, "from-invalid", "the From field cannot be used: "+cause))
	r.Err = err
	return r
}

// damagedBody says which bytes in a body no two programs agree about. SMTP
// carries none of them (RFC 5321 section 2.3.8, RFC 5322 section 2.3), so a
// digest over them would be one over something else than the sender's message.
// The work is linear in body.
func damagedBody(body []byte) string {
	if bytes.IndexByte(body, 0) >= 0 {
		return "there is a NUL in the message"
	}
	lines := 0
	for pos := 0; ; lines++ {
		i := bytes.IndexByte(body[pos:], '\n')
		if i < 0 {
			break
		}
		pos += i + 1
		if pos < 2 || body[pos-2] != '\r' {
			return "a line of the message ends with LF alone"
		}
	}
	if bytes.Count(body, []byte("\r")) != lines {
		return "there is a CR without LF in the message"
	}
	return ""
}

// repeated names a field that may stand only once (RFC 5322 section 3.6) and
// stands twice: DKIM signs one of them and readers see the other. From is not
// among them, it has its own reason.
func repeated(h smime.Header) string {
	for _, name := range singletons() {
		if len(h.All(name)) > 1 {
			return name
		}
	}
	versions := h.All("MIME-Version")
	for _, v := range versions {
		if v.Value() != versions[0].Value() {
			return "MIME-Version"
		}
	}
	return ""
}

func singletons() []string {
	return []string{"Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "Content-Type", "Content-Transfer-Encoding"}
}

// automatic says why a message was not written by a person to us, "" if
// nothing says so. List-Unsubscribe means nothing: people's mail has it too.
func automatic(h smime.Header, sender *string) string {
	switch {
	case sender != nil && (*sender == "" || *sender == "<>"):
		return "the envelope has the null sender, as bounces have"
	case h.Has("List-Id"), h.Has("List-Post"):
		return "the message comes from a mailing list"
	case h.MediaType() == "multipart/report":
		return "the message is a report"
	case anyValue(h, "Auto-Submitted", func(v string) bool { return strings.HasPrefix(v, "auto-") }),
		anyValue(h, "X-Autoreply", func(v string) bool { return v != "no" }):
		return "the message says that it is automatic"
	case anyValue(h, "Precedence", func(v string) bool {
		return v == "bulk" || v == "list" || v == "junk" || v == "auto_reply"
	}):
		return "the message has the precedence of bulk mail"
	}
	return ""
}

// anyValue says whether the keyword of some field of this name satisfies is.
func anyValue(h smime.Header, name string, is func(keyword string) bool) bool {
	for _, f := range h.All(name) {
		v := f.Value()
		if i := strings.IndexAny(v, "; \t("); i >= 0 {
			v = v[:i]
		}
		if is(strings.ToLower(v)) {
			return true
		}
	}
	return false
}

// maxMessageID bounds the Message-ID in a Report.
const maxMessageID = 128

// messageID makes a Message-ID safe to print and to search for: without its
// angle brackets, printable ASCII without quotes and backslashes.
func messageID(v string) string {
	v = strings.TrimSuffix(strings.TrimPrefix(v, "<"), ">")
	out := []byte(v[:min(len(v), maxMessageID)])
	for i, c := range out {
		if c <= ' ' || c > '~' || strings.IndexByte("\"'\\<>`", c) >= 0 {
			out[i] = '?'
		}
	}
	return string(out)
}
