package testmail

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// A Message is a header block in order and a body, to the byte.
type Message struct {
	Fields []string // "Name: value" without the final CRLF; folds as they stand
	Body   []byte   // with CRLF line ends
}

// Bytes returns the message as it stands on the wire.
func (m Message) Bytes() []byte {
	var b bytes.Buffer
	for _, f := range m.Fields {
		b.WriteString(f + "\r\n")
	}
	b.WriteString("\r\n")
	b.Write(m.Body)
	return b.Bytes()
}

// With returns the message with further fields below those it has.
func (m Message) With(fields ...string) Message {
	m.Fields = append(m.Fields[:len(m.Fields):len(m.Fields)], fields...)
	return m
}

// On returns the message with fields on top.
func (m Message) On(fields ...string) Message {
	m.Fields = append(append([]string{}, fields...), m.Fields...)
	return m
}

// Without returns the message without the fields of a name.
func (m Message) Without(name string) Message {
	var kept []string
	for _, f := range m.Fields {
		if !isField(f, name) {
			kept = append(kept, f)
		}
	}
	m.Fields = kept
	return m
}

// Set returns the message with every field of that name replaced by one at the
// place of the first; without such a field it is added below.
func (m Message) Set(field string) Message {
	name, _, _ := strings.Cut(field, ":")
	var out []string
	done := false
	for _, f := range m.Fields {
		switch {
		case !isField(f, name):
			out = append(out, f)
		case !done:
			out, done = append(out, field), true
		}
	}
	if !done {
		out = append(out, field)
	}
	m.Fields = out
	return m
}

func isField(f, name string) bool {
	n, _, ok := strings.Cut(f, ":")
	return ok && strings.EqualFold(strings.TrimRight(n, " \t"), name)
}

// An Entity is a MIME entity: its own fields and its body.
type Entity struct {
	Fields []string
	Body   []byte
}

// Text is a plain entity of the given lines.
func Text(lines ...string) Entity {
	return Entity{[]string{"Content-Type: text/plain; charset=utf-8"}, []byte(strings.Join(lines, "\r\n") + "\r\n")}
}

// Bytes returns what a signature covers.
func (e Entity) Bytes() []byte { return Message(e).Bytes() }

// MultipartSigned wraps an entity as given and the blob of its detached
// signature (RFC 8551 section 3.5.3).
func MultipartSigned(content, blob []byte) Entity {
	const boundary = "----=_certinbox_signed"
	var b bytes.Buffer
	b.WriteString("This is a signed message.\r\n\r\n--" + boundary + "\r\n")
	b.Write(content)
	b.WriteString("\r\n--" + boundary + "\r\n" +
		"Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n" +
		"Content-Transfer-Encoding: base64\r\n" +
		"Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n")
	b.Write(Base64(blob))
	b.WriteString("\r\n--" + boundary + "--\r\n")
	return Entity{[]string{"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n" +
		" micalg=sha-256; boundary=\"" + boundary + "\""}, b.Bytes()}
}

// PKCS7MIME wraps a blob as an opaque entity (RFC 8551 section 3.5.2). kind is
// the smime-type, "" leaves it out.
func PKCS7MIME(blob []byte, kind string) Entity {
	ct := "Content-Type: application/pkcs7-mime; name=\"smime.p7m\""
	if kind != "" {
		ct = "Content-Type: application/pkcs7-mime; smime-type=" + kind + "; name=\"smime.p7m\""
	}
	return Entity{[]string{ct, "Content-Transfer-Encoding: base64",
		"Content-Disposition: attachment; filename=\"smime.p7m\""}, Base64(blob)}
}

// Multipart puts entities into a multipart of a subtype.
func Multipart(subtype, boundary string, parts ...Entity) Entity {
	var b bytes.Buffer
	for _, p := range parts {
		b.WriteString("--" + boundary + "\r\n")
		b.Write(p.Bytes())
		b.WriteString("\r\n")
	}
	b.WriteString("--" + boundary + "--\r\n")
	return Entity{[]string{"Content-Type: multipart/" + subtype + "; boundary=\"" + boundary + "\""}, b.Bytes()}
}

// Base64 encodes in lines of 64 characters, each with CRLF.
func Base64(b []byte) []byte {
	s := base64.StdEncoding.EncodeToString(b)
	var out bytes.Buffer
	for len(s) > 64 {
		out.WriteString(s[:64] + "\r\n")
		s = s[64:]
	}
	out.WriteString(s + "\r\n")
	return out.Bytes()
}
