package smime

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/mail"
	"strings"
	"testing"
	"time"

	"go.mozilla.org/pkcs7"
)

func signerWith(t *testing.T, key crypto.Signer) Signer {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return Signer{Certificate: cert, Key: key}
}

// What Sign makes, Open takes apart to the very bytes, and they verify.
func TestSignAndOpen(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	entity, err := TextEntity("Grüße\nfrom afar. \n")
	if err != nil {
		t.Fatal(err)
	}
	draft := Draft{From: mail.Address{Name: "Ann Lee", Address: "a@example.org"}, To: []mail.Address{{Address: "b@example.org"}},
		Subject: "Schöne Grüße", Date: time.Unix(1_700_000_000, 0), MessageID: "1@example.org"}
	for _, key := range []crypto.Signer{rsaKey, ecKey} {
		for _, form := range []Form{Detached, Opaque} {
			signed, err := signerWith(t, key).Sign(entity, form)
			if err != nil {
				t.Fatal(err)
			}
			message, err := draft.Compose(signed)
			if err != nil {
				t.Fatal(err)
			}
			e := openBytes(t, message, DefaultLimits())
			if e.Form != form {
				t.Fatalf("form %q, %s: %s", e.Form, e.Problem, e.Detail)
			}
			p7, err := pkcs7.Parse(e.CMS)
			if err != nil {
				t.Fatal(err)
			}
			if form == Detached {
				if !bytes.Equal(e.Content, entity) {
					t.Errorf("content %q, want %q", e.Content, entity)
				}
				p7.Content = e.Content
			} else if !bytes.Equal(p7.Content, entity) {
				t.Errorf("enclosed %q, want %q", p7.Content, entity)
			}
			if err := p7.Verify(); err != nil {
				t.Errorf("%T %s: %v", key, form, err)
			}
		}
	}
	if _, err := signerWith(t, ecKey).Sign(entity, Unsigned); err == nil {
		t.Error("signed in no form")
	}
}

func TestCompose(t *testing.T) {
	entity, err := TextEntity("x = y\r\n")
	if err != nil {
		t.Fatal(err)
	}
	d := Draft{From: mail.Address{Name: `Lee, "Ann"`, Address: "a@example.org"},
		To:      []mail.Address{{Address: "b@example.org"}, {Name: "Jürgen", Address: "c@example.org"}},
		Subject: "one\r\nBcc: evil@example.org", Date: time.Unix(0, 0).UTC(), MessageID: "1@example.org"}
	message, err := d.Compose(entity)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(message, []byte("\n")) != bytes.Count(message, []byte("\r\n")) {
		t.Errorf("bare LF in %q", message)
	}
	h, body, err := ScanHeader(message, DefaultHeaderLimits())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range h.Fields {
		names = append(names, strings.ToLower(f.Name))
	}
	if got := strings.Join(names, " "); got != "from to subject date message-id mime-version content-type content-transfer-encoding" {
		t.Errorf("fields %s", got)
	}
	from, _ := h.First("From")
	if a, err := ParseFrom(from.Value()); err != nil || a.String() != "a@example.org" {
		t.Errorf("From %q: %v", from.Value(), err)
	}
	if string(body) != "x =3D y\r\n" {
		t.Errorf("body %q", body)
	}
	for name, bad := range map[string]Draft{
		"from":                    {From: mail.Address{Address: "a@b"}, MessageID: "1@example.org"},
		"to":                      {From: d.From, To: []mail.Address{{Address: "a\r\nb@example.org"}}, MessageID: "1@example.org"},
		"blank in the message id": {From: d.From, MessageID: "1 2@example.org"},
		"message id":              {From: d.From, MessageID: "1>\r\nBcc: b@example.org"},
	} {
		if _, err := bad.Compose(entity); err == nil {
			t.Errorf("%s: composed", name)
		}
	}
	if _, err := d.Compose([]byte("no header")); err == nil {
		t.Error("an entity without header was taken")
	}
}
