package trust

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Bounds of what is loaded. The e-mail roots of the world are about 90
// certificates in 150 KB.
const (
	maxFileBytes    = 8 << 20
	maxFolderFiles  = 1000
	maxCertificates = 2000 // a file
	maxAnchors      = 5000 // in all
)

// A Source is a file or folder of anchors as configured.
type Source struct {
	File                string
	Domains             []string // as in Anchor; nil: any
	AllowMissingEKU     bool
	AllowSubjectAddress bool
	Exclusive           bool   // as in Anchor
	Public              bool   // a bundle of e-mail roots, see ReadBundle; File names it
	Contents            []byte // of File, where it is not to be read from disk
}

// A Problem is something in a Source that the operator should know.
type Problem struct {
	File    string
	Index   int // of the object in the file, from 1; 0: the file itself
	Text    string
	Warning bool // no reason to refuse the file: it was meant to be there, or it will be noticed
}

// String is the problem as a line for people.
func (p Problem) String() string {
	if p.Index == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s, object %d: %s", p.File, p.Index, p.Text)
}

// Load reads every source: a file in PEM, DER, PKCS#7 (see read) or, if it is
// Public, whatever ReadBundle takes, or a folder of such files, not searched
// further, names with a leading dot left out.
// Everything that is not used is a Problem. A source without a usable anchor is
// an error that names it: all of them are, joined. An expired anchor is usable,
// so that no day comes on which the daemon does not start; paths to it are
// refused. A certificate that stands in several sources becomes one anchor with
// the narrowest of its settings, but for one: a public root that the operator
// names too is two anchors, so that his settings neither narrow it nor are lost.
func Load(sources []Source, now time.Time) (*Anchors, []Problem, error) {
	l := &loader{now: now, merged: map[string]*Anchor{}}
	for _, s := range sources {
		if err := l.source(s); err != nil {
			l.errs = append(l.errs, err)
		}
	}
	if err := errors.Join(l.errs...); err != nil {
		return nil, l.problems, err
	}
	return New(l.anchors...), l.problems, nil
}

type loader struct {
	now      time.Time
	anchors  []*Anchor
	merged   map[string]*Anchor // by DER
	problems []Problem
	errs     []error
}

func (l *loader) report(file string, index int, warning bool, text string) {
	l.problems = append(l.problems, Problem{File: file, Index: index, Text: text, Warning: warning})
}

func (l *loader) source(s Source) error {
	domains, err := DomainList(s.Domains)
	if err != nil {
		return fmt.Errorf("trust: %s: domains: %w", s.File, err)
	}
	s.Domains = domains
	files := []string{s.File}
	if s.Contents == nil {
		if files, err = filesOf(s.File); err != nil {
			return fmt.Errorf("trust: %s: %w", s.File, err)
		}
	}
	usable := 0
	for _, f := range files {
		n, err := l.file(f, s)
		if err != nil && f == s.File {
			return fmt.Errorf("trust: %s: %w", f, err)
		}
		if err != nil {
			l.report(f, 0, false, err.Error())
		}
		usable += n
	}
	if usable == 0 {
		return fmt.Errorf("trust: %s: no usable CA certificate%s", s.File, l.why(files))
	}
	return nil
}

// why repeats the first problem of a source that came to nothing.
func (l *loader) why(files []string) string {
	for _, p := range l.problems {
		if slices.Contains(files, p.File) {
			return " (" + p.String() + ")"
		}
	}
	return ""
}

// filesOf returns the file itself, or the files of a folder in order.
func filesOf(name string) ([]string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{name}, nil
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		f := filepath.Join(name, e.Name())
		info, err := os.Stat(f) // a link counts as what it leads to
		if strings.HasPrefix(e.Name(), ".") || err == nil && info.IsDir() {
			continue
		}
		if len(files) == maxFolderFiles {
			return nil, fmt.Errorf("over %d files in the folder", maxFolderFiles)
		}
		files = append(files, f)
	}
	return files, nil
}

