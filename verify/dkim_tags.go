package verify

import (
	"encoding/base64"
	"errors"
	"strings"
)

// maxTags bounds a tag list; a DKIM signature knows fourteen.
const maxTags = 64

// fws is the folding white space of RFC 6376 section 2.8. What Unicode takes
// for white space beyond that is not: libraries differ about it.
const fws = " \t\r\n"

// parseTags reads a tag=value list (RFC 6376 section 3.2): DKIM signatures,
// their keys, and DMARC records. Values are cut free of white space around
// them. A repeated tag makes the list invalid. Errors are in our own words.
func parseTags(s string) (map[string]string, error) {
	tags := make(map[string]string)
	for spec := range strings.SplitSeq(s, ";") {
		if strings.Trim(spec, fws) == "" {
			continue
		}
		name, value, ok := strings.Cut(spec, "=")
		name = strings.Trim(name, fws)
		switch {
		case !ok:
			return nil, errors.New("a tag has no value")
		case !tagName(name):
			return nil, errors.New("a tag has an impossible name")
		case len(tags) == maxTags:
			return nil, errors.New("there are too many tags")
		}
		if _, repeated := tags[name]; repeated {
			return nil, errors.New("a tag is repeated")
		}
		tags[name] = strings.Trim(value, fws)
	}
	return tags, nil
}

func tagName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || !('0' <= c && c <= '9' || c == '_')) {
			return false
		}
	}
	return s != ""
}

// tagList splits a colon-separated value.
func tagList(s string) []string {
	items := strings.Split(s, ":")
	for i := range items {
		items[i] = strings.Trim(items[i], fws)
	}
	return items
}

// tagBytes decodes a base64 value, which may be folded anywhere.
func tagBytes(s string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(stripFWS(s))
}

func stripFWS(s string) string {
	if !strings.ContainsAny(s, fws) {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		if strings.IndexByte(fws, s[i]) < 0 {
			out = append(out, s[i])
		}
	}
	return string(out)
}
