package webhook

import (
	"bytes"
	"encoding/base64"
	"fmt"
)

// strict refuses spare bits that are set: such text has no one meaning.
var strict = base64.StdEncoding.Strict()

// A damagedError says where base64 (RFC 4648 section 4) is none.
type damagedError struct{ character int64 }

func (e *damagedError) Error() string {
	return fmt.Sprintf("email_rfc822 is damaged base64 at its character %d, line ends not counted", e.character)
}

// A base64Decoder decodes base64 that comes in pieces. Between any two
// characters CR and LF may stand, and nothing else.
type base64Decoder struct {
	to    func([]byte) error
	text  [8 << 10]byte // characters not yet decoded
	n     int           // how many
	out   [6 << 10]byte
	done  int64 // characters decoded
	ended bool  // padding was there
}

// begin makes ready for another text.
func (d *base64Decoder) begin(to func([]byte) error) {
	d.to, d.n, d.done, d.ended = to, 0, 0, false
}

// add takes the next piece, and decodes what there is no more room for. A
// *damagedError, or what to returned.
func (d *base64Decoder) add(p []byte) error {
	for len(p) > 0 {
		line, rest, _ := bytes.Cut(p, []byte("\n"))
		for len(line) > 0 {
			part, after, _ := bytes.Cut(line, []byte("\r"))
			if err := d.characters(part); err != nil {
				return err
			}
			line = after
		}
		p = rest
	}
	return nil
}

// characters is add for what has no line ends.
func (d *base64Decoder) characters(p []byte) error {
	for len(p) > 0 {
		if d.n == len(d.text) {
			if err := d.flush(); err != nil {
				return err
			}
		}
		n := copy(d.text[d.n:], p)
		d.n += n
		p = p[n:]
	}
	return nil
}

// flush decodes what was taken. At the end an unfinished group of four is a
// *damagedError.
func (d *base64Decoder) flush() error {
	if d.n == 0 {
		return nil
	}
	if d.ended {
		return &damagedError{d.done}
	}
	n, err := strict.Decode(d.out[:], d.text[:d.n])
	if err != nil {
		at := int64(0)
		if e, ok := err.(base64.CorruptInputError); ok {
			at = int64(e)
		}
		return &damagedError{d.done + at}
	}
	d.ended = n < d.n/4*3
	d.done += int64(d.n)
	d.n = 0
	return d.to(d.out[:n])
}
