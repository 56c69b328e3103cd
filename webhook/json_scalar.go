package webhook

import (
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

// number takes a number and hands its characters to each, if that is not nil.
// Its length has no bound here.
func (r *jsonReader) number(each func(c byte) error) error {
	take := func(set string) (bool, error) {
		// A number may be the last thing of the body, so its end is no error here.
		if r.pos == len(r.buf) && r.want(1) != nil {
			return false, nil
		}
		c := r.buf[r.pos]
		for i := range len(set) {
			if set[i] != c {
				continue
			}
			r.pos++
			if each == nil {
				return true, nil
			}
			return true, each(c)
		}
		return false, nil
	}
	const digits = "0123456789"
	some := func() error { // one digit or more
		ok, err := take(digits)
		if err == nil && !ok {
			if err := r.want(1); err != nil {
				return err
			}
			return r.wrong("not a JSON value")
		}
		for ok && err == nil {
			ok, err = take(digits)
		}
		return err
	}
	if _, err := take("-"); err != nil {
		return err
	}
	if zero, err := take("0"); err != nil {
		return err
	} else if !zero {
		if err := some(); err != nil {
			return err
		}
	}
	for _, part := range []struct{ lead, sign string }{{".", ""}, {"eE", "+-"}} {
		ok, err := take(part.lead)
		if err == nil && ok {
			if _, err = take(part.sign); err == nil {
				err = some()
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// text takes a string, whose opening quote is next, and hands what it means to
// each, if that is not nil, in pieces that are good until each returns. Only
// what has one meaning passes: well-formed UTF-8 (RFC 3629 section 3: nothing
// overlong, no surrogates), escapes of RFC 8259 section 7, surrogates in pairs,
// no control characters.
func (r *jsonReader) text(each func([]byte) error) error {
	r.pos++
	for {
		if err := r.want(1); err != nil {
			return err
		}
		if n := plain(r.buf[r.pos:]); n > 0 {
			span := r.buf[r.pos : r.pos+n]
			r.pos += n
			if each != nil {
				if err := each(span); err != nil {
					return err
				}
			}
			continue
		}
		switch c := r.buf[r.pos]; {
		case c == '"':
			r.pos++
			return nil
		case c == '\\':
			if err := r.escape(each); err != nil {
				return err
			}
		case c < ' ':
			return r.wrong("a control character in a string, where it must be escaped")
		default:
			if err := r.split(); err != nil {
				return err
			}
		}
	}
}

// plain counts the bytes at the start of b that stand for themselves.
func plain(b []byte) int {
	for i := 0; i < len(b); {
		c := b[i]
		if c >= utf8.RuneSelf {
			_, size := utf8.DecodeRune(b[i:])
			if size == 1 {
				return i
			}
			i += size
			continue
		}
		if c < ' ' || c == '"' || c == '\\' {
			return i
		}
		i++
	}
	return len(b)
}

// split brings a character that the buffer cuts together. What then is none is
// a formError.
func (r *jsonReader) split() error {
	for n := 2; !utf8.FullRune(r.buf[r.pos:]); n++ {
		if err := r.want(n); err != nil {
			return err
		}
	}
	if _, size := utf8.DecodeRune(r.buf[r.pos:]); size == 1 {
		return r.wrong("a string is not valid UTF-8")
	}
	return nil
}

// escape takes an escape, whose backslash is next.
func (r *jsonReader) escape(each func([]byte) error) error {
	if err := r.want(2); err != nil {
		return err
	}
	out := r.escaped[:0]
	switch c := r.buf[r.pos+1]; c {
	case '"', '\\', '/':
		out = append(out, c)
	case 'b':
		out = append(out, '\b')
	case 'f':
		out = append(out, '\f')
	case 'n':
		out = append(out, '\n')
	case 'r':
		out = append(out, '\r')
	case 't':
		out = append(out, '\t')
	case 'u':
		c, err := r.unicode()
		if err != nil {
			return err
		}
		r.pos += 4
		out = utf8.AppendRune(out, c)
	default:
		return r.wrong("an escape that JSON does not have: a backslash before another character than \" \\ / b f n r t u")
	}
	r.pos += 2
	if each == nil {
		return nil
	}
	return each(out)
}

// unicode reads \uXXXX at pos. Of a pair it takes the first half, so that the
// second stands in its place.
func (r *jsonReader) unicode() (rune, error) {
	first, err := r.hex()
	if err != nil || !utf16.IsSurrogate(first) {
		return first, err
	}
	lone := r.wrong("a lone surrogate in a string")
	if first >= 0xdc00 { // a second half
		return 0, lone
	}
	if err := r.want(12); err != nil {
		// At the end of the body there is no pair either, but it ends too early first.
		return 0, err
	}
	if r.buf[r.pos+6] != '\\' || r.buf[r.pos+7] != 'u' {
		return 0, lone
	}
	r.pos += 6
	second, err := r.hex()
	if err != nil {
		return 0, err
	}
	c := utf16.DecodeRune(first, second)
	if c == utf8.RuneError {
		return 0, lone
	}
	return c, nil
}

// hex reads the four digits of \uXXXX at pos, and takes nothing.
func (r *jsonReader) hex() (rune, error) {
	if err := r.want(6); err != nil {
		return 0, err
	}
	var v rune
	for _, c := range r.buf[r.pos+2 : r.pos+6] {
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
