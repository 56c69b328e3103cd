package verify

import (
	"mime"
	"strings"
)

// Collects says whether addr is a collection address. Case does not matter;
// with a RecipientDelimiter, local+extension@domain matches local@domain.
func (p *Policy) Collects(addr string) bool {
	for _, c := range p.Collect {
		if matches(c, p.RecipientDelimiter, addr) {
			return true
		}
	}
	return false
}

func matches(collect, delimiter, addr string) bool {
	if strings.EqualFold(collect, addr) {
		return true
	}
	at := strings.LastIndexByte(addr, '@')
	if delimiter == "" || at < 0 {
		return false
	}
	local, _, extended := strings.Cut(addr[:at], delimiter)
	return extended && local != "" && strings.EqualFold(collect, local+addr[at:])
}

// decodeWords decodes RFC 2047 words; what cannot be decoded stays as it is.
func decodeWords(s string) string {
	var d mime.WordDecoder
	if out, err := d.DecodeHeader(s); err == nil {
		return out
	}
	return s
}
