package trust

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// isList says whether data is a list of roots that says more about them than a
// file of certificates: an operator's file of that form keeps its dates.
func isList(data []byte) bool {
	if _, der := readDER(data); der {
		return false
	}
	text, err := plainText(data)
	return err == nil && (isCertdata(text) || isWritten(text))
}

// takeBundle is take for a list of roots.
func (l *loader) takeBundle(name string, data []byte, s Source) (int, error) {
	b, problems, err := ReadBundle(name, data)
	if err != nil {
		return 0, err
	}
	l.problems = append(l.problems, problems...)
	if b.Date.IsZero() && s.Contents == nil {
		if info, err := os.Stat(name); err == nil {
			b.Date = info.ModTime()
		}
	}
	if s.Public {
		l.doubt(name, b)
		l.outside(name, b)
	}
	for i, r := range b.Roots {
		if err := l.add(name, i+1, &Anchor{Certificate: r.Certificate, Source: name + ": " + r.Label,
			Label: r.Label, DistrustAfter: r.DistrustAfter, Public: s.Public,
			Domains: s.Domains, Exclusive: s.Exclusive,
			AllowMissingEKU: s.AllowMissingEKU, AllowSubjectAddress: s.AllowSubjectAddress}); err != nil {
			return i, err
		}
	}
	return len(b.Roots), nil
}

// outside warns once of the roots of a bundle that cannot vouch at the time:
// roots expire in it, and most are not valid yet when an old mail is judged.
func (l *loader) outside(name string, b Bundle) {
	var labels []string
	for _, r := range b.Roots {
		if !current(r.Certificate, l.now) {
			labels = append(labels, printable(r.Label))
		}
	}
	if n := len(labels); n > 0 {
		text := strings.Join(labels[:min(n, 3)], ", ")
		if n > 3 {
			text += fmt.Sprintf(" and %d more", n-3)
		}
		l.report(name, 0, true, fmt.Sprintf("%d of %d roots are outside their dates, certificates under them are refused: %s", n, len(b.Roots), text))
	}
}

// doubt warns about a bundle that can be read and is hardly what was meant.
func (l *loader) doubt(name string, b Bundle) {
	if b.Old(l.now) {
		l.report(name, 0, true, fmt.Sprintf("the e-mail roots are of %s, %d days old: roots are added and distrusted several times a year; bring newer ones with trust update",
			b.Date.UTC().Format("2 January 2006"), l.now.Sub(b.Date)/(24*time.Hour)))
	}
	if LooksLikeTLS(b) {
		l.report(name, 0, true, "these look like the roots for TLS: many of them are not trusted for mail by anybody; name a bundle of e-mail roots")
	}
}
