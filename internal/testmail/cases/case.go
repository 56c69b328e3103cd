// Package cases reads the case files of testdata/cases: a message, the world
// around it, and what must come out. They are one corpus for the tests of the
// judgement, for the parity of the transports and for the demonstration.
//
// A case is a txtar archive with these files:
//
//	readme      what is tried, in one or two sentences
//	message     with LF, which stands for CRLF; or message.b64, to the byte
//	dns         what the DNS says, as for the --dns option
//	anchors     PEM
//	envelope    key: value; sender, recipients, client, authenticated
//	policy      key: value; what differs from the defaults, see applyPolicy
//	revocation  what the CAs say, see stub
//	at          the clock, RFC 3339
//	twin        the accepted case that differs in the one property
//	expect      verdict and exact reason: "reject dkim-fail"
//	want        the text of the Report and the reply, written by the test
package cases

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/certinbox/certinbox/testdata"
	"github.com/certinbox/certinbox/verify"
)

// A Case is one message with the world around it.
type Case struct {
	Name, Readme string
	Message      []byte // as received, with CRLF
	DNS          []byte // zone file
	Anchors      []byte // PEM
	Envelope     verify.Envelope
	Policy       string // key: value lines
	Revocation   string
	At           time.Time
	Twin         string
	Verdict      verify.Verdict // expected
	Reason       string         // expected; "" when accepted
	Want         string

	archive *txtar.Archive
}

// All returns every case in the order of names.
func All() ([]Case, error) { return Read(testdata.Cases()) }

// Demo returns the cases of the demonstration in their order.
func Demo() ([]Case, error) { return Read(testdata.Demo()) }

// Read reads every case below cases/ of a file system.
func Read(from fs.FS) ([]Case, error) {
	names, err := fs.Glob(from, "cases/*.txtar")
	if err != nil {
		return nil, fmt.Errorf("cases: %w", err)
	}
	var out []Case
	for _, n := range names {
		data, err := fs.ReadFile(from, n)
		if err != nil {
			return nil, fmt.Errorf("cases: %w", err)
		}
		c, err := Parse(strings.TrimSuffix(path.Base(n), ".txtar"), data)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// Parse reads one case file. An error names the case and the file in it.
func Parse(name string, data []byte) (Case, error) {
	c := Case{Name: name, archive: txtar.Parse(data), Envelope: verify.Envelope{ID: name, Via: "case"}}
	for _, f := range c.archive.Files {
		if err := c.read(f.Name, f.Data); err != nil {
			return Case{}, fmt.Errorf("cases: %s: %s: %w", name, f.Name, err)
		}
	}
	switch {
	case c.Message == nil:
		return Case{}, fmt.Errorf("cases: %s: there is no message", name)
	case c.At.IsZero():
		return Case{}, fmt.Errorf("cases: %s: there is no at", name)
	case c.Verdict == "":
		return Case{}, fmt.Errorf("cases: %s: there is no expect", name)
	}
	return c, nil
}

func (c *Case) read(file string, data []byte) (err error) {
	text := strings.TrimSpace(string(data))
	switch file {
	case "readme":
		c.Readme = text
	case "message":
		c.Message = bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))
	case "message.b64":
		c.Message, err = base64.StdEncoding.DecodeString(strings.ReplaceAll(text, "\n", ""))
	case "dns":
		c.DNS = data
	case "anchors":
		c.Anchors = data
	case "envelope":
		return c.readEnvelope(text)
	case "policy":
		c.Policy = text
	case "revocation":
		c.Revocation = text
	case "at":
		c.At, err = time.Parse(time.RFC3339, text)
	case "twin":
		c.Twin = text
	case "expect":
		verdict, reason, _ := strings.Cut(text, " ")
		c.Verdict, c.Reason = verify.Verdict(verdict), reason
	case "want":
		c.Want = string(data)
	default:
		return fmt.Errorf("no such file in a case")
	}
	return err
}

func (c *Case) readEnvelope(text string) error {
	return eachLine(text, func(key, value string) error {
		switch key {
		case "sender":
			if value != "unknown" {
				c.Envelope.Sender = &value
			}
		case "recipients":
			c.Envelope.Recipients = strings.Fields(value)
		case "client":
			c.Envelope.Client = value
		case "authenticated":
			c.Envelope.Authenticated = value == "yes"
		default:
			return fmt.Errorf("unknown key %q", key)
		}
		return nil
	})
}

// WithWant returns the case file with another want.
func (c Case) WithWant(want string) []byte {
	a := &txtar.Archive{Comment: c.archive.Comment}
	for _, f := range c.archive.Files {
		if f.Name != "want" {
			a.Files = append(a.Files, f)
		}
	}
	a.Files = append(a.Files, txtar.File{Name: "want", Data: []byte(want)})
	return txtar.Format(a)
}

// eachLine calls f for each "key: value" line.
func eachLine(text string, f func(key, value string) error) error {
	for _, l := range strings.Split(text, "\n") {
		if l == "" {
			continue
		}
		key, value, ok := strings.Cut(l, ":")
		if !ok {
			return fmt.Errorf("%q is not key: value", l)
		}
		if err := f(key, strings.TrimSpace(value)); err != nil {
			return err
		}
	}
	return nil
}
