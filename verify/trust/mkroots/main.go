// Mkroots writes the bundle of e-mail roots that the program embeds, from a
// certdata.txt of NSS. contrib/roots/README says where to get one, and how
// verify/trust/email-roots.pem was made:
//
//	go run ./verify/trust/mkroots -version "NSS builtins 2.92" -date 2026-10-28 certdata.txt > email-roots.pem
//
// The version is that of lib/ckfw/builtins/nssckbi.h beside certdata.txt, the
// date that of the release. What cannot be decided about a root is an error:
// somebody has to look before it is embedded.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/certinbox/certinbox/verify/trust"
)

func main() {
	version := flag.String("version", "", "`version` of the source, as \"NSS builtins 2.92\"")
	date := flag.String("date", "", "`day` of the source, as 2026-10-28")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "mkroots: give the path of one certdata.txt")
		os.Exit(2)
	}
	if err := write(os.Stdout, os.Stderr, flag.Arg(0), *version, *date); err != nil {
		fmt.Fprintln(os.Stderr, "mkroots:", err)
		os.Exit(1)
	}
}

// write writes the roots in file to w, and to told what was left out.
func write(w, told io.Writer, file, version, date string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	b, problems, err := trust.ReadBundle(file, data)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	undecided := 0
	for _, p := range problems {
		fmt.Fprintln(told, p)
		if !p.Warning {
			undecided++
		}
	}
	if undecided > 0 {
		return fmt.Errorf("%s: %d problems that somebody has to look at: nothing is written", file, undecided)
	}
	if b.Date, err = time.Parse(time.DateOnly, date); err != nil {
		return fmt.Errorf("-date: %q is no day as 2026-10-28", date)
	}
	switch {
	case version == "" && b.Version == "":
		return errors.New("-version: the file does not name its version; give that of its nssckbi.h")
	case version == "":
	case b.Version != "" && b.Version != version:
		return fmt.Errorf("-version: %s says it is %q, not %q", file, b.Version, version)
	default:
		b.Version = version
	}
	return trust.WriteBundle(w, b)
}
