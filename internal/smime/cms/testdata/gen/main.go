// Gen makes the fixtures of internal/smime/cms: run it in that directory with
//
//	go run ./testdata/gen
//
// It needs openssl, gpgsm, certutil, pk12util and cmsutil, and makes new keys
// each time, so that every fixture changes. What is expected of the fixtures
// stands in the table of the test, not here.
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
)

// A lab is a temporary directory with keys, and the place for the results.
type lab struct {
	dir     string
	out     string
	content []byte
	people  map[string]*person
	ca      *person
	root    *person
	written map[string]bool
}

func main() {
	log.SetFlags(0)
	dir, err := os.MkdirTemp("", "cms-fixtures")
	check(err)
	defer os.RemoveAll(dir)
	out, err := filepath.Abs("testdata")
	check(err)
	l := &lab{dir: dir, out: out, people: map[string]*person{}, written: map[string]bool{}}
	l.contents()
	l.hire()
	openssl(l)
	opensslOdd(l)
	gpgsm(l)
	nss(l)
	good(l)
	names(l)
	bags(l)
	attributes(l)
	algorithms(l)
	keys(l)
	structures(l)
	encodings(l)
	l.sweep()
	log.Printf("%d fixtures", len(l.written))
}

// contents writes what is signed: a short entity, and one long enough to be cut
// into chunks by tools that stream.
func (l *lab) contents() {
	l.content = []byte("Content-Type: text/plain\r\n\r\nThis is what I signed.\r\n")
	long := append([]byte("Content-Type: text/plain\r\n\r\n"), bytes.Repeat([]byte("One line of many.\r\n"), 1100)...)
	check(os.WriteFile(filepath.Join(l.out, "content"), l.content, 0o644))
	check(os.WriteFile(l.path("content"), l.content, 0o644))
	check(os.WriteFile(l.path("long"), long, 0o644))
	check(os.WriteFile(l.path("empty"), nil, 0o644))
}

func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

// write keeps a fixture.
func (l *lab) write(name string, blob []byte) {
	if l.written[name] {
		log.Fatalf("two fixtures are called %s", name)
	}
	l.written[name] = true
	check(os.WriteFile(filepath.Join(l.out, name+".cms"), blob, 0o644))
}

// built keeps what the builder makes of b; the content is put in.
func (l *lab) built(name string, b cmstest.Blob) []byte {
	if b.Content == nil {
		b.Content = l.content
	}
	blob, err := b.Build()
	if err != nil {
		log.Fatalf("%s: %v", name, err)
	}
	l.write(name, blob)
	return blob
}

// signed keeps the detached signature of one signer.
func (l *lab) signed(name string, g cmstest.Signer) []byte {
	return l.built(name, cmstest.Blob{Signers: []cmstest.Signer{g}})
}

// run runs a tool inside the directory.
func (l *lab) run(tool string, args ...string) []byte {
	c := exec.Command(tool, args...)
	c.Dir = l.dir
	c.Env = append(os.Environ(), "GNUPGHOME="+l.path("gnupg"))
	c.Stdin = strings.NewReader("x\n") // gpgsm asks for a passphrase there
	var stderr bytes.Buffer
	c.Stderr = &stderr
	stdout, err := c.Output()
	if err != nil {
		log.Fatalf("%s %s: %v\n%s", tool, strings.Join(args, " "), err, stderr.Bytes())
	}
	return stdout
}

// tool keeps the standard output of a tool.
func (l *lab) tool(name, tool string, args ...string) { l.write(name, l.run(tool, args...)) }

// sweep removes fixtures of former runs that are made no more.
func (l *lab) sweep() {
	old, err := filepath.Glob(filepath.Join(l.out, "*.cms"))
	check(err)
	for _, file := range old {
		if !l.written[strings.TrimSuffix(filepath.Base(file), ".cms")] {
			check(os.Remove(file))
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(fmt.Errorf("gen: %w", err))
	}
}
