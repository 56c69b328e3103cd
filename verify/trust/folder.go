package trust

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A Folder is what the operator's commands and the daemon wrote about trust,
// private to the daemon's user:
//
//	anchors/SHA256.pem                 of trust add, with its limits
//	intermediates/SHA256.pem           of trust add --intermediate
//	learnt/ANCHORSHA256/SHA256.pem     from accepted paths
//	roots.pem                          of trust update
//	refused                            issuers refused lately, see Issuers
//
// Every file is replaced as a whole. Folder keeps nothing in memory; it is safe
// for concurrent use, by several processes too.
type Folder struct {
	root     string
	readOnly bool
}

// The parts of a Folder.
const (
	anchorsPart       = "anchors"
	intermediatesPart = "intermediates"
	learntPart        = "learnt"
	rootsFile         = "roots.pem"
	refusedFile       = "refused"
)

// OpenFolder opens the folder root. One that is not there yet is empty, and
// the first change makes it, but not what is above it. readOnly refuses changes.
// The error wraps fs.ErrPermission where the caller may not look into it.
func OpenFolder(root string, readOnly bool) (*Folder, error) {
	path, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("trust: %s: %w", root, err)
	}
	f := &Folder{root: path, readOnly: readOnly}
	if _, err := folderNames(path, maxFolderFiles); err != nil {
		return nil, fmt.Errorf("trust: %w", err)
	}
	return f, nil
}

// Path returns where the folder is.
func (f *Folder) Path() string { return f.root }

func (f *Folder) path(parts ...string) string {
	return filepath.Join(append([]string{f.root}, parts...)...)
}

// Fingerprint returns the SHA-256 of a certificate in lower-case hexadecimal.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// Sources returns the anchors for Load, each with its limits. A file that
// cannot be understood is a Problem that is no warning: as nobody knows what it
// was to limit (its domains may be exclusive), the caller must not go on with
// the rest as if it were not there. The error is about the folder itself.
func (f *Folder) Sources() ([]Source, []Problem, error) {
	var sources []Source
	problems, err := f.each(anchorsPart, func(path string, data []byte) error {
		k, err := parseFolderFile(path, data, true)
		if err != nil {
			return err
		}
		s := k.settings
		// without the lines before it, in which the name of a file may look like a bundle's
		s.File, s.Contents = path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.certificate.Raw})
		sources = append(sources, s)
		return nil
	})
	return sources, problems, err
}

// Intermediates returns the operator's intermediates. Files that cannot be read
// are Problems: without them a path may not be found, and nothing more.
func (f *Folder) Intermediates() ([]*x509.Certificate, []Problem, error) {
	return f.certificates(intermediatesPart)
}

func (f *Folder) certificates(part string) ([]*x509.Certificate, []Problem, error) {
	var list []*x509.Certificate
	problems, err := f.each(part, func(path string, data []byte) error {
		k, err := parseFolderFile(path, data, false)
		if err != nil {
			return err
		}
		if !isCA(k.certificate) {
			return errors.New("not the certificate of a CA")
		}
		list = append(list, k.certificate)
		return nil
	})
	for i := range problems {
		problems[i].Warning = true
	}
	return list, problems, err
}

// each hands over every file of a part in the order of their names. What take
// says is wrong with one becomes a Problem.
func (f *Folder) each(part string, take func(path string, data []byte) error) ([]Problem, error) {
	names, err := folderNames(f.path(part), maxFolderFiles)
	if err != nil {
		return nil, fmt.Errorf("trust: %w", err)
	}
	var problems []Problem
	for _, name := range names {
		path := f.path(part, name)
		data, err := readPrivate(path, maxFolderFileBytes)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed this moment
		}
		if err == nil {
			err = take(path, data)
		}
		if err != nil {
			remedy := "its name is none that these commands give: move it away"
			if sum := strings.TrimSuffix(name, ".pem"); isFingerprint(sum) {
				remedy = "remove it with: certinbox trust remove " + sum
			}
			problems = append(problems, Problem{File: path, Text: err.Error() + "; " + remedy})
		}
	}
	return problems, nil
}

