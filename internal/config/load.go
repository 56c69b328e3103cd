package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// MaxFile is the largest configuration file read, in bytes.
const MaxFile = 1 << 20

// A Mistake is one thing wrong in a configuration.
type Mistake struct {
	Line int    // from 1; 0: unknown
	Path string // key path, such as limits.chain or trust.anchors[0].file; "": the file itself
	Text string
}

// Mistakes is everything wrong in one file.
type Mistakes struct {
	File string
	List []Mistake
}

// Error names each mistake on a line of its own: FILE:LINE: PATH: TEXT.
func (m *Mistakes) Error() string {
	var b strings.Builder
	for i, x := range m.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(m.File)
		if x.Line > 0 {
			fmt.Fprintf(&b, ":%d", x.Line)
		}
		b.WriteString(": ")
		if x.Path != "" {
			b.WriteString(x.Path + ": ")
		}
		b.WriteString(x.Text)
	}
	return b.String()
}

// Load reads the file over the defaults. The error is a *Mistakes, or one of
// the file system.
func Load(file string) (*Config, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return Parse(text, file)
}

// Parse reads text, which stands in the named file, over the defaults. The
// error is a *Mistakes.
func Parse(text []byte, file string) (*Config, error) {
	c := Defaults()
	d := decoder{lines: map[string]int{}, alone: map[string]bool{}}
	if d.read(text, &c) {
		k := checker{&d}
		k.check(&c)
	}
	if len(d.mistakes) > 0 {
		slices.SortStableFunc(d.mistakes, func(a, b Mistake) int { // those without a line last
			return cmp.Or(cmp.Compare(min(1, b.Line), min(1, a.Line)), cmp.Compare(a.Line, b.Line))
		})
		return nil, &Mistakes{File: file, List: d.mistakes}
	}
	return &c, nil
}

// read says whether the text could be read as far as its keys.
func (d *decoder) read(text []byte, c *Config) bool {
	if len(text) > MaxFile {
		d.mistake(0, "", "is larger than %s", Size(MaxFile))
		return false
	}
	in := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	switch err := in.Decode(&doc); {
	case errors.Is(err, io.EOF):
		d.mistake(0, "", "%v", errEmpty)
		return false
	case err != nil:
		line, what := syntax(err)
		d.mistake(line, "", "%s", what)
		return false
	}
	if len(doc.Content) != 1 || doc.Content[0].ShortTag() == "!!null" {
		d.mistake(0, "", "%v", errEmpty)
		return false
	}
	d.value(doc.Content[0], reflect.ValueOf(c).Elem(), "", 0)
	switch err := in.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		line, what := syntax(err)
		d.mistake(line, "", "%s", what)
	default:
		d.mistake(second.Line, "", "holds a second document: remove the --- line or what follows it")
	}
	return true
}
