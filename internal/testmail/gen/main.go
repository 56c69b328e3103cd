// Command gen writes the case files of testdata/cases. Run it in the top
// folder of the project:
//
//	go run ./internal/testmail/gen
//
// Each case is a recipe: an honest mail and what is changed in it. A recipe
// states the verdict and the exact reason by the specification of the checks,
// not by what the program answers. The file want of a case is left as it is:
// go test ./verify -run Cases -update writes it.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/certinbox/certinbox/internal/testmail"
)

func main() {
	if err := write(filepath.Join("testdata", "cases")); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// write makes every case below dir, and removes case files without a recipe.
func write(dir string) error {
	made := map[string]bool{}
	for name, archive := range generate() {
		made[name+".txtar"] = true
		file := filepath.Join(dir, name+".txtar")
		want, err := oldWant(file)
		if err != nil {
			return err
		}
		archive.Files = append(archive.Files, want...)
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			return err
		}
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil {
		return err
	}
	for _, file := range old {
		if !made[filepath.Base(file)] {
			if err := os.Remove(file); err != nil {
				return err
			}
		}
	}
	return nil
}

// oldWant returns the file want of a case that is there already.
func oldWant(file string) ([]txtar.File, error) {
	data, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, f := range txtar.Parse(data).Files {
		if f.Name == "want" {
			return []txtar.File{f}, nil
		}
	}
	return nil, nil
}

// generate returns every case, without want, by its name.
func generate() map[string]*txtar.Archive {
	l := newLab()
	out := map[string]*txtar.Archive{}
	for _, r := range recipes() {
		if out[r.name] != nil {
			panic("gen: two recipes are called " + r.name)
		}
		m := l.honest()
		if r.change != nil {
			r.change(m)
		}
		out[r.name] = r.archive(m)
	}
	return out
}

// A recipe is an honest mail and what is changed in it.
type recipe struct {
	name   string
	readme string
	expect string // verdict and reason
	twin   string // "": the honest mail as it is
	change func(m *mail)
}

// recipes returns the whole corpus, check by check.
func recipes() []recipe {
	var all []recipe
	for _, part := range [][]recipe{demonstration(), messages(), froms(), structures(), keysAndTags(), alignments(),
		signatures(), honestSignatures(), chains(), usages(), addresses(), times(), revocations()} {
		all = append(all, part...)
	}
	return all
}

func (r recipe) archive(m *mail) *txtar.Archive {
	a := &txtar.Archive{}
	add := func(name, text string) {
		if text != "" {
			a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(strings.TrimRight(text, "\n") + "\n")})
		}
	}
	add("readme", r.readme)
	add("expect", r.expect)
	if strings.HasPrefix(r.expect, "reject") || strings.HasPrefix(r.expect, "defer") {
		add("twin", or(r.twin, honestName))
	}
	add("at", m.at.Format("2006-01-02T15:04:05Z07:00"))
	add("envelope", m.envelope())
	add("policy", strings.Join(m.policy, "\n"))
	add("revocation", m.revocation)
	add("dns", m.zone.String())
	add("anchors", m.anchorsPEM())
	message := m.bytes()
	if plain(message) {
		add("message", strings.ReplaceAll(string(message), "\r\n", "\n"))
	} else {
		add("message.b64", string(testmail.Base64(message)))
	}
	for i := range a.Files {
		a.Files[i].Data = bytes.ReplaceAll(a.Files[i].Data, []byte("\r\n"), []byte("\n"))
	}
	return a
}

// plain says whether a message survives as text with LF in a case file.
func plain(message []byte) bool {
	lf := bytes.ReplaceAll(message, []byte("\r\n"), []byte("\n"))
	back := bytes.ReplaceAll(lf, []byte("\n"), []byte("\r\n"))
	return bytes.Equal(back, message) && utf8.Valid(message) && !bytes.ContainsAny(lf, "\r\x00") &&
		!bytes.Contains(lf, []byte("\n-- ")) && bytes.HasSuffix(lf, []byte("\n")) && !bytes.HasSuffix(lf, []byte("\n\n"))
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
