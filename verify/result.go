package verify

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Status is the answer to a check, in the result words of RFC 8601 section 2.7.
type Status string

// The statuses a check may answer with. None means that the check was not asked.
const (
	None      Status = "none"
	Pass      Status = "pass"
	Fail      Status = "fail"
	PolicyNo  Status = "policy" // it holds, but not with settings we accept
	Neutral   Status = "neutral"
	TempError Status = "temperror"
	PermError Status = "permerror"
)

// holds says whether a row with this status lets the next row decide.
func (s Status) holds() bool { return s == Pass || s == Neutral }

// A Prop is a piece of evidence, named as in RFC 8601 section 2.3 and RFC 7281
// section 3: ptype.property, for example header.d or body.smime-serial.
type Prop struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Result is the answer to one check.
type Result struct {
	Check  string // name in the table of checks
	Status Status
	Reason string // stable code, "" when the row holds; same in reply, log, metric and JSON
	Detail string // one sentence for people; foreign text in it has gone through Quote
	Plain  string // Detail without any foreign text: all that a reply may say before an aligned DKIM signature holds
	Props  []Prop
	Err    error // cause, for our own log only
}

func pass(detail string, props ...Prop) Result {
	return Result{Status: Pass, Detail: detail, Props: props}
}

func refuse(status Status, reason, detail string) Result {
	return Result{Status: status, Reason: reason, Detail: detail}
}

func notReached() Result { return Result{Status: None, Detail: "not reached"} }

// maxQuoted bounds foreign text in anything that we say.
const maxQuoted = 64

// Quote makes foreign text safe to say: at most 64 characters of
// [A-Za-z0-9 .@-], any other byte becomes '?'. It is the only way by which
// words of a message or certificate enter a Detail.
func Quote(s string) string {
	if len(s) > maxQuoted {
		s = s[:maxQuoted]
	}
	out := []byte(s)
	for i, c := range out {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == ' ', c == '.', c == '@', c == '-':
		default:
			out[i] = '?'
		}
	}
	return string(out)
}

// maxDisplayed bounds foreign text in logs and JSON.
const maxDisplayed = 256

// display makes foreign text safe for logs and JSON, never for a reply:
// printable characters stay, any other becomes '?', at most 256 bytes.
func display(s string) string {
	var b strings.Builder
	for _, c := range s {
		if b.Len()+utf8.UTFMax > maxDisplayed {
			break
		}
		if c == utf8.RuneError || !unicode.IsPrint(c) {
			c = '?'
		}
		b.WriteRune(c)
	}
	return b.String()
}
