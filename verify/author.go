package verify

import (
	"errors"

	"github.com/certinbox/certinbox/internal/smime"
)

// author returns the one address that a message says it is from. Sender,
// Reply-To, the envelope and every Resent- field mean nothing here.
func author(h smime.Header) (smime.Address, error) {
	fields := h.All("From")
	switch len(fields) {
	case 0:
		return smime.Address{}, errors.New("verify: from: there is no From field")
	case 1:
		return smime.ParseFrom(fields[0].Value())
	}
	return smime.Address{}, errors.New("verify: from: there are several From fields")
}
