package webhook

import "fmt"

// A field is what an event can say, once.
type field uint16

const (
	msys field = 1 << iota
	relayMessage
	msgFrom
	rcptTo
	webhookID
	customerID
	protocol
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
	if c != '{' {
		return d.bad(e, "is not an object")
	}
	defer e.message.drop()
	d.damage, d.damaged = nil, e.message.drop
	err = d.object(func(key []byte) error {
		if string(key) == "msys" {
			return d.msys(e)
		}
		before := e.seen
		err := d.member(e, key)
		if err == nil && before&msys != 0 && e.seen != before {
			err = d.bad(e, bothShapes)
		}
		return err
	})
	if err == nil && d.damage != nil {
		d.damage.text = fmt.Sprintf("event %d: %s", index, d.damage.text)
		e = &event{index: index, damage: d.damage}
	} else if err == nil {
		err = d.complete(e)
	}
	if err != nil {
		return err
	}
	return d.each(e)
}

// bad is a formError about e.
func (d *decoder) bad(e *event, text string) error {
	return d.wrong(fmt.Sprintf("event %d %s", e.index, text))
}

// complete says what e lacks.
func (d *decoder) complete(e *event) error {
	switch {
	case e.Ping:
		return nil
	case e.seen == 0:
		return d.bad(e, "has neither msys nor a message")
	case e.Recipient == "":
		return d.bad(e, "has no rcpt_to")
	case e.seen&hasMessage == 0:
		return d.bad(e, "has no content.email_rfc822")
	}
	return nil
}

// once notes that e has f; twice is a formError, for nobody can say which counts.
func (d *decoder) once(e *event, f field, name string) error {
	if e.seen&f != 0 {
		return d.bad(e, "has "+name+" twice")
	}
	e.seen |= f
	return nil
}

// msys reads the value of msys: an object with a relay_message, with nothing
// (SparkPost's validation), or with an event of another kind.
func (d *decoder) msys(e *event) error {
	if err := d.once(e, msys, "msys"); err != nil {
		return err
	}
	if e.seen != msys {
		return d.bad(e, bothShapes)
	}
	if err := d.opens(e, '{', "msys is not an object"); err != nil {
		return err
	}
	err := d.object(func(key []byte) error {
		if string(key) != "relay_message" {
			return d.skip()
		}
		if err := d.once(e, relayMessage, "relay_message"); err != nil {
			return err
		}
		if err := d.opens(e, '{', "relay_message is not an object"); err != nil {
			return err
		}
		return d.object(func(key []byte) error { return d.member(e, key) })
	})
	e.Ping = e.seen&relayMessage == 0
	return err
}

// opens is nil if the next value begins with c.
func (d *decoder) opens(e *event, c byte, otherwise string) error {
	got, err := d.next()
	if err == nil && got != c {
		err = d.bad(e, "is wrong: "+otherwise)
	}
	return err
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
	var err error
	switch string(key) {
	case "msg_from":
		return d.sender(e)
	case "rcpt_to":
		_, err = d.short(e, rcptTo, "rcpt_to", &e.Recipient, maxShort)
	case "webhook_id":
		return d.id(e, webhookID, "webhook_id", &e.WebhookID)
	case "customer_id":
		return d.id(e, customerID, "customer_id", &e.CustomerID)
	case "protocol":
		_, err = d.short(e, protocol, "protocol", &e.Protocol, maxShort)
	case "email_rfc822":
		return d.message(e)
	case "email_rfc822_is_base64":
		return d.flag(e, outerBase64)
	case "content":
		return d.content(e)
	default:
		return d.skip()
	}
	return err
}

func (d *decoder) content(e *event) error {
	if err := d.once(e, content, "content"); err != nil {
		return err
	}
	if null, err := d.null(); null || err != nil {
		return err
	}
	if err := d.opens(e, '{', "content is not an object"); err != nil {
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
