package smime

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime/quotedprintable"
	"strings"
)

// errTooLarge says that a decoded blob would be over its limit.
var errTooLarge = errors.New("smime: the signature is too large")

// transferEncoding returns the Content-Transfer-Encoding of a header in lower
// case; absent means 7bit (RFC 2045 section 6.1). Two fields are an error.
func transferEncoding(h Header) (string, error) {
	fields := h.All("Content-Transfer-Encoding")
	switch len(fields) {
	case 0:
		return "7bit", nil
	case 1:
		return strings.ToLower(fields[0].Value()), nil
	}
	return "", errors.New("smime: the transfer encoding is given twice")
}

// decode undoes a transfer encoding. The result is a part of b where the
// encoding leaves bytes as they are. It is at most max bytes long.
func decode(b []byte, encoding string, max int) ([]byte, error) {
	switch encoding {
	case "7bit", "8bit", "binary":
		if len(b) > max {
			return nil, errTooLarge
		}
		return b, nil
	case "base64":
		return decodeBase64(b, max)
	case "quoted-printable":
		r := quotedprintable.NewReader(bytes.NewReader(b))
		out, err := io.ReadAll(io.LimitReader(r, int64(max)+1))
		switch {
		case err != nil:
			return nil, errors.New("smime: damaged quoted-printable")
		case len(out) > max:
			return nil, errTooLarge
		}
		return out, nil
	}
	return nil, errors.New("smime: unknown transfer encoding")
}

// decodeBase64 takes the alphabet of RFC 4648 section 4 with its padding, and
// blanks and line ends anywhere. Other programs skip foreign characters, each
// in its own way; here they are an error, and so is anything after the padding.
func decodeBase64(b []byte, max int) ([]byte, error) {
	room := base64.StdEncoding.EncodedLen(max)
	buf := make([]byte, 0, min(len(b), room))
	for _, c := range b {
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		}
		if len(buf) == room {
			return nil, errTooLarge
		}
		buf = append(buf, c)
	}
	n, err := base64.StdEncoding.Decode(buf, buf)
	if err != nil {
		return nil, errors.New("smime: damaged base64")
	}
	if n > max {
		return nil, errTooLarge
	}
	return buf[:n], nil
}
