package trust

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/certinbox/certinbox/internal/smime/cms"
)

// An object is one thing found in a file of anchors.
type object struct {
	der     []byte // of a certificate, nil for what is none
	aux     []byte // what OpenSSL appends to a TRUSTED CERTIFICATE
	text    string // why there is no certificate
	warning bool
}

// read takes a file apart: DER certificates, one after the other; DER PKCS#7 of
// certificates (RFC 5652 section 5); or text with PEM blocks (RFC 7468) of
// CERTIFICATE, X509 CERTIFICATE, TRUSTED CERTIFICATE, PKCS7 and CMS, with any
// text around, any line ends, a byte order mark or in UTF-16. The error is about
// the file as a whole; what is wrong with one block is said in its place.
func read(data []byte) ([]object, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errors.New("the file is empty")
	}
	if objects, ok := readDER(data); ok {
		return bounded(objects)
	}
	text, err := plainText(data)
	if err != nil {
		return nil, err
	}
	objects := readPEM(text)
	if len(objects) == 0 {
		return nil, errors.New("neither PEM (no line begins with -----BEGIN) nor DER")
	}
	return bounded(objects)
}

func bounded(objects []object) ([]object, error) {
	if len(objects) > maxCertificates {
		return nil, fmt.Errorf("over %d objects in the file", maxCertificates)
	}
	return objects, nil
}

// readDER reads a file of DER; false if it is something else. Line ends after
// the last element are what editors leave.
func readDER(data []byte) ([]object, bool) {
	s := cryptobyte.String(data)
	var objects []object
	for len(objects) <= maxCertificates {
		var element cryptobyte.String
		if !s.ReadASN1Element(&element, tag.SEQUENCE) {
			return nil, false
		}
		objects = append(objects, readElement(element)...)
		if len(bytes.TrimSpace(s)) == 0 {
			return objects, true
		}
	}
	return objects, true
}

// readElement tells a PKCS#7 from a certificate: a ContentInfo begins with an
// object identifier.
func readElement(element cryptobyte.String) []object {
	var inner cryptobyte.String
	s := element
	if s.ReadASN1(&inner, tag.SEQUENCE) && inner.PeekASN1Tag(tag.OBJECT_IDENTIFIER) {
		return readPKCS7(element)
	}
	return []object{{der: element}}
}

// readPKCS7 reads the certificates of a SignedData. Whether anybody signed it
// does not matter: the operator vouches for the file.
func readPKCS7(der []byte) []object {
	damaged := []object{{text: "the PKCS#7 cannot be read; it must be DER and hold signed data with certificates"}}
	var info, id, wrapped, signed, skipped, list cryptobyte.String
	var present bool
	s := cryptobyte.String(der)
	if !s.ReadASN1(&info, tag.SEQUENCE) || !info.ReadASN1(&id, tag.OBJECT_IDENTIFIER) ||
		!isOID(id, 1, 2, 840, 113549, 1, 7, 2) ||
		!info.ReadASN1(&wrapped, tag.Tag(0).ContextSpecific().Constructed()) ||
		!wrapped.ReadASN1(&signed, tag.SEQUENCE) || !signed.SkipASN1(tag.INTEGER) ||
		!signed.ReadASN1(&skipped, tag.SET) || !signed.ReadASN1(&skipped, tag.SEQUENCE) ||
		!signed.ReadOptionalASN1(&list, &present, tag.Tag(0).ContextSpecific().Constructed()) {
		return damaged
	}
	var objects []object
	for !list.Empty() && len(objects) <= maxCertificates {
		var element cryptobyte.String
		var t tag.Tag
		switch {
		case !list.ReadAnyASN1Element(&element, &t):
			return append(objects, damaged...)
		case t == tag.SEQUENCE:
			objects = append(objects, object{der: element})
		default:
			objects = append(objects, object{text: "an attribute certificate is not used", warning: true})
		}
	}
	if len(objects) == 0 {
		return []object{{text: "the PKCS#7 holds no certificate"}}
	}
	return objects
}

// plainText returns a text file as bytes with \n line ends and without a byte
// order mark. UTF-16 is what the shell of Windows writes.
func plainText(data []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		data = data[3:]
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		big := data[0] == 0xfe
		data = data[2:]
		if len(data)%2 != 0 {
			return nil, errors.New("UTF-16 with an odd number of bytes")
		}
		u := make([]uint16, len(data)/2)
		for i := range u {
			if a, b := uint16(data[2*i]), uint16(data[2*i+1]); big {
				u[i] = a<<8 | b
			} else {
				u[i] = b<<8 | a
			}
		}
		data = []byte(string(utf16.Decode(u)))
	}
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(data, []byte("\r"), []byte("\n")), nil
}

