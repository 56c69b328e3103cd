package revoke

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// A basicResponse is a BasicOCSPResponse (RFC 6960 section 4.2.1) taken apart.
// Nothing of it is judged.
type basicResponse struct {
	signed    []byte // ResponseData in DER
	name      []byte // of the responder in DER, nil if it is named by its key
	keyHash   []byte // of the responder, SHA-1, nil if it is named by its name
	produced  time.Time
	singles   []single
	algorithm x509.SignatureAlgorithm
	signature []byte
	embedded  [][]byte // certificates in DER, not read
}

func oidBasic() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
}

// readBasic reads an OCSPResponse in DER that is successful and of the basic
// type, within the bounds. Errors are of kind answerError.
func readBasic(der []byte) (*basicResponse, error) {
	if len(der) > maxOCSP {
		return nil, noResponse("the answer has over %d bytes", maxOCSP)
	}
	input := cryptobyte.String(der)
	var outer, wrapped, typed, octets cryptobyte.String
	var status int
	if !input.ReadASN1(&outer, tag.SEQUENCE) || !input.Empty() || !outer.ReadASN1Enum(&status) {
		return nil, garbled("OCSPResponse")
	}
	if status != 0 {
		return nil, noResponse("the responder says %s", statusName(status))
	}
	var kind asn1.ObjectIdentifier
	if !outer.ReadASN1(&wrapped, explicit(0)) || !outer.Empty() ||
		!wrapped.ReadASN1(&typed, tag.SEQUENCE) || !wrapped.Empty() || !typed.ReadASN1ObjectIdentifier(&kind) {
		return nil, garbled("responseBytes")
	}
	if !kind.Equal(oidBasic()) {
		return nil, noResponse("the answer is of another type than the basic one")
	}
	if !typed.ReadASN1(&octets, tag.OCTET_STRING) || !typed.Empty() {
		return nil, garbled("responseBytes")
	}
	return readSigned(octets)
}

// statusName is the name of an OCSPResponseStatus other than successful.
func statusName(status int) string {
	switch status {
	case 1:
		return "malformedRequest"
	case 2:
		return "internalError"
	case 3:
		return "tryLater"
	case 5:
		return "sigRequired"
	case 6:
		return "unauthorized"
	}
	return "that it failed, with a status of no meaning"
}

func readSigned(s cryptobyte.String) (*basicResponse, error) {
	b := &basicResponse{}
	var basic, data, identifier, wrapped, certs cryptobyte.String
	var certsThere bool
	if !s.ReadASN1(&basic, tag.SEQUENCE) || !s.Empty() || !basic.ReadASN1Element(&data, tag.SEQUENCE) ||
		!basic.ReadASN1(&identifier, tag.SEQUENCE) || !basic.ReadASN1BitStringAsBytes(&b.signature) ||
		!basic.ReadOptionalASN1(&wrapped, &certsThere, explicit(0)) || !basic.Empty() {
		return nil, garbled("BasicOCSPResponse")
	}
	if certsThere && (!wrapped.ReadASN1(&certs, tag.SEQUENCE) || !wrapped.Empty()) {
		return nil, garbled("certs")
	}
	for !certs.Empty() {
		var c cryptobyte.String
		if len(b.embedded) == maxEmbedded {
			return nil, noResponse("over %d certificates in the answer", maxEmbedded)
		}
		if !certs.ReadASN1Element(&c, tag.SEQUENCE) {
			return nil, garbled("certs")
		}
		b.embedded = append(b.embedded, c)
	}
	algorithm, err := readSignatureAlgorithm(identifier)
	if errors.Is(err, errAlgorithmGarbled) {
		return nil, garbled("signatureAlgorithm")
	}
	if err != nil {
		return nil, noResponse("the answer is %s", err)
	}
	b.algorithm = algorithm.name
	b.signed = data
	return b, b.readData(data)
}

// readData reads ResponseData.
func (b *basicResponse) readData(s cryptobyte.String) error {
	var data, version, responder, list, extensions cryptobyte.String
	var versionThere, extensionsThere bool
	if !s.ReadASN1(&data, tag.SEQUENCE) || !data.ReadOptionalASN1(&version, &versionThere, explicit(0)) {
		return garbled("ResponseData")
	}
	if number := 0; versionThere && (!version.ReadASN1Integer(&number) || !version.Empty() || number != 0) {
		return noResponse("the answer is of another version than 1")
	}
	var choice tag.Tag
	if !data.ReadAnyASN1(&responder, &choice) || !b.readResponder(responder, choice) {
		return garbled("responderID")
	}
	if !readTime(&data, &b.produced) || !data.ReadASN1(&list, tag.SEQUENCE) ||
		!data.ReadOptionalASN1(&extensions, &extensionsThere, explicit(1)) || !data.Empty() {
		return garbled("ResponseData")
	}
	if extensionsThere {
		if err := readExtensions(extensions); err != nil {
			return err
		}
	}
	for !list.Empty() {
		if len(b.singles) == maxAnswers {
			return noResponse("the answer is about over %d certificates", maxAnswers)
		}
		one, err := readSingle(&list)
		if err != nil {
			return err
		}
		b.singles = append(b.singles, one)
	}
	return nil
}

func (b *basicResponse) readResponder(s cryptobyte.String, choice tag.Tag) bool {
	var name, key cryptobyte.String
	switch choice {
	case explicit(1):
		if !s.ReadASN1Element(&name, tag.SEQUENCE) {
			return false
		}
		b.name = name
	case explicit(2):
		if !s.ReadASN1(&key, tag.OCTET_STRING) || len(key) != crypto.SHA1.Size() {
			return false
		}
		b.keyHash = key
	default:
		return false
	}
	return s.Empty()
}

// readExtensions reads Extensions and refuses critical ones: we ask for none
// and know none that could be (RFC 6960 section 4.4).
func readExtensions(wrapped cryptobyte.String) error {
	var list cryptobyte.String
	if len(wrapped) > maxOCSPExtensions {
		return noResponse("over %d bytes of extensions in the answer", maxOCSPExtensions)
	}
	if !wrapped.ReadASN1(&list, tag.SEQUENCE) || !wrapped.Empty() {
		return garbled("extensions")
	}
	for !list.Empty() {
		var one cryptobyte.String
		critical := false
		if !list.ReadASN1(&one, tag.SEQUENCE) || !one.SkipASN1(tag.OBJECT_IDENTIFIER) ||
			one.PeekASN1Tag(tag.BOOLEAN) && !one.ReadASN1Boolean(&critical) || !one.SkipASN1(tag.OCTET_STRING) || !one.Empty() {
			return garbled("extensions")
		}
		if critical {
			return noResponse("a critical extension in the answer that we do not know")
		}
	}
	return nil
}

// readTime reads a GeneralizedTime as RFC 5280 section 4.1.2.5.2 has it: whole
// seconds, UTC.
func readTime(s *cryptobyte.String, out *time.Time) bool {
	var text cryptobyte.String
	ahead := *s
	return ahead.ReadASN1(&text, tag.GeneralizedTime) && len(text) == len("20060102150405Z") && text[len(text)-1] == 'Z' &&
		s.ReadASN1GeneralizedTime(out)
}

func explicit(n uint8) tag.Tag { return tag.Tag(n).ContextSpecific().Constructed() }

func garbled(where string) error { return noResponse("the answer cannot be read: %s", where) }
