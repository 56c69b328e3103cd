package webhook

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// plain counts the bytes at the start of b that stand for themselves in a string
// of JSON: no quote, no backslash, no control character, and nothing that is not
// UTF-8 or is cut short.
func plain(b []byte) int {
	i := 0
	for i < len(b) {
		switch c := b[i]; {
		case c < utf8.RuneSelf:
			n := plainASCII(b[i:])
			if n == 0 {
				return i
			}
			i += n
		case 0xc2 <= c && c <= 0xdf && i+1 < len(b) && b[i+1]&0xc0 == 0x80:
			i += 2 // as DecodeRune says of two bytes, at a third of the time
		default:
			_, size := utf8.DecodeRune(b[i:])
			if size == 1 {
				return i
			}
			i += size
		}
	}
	return i
}

// plainASCII is plain for ASCII alone. A mail is little else, so it goes by eight
// bytes.
func plainASCII(b []byte) int {
	i := 0
	for ; len(b)-i >= 8; i += 8 {
		if at := special(binary.LittleEndian.Uint64(b[i:])); at != 0 {
			return i + bits.TrailingZeros64(at)/8
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			break
		}
	}
	return i
}

// special marks the lowest byte of eight that plainASCII must not take, by its
// highest bit; 0: there is none. Bytes above that one may be marked without reason:
// a subtraction borrows from the next byte only where it has marked one.
func special(w uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, backslash := w^ones*'"', w^ones*'\\'
	below := (w - ones*' ') | (quote - ones) | (backslash - ones)
	return (below | w) & highs
}
