package webhook

import (
	"errors"
	"io"
)

const (
	readAtOnce = 32 << 10 // bytes of the body in our hands
	maxNesting = 32       // arrays and objects inside each other
	maxKey     = 256      // bytes of a key; a longer one is none of ours
)

// A jsonReader reads JSON (RFC 8259) of any length in constant memory. What it
// is not asked for is checked as strictly as the rest, and held nowhere. Its
// methods return a *formError for what is not JSON, a *tooBigError for what is
// nested too deep, and else the errors of the source and of their callbacks.
//
// What is JSON but makes no sense, such as a string that has no one meaning, ends
// nothing, since what comes after it can still be told apart: it is noted as the
// damage. From then on all is checked and skipped, and no callback of an object or
// of a string is called.
type jsonReader struct {
	src     io.Reader
	buf     []byte // of the body; its capacity is how much is read at once, 12 bytes at least
	pos     int    // of the next byte, in buf
	before  int64  // bytes of the body before buf
	ended   error  // of the source; what came before it is still in buf
	nesting int
	damage  *formError   // the first that makes no sense; nil: none
	damaged func()       // called when there is damage; nil: nobody
	key     [maxKey]byte // the last key read
	escaped [8]byte      // what the last escapes stand for
}

// spoil notes that what is read makes no sense: what completes "event 1 …".
func (r *jsonReader) spoil(text string) {
	if r.damage != nil {
		return
	}
	r.damage = &formError{at: r.at(), text: text}
	if r.damaged != nil {
		r.damaged()
	}
}

// at is how many bytes of the body were taken.
func (r *jsonReader) at() int64 { return r.before + int64(r.pos) }

// wrong is a formError at the next byte.
func (r *jsonReader) wrong(text string) error { return &formError{at: r.at(), text: text} }

// want sees to it that n bytes (1 to 12) are in buf from pos on. The end of the
// body before them is a formError.
func (r *jsonReader) want(n int) error {
	if len(r.buf)-r.pos >= n {
		return nil
	}
	r.before += int64(r.pos)
	r.buf = r.buf[:copy(r.buf, r.buf[r.pos:])]
	r.pos = 0
	for idle := 0; len(r.buf) < n; idle++ {
		if errors.Is(r.ended, io.EOF) {
			return &formError{at: r.before + int64(len(r.buf)), text: "ends too early"}
		}
		if r.ended != nil {
			return r.ended
		}
		if idle == 100 {
			return io.ErrNoProgress
		}
		var got int
		got, r.ended = r.src.Read(r.buf[len(r.buf):cap(r.buf)])
		r.buf = r.buf[:len(r.buf)+got]
		if got > 0 {
			idle = 0
		}
	}
	return nil
}

// next skips blanks and returns the byte after them, which is not yet taken.
func (r *jsonReader) next() (byte, error) {
	for {
		if r.pos == len(r.buf) {
			if err := r.want(1); err != nil {
				return 0, err
			}
		}
		switch c := r.buf[r.pos]; c {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return c, nil
		}
	}
}

// end is nil if nothing but blanks is left.
func (r *jsonReader) end() error {
	_, err := r.next()
	if err == nil {
		return r.wrong("something after the end of the JSON")
	}
	if errors.Is(r.ended, io.EOF) {
		return nil
	}
	return err
}

// enter takes the bracket of an array or object, and says whether its other one
// follows at once.
func (r *jsonReader) enter(closing byte) (empty bool, err error) {
	if r.nesting == maxNesting {
		return false, &tooBigError{"the body is nested deeper than 32 levels"}
	}
	r.nesting++
	r.pos++
	c, err := r.next()
	if err != nil || c != closing {
		return false, err
	}
	r.pos++
	r.nesting--
	return true, nil
}

// more takes the comma between two elements, or the bracket after the last.
func (r *jsonReader) more(closing byte) (bool, error) {
	c, err := r.next()
	switch {
	case err != nil:
		return false, err
	case c == ',':
		r.pos++
		return true, nil
	case c == closing:
		r.pos++
		r.nesting--
		return false, nil
	}
	return false, r.wrong(`neither a comma nor "` + string(closing) + `" after a value`)
}

// array reads an array, whose bracket is next. value is called with each index
// and must read the value, with blanks before it.
func (r *jsonReader) array(value func(index int) error) error {
	empty, err := r.enter(']')
	if err != nil || empty {
		return err
	}
	for i := 0; ; i++ {
		if err := value(i); err != nil {
			return err
		}
		if more, err := r.more(']'); err != nil || !more {
			return err
		}
	}
}

// object reads an object, whose bracket is next. value is called with each key,
// which is good until it reads on, and must read the value, with blanks before
// it. The key is empty if it is longer than maxKey.
func (r *jsonReader) object(value func(key []byte) error) error {
	empty, err := r.enter('}')
	if err != nil || empty {
		return err
	}
	for {
		key, err := r.name()
		if err != nil {
			return err
		}
		if r.damage == nil {
			err = value(key)
		} else {
			err = r.skip()
		}
		if err != nil {
			return err
		}
		if more, err := r.more('}'); err != nil || !more {
			return err
		}
	}
}

// name takes the key of a member, and its colon.
func (r *jsonReader) name() ([]byte, error) {
	c, err := r.next()
	if err != nil {
		return nil, err
	}
	if c != '"' {
		return nil, r.wrong("no key where one must be")
	}
	key, long := r.key[:0], false
	err = r.text(func(p []byte) error {
		if long = long || len(key)+len(p) > maxKey; !long {
			key = append(key, p...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if long {
		key = key[:0]
	}
	if c, err = r.next(); err != nil {
		return nil, err
	}
	if c != ':' {
		return nil, r.wrong("no colon after a key")
	}
	r.pos++
	return key, nil
}

// skip reads one value of any kind, and blanks before it.
func (r *jsonReader) skip() error {
	c, err := r.next()
	if err != nil {
		return err
	}
	switch c {
	case '{':
		return r.object(func([]byte) error { return r.skip() })
	case '[':
		return r.array(func(int) error { return r.skip() })
	case '"':
		return r.text(nil)
	case 't':
		return r.literal("true")
	case 'f':
		return r.literal("false")
	case 'n':
		return r.literal("null")
	}
	return r.number()
}
