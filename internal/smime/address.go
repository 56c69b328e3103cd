package smime

import "errors"

// An Address is a mailbox in the one form in which we compare and store it.
type Address struct {
	Local  string // dot-atom as received, or UTF-8 (RFC 6532); never quoted
	Domain string // lower-case A-labels, at least two, no trailing dot
}

// String returns local@domain.
func (a Address) String() string { return a.Local + "@" + a.Domain }

// ParseAddress reads an addr-spec.
func ParseAddress(s string) (Address, error) { return Address{}, errors.New("stub") }
