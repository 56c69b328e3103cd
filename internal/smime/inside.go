package smime

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"strings"
)

// advice is what a look inside an unsigned entity found. It decides nothing
// but the words with which the message is refused.
type advice struct {
	lim   Limits
	parts int
	found map[Problem]bool
}

// unsigned says why an entity that is no S/MIME signature is refused.
func unsigned(h Header, body []byte, lim Limits) Entity {
	a := advice{lim: lim, found: map[Problem]bool{}}
	a.look(h, body, 0)
	for _, p := range []struct {
		problem Problem
		detail  string
	}{
		{PrivateKey, "a private key is attached"},
		{Nested, "a signed part is inside the message, it is not the message"},
		{OpenPGP, "the message is signed or encrypted with OpenPGP"},
		{Encrypted, "the message is encrypted"},
		{CertificateOnly, "a certificate is attached, the message is not signed"},
	} {
		if a.found[p.problem] {
			return problem(p.problem, p.detail)
		}
	}
	return problem(NotSigned, "the message is not signed")
}

// look notes what an entity is and looks into it. depth counts the multiparts
// and messages around it.
func (a *advice) look(h Header, body []byte, depth int) {
	if a.parts >= a.lim.Parts {
		return
	}
	a.parts++
	name := h.MediaType()
	switch {
	case name == "multipart/signed" && depth > 0:
		a.lookSigned(h)
	case strings.HasPrefix(name, "multipart/"):
		if name == "multipart/encrypted" {
			a.lookEncrypted(h)
		}
		a.lookParts(h, body, depth)
	case name == "message/rfc822" || name == "message/global":
		if inner, content, err := ScanHeader(body, DefaultHeaderLimits()); err == nil && depth < a.lim.Depth {
			a.look(inner, content, depth+1)
		}
	default:
		a.lookLeaf(h, body)
	}
}

func (a *advice) lookParts(h Header, body []byte, depth int) {
	f, _ := h.First("Content-Type")
	m, err := parseMediaType(f.Value())
	if err != nil || depth >= a.lim.Depth {
		return
	}
	parts, _, bad := cutMultipart(m, body, a.lim.Parts)
	if bad != nil {
		return
	}
	for _, part := range parts {
		if inner, content, err := splitPart(part); err == nil {
			a.look(inner, content, depth+1)
		}
	}
}

// lookSigned notes a multipart/signed that is not the outermost entity.
func (a *advice) lookSigned(h Header) {
	if a.protocol(h) == pgpFamily {
		a.found[OpenPGP] = true
	} else {
		a.found[Nested] = true
	}
}

// lookEncrypted notes a multipart/encrypted (RFC 1847), which is OpenPGP's
// (RFC 3156) unless it says otherwise.
func (a *advice) lookEncrypted(h Header) {
	f, _ := h.First("Content-Type")
	m, err := parseMediaType(f.Value())
	if err != nil || lowerASCII(m.params["protocol"]) == "application/pgp-encrypted" {
		a.found[OpenPGP] = true
	} else {
		a.found[Encrypted] = true
	}
}

func (a *advice) protocol(h Header) family {
	f, _ := h.First("Content-Type")
	m, err := parseMediaType(f.Value())
	if err != nil {
		return noFamily
	}
	return protocolFamily(m.params["protocol"])
}

// lookLeaf notes what an attachment or a text is, by its type, its name and,
// for texts and small files, the armour at the start of a line.
func (a *advice) lookLeaf(h Header, body []byte) {
	name, file := h.MediaType(), fileName(h)
	switch {
	case name == "application/pkcs12", name == "application/x-pkcs12", name == "application/pkcs8",
		hasSuffix(file, ".p12", ".pfx", ".p8"):
		a.found[PrivateKey] = true
	case isPKCS7MIME(name), isOctets(h) && hasSuffix(file, ".p7m"):
		a.lookOpaque(h, file)
	case isPKCS7Signature(name):
		a.found[Nested] = true
	case strings.HasPrefix(name, "application/pgp-"), name == "application/x-pgp-signature":
		a.found[OpenPGP] = true
	case name == "application/pkix-cert", name == "application/pkix-attr-cert",
		name == "application/x-x509-user-cert", name == "application/x-x509-email-cert",
		name == "application/x-x509-ca-cert", name == "application/x-pkcs7-certificates",
		hasSuffix(file, ".cer", ".crt", ".der", ".p7b", ".p7c"):
		a.found[CertificateOnly] = true
	}
	a.lookArmour(h, body)
}

// lookOpaque notes a pkcs7-mime part that is not the outermost entity.
func (a *advice) lookOpaque(h Header, file string) {
	f, _ := h.First("Content-Type")
	m, err := parseMediaType(f.Value())
	switch kind := lowerASCII(m.params["smime-type"]); {
	case err == nil && (kind == "enveloped-data" || strings.HasPrefix(kind, "auth")):
		a.found[Encrypted] = true
	case err == nil && kind == "certs-only", hasSuffix(file, ".p7c", ".p7b"):
		a.found[CertificateOnly] = true
	default:
		a.found[Nested] = true
	}
}

// maxArmour is how far into a part we look for a line of armour.
const maxArmour = 64 << 10

// lookArmour finds PEM and OpenPGP armour. Only its first line is read;
// whatever stands between the lines is neither kept nor printed.
func (a *advice) lookArmour(h Header, body []byte) {
	text := beginning(h, body)
	for len(text) > 0 {
		var line []byte
		line, text, _ = bytes.Cut(text, []byte("\n"))
		label, ok := bytes.CutPrefix(line, []byte("-----BEGIN "))
		switch {
		case !ok:
		case bytes.HasPrefix(label, []byte("PGP PRIVATE KEY")), bytes.Contains(label, []byte("PRIVATE KEY-----")):
			a.found[PrivateKey] = true
		case bytes.HasPrefix(label, []byte("PGP ")):
			a.found[OpenPGP] = true
		case bytes.HasPrefix(label, []byte("CERTIFICATE-----")), bytes.HasPrefix(label, []byte("PKCS7-----")):
			a.found[CertificateOnly] = true
		}
	}
}

// beginning returns what can be decoded of the first maxArmour bytes of a part.
func beginning(h Header, body []byte) []byte {
	body = body[:min(len(body), maxArmour)]
	switch encoding, _ := transferEncoding(h); encoding {
	case "base64":
		buf := bytes.Join(bytes.Fields(body), nil)
		n, _ := base64.StdEncoding.Decode(buf, buf[:len(buf)&^3])
		return buf[:n]
	case "quoted-printable":
		text, _ := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(body)))
		return text
	}
	return body
}
