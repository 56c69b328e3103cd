package smime

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
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
		return decodeQuoted(b, max)
	}
	return nil, errors.New("smime: unknown transfer encoding")
}

// decodeBase64 takes the alphabet of RFC 4648 section 4 with its padding, and
// blanks and line ends anywhere. Other programs skip foreign characters, each
// in its own way; here they are an error, and so is anything after the padding.
func decodeBase64(b []byte, max int) ([]byte, error) {
	// The decoder skips CR and LF by itself, and nothing else.
	if bytes.IndexByte(b, ' ') >= 0 || bytes.IndexByte(b, '\t') >= 0 {
		b = bytes.Map(func(r rune) rune {
			if r == ' ' || r == '\t' {
				return -1
			}
			return r
		}, b)
	}
	digits := len(b) - bytes.Count(b, []byte("\r")) - bytes.Count(b, []byte("\n"))
	if digits > base64.StdEncoding.EncodedLen(max) {
		return nil, errTooLarge
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(b)))
	n, err := base64.StdEncoding.Decode(out, b)
	switch {
	case err != nil:
		return nil, errors.New("smime: damaged base64")
	case n > max:
		return nil, errTooLarge
	}
	return out[:n:n], nil
}

// decodeQuoted takes quoted-printable by the letter (RFC 2045 section 6.7): a
// blob has no reason to be anything else. Blanks at the end of a line are
// padding of a relay.
func decodeQuoted(b []byte, max int) ([]byte, error) {
	damaged := errors.New("smime: damaged quoted-printable")
	out := make([]byte, 0, min(len(b), max))
	for len(b) > 0 {
		line, rest, ended := bytes.Cut(b, crlf)
		line, b = bytes.TrimRight(line, " \t"), rest
		soft := false
		for i := 0; i < len(line); i++ {
			c := line[i]
			switch {
			case c == '=' && i == len(line)-1:
				soft = true
				continue
			case c == '=':
				if i+2 >= len(line) {
					return nil, damaged
				}
				var octet [1]byte
				if _, err := hex.Decode(octet[:], line[i+1:i+3]); err != nil {
					return nil, damaged
				}
				c, i = octet[0], i+2
			case c > '~' || c < ' ' && c != '\t':
				return nil, damaged
			}
			out = append(out, c)
		}
		if ended && !soft {
			out = append(out, crlf...)
		}
		if len(out) > max {
			return nil, errTooLarge
		}
	}
	return out, nil
}
