// Package doc_test holds the documents to the program: what they link to is
// there, what the program says to senders is explained, what may be configured
// is described, and what they show can be run.
package doc_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail/cases"
	"github.com/certinbox/certinbox/verify"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	must(t, err)
	return string(b)
}

func TestReadmeIsShort(t *testing.T) {
	text := read(t, "../README.md")
	if n := strings.Count(text, "\n"); n >= 150 {
		t.Errorf("README.md has %d lines, want fewer than 150", n)
	}
	first := strings.Join(strings.SplitN(text, "\n", 41)[:40], "\n")
	for _, command := range []string{"make demo", "make test", "sudo make install"} {
		if !strings.Contains(first, command) {
			t.Errorf("the first screen of README.md does not show %q", command)
		}
	}
}

// TestReadmeReply holds the reply that the README shows to what the program says.
func TestReadmeReply(t *testing.T) {
	text := read(t, "../README.md")
	want := verify.ReplyFor("cert-address", "the certificate is for another address: bob@example.org", "4gKv2X3z", "").String()
	for line := range strings.SplitSeq(want, "\n") {
		if !strings.Contains(text, "    "+line+"\n") {
			t.Errorf("README.md does not show %q", line)
		}
	}
}

// documents are all Markdown files of the project.
func documents(t *testing.T) []string {
	t.Helper()
	var out []string
	must(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && strings.HasPrefix(name, ".") && name != ".." {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, ".md") {
			out = append(out, path)
		}
		return nil
	}))
	return out
}

func TestLinksResolve(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	seen := 0
	for _, file := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, file), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, ":") {
				continue // elsewhere
			}
			seen++
			path := file
			if target != "" {
				path = filepath.Join(filepath.Dir(file), target)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			if anchor != "" && !slices.Contains(anchors(read(t, path)), anchor) {
				t.Errorf("%s: no heading for %s", file, m[1])
			}
		}
	}
	if seen < 20 {
		t.Errorf("%d links seen, there are more", seen)
	}
}

// anchors are the targets that the headings of a Markdown text make.
func anchors(text string) []string {
	drop := regexp.MustCompile(`[^a-z0-9 _-]`)
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "#") {
			heading := strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#")))
			out = append(out, strings.ReplaceAll(drop.ReplaceAllString(heading, ""), " ", "-"))
		}
	}
	return out
}

// reasons are the cases of the table in verify/reply.go.
func reasons(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../verify/reply.go", nil, 0)
	must(t, err)
	var out []string
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Name.Name != "answers" {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if c, ok := n.(*ast.CaseClause); ok {
				for _, e := range c.List {
					if lit, ok := e.(*ast.BasicLit); ok {
						s, err := strconv.Unquote(lit.Value)
						must(t, err)
						if s != "" {
							out = append(out, s)
						}
					}
				}
			}
			return true
		})
	}
	if len(out) < 45 {
		t.Fatalf("%d reasons found in verify/reply.go, there are more", len(out))
	}
	return out
}

// TestReasonsAreExplained: the postmaster finds every reason in checks.md, the
// sender every one that refuses for good in senders.md.
func TestReasonsAreExplained(t *testing.T) {
	senders, checks := read(t, "senders.md"), read(t, "checks.md")
	for _, r := range reasons(t) {
		if !strings.Contains(checks, "`"+r+"`") {
			t.Errorf("checks.md does not explain %s", r)
		}
		code := verify.ReplyFor(r, "", "", "").Code
		if code >= 500 && !strings.Contains(senders, "`"+r+"`") {
			t.Errorf("senders.md does not explain %s (%d)", r, code)
		}
	}
}

// TestChecksHaveSections: a section a check, in the order in which they are asked.
func TestChecksHaveSections(t *testing.T) {
	var got []string
	for line := range strings.SplitSeq(read(t, "checks.md"), "\n") {
		if name, ok := strings.CutPrefix(line, "## "); ok && slices.Contains(verify.Checks(), name) {
			got = append(got, name)
		}
	}
	if !slices.Equal(got, verify.Checks()) {
		t.Errorf("sections of checks.md: %v, want %v", got, verify.Checks())
	}
}

