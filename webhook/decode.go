package webhook

import (
	"errors"
	"io"
)

// An event is one message of a post, with what its envelope was.
type event struct {
	Sender     *string // nil: not said; "": the null sender
	Recipient  string
	WebhookID  string // as string or number
	CustomerID string
	Protocol   string
	Ping       bool // {"msys":{}}: SparkPost tries whether we are there
	Base64     bool
	// the message as it stood in the JSON, unescaped, in pieces
}

// Size is the length of the message as it is held, in bytes.
func (e *event) Size() int64 { return 0 }

// WriteTo writes the message, decoded if it is base64, and lets go of it on the
// way: it can be written once. Damaged base64 is a formError.
func (e *event) WriteTo(w io.Writer) (int64, error) { return 0, errors.New("not there yet") }

// decodeLimits bound what one body can make us hold.
type decodeLimits struct {
	message int64             // bytes of one message as it stands in the JSON, unescaped
	hold    func(n int) error // called before n bytes more are held; its error ends the reading
	release func(n int)       // called when n bytes are let go
}

// decode reads a relay post in JSON (RFC 8259) from r as a stream: an array of
// events of SparkPost, a single one, or PowerMTA's single object, and calls each
// for every event as soon as it is complete. Nothing of the body is held but the
// message and the envelope of one event.
//
// A string that is not valid UTF-8, or has a lone surrogate, is a *formError:
// nothing is replaced, since one other byte breaks a signature. So is everything
// that is not JSON or not a relay post. *tooBigError: over a limit. Other errors
// are those of r, of limits.hold and of each.
func decode(r io.Reader, limits decodeLimits, each func(*event) error) error {
	return errors.New("not there yet")
}

// A formError says what is wrong with a body, in our own words, and where.
type formError struct {
	at   int64 // byte of the body, from 0
	text string
}

func (e *formError) Error() string { return e.text }

// A tooBigError says which limit a body is over.
type tooBigError struct{ text string }

func (e *tooBigError) Error() string { return e.text }
