package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestContribCommands: each certinbox command that a page or a configuration in
// contrib, or the README, shows is there, with the options that it is given.
func TestContribCommands(t *testing.T) {
	files := []string{"../../README.md"}
	err := filepath.WalkDir("../../contrib", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && d.Name() != "certdata.c" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("\\bcertinbox ((?:[a-z][a-z-]*|--)[^`'\"|#;&<>)\n]*)")
	checked := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shown.FindAllStringSubmatch(strings.ReplaceAll(string(text), "\\\n", " "), -1) {
			words := strings.Fields(m[1])
			cmd, rest, err := newRoot().Find(words)
			if err != nil || !cmd.HasParent() {
				continue // prose about certinbox
			}
			for _, w := range rest {
				if name, ok := strings.CutPrefix(w, "--"); ok {
					checked++
					knows(t, cmd, file, strings.TrimRight(name, ".,:\\"))
				}
			}
		}
	}
	if checked < 10 {
		t.Errorf("%d options found, there are more", checked)
	}
}

// knows checks that a command has an option.
func knows(t *testing.T, cmd *cobra.Command, file, option string) {
	t.Helper()
	name, _, _ := strings.Cut(option, "=")
	if cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil {
		t.Errorf("%s: %s has no option --%s", file, cmd.CommandPath(), name)
	}
}
