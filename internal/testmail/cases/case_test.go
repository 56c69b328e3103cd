package cases

import (
	"strings"
	"testing"

	"github.com/certinbox/certinbox/verify"
)

const small = `-- readme --
Nothing.
-- expect --
reject smime-none
-- at --
2026-03-02T12:00:00Z
-- envelope --
sender: a@example.org
recipients: secureme@example.com other@example.com
client: 192.0.2.1
authenticated: yes
-- message --
From: a@example.org

text
`

func TestParse(t *testing.T) {
	c, err := Parse("small", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if string(c.Message) != "From: a@example.org\r\n\r\ntext\r\n" {
		t.Errorf("message %q", c.Message)
	}
	if c.Verdict != verify.Reject || c.Reason != "smime-none" {
		t.Errorf("expects %s %s", c.Verdict, c.Reason)
	}
	e := c.Envelope
	if e.Sender == nil || *e.Sender != "a@example.org" || len(e.Recipients) != 2 || !e.Authenticated || e.Client != "192.0.2.1" {
		t.Errorf("envelope %+v", e)
	}
	again, err := Parse("small", c.WithWant("as reviewed\n"))
	if err != nil || again.Want != "as reviewed\n" {
		t.Errorf("want %q, %v", again.Want, err)
	}
}

func TestParseNamesMistakes(t *testing.T) {
	for _, x := range []struct{ old, new, want string }{
		{"-- at --\n2026-03-02T12:00:00Z\n", "", "there is no at"},
		{"2026-03-02T12:00:00Z", "now", "small: at"},
		{"-- message --", "-- text --", "no such file"},
		{"client:", "klient:", `unknown key "klient"`},
		{"sender: a@example.org", "sender", "not key: value"},
		{"-- expect --\nreject smime-none\n", "", "there is no expect"},
		{"-- message --", "-- message.b64 --", "message.b64"},
	} {
		_, err := Parse("small", []byte(strings.Replace(small, x.old, x.new, 1)))
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%q: %v, want %q", x.new, err, x.want)
		}
	}
}

func TestPolicyNamesMistakes(t *testing.T) {
	for _, p := range []string{"colour: blue", "min_rsa_bits: many", "max_age: 7 days"} {
		c, err := Parse("small", []byte(small+"-- policy --\n"+p+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Verifier(); err == nil {
			t.Errorf("the policy %q is taken", p)
		}
	}
}

func TestDemo(t *testing.T) {
	demo, err := Demo()
	if err != nil || len(demo) < 12 {
		t.Fatalf("%d cases, %v", len(demo), err)
	}
	for _, c := range demo {
		if !strings.HasPrefix(c.Name, "demo-") || c.Readme == "" {
			t.Errorf("%s: %q", c.Name, c.Readme)
		}
	}
}
