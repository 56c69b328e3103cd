package webhook

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// TestDamageLetsGo: the message of an event is let go as soon as the event is known
// to be damaged, and no more of it is held.
func TestDamageLetsGo(t *testing.T) {
	text := strings.Repeat("word ", 20000)
	for name, parts := range map[string][2]string{
		"in the message": {`[{"rcpt_to":"c","email_rfc822":"` + text + `\udc00`, text + `"}]`},
		"behind it":      {`[{"rcpt_to":"c","email_rfc822":"` + text + `","subject":"` + "\xff", `"}]`},
		"before it":      {`[{"rcpt_to":"c","` + "\xff" + `":1,"email_rfc822":"` + text, text + `"}]`},
	} {
		var l heldLedger
		now := readerFunc(func() {
			if l.held != 0 {
				t.Errorf("%s: %d bytes are held after it", name, l.held)
			}
		})
		damaged := 0
		err := decode(io.MultiReader(strings.NewReader(parts[0]), now, strings.NewReader(parts[1])), l.limits(1<<20), func(e *event) error {
			var form *formError
			if _, err := e.WriteTo(io.Discard); errors.As(err, &form) && e.Recipient == "" && e.Size() == 0 {
				damaged++
			}
			return nil
		})
		if err != nil || damaged != 1 {
			t.Errorf("%s: %d damaged, %v", name, damaged, err)
		}
	}
}

// readerFunc is called once, and has nothing to read.
type readerFunc func()

func (f readerFunc) Read([]byte) (int, error) { f(); return 0, io.EOF }

// TestDamageHidesNothing: what is wrong with the shape of an event stops to matter
// behind damage, what is no JSON does not, and the events around are as they were.
func TestDamageHidesNothing(t *testing.T) {
	const bad = `"x":"\ud800"`
	for middle, says := range map[string]string{
		`{` + bad + `}`: "",
		`{` + bad + `,"rcpt_to":1,"rcpt_to":2,"msys":[]}`:                           "",
		`{"msys":{"relay_message":{"content":{` + bad + `}}},"rcpt_to":1}`:          "",
		`{` + bad + `,"rcpt_to":"` + strings.Repeat("c", maxAddress+1) + `"}`:       "",
		`{` + bad + `,"email_rfc822":"` + strings.Repeat("c", 1<<20+1) + `"}`:       "",
		`{"rcpt_to":"` + strings.Repeat("c", maxAddress+1) + `",` + bad + `}`:       "",
		`{"rcpt_to":"c","msg_from":"` + strings.Repeat("c", 1<<20) + `"}`:           "",
		`{"rcpt_to":1,` + bad + `}`:                                                 "",
		`{"rcpt_to":1}`:                                                             "",
		`{"rcpt_to":{"msys":[1]}}`:                                                  "",
		`{"rcpt_to":"c"}`:                                                           "",
		`{"rcpt_to":"c","email_rfc822":"x","msys":{"relay_message":` + msgOK + `}}`: "",
		`{"msys":{"relay_message":[` + msgOK + `]}}`:                                "",
		`17`:              "",
		`[` + msgOK + `]`: "",
		`{"rcpt_to":"c","email_rfc822":"x","email_rfc822":"` + "\xff" + `"}`:          "",
		`{"email_rfc822_is_base64":[true],"rcpt_to":"c","email_rfc822":"x"}`:          "",
		`{` + bad + `,"y":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`: "nested deeper",
		`{` + bad + `,"y":tru}`: "not a JSON value",
		`{"x":"\ud800\u00g0"}`:  "four hexadecimal digits",
		`{"x":"\ud800\u00"}`:    "four hexadecimal digits",
		`{"x":"\ud800\"}`:       "neither",
	} {
		for name, r := range bodyReaders(`[` + msgOK + `,` + middle + `,` + msgOK + `]`) {
			all, damage, err := readAll(t, r)
			var states []string
			for _, g := range all {
				states = append(states, fmt.Sprint(g.to, g.damaged))
			}
			want := map[bool]string{true: "[cfalse true cfalse]", false: "[cfalse]"}[says == ""]
			if fmt.Sprint(states) != want || (damage != nil) != (says == "") || says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
				t.Errorf("%.60s, %s: %s, %v, %v", middle, name, states, damage, err)
			}
		}
	}
}
