package webhook

import "fmt"

// sender reads msg_from: the null sender is written "" or "<>".
func (d *decoder) sender(e *event) error {
	var s string
	given, err := d.short(e, msgFrom, "msg_from", &s, maxShort)
	if err != nil || !given {
		return err
	}
	if s == "<>" {
		s = ""
	}
	e.Sender = &s
	return nil
}

// short reads a string of at most limit bytes into to, or null, which is not
// given.
func (d *decoder) short(e *event, f field, name string, to *string, limit int) (given bool, err error) {
	if !d.once(e, f, name) {
		return false, d.skip()
	}
	if null, err := d.null(); null || err != nil {
		return false, err
	}
	if ok, err := d.opens('"', name+" is not a string"); !ok || err != nil {
		return false, err
	}
	var held []byte
	err = d.text(func(p []byte) error {
		if len(held)+len(p) > limit {
			return tooLong(e, name, limit)
		}
		held = append(held, p...)
		return nil
	})
	*to = string(held)
	return true, err
}

func tooLong(e *event, name string, limit int) error {
	return &tooBigError{fmt.Sprintf("event %d: %s is longer than %d bytes", e.index, name, limit)}
}

// id reads a string or a number, as it is written, into to, or null.
func (d *decoder) id(e *event, f field, name string, to *string) error {
	c, err := d.next()
	if err != nil {
		return err
	}
	if c != '-' && (c < '0' || c > '9') {
		_, err = d.short(e, f, name, to, maxID)
		return err
	}
	if !d.once(e, f, name) {
		return d.skip()
	}
	var held []byte
	err = d.number(func(c byte) error {
		if len(held) == maxID {
			return tooLong(e, name, maxID)
		}
		held = append(held, c)
		return nil
	})
	*to = string(held)
	return err
}

// flag reads email_rfc822_is_base64, which may stand in two places, before the
// message or after it. Where they disagree, nobody can say what the message is.
func (d *decoder) flag(e *event, f field) error {
	if !d.once(e, f, "email_rfc822_is_base64") {
		return d.skip()
	}
	c, err := d.next()
	if err != nil {
		return err
	}
	switch c {
	case 'n':
		return d.literal("null")
	case 't':
		err = d.literal("true")
	case 'f':
		err = d.literal("false")
	default:
		d.spoil("is wrong: email_rfc822_is_base64 is neither true nor false")
		return d.skip()
	}
	if e.seen&hasFlag != 0 && e.Base64 != (c == 't') {
		d.spoil("has email_rfc822_is_base64 twice, and they differ")
	}
	e.Base64 = c == 't'
	e.seen |= hasFlag
	return err
}

// message reads email_rfc822 into pieces, or null.
func (d *decoder) message(e *event) error {
	if !d.once(e, rfc822, "email_rfc822") {
		return d.skip()
	}
	if null, err := d.null(); null || err != nil {
		return err
	}
	if ok, err := d.opens('"', "email_rfc822 is not a string"); !ok || err != nil {
		return err
	}
	e.at = d.at()
	e.seen |= hasMessage
	return d.text(e.message.add)
}
