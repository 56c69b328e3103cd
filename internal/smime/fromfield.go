package smime

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// ParseFrom returns the one mailbox of a From field (RFC 5322 section 3.6.2),
// given unfolded. The address is strict (ParseAddress). The display name is
// lenient: quoted strings, comments, raw UTF-8, dots and encoded words are
// skipped unread. Lists, groups, routes and whatever two programs could take
// for two addresses are errors: so is an @ in the display name or in a comment
// that is outside of quotes, unless it spells the same address again. The
// words of an error are ours, without the input. One pass over value.
func ParseFrom(value string) (Address, error) {
	if !utf8.ValidString(value) {
		return Address{}, errors.New("smime: from: not UTF-8")
	}
	if hasControl(value) {
		return Address{}, errors.New("smime: from: a control character")
	}
	s := fromScanner{rest: value}
	if err := s.scan(); err != nil {
		return Address{}, err
	}
	spec, err := s.addrSpec()
	if err != nil {
		return Address{}, err
	}
	a, err := ParseAddress(spec)
	switch {
	case err != nil:
		return Address{}, err
	case strings.Contains(a.Local, "=?"):
		return Address{}, errors.New("smime: from: an encoded word in the address")
	}
	for _, said := range s.said {
		if !spells(said, a) {
			return Address{}, errors.New("smime: from: the display name holds another address")
		}
	}
	return a, nil
}

// maxSaid bounds the words with an @ in a display name; each is parsed.
const maxSaid = 8

// A fromScanner separates a From value into words, display-name matter and at
// most one address in angle brackets.
type fromScanner struct {
	rest   string
	words  []string // unquoted, outside of comments; more than one is a display name
	quoted bool     // there is a quoted string
	angle  *string  // what stands between < and >
	said   []string // what holds an @ in the display name or a comment
}

func (s *fromScanner) scan() error {
	for s.rest != "" {
		var err error
		switch c := s.rest[0]; {
		case c == ' ' || c == '\t':
			s.rest = s.rest[1:]
		case c == '(':
			err = s.comment()
		case s.angle != nil:
			return errors.New("smime: from: something follows the address")
		case c == '"':
			s.quoted = true
			err = s.quotedString()
		case c == '<':
			err = s.angleAddress()
		default:
			err = s.word()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// comment skips a comment with those inside it (RFC 5322 section 3.2.2).
func (s *fromScanner) comment() error {
	depth := 0
	for i := 0; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				err := s.say(s.rest[:i+1])
				s.rest = s.rest[i+1:]
				return err
			}
		}
	}
	return errors.New("smime: from: a comment has no end")
}

// quotedString skips a quoted string (RFC 5322 section 3.2.4).
func (s *fromScanner) quotedString() error {
	for i := 1; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '\\':
			i++
		case '"':
			s.rest = s.rest[i+1:]
			return nil
		}
	}
	return errors.New("smime: from: a quoted string has no end")
}

func (s *fromScanner) angleAddress() error {
	end := strings.IndexByte(s.rest, '>')
	if end < 0 {
		return errors.New("smime: from: an angle bracket has no end")
	}
	spec := s.rest[1:end]
	s.angle, s.rest = &spec, s.rest[end+1:]
	return nil
}

// word takes a run of characters that mean nothing by themselves.
func (s *fromScanner) word() error {
	end := strings.IndexAny(s.rest, " \t()<>\",;:\\[]")
	switch {
	case end < 0:
		end = len(s.rest)
	case end == 0:
		return errors.New("smime: from: a list, a group, a route or a stray special character instead of one mailbox")
	}
	s.words = append(s.words, s.rest[:end])
	s.rest = s.rest[end:]
	return nil
}

// say notes the runs of text that hold an @.
func (s *fromScanner) say(text string) error {
	if !strings.Contains(text, "@") {
		return nil
	}
	for _, run := range strings.FieldsFunc(text, func(r rune) bool {
		return r != '.' && r != '@' && !isAtext(r)
	}) {
		if !strings.Contains(run, "@") {
			continue
		}
		if len(s.said) == maxSaid {
			return errors.New("smime: from: too many addresses in the display name")
		}
		s.said = append(s.said, run)
	}
	return nil
}

// addrSpec says which text is the address: that in angle brackets, or the
// only word there is.
func (s *fromScanner) addrSpec() (string, error) {
	if s.angle != nil {
		for _, w := range s.words {
			if err := s.say(w); err != nil {
				return "", err
			}
		}
		return *s.angle, nil
	}
	switch {
	case s.quoted:
		return "", errors.New("smime: from: a quoted string without an address in angle brackets")
	case len(s.words) == 0:
		return "", errors.New("smime: from: empty")
	case len(s.words) > 1:
		return "", errors.New("smime: from: several words without an address in angle brackets")
	}
	return s.words[0], nil
}

// spells says whether a run of text is the address a, perhaps between single
// quotes, as some clients write it.
func spells(text string, a Address) bool {
	if t, ok := strings.CutPrefix(text, "'"); ok {
		text = strings.TrimSuffix(t, "'")
	}
	b, err := ParseAddress(text)
	if err != nil {
		return false
	}
	same, _ := Same(a, b)
	return same
}
