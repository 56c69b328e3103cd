package main

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/certinbox/certinbox/internal/testmail"
)

// insteadOf sends another entity than a signed one.
func entity(e testmail.Entity) func(m *mail) { return func(m *mail) { m.entity = &e } }

// wrapped puts the signed entity into another one.
func wrapped(f func(signed testmail.Entity) testmail.Entity) func(m *mail) {
	return func(m *mail) { m.wrap = f }
}

// respelled changes the text of the signed entity once, in fields or body.
func respelled(old, new string) func(m *mail) {
	return wrapped(func(e testmail.Entity) testmail.Entity {
		found := false
		for i, f := range e.Fields {
			if strings.Contains(f, old) {
				e.Fields[i], found = strings.Replace(f, old, new, 1), true
			}
		}
		if !found && !bytes.Contains(e.Body, []byte(old)) {
			panic("gen: nothing to respell: " + old)
		}
		if !found {
			e.Body = bytes.Replace(e.Body, []byte(old), []byte(new), 1)
		}
		return e
	})
}

func part(fields []string, body string) testmail.Entity {
	return testmail.Entity{Fields: fields, Body: []byte(body)}
}

func attachment(kind, name string, content []byte) testmail.Entity {
	return testmail.Entity{Fields: []string{"Content-Type: " + kind + "; name=\"" + name + "\"", "Content-Transfer-Encoding: base64",
		"Content-Disposition: attachment; filename=\"" + name + "\""}, Body: testmail.Base64(content)}
}

