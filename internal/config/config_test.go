package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/certinbox/certinbox/verify"
)

const example = "../../config.yaml.example"

// The example is the reference: with every key, and every key at its default.
func TestExampleIsTheReference(t *testing.T) {
	c, err := Load(example)
	if err != nil {
		t.Fatal(err)
	}
	d := Defaults()
	d.Collect = []string{"secureme@example.com"} // the one key without a default
	if diff := Diff(&d, c); diff != nil {
		t.Errorf("the example differs from the defaults in %v", diff)
	}
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	present(t, doc.Content[0], reflect.TypeFor[Config](), "", string(text))
}

// present walks the struct and fails for each key that the example lacks.
func present(t *testing.T, n *yaml.Node, typ reflect.Type, path, text string) {
	t.Helper()
	for i := range typ.NumField() {
		key := typ.Field(i).Tag.Get("yaml")
		if key == "" {
			t.Errorf("field %s of %s has no key", typ.Field(i).Name, typ)
			continue
		}
		ft := typ.Field(i).Type
		var val *yaml.Node
		for j := 0; j+1 < len(n.Content); j += 2 {
			if n.Content[j].Value == key {
				val = n.Content[j+1]
			}
		}
		if val == nil {
			t.Errorf("the example lacks %s", join(path, key))
			continue
		}
		if ft.Kind() == reflect.Slice && ft.Elem().Kind() == reflect.Struct {
			ft = ft.Elem()
			if val.Kind == yaml.SequenceNode { // an empty list: its elements' keys stand in a comment
				for i := range ft.NumField() {
					if k := ft.Field(i).Tag.Get("yaml"); k != "" && !strings.Contains(text, k+": ") {
						t.Errorf("the example does not show %s[].%s", join(path, key), k)
					}
				}
				continue
			}
		}
		if _, ok := reflect.New(ft).Interface().(parser); !ok && ft.Kind() == reflect.Struct {
			present(t, val, ft, join(path, key), text)
		}
	}
}

