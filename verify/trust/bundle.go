package trust

import (
	"crypto/x509"
	"errors"
	"io"
	"time"
)

// A Bundle is a list of e-mail roots, as a root programme publishes them.
type Bundle struct {
	Version string    // of the source, "NSS builtins 2.92"; "" unknown
	Date    time.Time // of the data; zero: unknown
	Roots   []Root
}

// A Root is one CA of a Bundle.
type Root struct {
	Certificate   *x509.Certificate
	Label         string    // sanitised
	DistrustAfter time.Time // leaves issued after it are refused; zero: none
}

// ReadBundle reads a list of roots: a certdata.txt of NSS, from which those with
// the e-mail trust bit are taken, a bundle as WriteBundle writes it, or any file
// that Load takes. Problems are about name, the file.
func ReadBundle(name string, data []byte) (Bundle, []Problem, error) {
	return Bundle{}, nil, errors.New("trust: not there yet")
}

// WriteBundle writes b as PEM with comment lines before each certificate, and
// the notice of its licence first.
func WriteBundle(w io.Writer, b Bundle) error { return errors.New("trust: not there yet") }

// Embedded returns the contents of the bundle that the program brings.
func Embedded() []byte { return nil }
