package store

import (
	"bytes"
	"encoding/json"
)

// mentions says whether the JSON or the text of a report names an address.
func mentions(text []byte, address string) bool {
	if names(text, address) {
		return true
	}
	quoted, err := json.Marshal(address) // '&' is written otherwise
	quoted = bytes.Trim(quoted, `"`)
	return err == nil && string(quoted) != address && names(text, string(quoted))
}

// names says whether a text names an address, in any case, not merely as a
// part of a longer one.
func names(text []byte, address string) bool {
	text, want := bytes.ToLower(text), bytes.ToLower([]byte(address))
	inside := func(c byte) bool { return plain(c) && c != '.' || c >= 0x80 }
	goesOn := func(rest []byte) bool { // a full stop may end the sentence or go on with the domain
		return len(rest) > 0 && inside(rest[0]) || len(rest) > 1 && rest[0] == '.' && inside(rest[1])
	}
	for from := 0; len(want) > 0; {
		i := bytes.Index(text[from:], want)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(want)
		escape := i > 1 && text[i-2] == '\\' || i > 5 && text[i-6] == '\\' && text[i-5] == 'u' // "\n" or "\u003c" before it in JSON
		if (i == 0 || escape || !inside(text[i-1]) && text[i-1] != '.') && !goesOn(text[end:]) {
			return true
		}
		from = i + 1
	}
	return false
}