// keys returns the paths of all keys of config.yaml.example, also of those in
// the comments above a list that show an element of it.
func keys(t *testing.T) []string {
	t.Helper()
	line := regexp.MustCompile(`^( *)([a-z_]+):( |$)`)
	shown := regexp.MustCompile(`^  #   [- ] ([a-z_]+): `)
	var out, element []string
	section := ""
	for l := range strings.SplitSeq(read(t, "../config.yaml.example"), "\n") {
		if m := shown.FindStringSubmatch(l); m != nil && !slices.Contains(element, m[1]) {
			element = append(element, m[1])
		}
		m := line.FindStringSubmatch(l)
		switch {
		case m == nil:
		case m[1] == "":
			section = m[2]
			if !strings.HasSuffix(l, ":") {
				out = append(out, m[2])
			}
		default:
			out = append(out, section+"."+m[2])
			for _, e := range element {
				out = append(out, section+"."+m[2]+"."+e)
			}
			element = nil
		}
	}
	if len(out) < 60 {
		t.Fatalf("%d keys found in config.yaml.example, there are more", len(out))
	}
	return out
}

// TestManPageNamesEveryKey, and no key that there is not.
func TestManPageNamesEveryKey(t *testing.T) {
	text := read(t, "man/certinbox.yaml.5")
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^\.TP\n\.BR (\S+)`).FindAllStringSubmatch(text, -1) {
		got = append(got, m[1])
	}
	want := keys(t)
	for _, k := range want {
		if !slices.Contains(got, k) {
			t.Errorf("certinbox.yaml.5 does not describe %s", k)
		}
	}
	for _, k := range got {
		if !slices.Contains(want, k) && k != "milter" {
			t.Errorf("certinbox.yaml.5 describes %s, which config.yaml.example does not have", k)
		}
	}
}

// TestReasonsStandInTheirSection: what a check answered in any case file is
// found under its own heading in checks.md.
func TestReasonsStandInTheirSection(t *testing.T) {
	sections := map[string]string{}
	for part := range strings.SplitSeq(read(t, "checks.md"), "\n## ") {
		name, text, _ := strings.Cut(part, "\n")
		sections[name] = text
	}
	all, err := cases.All()
	must(t, err)
	row := regexp.MustCompile(`(?m)^([a-z]+) +[a-z]+ +.*\(([a-z-]+)\)$`)
	missing := map[string]string{}
	seen := 0
	for _, c := range all {
		for _, m := range row.FindAllStringSubmatch(c.Want, -1) {
			check, reason := m[1], m[2]
			if !slices.Contains(verify.Checks(), check) {
				continue
			}
			seen++
			if !strings.Contains(sections[check], "`"+reason+"`") {
				missing[check+" "+reason] = c.Name
			}
		}
	}
	if seen < 200 {
		t.Fatalf("%d rows with a reason seen in the cases, there are more", seen)
	}
	for what, name := range missing {
		t.Errorf("checks.md: the section does not tell of %s, as in case %s", what, name)
	}
}

// TestDecisionsAreListed: numbered without a gap, each in the index, each with
// its reason and with what would change it.
func TestDecisionsAreListed(t *testing.T) {
	index := read(t, "decisions/README.md")
	files, err := filepath.Glob("decisions/0*.md")
	must(t, err)
	if len(files) < 15 {
		t.Fatalf("%d decisions", len(files))
	}
	for i, file := range files {
		name, text := filepath.Base(file), read(t, file)
		if n, err := strconv.Atoi(name[:4]); err != nil || n != i+1 {
			t.Errorf("%s: want number %d", name, i+1)
		}
		title, _, _ := strings.Cut(strings.TrimPrefix(text, "# "+strconv.Itoa(i+1)+". "), "\n")
		if !strings.Contains(index, "- ["+name[:4]+"]("+name+") "+title+"\n") {
			t.Errorf("decisions/README.md does not list %s as %q", name, title)
		}
		for _, part := range []string{"**Why.**", "**What would change it.**"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s: no %s", name, part)
			}
		}
	}
}

// TestMetricsAreDescribed: what the daemon counts can be looked up.
func TestMetricsAreDescribed(t *testing.T) {
	page := strings.ReplaceAll(read(t, "man/certinbox.yaml.5"), `\-`, "-")
	names := regexp.MustCompile(`"(certinbox_[a-z_]+)"`).FindAllStringSubmatch(read(t, "../internal/admin/metrics.go"), -1)
	for _, m := range names {
		if !strings.Contains(page, m[1]) {
			t.Errorf("certinbox.yaml(5) does not describe %s", m[1])
		}
	}
	if len(names) < 5 {
		t.Errorf("%d metrics found, there are more", len(names))
	}
}
