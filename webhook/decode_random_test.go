package webhook

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// Whatever order a producer writes the members of a post in, however it escapes
// and spaces them, and whatever else it adds, encoding/json and we read the same.
func TestRandomPosts(t *testing.T) {
	for seed := range uint64(3000) {
		g := producer{rand.New(rand.NewPCG(seed, 4))}
		body := g.post()
		want, ok := referencePost([]byte(body))
		if !ok || hasDamage(want) {
			t.Fatalf("seed %d: the test made no post: %s", seed, body)
		}
		all, err := readPost(t, strings.NewReader(body))
		if err != nil || fmt.Sprintf("%+v", all) != fmt.Sprintf("%+v", want) {
			t.Fatalf("seed %d: %+v, %v; want %+v; of %s", seed, all, err, want, body)
		}
	}
}

// A producer writes relay posts as oddly as JSON allows.
type producer struct{ *rand.Rand }

func (g producer) one(of ...string) string { return of[g.IntN(len(of))] }
func (g producer) blank() string           { return g.one("", "", "", " ", "\n", "\r\n\t ") }

func (g producer) post() string {
	if g.IntN(4) == 0 {
		return g.blank() + g.event() + g.blank()
	}
	var list []string
	for range g.IntN(4) {
		list = append(list, g.blank()+g.event()+g.blank())
	}
	return "[" + strings.Join(list, ",") + g.blankIf(len(list) == 0) + "]"
}

func (g producer) blankIf(yes bool) string {
	if yes {
		return g.blank()
	}
	return ""
}

func (g producer) event() string {
	switch g.IntN(5) {
	case 0:
		return g.object(`"msys"`, g.one("{}", `{ }`, `{"message_event":{"a":[1,{}]}}`))
	case 1:
		return g.message()
	}
	return g.object(`"msys"`, g.object(`"relay_message"`, g.message()))
}

func (g producer) message() string {
	const text, inBase64 = "A: b\r\n\r\nstart 1 \\ \"ä\" \u20ac\U0001f600\x00\r\n", "QTogYg0K\nDQp4DQo="
	raw, flag := g.quote(text), g.one("", "false", "null")
	if g.IntN(2) == 0 {
		raw, flag = g.quote(inBase64), "true"
	}
	var outer, inner []string
	place := func(name, value string) {
		if g.IntN(2) == 0 {
			outer = append(outer, name, value)
		} else {
			inner = append(inner, name, value)
		}
	}
	place(`"email_rfc822"`, raw)
	if flag != "" {
		place(`"email_rfc822_is_base64"`, flag)
	}
	if len(inner) > 0 || g.IntN(2) == 0 {
		outer = append(outer, `"content"`, g.object(inner...))
	}
	outer = append(outer, g.one(`"rcpt_to"`, `"rcpt\u005Fto"`), g.quote("c@y.example"))
	for _, m := range [][]string{
		{`"msg_from"`, `"a@x.example"`, `""`, `"<>"`, `null`},
		{`"webhook_id"`, `"1"`, `1`, `-1.25E+3`, `null`, `""`},
		{`"customer_id"`, `"1026"`, `1026`, `0`},
		{`"protocol"`, `"smtp"`, `null`},
	} {
		if g.IntN(3) > 0 {
			outer = append(outer, m[0], g.one(m[1:]...))
		}
	}
	return g.object(outer...)
}

// object writes members in any order, with others among them.
func (g producer) object(members ...string) string {
	var list []string
	for i := 0; i < len(members); i += 2 {
		list = append(list, g.blank()+members[i]+g.blank()+":"+g.blank()+members[i+1]+g.blank())
	}
	for i := range g.IntN(3) {
		list = append(list, fmt.Sprintf(`"x%d":%s`, i, g.one(`null`, `true`, `[]`, `[ 1 , -0.5e-7 ]`, `{"rcpt_to":{}}`, `"\ud83d\ude00"`)))
	}
	g.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return "{" + strings.Join(list, ",") + g.blankIf(len(list) == 0) + "}"
}

// quote writes a string, some of its characters escaped that need not be.
func (g producer) quote(s string) string {
	text, _ := json.Marshal(s)
	for _, pair := range [][2]string{{"a", `\u0061`}, {"ä", `\u00E4`}, {"\U0001f600", `\uD83d\uDe00`}, {`\"`, `\u0022`}, {`\r`, `\u000d`}, {"/", `\/`}} {
		if g.IntN(2) == 0 {
			text = []byte(strings.ReplaceAll(string(text), pair[0], pair[1]))
		}
	}
	return string(text)
}