func TestPolicyIsTheDefaultPolicy(t *testing.T) {
	c := Defaults()
	c.Collect = []string{"secureme@example.com"}
	want := verify.DefaultPolicy()
	want.Collect = c.Collect
	if got := c.Policy(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// Every number of the limits reaches the policy.
func TestEveryLimitIsUsed(t *testing.T) {
	base := Defaults()
	for i := range reflect.TypeFor[Limits]().NumField() {
		c := Defaults()
		f := reflect.ValueOf(&c.Limits).Elem().Field(i)
		f.SetInt(f.Int() + 1)
		key := reflect.TypeFor[Limits]().Field(i).Tag.Get("yaml")
		if key == "judged" || key == "in_flight" || key == "new_per_domain" { // those of collector and store
			continue
		}
		if reflect.DeepEqual(c.Policy(), base.Policy()) {
			t.Errorf("limits.%s changes nothing", key)
		}
	}
}

func TestLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := `
collect: [a@example.com, b@EXAMPLE.org]
mode: observe
milter:
  - {listen: "unix:/run/certinbox/milter.sock", group: postfix, mode: 0600}
  - {listen: "inet6:[::1]:8894"}
relays: [192.0.2.1, 2001:db8::/32]
own_networks: 10.0.0.0/8
freshness: {max_age: 1d12h, max_ahead: 90s}
trust:
  anchors:
    - {file: /etc/ca.pem, domains: any}
    - {file: /etc/other.pem, domains: [example.com, .example.net], allow_missing_eku: true}
limits: {message: 20MiB, in_flight: 1GiB}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case len(c.Collect) != 2, c.Mode != Observe,
		len(c.Milter) != 2, c.Milter[0] != Listener{"unix:/run/certinbox/milter.sock", "postfix", 0o600},
		c.Milter[1] != Listener{"inet6:[::1]:8894", "", 0o660},
		c.Relays[0].String() != "192.0.2.1/32", c.OwnNetworks[0].String() != "10.0.0.0/8",
		c.Freshness.MaxAge != Duration(36*time.Hour), c.Freshness.MaxAhead != Duration(90*time.Second),
		len(c.Trust.Anchors) != 2, c.Trust.Anchors[0].Domains[0] != AnyDomain, !c.Trust.Anchors[1].AllowMissingEKU,
		c.Limits.Message != 20<<20, c.Limits.Chain != 8:
		t.Errorf("read %+v", c)
	}
	if _, err := Load(file + ".missing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// need makes a document of a line complete.
const need = "collect: [a@example.com]\n"

func TestMistakes(t *testing.T) {
	tests := []struct {
		name string
		text string
		want []string // LINE: PATH: TEXT, or how it begins
	}{
		{"empty", "", []string{"f: is empty"}},
		{"only a comment", "# nothing\n", []string{"f: is empty"}},
		{"null document", "~\n", []string{"f: is empty"}},
		{"no YAML", "collect: [a@example.com\nmode: x", []string{"f:"}},
		{"not keys", "- a\n", []string{"f:1: must hold keys: collect, mode", "f: collect: is required"}},
		{"tab", "collect:\n\t- a", []string{"f:2: is not YAML: found character that cannot start any token"}},
		{"second document", need + "---\nmode: observe\n", []string{"f:2: holds a second document"}},
		{"broken second document", need + "---\n[", []string{"f:"}},
		{"missing collect", "mode: enforce\n", []string{"f: collect: is required"}},
		{"null", need + "mode:\n", []string{"f:2: mode: has no value"}},
		{"tilde", "collect: ~\n", []string{"f:1: collect: has no value"}},
		{"unknown key", need + "modes: enforce\n", []string{"f:2: modes: unknown key: did you mean mode?"}},
		{"unknown nested key", need + "dkim:\n  l: 5\n", []string{"f:3: dkim.l: unknown key"}},
		{"unknown key of an element", need + "trust: {anchors: [{file: /a, domains: any, eku: true}]}\n", []string{"f:2: trust.anchors[0].eku: unknown key"}},
		{"ugly key", need + "\"a\\nb\": 1\n", []string{`f:2: "a\nb": unknown key`}},
		{"merge key", need + "<<: {mode: observe}\n", []string{"f:2: <<: unknown key"}},
		{"twice", need + "mode: enforce\nmode: observe\n", []string{"f:3: mode: is given twice, first on line 2"}},
		{"twice, nested", need + "dkim: {alignment: strict, alignment: relaxed}\n", []string{"f:2: dkim.alignment: is given twice"}},
		{"alias", need + "help_url: &a https://x.example/\nauthserv_id: *a\n", []string{"f:2: help_url: uses an anchor", "f:3: authserv_id: uses an anchor"}},
		{"tag", need + "mode: !!str enforce\n", []string{"f:2: mode: has an explicit tag"}},
		{"scalar for keys", need + "dkim: strict\n", []string{"f:2: dkim: must hold keys: alignment, min_rsa_bits"}},
		{"keys for scalar", need + "mode: {a: b}\n", []string{"f:2: mode: must be a single value"}},
		{"list for scalar", need + "mode: [observe]\n", []string{"f:2: mode: must be a single value"}},
		{"yes", need + "trust: {anchors: {file: /a, domains: any, allow_missing_eku: yes}}\n", []string{"f:2: trust.anchors.allow_missing_eku: must be true or false"}},
		{"float", need + "limits: {chain: 8.0}\n", []string{"f:2: limits.chain: must be a whole number"}},
		{"bare time", need + "freshness: {max_age: 7}\n", []string{"f:2: freshness.max_age: must be a time like"}},
		{"negative time", need + "freshness: {max_ahead: -3h}\n", []string{"f:2: freshness.max_ahead: must be a time like"}},
		{"long time", need + "freshness: {max_age: 9999999999999d}\n", []string{"f:2: freshness.max_age: must be a time like"}},
		{"size", need + "limits: {cms: 1MB}\n", []string{"f:2: limits.cms: must be a number of bytes"}},
		{"huge size", need + "limits: {cms: 99999999999GiB}\n", []string{"f:2: limits.cms: must be a number of bytes"}},
		{"decimal mode", need + "milter: {listen: \"unix:/a\", mode: 999}\n", []string{"f:2: milter.mode: must be octal permissions"}},
		{"network with host bits", need + "relays: [192.0.2.1/24]\n", []string{"f:2: relays[0]: has bits beyond its prefix length: did you mean 192.0.2.0/24?"}},
		{"network", need + "relays: mail.example.com\n", []string{"f:2: relays: must be an IP address or a network"}},
		{"word", need + "mode: watch\nrefuse: some\non_accept: drop\n", []string{"f:2: mode: must be one of enforce, observe", "f:3: refuse: must be one of all, signed, none", "f:4: on_accept: must be one of deliver, discard"}},
		{"address", "collect: [secureme, a@example.com, \"b c@example.com\"]\n", []string{"f:1: collect[0]: is not a mail address", "f:1: collect[2]: is not a mail address"}},
		{"listener", need + "milter: {listen: \"8894\"}\n", []string{"f:2: milter.listen: must be inet:HOST:PORT"}},
		{"listeners", need + "milter: [{listen: \"inet::8894\"}, {listen: \"unix:relative\"}, {listen: \"inet:a:x\"}, {listen: \"unix:/a\", group: \"a b\"}, {listen: \"inet:h:1\", group: g}, {listen: \"inet:h:1\"}]\n",
			[]string{"f:2: milter[0].listen: must be", "f:2: milter[1].listen: must be", "f:2: milter[2].listen: must be", "f:2: milter[3].group: is not", "f:2: milter[4].group: is for unix sockets only", "f:2: milter[5].listen: is the same"}},
		{"no listener", need + "milter: []\n", []string{"f:2: milter: needs at least one listener, as long as webhook.listen has none"}},
		{"reachable without auth", need + "webhook: {listen: [{listen: \"inet:0.0.0.0:80\"}, {listen: \"inet:localhost:80\"}, {listen: \"inet6:[::1]:80\"}, {listen: \"unix:/a\"}]}\n",
			[]string{"f:2: webhook.listen[0].listen: can be reached from other machines, and webhook.auth is empty", "f:2: webhook.listen[1].listen: can be reached"}},
		{"HTTP listeners", need + "webhook: {listen: [{listen: \"unix:/a\", key: /k}, {listen: \"unix:/a\", certificate: c, key: k}, {listen: \"inet:127.0.0.1:1\", group: g, mode: 999}]}\n",
			[]string{"f:2: webhook.listen[2].mode: must be octal", "f:2: webhook.listen[0]: needs certificate and key, or neither", "f:2: webhook.listen[1].certificate: must be the absolute path", "f:2: webhook.listen[1].key: must be the absolute path", "f:2: webhook.listen[1].listen: is the same", "f:2: webhook.listen[2].group: is for unix sockets only"}},
		{"paths", need + "webhook: {paths: [x, /v1/check, /a/../b, \"/a?b\"]}\n",
			[]string{"f:2: webhook.paths[0]: must be a path", "f:2: webhook.paths[1]: must", "f:2: webhook.paths[2]: must", "f:2: webhook.paths[3]: must"}},
		{"credentials", need + "webhook: {auth: [{kind: token, secret: \"file:/a\"}, {kind: header, header: \"a b\", secret: env:A}, {kind: basic, user: \"a:b\", secret: \"file:a\"}, {kind: bearer, secret: hunter2}, {kind: bearer, secret: env:A, opens: [relay, all]}, {kind: bearer, secret: env:A, opens: []}]}\n",
			[]string{"f:2: webhook.auth[0].kind: must be", "f:2: webhook.auth[1].header: must be the name", "f:2: webhook.auth[2].user: is required for basic", "f:2: webhook.auth[2].secret: must be file:/PATH or env:NAME", "f:2: webhook.auth[3].secret: must be file:/PATH or env:NAME", "f:2: webhook.auth[4].opens: must be", "f:2: webhook.auth[5].opens: must be relay, check or both"}},
		{"store", need + "store: {path: data}\n", []string{"f:2: store.path: must be an absolute path"}},
		{"anchors", need + "trust:\n  anchors:\n    - file: ca.pem\n    - {file: /ca.pem, domains: [any, a.de]}\n    - {file: /ca.pem, domains: [a..de, .b.fr]}\n",
			[]string{"f:4: trust.anchors[0].file: must be the absolute path", "f:4: trust.anchors[0].domains: is required", "f:5: trust.anchors[1].domains: names any and", "f:6: trust.anchors[2].domains[0]: is not a domain"}},
		{"servers", need + "dns: {servers: [ns.example.com, \"192.0.2.1:0\", \"[2001:db8::1]:53\", 192.0.2.1]}\n", []string{"f:2: dns.servers[0]: must be an IP", "f:2: dns.servers[1]: must be an IP"}},
		{"names", need + "authserv_id: a b\nhelp_url: ftp://x/\nrecipient_delimiter: \"@\"\nbinding_word: \"Ä\"\nown_domains: [local]\n",
			[]string{"f:2: authserv_id: must be", "f:3: help_url: must be", "f:4: recipient_delimiter: must be", "f:5: binding_word: must be", "f:6: own_domains[0]: is not"}},
		{"bounds", need + "dkim: {min_rsa_bits: 512}\nlimits:\n  chain: 0\n  judged: -1\n", []string{"f:2: dkim.min_rsa_bits: must be from 1024 to 8192", "f:4: limits.chain: must be from 3 to 16", "f:5: limits.judged: must be from 8 to 4096"}},
		{"a share smaller than a message", need + "limits: {message: 100MiB}\n", []string{"f:2: limits.in_flight: must be at least 8 times limits.message, which is 100MiB"}},
		{"too long in DNS", need + "limits: {time: 5s}\n", []string{"f:2: limits.dns_time: must not be longer than limits.time, which is 5s"}},
		{"deep", need + "mode: " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "\n", []string{"f:2: mode: must be a single value"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.text), "f")
			m, ok := errors.AsType[*Mistakes](err)
			if !ok {
				t.Fatalf("error %v", err)
			}
			got := strings.Split(m.Error(), "\n")
			if len(got) != len(tt.want) {
				t.Fatalf("%d mistakes, want %d:\n%s", len(got), len(tt.want), m)
			}
			for i, want := range tt.want {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("got  %s\nwant %s", got[i], want)
				}
			}
			for _, bad := range []string{"config.", "yaml:", "struct", "int64", "time.Duration", "!!"} {
				if strings.Contains(m.Error(), bad) {
					t.Errorf("says %q: %s", bad, m)
				}
			}
		})
	}
}

// A value that cannot be read may be a secret in the wrong place: it is not
// quoted.
func TestMistakesDoNotQuoteValues(t *testing.T) {
	const secret = "hunter2secret"
	for _, key := range []string{"mode", "limits", "milter", "relays", "trust", "unknown", "help_url", "store", "log", "authserv_id", "dns"} {
		for _, value := range []string{secret, "'" + secret, "*" + secret, "&" + secret + " x", "!" + secret + " x", "{" + secret, "[" + secret + "]", "{x: " + secret + "}", "\"\\" + secret + "\"", "%" + secret} {
			_, err := Parse([]byte(need+key+": "+value+"\n"), "f")
			if err != nil && strings.Contains(err.Error(), secret) && !strings.Contains(value, "{"+secret) {
				t.Errorf("%s: %s: quoted in %v", key, value, err)
			}
		}
	}
}

func TestTooLarge(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, append([]byte(need), bytes.Repeat([]byte("#\n"), MaxFile/2)...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "larger than 1MiB") {
		t.Errorf("error %v", err)
	}
}

func TestNotations(t *testing.T) {
	for in, want := range map[string]time.Duration{"7d": 7 * day, "1d12h": 36 * time.Hour, "0s": 0, "0d": 0, "90s": 90 * time.Second, "1h30m": 90 * time.Minute} {
		var d Duration
		if err := d.parse(in); err != nil || time.Duration(d) != want {
			t.Errorf("%s: %v, %v", in, d, err)
		}
		var again Duration
		if err := again.parse(d.String()); err != nil || again != d {
			t.Errorf("%s prints as %s, which reads as %v (%v)", in, d, again, err)
		}
	}
	for _, in := range []string{"", "d", "7", "7 d", "-1d", "1.5d", "12h1d", "99999d", "1d-2h"} {
		var d Duration
		if d.parse(in) == nil {
			t.Errorf("%q reads as %v", in, d)
		}
	}
	for in, want := range map[string]Size{"0": 0, "1": 1, "64KiB": 64 << 10, "10 MiB": 10 << 20, "2GiB": 2 << 30} {
		var s Size
		if err := s.parse(in); err != nil || s != want {
			t.Errorf("%s: %v, %v", in, s, err)
		}
	}
}

func TestDiff(t *testing.T) {
	a, b := Defaults(), Defaults()
	b.Mode = Observe
	b.Relays = append(b.Relays, Network{})
	b.Limits.Chain = 9
	b.Milter = append(b.Milter, Listener{})
	if got, want := strings.Join(Diff(&a, &b), " "), "mode milter relays limits.chain"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !NeedsRestart("milter") || !NeedsRestart("webhook.listen") || NeedsRestart("webhook.auth") || NeedsRestart("mode") {
		t.Error("what needs a restart")
	}
}

func FuzzLoad(f *testing.F) {
	text, err := os.ReadFile(example)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("collect: [a@example.com]\n---\n"))
	f.Add([]byte("a: &a [x, x]\nb: &b [*a, *a]\n"))
	f.Add([]byte("collect: {a: {b: [c, ~]}}\n? [x]\n: y\n"))
	f.Add([]byte("trust: {anchors: {file: /a, domains: any}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		start := time.Now()
		c, err := Parse(text, "f")
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("took %v", d)
		}
		if (c == nil) == (err == nil) {
			t.Errorf("configuration %v and error %v", c, err)
		}
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, "f:") {
					t.Errorf("a line of its own: %q", line)
				}
			}
			return
		}
		if len(c.Collect) == 0 || len(c.Milter)+len(c.Webhook.Listen) == 0 || c.Limits.InFlight/8 < c.Limits.Message {
			t.Errorf("accepted %+v", c)
		}
	})
}
