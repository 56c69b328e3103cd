package webhook

import "fmt"

// sender reads msg_from: the null sender is written "" or "<>".
func (d *decoder) sender(e *event) error {
	var s string
	given, err := d.address(e, msgFrom, "msg_from", &s)
	if err != nil || !given {
		return err
	}
	if s == "<>" {
		s = ""
	}
	e.Sender = &s
	return nil
}

// address reads a string of at most maxAddress bytes into to, or null, which is not
// given. A longer one is damage.
func (d *decoder) address(e *event, f field, name string, to *string) (given bool, err error) {
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
	long := false
	err = d.text(func(p []byte) error {
		if long = long || len(held)+len(p) > maxAddress; !long {
			held = append(held, p...)
		}
		return nil
	})
	if long && err == nil {
		d.spoil(fmt.Sprintf("is wrong: %s is longer than %d bytes", name, maxAddress))
	}
	*to = string(held)
	return true, err
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
