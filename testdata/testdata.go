// Package testdata embeds the case files. internal/testmail/cases reads them;
// internal/testmail/gen writes them.
package testdata

import "embed"

// Cases returns every case file.
func Cases() embed.FS { return all }

// Demo returns the case files that `certinbox demo` shows, so that the
// program does not carry the others.
func Demo() embed.FS { return demo }

//go:embed cases/*.txtar
var all embed.FS

//go:embed cases/demo-*.txtar
var demo embed.FS
