package webhook

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// literal takes true, false or null.
func (r *jsonReader) literal(want string) error {
	if err := r.want(len(want)); err != nil {
		return err
	}
	if string(r.buf[r.pos:r.pos+len(want)]) != want {
		return r.wrong("not a JSON value")
	}
	r.pos += len(want)
	return nil
}

// number takes a number. Its length has no bound here, and it is held nowhere.
func (r *jsonReader) number() error {
	take := func(set string) bool {
		// A number may be the last thing of the body, so its end is no error here.
		if r.pos == len(r.buf) && r.want(1) != nil || strings.IndexByte(set, r.buf[r.pos]) < 0 {
			return false
		}
		r.pos++
		return true
	}
	const digits = "0123456789"
	some := func() error { // one digit or more
		if !take(digits) {
			if err := r.want(1); err != nil {
				return err
			}
			return r.wrong("not a JSON value")
		}
		for take(digits) {
		}
		return nil
	}
	take("-")
	if !take("0") {
		if err := some(); err != nil {
			return err
		}
	}
	if take(".") {
		if err := some(); err != nil {
			return err
		}
	}
	if take("eE") {
		take("+-")
		return some()
	}
	return nil
}

// text takes a string, whose opening quote is next, and hands what it means to
// each, if that is not nil, in pieces that are good until each returns. What is
// no JSON is a *formError: a control character, an escape that RFC 8259 section 7
// does not have. What has no one meaning is damage, before which each has got what
// came: bytes that are not well-formed UTF-8 (RFC 3629 section 3: nothing
// overlong, no surrogates), and surrogates that are no pair.
func (r *jsonReader) text(each func([]byte) error) error {
	r.pos++
	for {
		if err := r.want(1); err != nil {
			return err
		}
		var err error
		var said []byte
		if n := plain(r.buf[r.pos:]); n > 0 {
			said = r.buf[r.pos : r.pos+n]
			r.pos += n
		} else {
			switch c := r.buf[r.pos]; {
			case c == '"':
				r.pos++
				return nil
			case c == '\\':
				said, err = r.escapes()
			case c < ' ':
				err = r.wrong("a control character in a string, where it must be escaped")
			default:
				err = r.split()
			}
		}
		if err == nil && each != nil && r.damage == nil && len(said) > 0 {
			err = each(said)
		}
		if err != nil {
			return err
		}
	}
}

// split brings a character that the buffer cuts together. The first byte of what
// then is none is damage.
func (r *jsonReader) split() error {
	for n := 2; !utf8.FullRune(r.buf[r.pos:]); n++ {
		if err := r.want(n); err != nil {
			return err
		}
	}
	if _, size := utf8.DecodeRune(r.buf[r.pos:]); size == 1 {
		r.spoil("has a string that is not valid UTF-8")
		r.pos++
	}
	return nil
}

// escapes takes escapes that stand side by side, as those of a line end do, the
// first of which is next. It returns what they stand for, good until the next call.
func (r *jsonReader) escapes() ([]byte, error) {
	if err := r.want(2); err != nil {
		return nil, err
	}
	out := r.escaped[:0]
	for len(out) < len(r.escaped) && len(r.buf)-r.pos >= 2 && r.buf[r.pos] == '\\' {
		c := unescaped(r.buf[r.pos+1])
		if c == 0 {
			break
		}
		out = append(out, c)
		r.pos += 2
	}
	if len(out) > 0 {
		return out, nil
	}
	if r.buf[r.pos+1] != 'u' {
		return nil, r.wrong("an escape that JSON does not have: a backslash before another character than \" \\ / b f n r t u")
	}
	return r.unicode()
}

// unescaped is what c stands for after a backslash; 0: it is no escape of one
// character.
func unescaped(c byte) byte {
	switch c {
	case '"', '\\', '/':
		return c
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return 0
}

// unicode takes \uXXXX, or two of them that are a pair of surrogates (RFC 8259
// section 7). One that is alone is damage; what follows it is not taken.
func (r *jsonReader) unicode() ([]byte, error) {
	first, err := r.hex(0)
	if err != nil {
		return nil, err
	}
	if !utf16.IsSurrogate(first) {
		r.pos += 6
		return utf8.AppendRune(r.escaped[:0], first), nil
	}
	if first < 0xdc00 { // a first half
		second, err := r.half()
		if err != nil {
			return nil, err
		}
		if c := utf16.DecodeRune(first, second); c != utf8.RuneError {
			r.pos += 12
			return utf8.AppendRune(r.escaped[:0], c), nil
		}
	}
	r.spoil("has a lone surrogate in a string")
	r.pos += 6
	return nil, nil
}

// half looks at what follows \uXXXX at pos: the value of another, or 0 for anything
// else. It asks for no byte that a string without the other need not have.
func (r *jsonReader) half() (rune, error) {
	for i, c := range []byte{'\\', 'u'} {
		if err := r.want(7 + i); err != nil {
			return 0, err
		}
		if r.buf[r.pos+6+i] != c {
			return 0, nil
		}
	}
	return r.hex(6)
}

// hex reads the four digits of \uXXXX, which begins skip bytes (0 or 6) after pos,
// and takes nothing.
func (r *jsonReader) hex(skip int) (rune, error) {
	if err := r.want(skip + 6); err != nil {
		return 0, err
	}
	var v rune
	for _, c := range r.buf[r.pos+skip+2 : r.pos+skip+6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, r.wrong("an escape \\u without four hexadecimal digits")
		}
		v = v<<4 | rune(c)
	}
	return v, nil
}
