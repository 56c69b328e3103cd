package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"log/syslog"
	"os"
)

// Where the log of a pipe goes by name; anything else is a file.
const (
	toStderr = "stderr"
	toSyslog = "syslog"
)

// openPipeLog returns where the log goes as --log says, and what closes it.
// Nothing said, it is standard error, unless that goes to the sender.
func openPipeLog(to string, stdout, stderr io.Writer) (io.Writer, func(), error) {
	none := func() {}
	auto := to == ""
	if auto {
		to = toStderr
		if onePipe(stdout, stderr) {
			to = toSyslog
		}
	}
	switch to {
	case toStderr:
		return stderr, none, nil
	case toSyslog:
		w, err := syslog.New(syslog.LOG_MAIL|syslog.LOG_INFO, "certinbox")
		switch {
		case err == nil:
			return &lineByLine{w}, func() { w.Close() }, nil
		case auto: // certinbox why knows the reports all the same
			return io.Discard, none, nil
		}
		return nil, nil, &failure{exitIO, fmt.Errorf("--log syslog: %w", err), "name a file with --log, or start a syslog daemon"}
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return nil, nil, &failure{exitIO, fmt.Errorf("--log: %w", err), "the file has to belong to the user that the MTA runs certinbox as"}
	}
	return f, func() { f.Close() }, nil
}

// onePipe says whether both are the same pipe or socket: MTAs collect the output
// of a program so, and show it to the sender.
func onePipe(stdout, stderr io.Writer) bool {
	a, aok := stdout.(*os.File)
	b, bok := stderr.(*os.File)
	if !aok || !bok {
		return false
	}
	ai, aerr := a.Stat()
	bi, berr := b.Stat()
	return aerr == nil && berr == nil && ai.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) != 0 && os.SameFile(ai, bi)
}

// A lineByLine hands over lines one by one: a record of syslog is one line.
type lineByLine struct{ out io.Writer }

// Write implements io.Writer.
func (l *lineByLine) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if _, err := l.out.Write(line); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
