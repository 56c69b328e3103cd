package main

import (
	"encoding/base64"
	"fmt"
	"unicode/utf8"
)

// A relayPost is a post of one message as SparkPost makes it.
type relayPost struct {
	message           []byte
	sender, recipient string // of the envelope
	base64            bool   // also where the message is UTF-8
}

// encode returns the JSON of the post: the message to the byte, in base64 where it
// is not valid UTF-8. An address that is not UTF-8 is an error.
func (p relayPost) encode() ([]byte, error) {
	if !utf8.ValidString(p.sender) || !utf8.ValidString(p.recipient) {
		return nil, fmt.Errorf("the addresses %q and %q must be UTF-8", p.sender, p.recipient)
	}
	// Fields in the order in which people look for them.
	type content struct {
		Message string `json:"email_rfc822"`
		Base64  bool   `json:"email_rfc822_is_base64"`
	}
	type relayMessage struct {
		Sender    string  `json:"msg_from"`
		Recipient string  `json:"rcpt_to"`
		From      string  `json:"friendly_from"`
		Webhook   string  `json:"webhook_id"`
		Customer  string  `json:"customer_id"`
		Protocol  string  `json:"protocol"`
		Content   content `json:"content"`
	}
	type msys struct {
		Message relayMessage `json:"relay_message"`
	}
	type event struct {
		Msys msys `json:"msys"`
	}
	c := content{string(p.message), p.base64 || !utf8.Valid(p.message)}
	if c.Base64 {
		c.Message = base64.StdEncoding.EncodeToString(p.message)
	}
	return plainJSON([]event{{msys{relayMessage{p.sender, p.recipient, p.sender, "1", "1", "smtp", c}}}})
}
