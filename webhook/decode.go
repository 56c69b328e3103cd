package webhook

import (
	"fmt"
	"io"
)

const (
	maxEvents  = 10000   // of one body
	maxAddress = 4 << 10 // bytes of a sender or a recipient
)

// decodeLimits bound what one body can make us hold.
type decodeLimits struct {
	message int64             // bytes of one message as it stands in the JSON, unescaped
	hold    func(n int) error // called before n bytes more are held; its error ends the reading
	release func(n int)       // called when n bytes are let go
}

// decode reads a relay post in JSON (RFC 8259) from r as a stream: an array of
// events of SparkPost, a single one, or PowerMTA's single object, and calls each
// for every event as soon as it is complete. Nothing of the body is held but the
// message and the envelope of one event, which is let go when each returns.
//
// An event that makes no sense is handed over with nothing but this damage, and the
// reading goes on: one without recipient or without message, with an address over
// 4 KiB, with a key that matters here given twice or with another type of value, or
// with a string or key anywhere in it that is not valid UTF-8 or has a lone surrogate.
// Nothing is replaced, since one other byte breaks a signature.
//
// What is not JSON, and neither an array nor an object, is a *formError. *tooBigError:
// over a limit (10,000 events, 32 levels, limits.message). Other errors are those of
// r, of limits.hold and of each. The events before an error were handed over.
func (s *scratch) decode(r io.Reader, limits decodeLimits, each func(*event) error) error {
	d := &decoder{jsonReader: &jsonReader{src: r, buf: s.body[:0]}, scratch: s, limits: limits, each: each}
	c, err := d.next()
	switch {
	case err != nil && d.end() == nil:
		return d.wrong("the body is empty")
	case err != nil:
		return err
	case c == '[':
		err = d.array(d.event)
	case c == '{':
		err = d.event(0)
	case c == 0xef:
		return d.wrong("a byte order mark, or what is no JSON, at the start (RFC 8259 section 8.1 allows none)")
	default:
		return d.wrong("no relay post: neither an array nor an object")
	}
	if err != nil {
		return err
	}
	return d.end()
}

// A formError says what is wrong with a body, in our own words, and where.
type formError struct {
	at   int64 // byte of the body, from 0
	text string
}

func (e *formError) Error() string { return fmt.Sprintf("byte %d: %s", e.at, e.text) }

// A tooBigError says which limit a body is over.
type tooBigError struct{ text string }

func (e *tooBigError) Error() string { return e.text }
