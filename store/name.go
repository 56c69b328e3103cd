package store

import (
	"crypto/sha256"
	"encoding/hex"
)

// maxName bounds a file name without its ending; 255 is what file systems
// take, endings and temporary prefixes need some of it.
const maxName = 200

// namePrefix is what a hashed name keeps of the address, for people's eyes.
const namePrefix = 96

// Name returns the file name, without an ending, under which an address is
// kept. Bytes outside [a-z0-9@._+-] become %XX, as does a leading dot or
// hyphen; a name over 200 bytes becomes a prefix of itself, "%-" and the
// SHA-256 of the address in hexadecimal. Different addresses have different
// names, and no name leaves the directory it is joined to. The caller folds
// case first: an upper-case letter is escaped, not folded.
func Name(address string) string {
	const hexdigits = "0123456789ABCDEF"
	out := make([]byte, 0, len(address)+8)
	cut := 0 // longest prefix of whole characters within namePrefix
	for i := 0; i < len(address); i++ {
		c := address[i]
		if plain(c) && (i > 0 || c != '.' && c != '-') {
			out = append(out, c)
		} else {
			out = append(out, '%', hexdigits[c>>4], hexdigits[c&15])
		}
		if len(out) <= namePrefix {
			cut = len(out)
		}
	}
	if len(out) == 0 {
		return "%" // no escape of any byte: the empty address has a name of its own
	}
	if len(out) <= maxName {
		return string(out)
	}
	sum := sha256.Sum256([]byte(address))
	return string(out[:cut]) + "%-" + hex.EncodeToString(sum[:])
}

func plain(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		return true
	}
	return c == '@' || c == '.' || c == '_' || c == '+' || c == '-'
}

// safeName says whether s is a name that we gave to something inside an
// entry: of [a-z0-9.-], not hidden, not long.
func safeName(s string) bool {
	if s == "" || s[0] == '.' || len(s) > 100 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '-') {
			return false
		}
	}
	return true
}