// readPEM walks the blocks itself: encoding/pem skips what it does not like
// without a word.
func readPEM(text []byte) []object {
	var objects []object
	var block []string // lines of the open block, its first included
	label := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		begins, ends := marker(line, "BEGIN"), marker(line, "END")
		switch {
		case len(objects) > maxCertificates:
			return objects
		case begins != "":
			if block != nil {
				objects = append(objects, object{text: "the " + printable(label) + " block has no END line"})
			}
			block, label = []string{line}, begins
		case block == nil:
		case ends != "":
			objects = append(objects, readBlock(label, append(block, line))...)
			block = nil
		default:
			block = append(block, line)
		}
	}
	if block != nil {
		objects = append(objects, object{text: "the " + printable(label) + " block has no END line"})
	}
	return objects
}

// marker returns the label of an encapsulation boundary, "" for any other line.
func marker(line, word string) string {
	label, ok := strings.CutPrefix(line, "-----"+word+" ")
	if !ok {
		return ""
	}
	return strings.TrimRight(label, "-")
}

func readBlock(label string, lines []string) []object {
	switch {
	case strings.Contains(label, "PRIVATE KEY"):
		return []object{{text: "a private key stands in the file; it is not read, and it does not belong there"}}
	case label == "CERTIFICATE", label == "X509 CERTIFICATE", label == "TRUSTED CERTIFICATE",
		label == "PKCS7", label == "PKCS #7 SIGNED DATA", label == "CMS":
	default:
		return []object{{text: "a block of " + printable(label) + " is not used", warning: true}}
	}
	block, _ := pem.Decode([]byte(strings.Join(lines, "\n") + "\n"))
	if block == nil {
		return []object{{text: "the " + printable(label) + " block is damaged: no base64, or another END line"}}
	}
	if label != "TRUSTED CERTIFICATE" {
		objects, ok := readDER(block.Bytes)
		if !ok {
			return []object{{text: "the " + printable(label) + " block holds no DER"}}
		}
		return objects
	}
	s := cryptobyte.String(block.Bytes)
	var element cryptobyte.String
	if !s.ReadASN1Element(&element, tag.SEQUENCE) {
		return []object{{text: "the " + printable(label) + " block holds no DER"}}
	}
	return []object{{der: element, aux: s}}
}

// certificate parses the object; text says why there is none.
func (o object) certificate() (c *x509.Certificate, text string, warning bool) {
	if o.der == nil {
		return nil, o.text, o.warning
	}
	c, err := cms.ParseCertificate(o.der)
	if err != nil {
		return nil, "the certificate cannot be read: " + limit(strings.TrimPrefix(err.Error(), "x509: ")), false
	}
	if len(o.aux) > 0 {
		if text := notForMail(o.aux); text != "" {
			return nil, text, true
		}
	}
	return c, "", false
}

// notForMail reads what OpenSSL appends to a TRUSTED CERTIFICATE: purposes for
// which it is trusted, or rejected. It says why the certificate is not for mail.
func notForMail(aux []byte) string {
	s := cryptobyte.String(aux)
	var list, trusted, rejected cryptobyte.String
	var some bool
	if !s.ReadASN1(&list, tag.SEQUENCE) || !s.Empty() ||
		!list.ReadOptionalASN1(&trusted, &some, tag.SEQUENCE) ||
		!list.ReadOptionalASN1(&rejected, nil, tag.Tag(0).ContextSpecific().Constructed()) {
		return "the trust settings of the TRUSTED CERTIFICATE cannot be read"
	}
	good, err := namesMail(trusted)
	bad, err2 := namesMail(rejected)
	switch {
	case err != nil || err2 != nil:
		return "the trust settings of the TRUSTED CERTIFICATE cannot be read"
	case some && !good:
		return "the TRUSTED CERTIFICATE is trusted for other purposes than mail and is not used"
	case bad:
		return "the TRUSTED CERTIFICATE is rejected for mail and is not used"
	}
	return ""
}

// namesMail says whether emailProtection or any purpose is in the list.
func namesMail(list cryptobyte.String) (bool, error) {
	found := false
	for !list.Empty() {
		var id asn1.ObjectIdentifier
		if !list.ReadASN1ObjectIdentifier(&id) {
			return false, errors.New("damaged list of purposes")
		}
		found = found || id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 4}) || id.Equal(asn1.ObjectIdentifier{2, 5, 29, 37, 0})
	}
	return found, nil
}
