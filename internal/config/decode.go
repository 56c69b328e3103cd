package config

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxDepth is deeper than any key of ours.
const maxDepth = 16

// maxMistakes bounds what one report of mistakes may say.
const maxMistakes = 100

// maxElements bounds a list.
const maxElements = 10_000

// a parser reads a scalar of its own notation. Its errors do not quote the text.
type parser interface{ parse(text string) error }

// a defaulter is a list element that does not begin as its zero value.
type defaulter interface{ setDefaults() }

// A decoder writes YAML nodes into a struct whose fields have yaml tags, and
// remembers where each key stood. We do not use the library's own decoding:
// it names Go types and quotes values in its errors, takes yes for true, null
// for zero and stops at the first of two documents.
type decoder struct {
	lines    map[string]int
	alone    map[string]bool // lists written as a single element
	mistakes []Mistake
}

func (d *decoder) mistake(line int, path, format string, args ...any) {
	if len(d.mistakes) < maxMistakes {
		d.mistakes = append(d.mistakes, Mistake{line, path, fmt.Sprintf(format, args...)})
	}
}

// value reads n into v, which is addressable.
func (d *decoder) value(n *yaml.Node, v reflect.Value, path string, depth int) {
	d.lines[path] = n.Line
	switch {
	case depth > maxDepth:
		d.mistake(n.Line, path, "is nested too deeply")
		return
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.mistake(n.Line, path, "uses an anchor or alias (& or *): write the value itself, in quotes if it begins like that")
		return
	case n.Style&yaml.TaggedStyle != 0:
		d.mistake(n.Line, path, "has an explicit tag (!): write the value alone, in quotes if it begins like that")
		return
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		d.mistake(n.Line, path, "has no value: give one, or leave the key out for its default")
		return
	}
	if p, ok := v.Addr().Interface().(parser); ok {
		d.parsed(n, p, path)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.mapping(n, v, path, depth)
	case reflect.Slice:
		d.list(n, v, path, depth)
	default:
		d.scalar(n, v, path)
	}
}

func (d *decoder) parsed(n *yaml.Node, p parser, path string) {
	if n.Kind != yaml.ScalarNode {
		d.mistake(n.Line, path, "must be a single value")
		return
	}
	if err := p.parse(n.Value); err != nil {
		d.mistake(n.Line, path, "%v", err)
	}
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value, path string, depth int) {
	if n.Kind != yaml.MappingNode {
		d.mistake(n.Line, path, "must hold keys: %s", strings.Join(keys(v.Type()), ", "))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			d.mistake(key.Line, path, "has a key that is not a word")
			continue
		}
		at := join(path, name(key.Value))
		if first, again := seen[key.Value]; again {
			d.mistake(key.Line, at, "is given twice, first on line %d", first)
			continue
		}
		seen[key.Value] = key.Line
		f, ok := field(v, key.Value)
		if !ok {
			d.mistake(key.Line, at, "unknown key%s", suggest(key.Value, v.Type()))
			continue
		}
		d.value(val, f, at, depth+1)
	}
}

// list reads a sequence, or a single element as a list of one.
func (d *decoder) list(n *yaml.Node, v reflect.Value, path string, depth int) {
	elements := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		elements = n.Content
	} else {
		d.alone[path] = true
	}
	if len(elements) > maxElements {
		d.mistake(n.Line, path, "has more than %d elements", maxElements)
		return
	}
	var out reflect.Value
	if len(elements) > 0 { // an empty list is nil, as in Defaults
		out = reflect.MakeSlice(v.Type(), len(elements), len(elements))
	} else {
		out = reflect.Zero(v.Type())
	}
	for i, e := range elements {
		at := path
		if n.Kind == yaml.SequenceNode {
			at = fmt.Sprintf("%s[%d]", path, i)
		}
		if def, ok := out.Index(i).Addr().Interface().(defaulter); ok {
			def.setDefaults()
		}
		d.value(e, out.Index(i), at, depth+1)
	}
	v.Set(out)
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.ScalarNode {
		d.mistake(n.Line, path, "must be a single value")
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.Value)
	case reflect.Bool:
		if n.Value != "true" && n.Value != "false" {
			d.mistake(n.Line, path, "must be true or false")
			return
		}
		v.SetBool(n.Value == "true")
	case reflect.Int:
		i, err := strconv.Atoi(n.Value)
		if err != nil {
			d.mistake(n.Line, path, "must be a whole number")
			return
		}
		v.SetInt(int64(i))
	default:
		d.mistake(n.Line, path, "cannot be set")
	}
}

// field returns the field of v whose key is name.
func field(v reflect.Value, name string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == name {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// keys returns the keys of a struct in their order.
func keys(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		names = append(names, t.Field(i).Tag.Get("yaml"))
	}
	return names
}

// suggest names a key that is close to the unknown one.
func suggest(unknown string, t reflect.Type) string {
	plain := func(s string) string {
		return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(s))
	}
	for _, k := range keys(t) {
		p, u := plain(k), plain(unknown)
		if p == u || p == u+"s" || p+"s" == u {
			return fmt.Sprintf(": did you mean %s?", k)
		}
	}
	return ""
}

// name makes a key from the file safe to print.
func name(key string) string {
	if len(key) > 40 {
		key = key[:40] + "..."
	}
	if q := strconv.QuoteToASCII(key); q[1:len(q)-1] != key || strings.ContainsAny(key, " .:") || key == "" {
		return q
	}
	return key
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// syntax takes from an error of the YAML library what can be said: its line
// and its words up to where it may quote the file.
func syntax(err error) (line int, text string) {
	text = strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if number, words, ok := strings.Cut(rest, ": "); ok {
			if n, err := strconv.Atoi(number); err == nil {
				line, text = n, words
			}
		}
	}
	if i := strings.IndexAny(text, "'\"`"); i >= 0 {
		text = strings.TrimRight(text[:i], " :,")
	}
	return line, "is not YAML: " + text
}

// errEmpty is an empty file, which YAML does not count as a document.
var errEmpty = errors.New("is empty: at least collect: [ADDRESS] is needed")
