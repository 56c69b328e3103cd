package webhook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// An event is one message of a post, with what its envelope was.
type event struct {
	Sender    *string // nil: not said; "": the null sender
	Recipient string
	Ping      bool // nothing to judge: {"msys":{}}, SparkPost tries whether we are there, or an event of another kind
	Base64    bool

	damage  *formError // why it makes no sense; then nothing else is set
	index   int        // in the post, from 0
	seen    field      // what was there
	decoder *base64Decoder
	message pieces // as it stood in the JSON, unescaped
	at      int64  // where it began in the body
}

// Size is the length of the message as it is held, in bytes; in base64, if it
// came so.
func (e *event) Size() int64 { return e.message.size }

// Length is about how long the message is, in bytes: never less, unless its LFs
// become CRLF.
func (e *event) Length() int64 {
	if e.Base64 {
		return (e.Size() + 3) / 4 * 3
	}
	return e.Size()
}

// WriteTo writes the message, decoded if it is base64, and lets go of it on the
// way: it can be written once, and while decode calls back only. It returns how
// many bytes were written. Damage is a *formError: what was written before is
// not to be used then. Other errors are those of w.
//
// The bytes are those of the JSON, with one exception: a message with LF and no
// CRLF anywhere was converted on its way here, for none goes over SMTP so (RFC
// 5321 section 2.3.8); its LFs become CRLF again. A message that has any CRLF is
// left alone: what is odd in it was signed so, or is damage.
func (e *event) WriteTo(w io.Writer) (int64, error) {
	defer e.message.drop()
	if e.damage != nil {
		return 0, e.damage
	}
	bare, err := e.bareLF()
	if err != nil {
		return 0, err
	}
	var n int64
	write := func(p []byte) error {
		if bare {
			p = bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))
		}
		k, err := w.Write(p)
		n += int64(k)
		return err
	}
	return n, e.decoded(e.message.take, write)
}

// decoded goes through the pieces as walk does, and hands on what they say.
func (e *event) decoded(walk func(func([]byte) error) error, to func([]byte) error) error {
	if !e.Base64 {
		return walk(to)
	}
	d := e.decoder
	d.begin(to)
	err := walk(d.add)
	if err == nil {
		err = d.flush()
	}
	d.begin(nil)
	var damaged *damagedError
	if errors.As(err, &damaged) {
		return &formError{at: e.at, text: fmt.Sprintf("event %d: %s", e.index, damaged)}
	}
	return err
}

// bareLF says whether the message has line ends and all of them are LF. It
// looks no further than the first CRLF.
func (e *event) bareLF() (bool, error) {
	var lf, cr bool // cr: the last byte was CR
	err := e.decoded(e.message.each, func(p []byte) error {
		for len(p) > 0 {
			i := bytes.IndexByte(p, '\n')
			if i < 0 {
				cr = p[len(p)-1] == '\r'
				return nil
			}
			if i > 0 && p[i-1] == '\r' || i == 0 && cr {
				return errCRLF
			}
			lf, cr = true, false
			p = p[i+1:]
		}
		return nil
	})
	if errors.Is(err, errCRLF) {
		return false, nil
	}
	return lf, err
}

var errCRLF = errors.New("a CRLF")