// file reads one file and returns how many usable anchors stand in it. The
// error is about the file as a whole.
func (l *loader) file(name string, s Source) (int, error) {
	data := s.Contents
	if data == nil {
		var err error
		if data, err = contents(name); err != nil {
			return 0, err
		}
	}
	if len(data) > maxFileBytes {
		return 0, fmt.Errorf("over %d bytes", maxFileBytes)
	}
	if s.Public || isList(data) {
		return l.takeBundle(name, data, s)
	}
	return l.take(name, data, s)
}

// take is file for contents already read that are the operator's own anchors.
func (l *loader) take(name string, data []byte, s Source) (int, error) {
	objects, err := read(data)
	if err != nil {
		return 0, err
	}
	usable := 0
	for i, o := range objects {
		index := i + 1
		c, text, warning := o.certificate()
		if text == "" {
			text, warning = unusable(c)
		}
		if text != "" {
			l.report(name, index, warning, text)
			continue
		}
		source := name
		if len(objects) > 1 {
			source = fmt.Sprintf("%s, object %d", name, index)
		}
		if err := l.add(name, index, &Anchor{Certificate: c, Source: source, Domains: s.Domains, Exclusive: s.Exclusive,
			AllowMissingEKU: s.AllowMissingEKU, AllowSubjectAddress: s.AllowSubjectAddress}); err != nil {
			return usable, err
		}
		usable++
	}
	return usable, nil
}

// contents reads a regular file within its bound.
func contents(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err == nil && len(data) > maxFileBytes {
		err = fmt.Errorf("over %d bytes", maxFileBytes)
	}
	return data, err
}

// unusable says why c cannot be an anchor, "" if it can.
func unusable(c *x509.Certificate) (text string, warning bool) {
	switch {
	case !isCA(c):
		return "the certificate of " + named(c) + " is not that of a CA and is not used", true
	case !issuesForMail(c):
		return "the CA " + named(c) + " may not issue certificates for mail and is not used", true
	case !signsCertificates(c.PublicKey):
		return "the key of " + named(c) + " is of a kind that cannot be used", false
	case strong(c, 1, 1) != nil || oversize(c, maxAnchorRSABits):
		return fmt.Sprintf("the key of %s is not used: RSA of %d to %d bits or EC of at least 256 bits is needed",
			named(c), minRSABits, maxAnchorRSABits), false
	case len(unhandled(c, false)) > 0:
		return fmt.Sprintf("the CA %s holds a critical extension that is not understood: %v",
			named(c), unhandled(c, false)[0]), false
	}
	if _, err := readConstraints(c); err != nil {
		return "the name constraints of " + named(c) + " cannot be read: " + err.Error(), false
	}
	return "", false
}

// signsCertificates says whether crypto/x509 checks signatures by such a key.
func signsCertificates(key any) bool {
	switch key.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	}
	return false
}

// maxAnchorRSABits is the largest key of an anchor, whatever Options say later.
const maxAnchorRSABits = 8192

// DomainList checks domains, "a.de" or ".b.fr", and brings them into the form
// of Anchor.Domains: lower-case A-labels in order. nil stays nil.
func DomainList(domains []string) ([]string, error) {
	if domains == nil {
		return nil, nil
	}
	out := []string{}
	for _, d := range domains {
		host, err := hostName(strings.TrimPrefix(d, "."))
		if err != nil {
			return nil, fmt.Errorf("%q is not a domain; write a.de for one, .a.de for those below it", d)
		}
		if strings.HasPrefix(d, ".") {
			host = "." + host
		}
		out = append(out, host)
	}
	slices.SortFunc(out, cmp.Compare)
	return slices.Compact(out), nil
}

// named is a certificate's name in a line for the operator.
func named(c *x509.Certificate) string {
	if names := called(c.Subject); names != nil {
		return printable(names[0])
	}
	return "without a name"
}

// printable makes a foreign name safe for a line: the file may come from anywhere.
func printable(s string) string {
	r := []rune(s)
	if len(r) > 64 {
		r = r[:64]
	}
	for i, c := range r {
		if c == '"' || c == '\\' || c < ' ' || c > '~' {
			r[i] = '?'
		}
	}
	return `"` + string(r) + `"`
}
