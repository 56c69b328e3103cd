package webhook

import "fmt"

// A field is what an event can say, once.
type field uint16

const (
	msys field = 1 << iota
	relayMessage
	msgFrom
	rcptTo
	content
	rfc822
	outerBase64 // beside the envelope, as PowerMTA's text has it
	innerBase64 // in content, as SparkPost has it
	hasMessage  // rfc822, and not null
	hasFlag     // outerBase64 or innerBase64, and not null
)

const bothShapes = "has both msys and fields of a message beside it"

// A decoder makes events of JSON.
type decoder struct {
	*jsonReader
	scratch *scratch
	limits  decodeLimits
	each    func(*event) error
}

// event reads one element of a post and hands it over: an object with msys in
// it, or PowerMTA's with the message itself. Of a damaged one nothing is left but
// the damage.
func (d *decoder) event(index int) error {
	if index == maxEvents {
		return &tooBigError{fmt.Sprintf("more than %d events", maxEvents)}
	}
	c, err := d.next()
	if err != nil {
		return err
	}
	e := d.scratch.event(index, d.limits)
	defer e.message.drop()
	d.damage, d.damaged = nil, e.message.drop
	if c == '{' {
		err = d.members(e)
	} else {
		d.spoil("is not an object")
		err = d.skip()
	}
	if err != nil {
		return err
	}
	if d.damage == nil {
		d.complete(e)
	}
	if d.damage != nil {
		d.damage.text = fmt.Sprintf("event %d %s", index, d.damage.text)
		e = &event{index: index, damage: d.damage}
	}
	return d.each(e)
}

// members reads the object that an event is.
func (d *decoder) members(e *event) error {
	return d.object(func(key []byte) error {
		if string(key) == "msys" {
			return d.msys(e)
		}
		before := e.seen
		err := d.member(e, key)
		if before&msys != 0 && e.seen != before {
			d.spoil(bothShapes)
		}
		return err
	})
}

// complete notes what e lacks.
func (d *decoder) complete(e *event) {
	switch {
	case e.Ping:
	case e.seen == 0:
		d.spoil("has neither msys nor a message")
	case e.Recipient == "":
		d.spoil("has no rcpt_to")
	case e.seen&hasMessage == 0:
		d.spoil("has no content.email_rfc822")
	}
}

// once notes that e has f, whose value is next, and says whether it is the first
// time. Twice is damage, for nobody can say which counts.
func (d *decoder) once(e *event, f field, name string) bool {
	if e.seen&f != 0 {
		d.spoil("has " + name + " twice")
		return false
	}
	e.seen |= f
	return true
}

// msys reads the value of msys: an object with a relay_message, with nothing
// (SparkPost's validation), or with an event of another kind.
func (d *decoder) msys(e *event) error {
	if !d.once(e, msys, "msys") {
		return d.skip()
	}
	if e.seen != msys {
		d.spoil(bothShapes)
		return d.skip()
	}
	if ok, err := d.opens('{', "msys is not an object"); !ok || err != nil {
		return err
	}
	err := d.object(func(key []byte) error {
		if string(key) != "relay_message" || !d.once(e, relayMessage, "relay_message") {
			return d.skip()
		}
		if ok, err := d.opens('{', "relay_message is not an object"); !ok || err != nil {
			return err
		}
		return d.object(func(key []byte) error { return d.member(e, key) })
	})
	e.Ping = e.seen&relayMessage == 0
	return err
}

// opens says whether the next value begins with c. Another is damage, and taken.
func (d *decoder) opens(c byte, otherwise string) (bool, error) {
	got, err := d.next()
	if err == nil && got != c {
		d.spoil("is wrong: " + otherwise)
		err = d.skip()
	}
	return got == c, err
}

// null takes a null, if one is next: as good as if the key were not there.
func (d *decoder) null() (bool, error) {
	c, err := d.next()
	if err != nil || c != 'n' {
		return false, err
	}
	return true, d.literal("null")
}

// member reads the value of one key of a message.
func (d *decoder) member(e *event, key []byte) error {
	switch string(key) {
	case "msg_from":
		return d.sender(e)
	case "rcpt_to":
		_, err := d.address(e, rcptTo, "rcpt_to", &e.Recipient)
		return err
	case "email_rfc822":
		return d.message(e)
	case "email_rfc822_is_base64":
		return d.flag(e, outerBase64)
	case "content":
		return d.content(e)
	}
	return d.skip()
}

func (d *decoder) content(e *event) error {
	if !d.once(e, content, "content") {
		return d.skip()
	}
	if null, err := d.null(); null || err != nil {
		return err
	}
	if ok, err := d.opens('{', "content is not an object"); !ok || err != nil {
		return err
	}
	return d.object(func(key []byte) error {
		switch string(key) {
		case "email_rfc822":
			return d.message(e)
		case "email_rfc822_is_base64":
			return d.flag(e, innerBase64)
		}
		return d.skip()
	})
}
