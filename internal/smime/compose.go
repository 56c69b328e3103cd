package smime

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/textproto"
	"go.mozilla.org/pkcs7"
)

// A Draft is what a message that we build says above its entity. Names and
// subject may be any text; they are encoded as RFC 2047 asks.
type Draft struct {
	From      mail.Address
	To        []mail.Address
	Subject   string
	Date      time.Time
	MessageID string // without angle brackets
}

// Compose puts the fields of a draft above an entity, which begins with its
// own Content- fields. The entity's bytes stay as they are. An address that
// ParseAddress refuses is an error.
func (d Draft) Compose(entity []byte) ([]byte, error) {
	own, body, err := ScanHeader(entity, DefaultHeaderLimits())
	if err != nil {
		return nil, fmt.Errorf("smime: compose: %w", err)
	}
	for _, a := range append([]mail.Address{d.From}, d.To...) {
		if _, err := ParseAddress(a.Address); err != nil {
			return nil, fmt.Errorf("smime: compose: %w", err)
		}
	}
	if strings.ContainsAny(d.MessageID, "<> \t\r\n\x00") {
		return nil, errors.New("smime: compose: the message id may hold neither blanks nor angle brackets")
	}
	to := make([]string, len(d.To))
	for i, a := range d.To {
		to[i] = a.String()
	}
	var h message.Header // fields go in at the top, the last one first
	h.Set("MIME-Version", "1.0")
	h.Set("Message-ID", "<"+d.MessageID+">")
	h.Set("Date", d.Date.Format(time.RFC1123Z))
	h.SetText("Subject", d.Subject)
	h.Set("To", strings.Join(to, ", "))
	h.Set("From", d.From.String())
	var b bytes.Buffer
	if err := textproto.WriteHeader(&b, h.Header); err != nil {
		return nil, fmt.Errorf("smime: compose: %w", err)
	}
	b.Truncate(b.Len() - len(crlf)) // the entity's fields follow
	b.Write(own.Raw)
	b.Write(crlf)
	b.Write(body)
	return b.Bytes(), nil
}

// TextEntity makes a text/plain entity in UTF-8 with CRLF line ends, encoded
// so that no relay has a reason to touch it.
func TextEntity(text string) ([]byte, error) {
	var h message.Header
	h.Set("Content-Transfer-Encoding", "quoted-printable")
	h.SetContentType("text/plain", map[string]string{"charset": "utf-8"})
	var b bytes.Buffer
	w, err := message.CreateWriter(&b, h)
	if err != nil {
		return nil, fmt.Errorf("smime: text: %w", err)
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
	if _, err := w.Write([]byte(text)); err != nil {
		return nil, fmt.Errorf("smime: text: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("smime: text: %w", err)
	}
	// CreateWriter says MIME-Version, which belongs above the outermost entity.
	own, body, err := ScanHeader(b.Bytes(), DefaultHeaderLimits())
	if err != nil {
		return nil, fmt.Errorf("smime: text: %w", err)
	}
	var out []byte
	for _, f := range own.Fields {
		if strings.HasPrefix(strings.ToLower(f.Name), "content-") {
			out = append(out, f.Raw...)
		}
	}
	return append(append(out, crlf...), body...), nil
}

// A Signer signs mail. Chain begins with the issuer of Certificate.
type Signer struct {
	Certificate *x509.Certificate
	Key         crypto.Signer // RSA or ECDSA
	Chain       []*x509.Certificate
}

// Sign wraps an entity, given with CRLF line ends, into a signed one of the
// given form (RFC 8551 section 3.5), with SHA-256 and the present time as
// signingTime. The bytes of entity are signed, and sent, exactly as given.
func (s Signer) Sign(entity []byte, form Form) ([]byte, error) {
	data, err := pkcs7.NewSignedData(entity)
	if err != nil {
		return nil, fmt.Errorf("smime: sign: %w", err)
	}
	data.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := data.AddSignerChain(s.Certificate, s.Key, s.Chain, pkcs7.SignerInfoConfig{}); err != nil {
		return nil, fmt.Errorf("smime: sign: %w", err)
	}
	switch form {
	case Detached:
		data.Detach()
	case Opaque:
	default:
		return nil, errors.New("smime: sign: the form must be detached or opaque")
	}
	blob, err := data.Finish()
	if err != nil {
		return nil, fmt.Errorf("smime: sign: %w", err)
	}
	if form == Opaque {
		return wrap(blob), nil
	}
	return join(entity, blob), nil
}

// wrap makes an application/pkcs7-mime entity of an opaque CMS blob.
func wrap(blob []byte) []byte {
	return blobPart(`application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"`, "smime.p7m", blob)
}

// join makes a multipart/signed entity of an entity and its detached CMS blob.
func join(entity, blob []byte) []byte {
	boundary := "signed-" + rand.Text()
	var b bytes.Buffer
	fmt.Fprintf(&b, "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n"+
		" micalg=sha-256; boundary=\"%s\"\r\n\r\n--%s\r\n", boundary, boundary)
	b.Write(entity)
	fmt.Fprintf(&b, "\r\n--%s\r\n", boundary)
	b.Write(blobPart(`application/pkcs7-signature; name="smime.p7s"`, "smime.p7s", blob))
	fmt.Fprintf(&b, "\r\n--%s--\r\n", boundary)
	return b.Bytes()
}

// blobPart is an entity with a blob in base64, in lines of 64 characters.
func blobPart(kind, name string, blob []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Content-Type: %s\r\nContent-Transfer-Encoding: base64\r\n"+
		"Content-Disposition: attachment; filename=\"%s\"\r\n\r\n", kind, name)
	for text := base64.StdEncoding.EncodeToString(blob); text != ""; {
		n := min(len(text), 64)
		b.WriteString(text[:n] + "\r\n")
		text = text[n:]
	}
	return b.Bytes()
}