// Roots returns the contents of the bundle that Update wrote and its file; nil
// if there is none.
func (f *Folder) Roots() (contents []byte, file string, err error) {
	file = f.path(rootsFile)
	contents, err = readPrivate(file, maxFileBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, file, nil
	}
	if err != nil {
		return nil, file, fmt.Errorf("trust: %w", err)
	}
	return contents, file, nil
}

// Update puts b in the place of the bundle.
func (f *Folder) Update(b Bundle) error {
	var text bytes.Buffer
	if err := WriteBundle(&text, b); err != nil {
		return err
	}
	again, problems, err := ReadBundle(rootsFile, text.Bytes())
	if err != nil || len(again.Roots) != len(b.Roots) || slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning }) {
		return fmt.Errorf("trust: the bundle of %d roots is not read back as it was written: %w", len(b.Roots), errors.Join(err, errors.New("nothing was changed")))
	}
	return f.change(func() error { return f.write(f.path(rootsFile), text.Bytes(), true) })
}

// Forgo removes the bundle that Update wrote, if there is one.
func (f *Folder) Forgo() error {
	return f.change(func() error { return f.remove(f.path(rootsFile)) })
}

// AddAnchor keeps c as an anchor with the limits of s, whose File says where it
// came from. One that is there already gets the new limits.
func (f *Folder) AddAnchor(c *x509.Certificate, s Source, at time.Time) error {
	domains, err := DomainList(s.Domains)
	if err != nil {
		return fmt.Errorf("trust: domains: %w", err)
	}
	switch {
	case domains != nil && len(domains) == 0:
		return errors.New("trust: domains: none is named")
	case s.Exclusive && domains == nil:
		return errors.New("trust: exclusive: needs domains")
	}
	s.Domains = domains
	return f.add(anchorsPart, c, formatFolderFile(c, &s, at, s.File))
}

// AddIntermediate keeps c as one of the operator's intermediates. from says
// where it came from.
func (f *Folder) AddIntermediate(c *x509.Certificate, from string, at time.Time) error {
	return f.add(intermediatesPart, c, formatFolderFile(c, nil, at, from))
}

func (f *Folder) add(part string, c *x509.Certificate, text []byte) error {
	return f.change(func() error {
		path := f.path(part, Fingerprint(c)+".pem")
		names, err := folderNames(filepath.Dir(path), maxFolderFiles)
		if err != nil {
			return err
		}
		if len(names) >= maxFolderFiles && !slices.Contains(names, filepath.Base(path)) {
			return fmt.Errorf("%s: holds %d files, no more are taken", f.path(part), maxFolderFiles)
		}
		return f.write(path, text, true)
	})
}

// Remove removes the anchor or intermediate with this fingerprint, and with an
// anchor what was learnt under it, and says what it was. The file may be
// damaged. The error wraps fs.ErrNotExist if nothing is there.
func (f *Folder) Remove(fingerprint string) (removed []string, err error) {
	if !isFingerprint(fingerprint) {
		return nil, fmt.Errorf("trust: %q is not a SHA-256 of 64 hexadecimal digits", fingerprint)
	}
	err = f.change(func() error {
		learnt, err := f.learntFiles(func(name string) bool { return name == fingerprint+".pem" })
		if err != nil {
			return err
		}
		under, err := f.learntUnder(fingerprint)
		if err != nil {
			return err
		}
		files := []string{f.path(anchorsPart, fingerprint+".pem"), f.path(intermediatesPart, fingerprint+".pem")}
		for _, path := range slices.Concat(files, learnt, under) {
			if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err := f.remove(path); err != nil {
				return err
			}
			rel, _ := filepath.Rel(f.root, path) // both are absolute
			removed = append(removed, rel)
		}
		os.Remove(f.path(learntPart, fingerprint)) // the folder of an anchor, empty now; most have none
		return nil
	})
	if err == nil && len(removed) == 0 {
		err = fmt.Errorf("trust: %s: neither an anchor nor an intermediate of %s: %w", fingerprint, f.root, fs.ErrNotExist)
	}
	return removed, err
}

// isFingerprint says whether s is a SHA-256 as Fingerprint writes it.
func isFingerprint(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size && strings.ToLower(s) == s
}
