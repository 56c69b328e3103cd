package trust

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// The text of a bundle: a header, and for each root four lines and a PEM block
// (RFC 7468). Each line is "# key=value"; the notice stands between them.
const (
	mark   = "# E-mail roots for certinbox, format 1."
	notice = `#
# Where the version names NSS, the roots were made from its certdata.txt, see
# lib/ckfw/builtins in https://hg.mozilla.org/projects/nss: the certificates
# whose trust object has CKA_TRUST_EMAIL_PROTECTION CKT_NSS_TRUSTED_DELEGATOR.
#
# This Source Code Form is subject to the terms of the Mozilla Public
# License, v. 2.0. If a copy of the MPL was not distributed with this
# file, You can obtain one at https://mozilla.org/MPL/2.0/.
#
# Not to be edited: the reader takes it whole or not at all.
#
`
	unknown = "unknown"
	none    = "none"
)

// WriteBundle writes b as PEM with comment lines before each certificate, and
// the notice of its licence first; ReadBundle reads exactly b again, times to
// the second. Labels are sanitised; a version that is not, and a root that
// stands in b twice, is an error.
func WriteBundle(w io.Writer, b Bundle) error {
	if b.Version != sanitised(b.Version) || b.Version == unknown {
		return fmt.Errorf("trust: bundle: version %q cannot be written in a line", b.Version)
	}
	version := b.Version
	if version == "" {
		version = unknown
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s\n%s# version=%s\n# date=%s\n# roots=%d\n", mark, notice, version, stamp(b.Date, unknown), len(b.Roots))
	seen := map[[sha256.Size]byte]bool{}
	for _, r := range b.Roots {
		sum := sha256.Sum256(r.Certificate.Raw)
		if seen[sum] {
			return fmt.Errorf("trust: bundle: %s stands in it twice", printable(r.Label))
		}
		seen[sum] = true
		label := sanitised(r.Label)
		if label == "" {
			label = labelOf(r.Certificate)
		}
		fmt.Fprintf(&out, "\n# label=%s\n# sha256=%x\n# email-distrust-after=%s\n# source=%s\n",
			label, sum, stamp(r.DistrustAfter, none), version)
		if err := pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate.Raw}); err != nil {
			return fmt.Errorf("trust: bundle: %w", err)
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

func stamp(t time.Time, zero string) string {
	if t.IsZero() {
		return zero
	}
	return t.UTC().Format(time.RFC3339)
}

// readStamp reads what stamp writes, and no other spelling of it.
func readStamp(s, zero string) (time.Time, error) {
	if s == zero {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || stamp(t, zero) != s {
		return time.Time{}, fmt.Errorf("%s is neither %s nor a time as 2026-01-31T00:00:00Z", printable(s), zero)
	}
	return t, nil
}

// isWritten says whether text was once written by WriteBundle. One line that
// remains of it is enough: a date that is there must not be overlooked because
// the beginning is lost.
func isWritten(text []byte) bool {
	return bytes.HasPrefix(text, []byte(mark)) || bytes.Contains(text, []byte("email-distrust-after"))
}

// readWritten reads a bundle as WriteBundle writes it. Anything else in it, or
// less, is an error that names the line.
func readWritten(name string, text []byte) (Bundle, []Problem, error) {
	r := &writtenReader{lines: strings.Split(strings.TrimRight(string(text), "\n"), "\n"), seen: map[string]bool{}}
	b, problems, err := r.bundle()
	if err != nil {
		return Bundle{}, nil, fmt.Errorf("line %d: %w", r.at, err)
	}
	for i := range problems {
		problems[i].File = name
	}
	return b, problems, nil
}

type writtenReader struct {
	lines []string
	at    int             // lines taken
	seen  map[string]bool // certificates in hexadecimal hashes
}

func (r *writtenReader) bundle() (b Bundle, problems []Problem, err error) {
	if r.next() != mark {
		return b, nil, fmt.Errorf("it is not %q: the beginning of the bundle is lost, or it is of another format", mark)
	}
	version, date, count, err := r.header()
	if err != nil {
		return b, nil, err
	}
	b.Date = date
	if version != unknown {
		b.Version = version
	}
	for index := 1; index <= count; index++ {
		root, text, warning, err := r.root(version)
		if err != nil {
			return Bundle{}, nil, err
		}
		if text != "" {
			problems = append(problems, Problem{Index: index, Text: text, Warning: warning})
			continue
		}
		b.Roots = append(b.Roots, root)
	}
	for r.at < len(r.lines) {
		if r.next() != "" {
			return Bundle{}, nil, fmt.Errorf("more stands in the file than %d roots", count)
		}
	}
	return b, problems, nil
}

// next takes a line, "" at the end.
func (r *writtenReader) next() string {
	if r.at++; r.at > len(r.lines) {
		return ""
	}
	return strings.TrimRight(r.lines[r.at-1], " \t")
}

// value takes the line "# key=value".
func (r *writtenReader) value(key string) (string, error) {
	v, ok := strings.CutPrefix(r.next(), "# "+key+"=")
	if !ok || v == "" {
		return "", fmt.Errorf("%q is missing: the bundle is damaged", "# "+key+"=…")
	}
	return v, nil
}

// header takes the lines up to the count of roots.
func (r *writtenReader) header() (version string, date time.Time, count int, err error) {
	for r.at < len(r.lines) && strings.HasPrefix(r.lines[r.at], "#") && !strings.HasPrefix(r.lines[r.at], "# version=") {
		r.at++ // the notice
	}
	if version, err = r.value("version"); err != nil {
		return "", date, 0, err
	}
	if version != sanitised(version) {
		return "", date, 0, errors.New("the version holds what cannot be printed")
	}
	text, err := r.value("date")
	if err != nil {
		return "", date, 0, err
	}
	if date, err = readStamp(text, unknown); err != nil {
		return "", date, 0, fmt.Errorf("date: %w", err)
	}
	if text, err = r.value("roots"); err != nil {
		return "", date, 0, err
	}
	count, err = strconv.Atoi(text)
	if err != nil || count < 0 || count > maxCertificates {
		return "", date, 0, fmt.Errorf("roots: %s is no number up to %d", printable(text), maxCertificates)
	}
	return version, date, count, nil
}

// root takes one root; text says why it cannot be an anchor, which is no damage.
func (r *writtenReader) root(version string) (root Root, text string, warning bool, err error) {
	if r.next() != "" {
		return root, "", false, errors.New("no empty line before a root: the bundle is damaged")
	}
	var values [4]string
	for i, key := range []string{"label", "sha256", "email-distrust-after", "source"} {
		if values[i], err = r.value(key); err != nil {
			return root, "", false, err
		}
		switch {
		case key == "label" && values[i] != sanitised(values[i]):
			return root, "", false, errors.New("the label holds what cannot be printed")
		case key == "email-distrust-after":
			if root.DistrustAfter, err = readStamp(values[i], none); err != nil {
				return root, "", false, fmt.Errorf("email-distrust-after: %w", err)
			}
		case key == "source" && values[i] != version:
			return root, "", false, errors.New("the source is not the version of the bundle")
		}
	}
	root.Label = values[0]
	der, err := r.block()
	if err != nil {
		return root, "", false, err
	}
	sum := sha256.Sum256(der)
	switch {
	case hex.EncodeToString(sum[:]) != values[1]:
		return root, "", false, errors.New("the certificate is not the one of the sha256 above it")
	case r.seen[values[1]]:
		return root, "", false, errors.New("the certificate stands in the bundle twice")
	}
	r.seen[values[1]] = true
	root.Certificate, text, warning = object{der: der}.certificate()
	if text == "" {
		text, warning = unusable(root.Certificate)
	}
	return root, text, warning, nil
}

// block takes a PEM block of one certificate.
func (r *writtenReader) block() ([]byte, error) {
	var block strings.Builder
	line := r.next()
	if line != "-----BEGIN CERTIFICATE-----" {
		return nil, errors.New("no certificate follows: the bundle is damaged")
	}
	for line != "-----END CERTIFICATE-----" {
		block.WriteString(line + "\n")
		if line = r.next(); line == "" || line[0] == '#' {
			return nil, errors.New("the certificate has no END line: the bundle is damaged")
		}
	}
	block.WriteString(line + "\n")
	decoded, rest := pem.Decode([]byte(block.String()))
	if decoded == nil || len(rest) > 0 || len(decoded.Headers) > 0 {
		return nil, errors.New("the certificate is damaged: no base64")
	}
	return decoded.Bytes, nil
}