// structures are about the outermost entity.
func structures() []recipe {
	nested, footer := "reject smime-nested", testmail.Text("--", "Sent to the list friends@example.org")
	text := testmail.Text("See the attachment.")
	mixed := func(parts ...testmail.Entity) testmail.Entity {
		return testmail.Multipart("mixed", "=_mixed", parts...)
	}
	return append([]recipe{
		{"structure-footer", "A list put its footer beside the signed part: the signature no longer covers the whole message.", nested, "", wrapped(func(e testmail.Entity) testmail.Entity { return mixed(e, footer) })},
		{"structure-third-part", "A third part stands in the multipart/signed, which the signature does not cover.", nested, "", respelled("\r\n------=_certinbox_signed--", "\r\n------=_certinbox_signed\r\nContent-Type: text/plain\r\n\r\nPay to another account.\r\n------=_certinbox_signed--")},
		{"structure-only-child", "The signed part is the only child of a multipart/mixed, so that nothing else could be shown; still not the outermost.", nested, "", wrapped(func(e testmail.Entity) testmail.Entity { return mixed(e) })},
		{"structure-forwarded", "A signed mail of Alice's, attached as a message.", nested, "", wrapped(func(e testmail.Entity) testmail.Entity {
			inner := testmail.Message{Fields: append([]string{"From: alice@example.org"}, e.Fields...), Body: e.Body}
			return mixed(text, testmail.Entity{Fields: []string{"Content-Type: message/rfc822"}, Body: inner.Bytes()})
		})},
		{"structure-nested-opaque", "An opaque signature beside a text of somebody else.", nested, "honest-opaque", func(m *mail) {
			m.signing.opaque = true
			m.wrap = func(e testmail.Entity) testmail.Entity { return mixed(text, e) }
		}},
		{"structure-deep", "A signature three levels down.", nested, "", wrapped(func(e testmail.Entity) testmail.Entity {
			return mixed(text, testmail.Multipart("mixed", "=_b", text, testmail.Multipart("related", "=_c", e)))
		})},
		{"structure-pgp-signed", "Signed with OpenPGP.", "reject smime-pgp", "", entity(testmail.Entity{
			Fields: []string{"Content-Type: multipart/signed; micalg=pgp-sha256; protocol=\"application/pgp-signature\"; boundary=\"=_pgp\""},
			Body: testmail.Multipart("signed", "=_pgp", text, part([]string{"Content-Type: application/pgp-signature; name=\"signature.asc\""},
				"-----BEGIN PGP SIGNATURE-----\r\n\r\niHUEABYKAB0WIQ==\r\n-----END PGP SIGNATURE-----\r\n")).Body})},
		{"structure-pgp-encrypted", "Encrypted with OpenPGP.", "reject smime-pgp", "", entity(testmail.Entity{
			Fields: []string{"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=\"=_pgp\""},
			Body: testmail.Multipart("encrypted", "=_pgp", part([]string{"Content-Type: application/pgp-encrypted"}, "Version: 1\r\n"),
				part([]string{"Content-Type: application/octet-stream"}, "-----BEGIN PGP MESSAGE-----\r\n\r\nhQ==\r\n-----END PGP MESSAGE-----\r\n")).Body})},
		{"structure-pgp-inline", "An OpenPGP message in plain text.", "reject smime-pgp", "", entity(testmail.Text(
			"-----BEGIN PGP SIGNED MESSAGE-----", "Hash: SHA256", "", "Hello", "-----BEGIN PGP SIGNATURE-----", "", "iHUEABYKAB0WIQ==", "-----END PGP SIGNATURE-----"))},
		{"structure-encrypted", "Encrypted outermost: the signature, if any, is inside.", "reject smime-encrypted", "honest-opaque", func(m *mail) {
			m.signing.opaque = true
			m.wrap = func(e testmail.Entity) testmail.Entity {
				return testmail.PKCS7MIME(envelopedData(), "enveloped-data")
			}
		}},
		{"structure-auth-enveloped", "Encrypted outermost, with AES-GCM.", "reject smime-encrypted", "honest-opaque", func(m *mail) {
			e := testmail.PKCS7MIME(envelopedData(), "authEnveloped-data")
			m.entity = &e
		}},
		{"structure-certs-only", "Certificates without a signature.", "reject smime-certificate", "honest-opaque", func(m *mail) {
			m.signing.opaque = true
			m.wrap = func(e testmail.Entity) testmail.Entity {
				e.Fields[0] = "Content-Type: application/pkcs7-mime; smime-type=certs-only; name=\"smime.p7c\""
				return e
			}
		}},
		{"structure-certificate-attached", "The certificate as an attachment, and no signature.", "reject smime-certificate", "", func(m *mail) {
			e := mixed(text, attachment("application/pkix-cert", "alice.cer", m.signing.who.DER))
			m.entity = &e
		}},
		{"structure-private-key", "A PKCS#12 file is attached.", "reject private-key", "", func(m *mail) {
			e := mixed(text, attachment("application/x-pkcs12", "alice.p12", []byte("no key in here, the name is enough")))
			m.entity = &e
		}},
		{"structure-pfx-by-name", "A .pfx file, declared as an unknown kind of data.", "reject private-key", "", func(m *mail) {
			e := mixed(text, attachment("application/octet-stream", "alice.pfx", []byte("no key in here, the name is enough")))
			m.entity = &e
		}},
		{"structure-text-named-p7s", "A text that is only called smime.p7s, in a mail that is not signed.", "reject smime-none", "", func(m *mail) {
			e := mixed(text, part([]string{"Content-Type: text/plain; name=\"smime.p7s\""}, "I am signed, believe me.\r\n"))
			m.entity = &e
		}},
		{"structure-two-boundaries", "The boundary parameter stands twice: readers cut at either.", "reject message-malformed", "", respelled("micalg=sha-256;", "boundary=\"other\";")},
		{"structure-base64-junk", "A foreign character in the base64 of the signature: decoders stop, skip or fail.", "reject cms-malformed", "", respelled("filename=\"smime.p7s\"\r\n\r\n", "filename=\"smime.p7s\"\r\n\r\n*")},
	}, honestStructures()...)
}

