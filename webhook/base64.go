package webhook

import (
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

// add decodes the next piece. A *damagedError, or what to returned.
func (d *base64Decoder) add(p []byte) error {
	for _, c := range p {
		if c == '\r' || c == '\n' {
			continue
		}
		if d.n == len(d.text) {
			if err := d.flush(); err != nil {
				return err
			}
		}
		d.text[d.n] = c
		d.n++
	}
	return nil
}

// end decodes what is left; an unfinished group of four is a *damagedError.
func (d *base64Decoder) end() error { return d.flush() }

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
