package trust

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Bounds of a certdata.txt. NSS 3.132 has 339 objects of at most 15 attributes;
// the longest value is a certificate of 2 KB.
const (
	maxBuiltins      = 2 * maxCertificates // objects: of a root two, itself and its trust
	maxBuiltinValues = 64                  // of an object
	maxBuiltinBytes  = 64 << 10            // of a value
)

// A builtin is one object of a certdata.txt.
type builtin struct {
	index      int // from 1
	class      string
	attributes map[string]builtinValue
}

// A builtinValue is the value of an attribute: octets, or a word or text as it stands.
type builtinValue struct {
	kind   string // CK_BBOOL, CK_TRUST, UTF8 …; MULTILINE_OCTAL for octets
	text   string
	octets []byte
}

// octets returns the value of an attribute of octets; nil if there is none.
func (b builtin) octets(name string) []byte { return b.attributes[name].octets }

// isCertdata says whether text is a certdata.txt: a line is BEGINDATA.
func isCertdata(text []byte) bool {
	return bytes.HasPrefix(text, []byte("BEGINDATA\n")) || bytes.Contains(text, []byte("\nBEGINDATA\n"))
}

// versionLine is the comment with which contrib/roots/certdata begins.
var versionLine = regexp.MustCompile(`^# (NSS builtins [0-9]{1,4}\.[0-9]{1,4})$`)

// A certdata reads the form that lib/ckfw/builtins of NSS describes at the top
// of its certdata.txt: after BEGINDATA one attribute a line, "NAME TYPE VALUE",
// or "NAME MULTILINE_OCTAL", lines of \ooo and END; CKA_CLASS opens an object.
type certdata struct {
	version string
	data    bool // BEGINDATA was seen
	objects []builtin
	name    string // of the attribute whose octets are being read; "" none
	octets  []byte
}

// readCertdata takes text with \n line ends apart. Anything that does not fit
// the form is an error that names the line: the rest could mean something else.
func readCertdata(text []byte) (version string, objects []builtin, err error) {
	var c certdata
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if err := c.line(strings.TrimRight(line, " \t\n")); err != nil {
			return "", nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	switch {
	case c.name != "":
		return "", nil, fmt.Errorf("%s has no END: the file is cut short", printable(c.name))
	case len(c.objects) == 0:
		return "", nil, errors.New("no object after BEGINDATA: the file is cut short")
	}
	return c.version, c.objects, nil
}

func (c *certdata) line(line string) error {
	switch {
	case c.name != "" && line == "END":
		a := builtinValue{kind: "MULTILINE_OCTAL", octets: c.octets}
		name := c.name
		c.name, c.octets = "", nil
		return c.set(name, a)
	case c.name != "":
		return c.octal(line)
	case line == "BEGINDATA":
		if c.data {
			return errors.New("a second BEGINDATA")
		}
		c.data = true
		return nil
	case line == "" || line[0] == '#':
		if found := versionLine.FindStringSubmatch(line); found != nil && !c.data {
			c.version = found[1]
		}
		return nil
	case !c.data:
		if strings.HasPrefix(line, "CVS_ID ") { // up to NSS 3.13
			return nil
		}
		return errors.New("neither a comment nor BEGINDATA")
	}
	return c.attribute(line)
}

// attribute reads the first line of one.
func (c *certdata) attribute(line string) error {
	name, rest, _ := strings.Cut(line, " ")
	kind, value, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	value = strings.TrimSpace(value)
	switch {
	case !strings.HasPrefix(name, "CKA_"):
		return errors.New("it begins with no attribute (CKA_…)")
	case kind == "MULTILINE_OCTAL":
		if value != "" {
			return errors.New("something stands after MULTILINE_OCTAL")
		}
		c.name, c.octets = name, []byte{}
		return nil
	case value == "":
		return fmt.Errorf("%s has no value", printable(name))
	case kind == "UTF8":
		if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
			return fmt.Errorf("the text of %s does not stand in quotation marks", printable(name))
		}
		value = value[1 : len(value)-1]
	case strings.ContainsAny(value, " \t\""):
		return fmt.Errorf("%s has more than one value", printable(name))
	}
	return c.set(name, builtinValue{kind: kind, text: value})
}

// octal reads a line of octets, each a backslash and three digits.
func (c *certdata) octal(line string) error {
	if len(line)%4 != 0 {
		return errors.New("no octets in octal, and no END")
	}
	if len(c.octets)+len(line)/4 > maxBuiltinBytes {
		return fmt.Errorf("%s has over %d bytes", printable(c.name), maxBuiltinBytes)
	}
	for i := 0; i < len(line); i += 4 {
		n := 0
		for _, d := range []byte(line[i+1 : i+4]) {
			if line[i] != '\\' || d < '0' || d > '7' {
				return errors.New("no octets in octal, and no END")
			}
			n = n<<3 | int(d-'0')
		}
		if n > 0xff {
			return errors.New("an octet over 377")
		}
		c.octets = append(c.octets, byte(n))
	}
	return nil
}

// set gives the last object an attribute; CKA_CLASS opens the next object.
func (c *certdata) set(name string, a builtinValue) error {
	if name == "CKA_CLASS" {
		if len(c.objects) == maxBuiltins {
			return fmt.Errorf("over %d objects in the file", maxBuiltins)
		}
		c.objects = append(c.objects, builtin{index: len(c.objects) + 1, class: a.text, attributes: map[string]builtinValue{}})
		return nil
	}
	if len(c.objects) == 0 {
		return errors.New("an attribute stands before the first CKA_CLASS")
	}
	attributes := c.objects[len(c.objects)-1].attributes
	if _, twice := attributes[name]; twice {
		return fmt.Errorf("%s stands twice in one object", printable(name))
	}
	if len(attributes) == maxBuiltinValues {
		return fmt.Errorf("over %d attributes in one object", maxBuiltinValues)
	}
	attributes[name] = a
	return nil
}