// honestStructures are the good forms that mail programs send.
func honestStructures() []recipe {
	opaque := func(change func(e testmail.Entity) testmail.Entity) func(m *mail) {
		return func(m *mail) { m.signing.opaque, m.wrap = true, change }
	}
	return []recipe{
		{"honest-x-types", "The older names with x-, in capitals.", "accept", "", func(m *mail) {
			m.wrap = func(e testmail.Entity) testmail.Entity {
				e.Fields[0] = strings.Replace(e.Fields[0], "application/pkcs7-signature", "application/X-PKCS7-Signature", 1)
				e.Body = bytes.Replace(e.Body, []byte("application/pkcs7-signature"), []byte("Application/x-PKCS7-signature"), 1)
				return e
			}
		}},
		{"honest-no-protocol", "The protocol parameter is missing; the second part is unambiguous.", "accept", "", respelled("protocol=\"application/pkcs7-signature\";\r\n", "\r\n")},
		{"honest-no-micalg", "micalg is missing; nobody needs it.", "accept", "", respelled(" micalg=sha-256;", "")},
		{"honest-wrong-micalg", "micalg names another algorithm; it is never trusted.", "accept", "", respelled("micalg=sha-256", "micalg=sha1")},
		{"honest-no-closing-delimiter", "The closing delimiter is missing.", "accept", "", respelled("--"+"----=_certinbox_signed--\r\n", "")},
		{"honest-epilogue", "A preamble and an epilogue, which belong to no part.", "accept", "", wrapped(func(e testmail.Entity) testmail.Entity {
			e.Body = append(append([]byte{}, e.Body...), "This epilogue is shown by nobody.\r\n"...)
			return e
		})},
		{"honest-no-mime-version", "MIME-Version is missing.", "accept", "", func(m *mail) {
			m.fields = testmail.Message{Fields: m.fields}.Without("MIME-Version").Fields
		}},
		{"honest-opaque-x-type", "Opaque under the older name, without smime-type.", "accept", "", opaque(func(e testmail.Entity) testmail.Entity {
			e.Fields[0] = "Content-Type: application/x-pkcs7-mime; name=\"smime.p7m\""
			return e
		})},
		{"honest-opaque-octet-stream", "Opaque as unknown data that is named .p7m, as some servers re-emit it.", "accept", "", opaque(func(e testmail.Entity) testmail.Entity {
			e.Fields[0] = "Content-Type: application/octet-stream; name=\"smime.p7m\""
			return e
		})},
		{"honest-opaque-quoted-printable", "Opaque in quoted-printable, an odd but standard encoding.", "accept", "", opaque(func(e testmail.Entity) testmail.Entity {
			e.Fields[1] = "Content-Transfer-Encoding: quoted-printable"
			der, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(string(e.Body), "\r\n", ""))
			if err != nil {
				panic(err)
			}
			e.Body = quotedPrintable(der)
			return e
		})},
		{"honest-signed-multipart", "The signed part is itself a multipart with an attachment.", "accept", "", func(m *mail) {
			m.content = testmail.Multipart("mixed", "=_inner", m.content, attachment("text/csv", "a.csv", []byte("a,b\n1,2\n")))
		}},
		{"honest-boundary-look-alikes", "Lines in the text that begin like the delimiter but are none.", "accept", "", func(m *mail) {
			m.content = testmail.Text("------=_certinbox_signedX", "------=_certinbox_signed-foo", "-----=_certinbox_signed")
		}},
		{"honest-trailing-blanks", "Blanks at the ends of lines are signed content; DKIM relaxed does not see them, S/MIME does.", "accept", "", func(m *mail) {
			m.content = testmail.Text("one  ", "two\t", "", "", "")
		}},
		{"honest-attached-p7s-text", "The signed text speaks of private keys, certificates and OpenPGP; words decide nothing.", "accept", "", func(m *mail) {
			m.content = testmail.Text("-----BEGIN PGP MESSAGE-----", "is what they send instead of a certificate.")
		}},
	}
}

func quotedPrintable(b []byte) []byte {
	const hex = "0123456789ABCDEF"
	var out bytes.Buffer
	for i, c := range b {
		if i > 0 && i%24 == 0 {
			out.WriteString("=\r\n")
		}
		out.Write([]byte{'=', hex[c>>4], hex[c&15]})
	}
	out.WriteString("\r\n")
	return out.Bytes()
}
