package milter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
)

// Commands of the protocol, as MTAs send them.
const (
	cmdNegotiate = 'O'
	cmdMacro     = 'D'
	cmdConnect   = 'C'
	cmdHelo      = 'H'
	cmdMail      = 'M'
	cmdRcpt      = 'R'
	cmdData      = 'T'
	cmdHeader    = 'L'
	cmdEOH       = 'N'
	cmdBody      = 'B'
	cmdEOM       = 'E'
	cmdAbort     = 'A'
	cmdQuit      = 'Q'
	cmdQuitNC    = 'K'
	cmdUnknown   = 'U'
)

const (
	headLength = 4         // the length in front of a frame
	maxFrame   = 1<<20 + 1 // command and data; the largest chunk the protocol knows
	maxMacros  = 256       // names and values in one frame
	maxShort   = 16 << 10  // data of the session's and the envelope's commands: SMTP lines are shorter
	maxValues  = 64 << 10  // data of a macro frame: certificate subjects can be long
)

// tooLong says whether a frame is longer than its command can need.
func tooLong(command byte, length uint32) bool {
	switch command {
	case cmdHeader, cmdBody:
		return length > maxFrame
	case cmdMacro:
		return length > maxValues
	}
	return length > maxShort
}

// vet says what is wrong with a frame, other than BODY, before the library sees
// it. The library indexes into these without looking, or splits them into as many
// strings as there are NULs.
func vet(command byte, data []byte) error {
	switch command {
	case cmdNegotiate:
		return vetNegotiation(data)
	case cmdMacro:
		return vetMacros(data)
	case cmdConnect:
		return vetConnect(data)
	case cmdHelo, cmdMail, cmdRcpt, cmdUnknown:
		if len(data) == 0 || data[len(data)-1] != 0 {
			return errors.New("string without NUL")
		}
	case cmdHeader:
		if n := bytes.Count(data, []byte{0}); n != 2 || data[len(data)-1] != 0 {
			return fmt.Errorf("field with %d NULs, want name NUL value NUL", n)
		}
	case cmdEOM:
		// The protocol allows a last chunk here, no MTA sends one, and the
		// library would lose it.
		if len(data) != 0 {
			return errors.New("end of message with data")
		}
	case cmdBody, cmdData, cmdEOH, cmdAbort, cmdQuit, cmdQuitNC:
	default:
		return errors.New("unknown command")
	}
	return nil
}

func vetNegotiation(data []byte) error {
	if len(data) < 12 {
		return fmt.Errorf("negotiation of %d bytes, want 12", len(data))
	}
	if v := binary.BigEndian.Uint32(data); v < 2 {
		return fmt.Errorf("protocol version %d, want 2 or more", v)
	}
	return nil
}

func vetMacros(data []byte) error {
	if len(data) == 0 {
		return errors.New("macros without a command")
	}
	switch data[0] {
	case cmdConnect, cmdHelo, cmdMail, cmdRcpt, cmdData, cmdHeader, cmdEOH, cmdBody, cmdEOM, cmdAbort, cmdUnknown:
	default:
		return errors.New("macros for an unknown command")
	}
	data = data[1:]
	if len(data) == 0 {
		return nil
	}
	n := bytes.Count(data, []byte{0})
	if data[len(data)-1] != 0 || n%2 != 0 {
		return errors.New("macros that are no pairs of strings")
	}
	if n > maxMacros {
		return fmt.Errorf("%d strings in macros, at most %d", n, maxMacros)
	}
	return nil
}

func vetConnect(data []byte) error {
	_, rest, ok := bytes.Cut(data, []byte{0})
	if !ok || len(rest) == 0 {
		return errors.New("connection without host or family")
	}
	family := rest[0]
	if family == 'U' {
		return nil
	}
	if len(rest) < 3 {
		return errors.New("connection without port")
	}
	address, _, ok := bytes.Cut(rest[3:], []byte{0})
	if !ok {
		return errors.New("connection without address")
	}
	switch family {
	case 'L':
		return nil
	case '4':
		if ip := net.ParseIP(string(address)); ip != nil && ip.To4() != nil {
			return nil
		}
	case '6':
		a := strings.TrimPrefix(string(address), "IPv6:")
		if len(a) > 2 && a[0] == '[' && a[len(a)-1] == ']' {
			a = a[1 : len(a)-1]
		}
		if net.ParseIP(a) != nil {
			return nil
		}
	default:
		return errors.New("connection of an unknown family")
	}
	return errors.New("connection with a malformed address")
}
