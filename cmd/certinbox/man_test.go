package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

var update = flag.Bool("update", false, "write the man pages of the commands to doc/man")

// manPages renders the page of each command by its file name. It stands in a
// test because the daemon has no use for a Markdown library.
func manPages(t *testing.T) map[string][]byte {
	t.Helper()
	pages := map[string][]byte{}
	date := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC) // of the pages, not of their making
	var render func(c *cobra.Command)
	render = func(c *cobra.Command) {
		if c.Hidden || !c.IsAvailableCommand() && c.HasParent() {
			return
		}
		c.InitDefaultHelpFlag()
		header := &doc.GenManHeader{Section: "8", Date: &date, Source: "certinbox", Manual: "System Administration"}
		for p := c; ; p = p.Parent() {
			header.Title = p.Name() + header.Title
			if !p.HasParent() {
				break
			}
			header.Title = "-" + header.Title
		}
		file := header.Title + ".8"
		var b bytes.Buffer
		if err := doc.GenMan(c, header, &b); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		pages[file] = b.Bytes()
		for _, sub := range c.Commands() {
			render(sub)
		}
	}
	render(newRoot())
	return pages
}

// TestManPages holds doc/man to the help of the commands. To write the pages:
//
//	go test ./cmd/certinbox -run TestManPages -update
func TestManPages(t *testing.T) {
	dir := filepath.Join("..", "..", "doc", "man")
	pages := manPages(t)
	if len(pages) < 11 {
		t.Fatalf("%d pages, want one for certinbox and one for each command", len(pages))
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.8"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range old {
		if pages[filepath.Base(file)] != nil {
			continue
		}
		if *update {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			continue
		}
		t.Errorf("%s: there is no such command; run this test with -update", file)
	}
	for name, want := range pages {
		file := filepath.Join(dir, name)
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if have, err := os.ReadFile(file); err != nil || !bytes.Equal(have, want) {
			t.Errorf("%s is not what the command's help says (%v); run this test with -update", file, err)
		}
	}
}
